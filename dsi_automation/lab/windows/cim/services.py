"""The services a specification adds to a simulated machine: Win32_Service, StartService and StopService.

Rules from the methods' pages of Win32_Service: a method answers when the order is given, not when it is carried out;
the state then is "Start Pending" or "Stop Pending".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap.xml import Value
from dsi_automation.lab.windows.spec import Service
from dsi_automation.lab.windows.state import ServiceState

OK, ACCESS_DENIED, CANNOT_ACCEPT_CONTROL, NOT_ACTIVE, ALREADY_RUNNING, DISABLED = 0, 2, 5, 6, 10, 14
_FIRST_PID: Final = 4000


def instances(machine: Machine) -> Iterable[dict[str, Value]]:
    """Return what Win32_Service shows of them."""
    for service in machine.spec.services:
        now, state = _now(machine, service), shown(machine, service)
        yield {
            "Caption": service.display_name or service.name,
            "Description": None,
            "DisplayName": service.display_name or service.name,
            "Name": service.name,
            "PathName": f"C:\\Program Files\\{service.name}\\bin\\{service.name}.exe",
            "ProcessId": 0 if state == "Stopped" else now.pid,
            "Started": state != "Stopped",
            "StartMode": service.start_mode,
            "StartName": "LocalSystem",
            "State": state,
            "Status": "OK",
        }


def shown(machine: Machine, service: Service) -> str:
    """Return the state of a service as Windows writes it."""
    now = _now(machine, service)
    if machine.now() < now.settled:
        return "Start Pending" if now.running else "Stop Pending"
    return "Running" if now.running else "Stopped"


def order(machine: Machine, method: str, name: str) -> int:
    """Give a service an order: StartService or StopService; return the method's code."""
    service = next((each for each in machine.spec.services if each.name.lower() == name.lower()), None)
    if service is None:
        return ACCESS_DENIED  # the system's own are none of the lab's business
    state, start = shown(machine, service), method == "StartService"
    if state in {"Start Pending", "Stop Pending"}:
        return ALREADY_RUNNING if start and state == "Start Pending" else CANNOT_ACCEPT_CONTROL
    if start and service.start_mode == "Disabled":
        return DISABLED
    if start == (state == "Running"):
        return ALREADY_RUNNING if start else CANNOT_ACCEPT_CONTROL
    takes = service.start_seconds if start else service.stop_seconds
    pid = _now(machine, service).pid + 4 if start else _now(machine, service).pid
    machine.state.services[service.name] = ServiceState(
        running=start, settled=machine.now() + timedelta(seconds=takes), pid=pid
    )
    machine.done("Win32_Service", method)
    return OK


def _now(machine: Machine, service: Service) -> ServiceState:
    number = machine.spec.services.index(service)
    boot = ServiceState(
        running=service.running and service.start_mode == "Auto",
        settled=machine.state.boot_time,
        pid=_FIRST_PID + 400 * number,
    )
    return machine.state.services.get(service.name, boot)
