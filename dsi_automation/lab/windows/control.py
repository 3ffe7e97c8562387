"""The client of the control socket: what the lab and the tests do to a running simulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dsi_automation.core.text import T
from dsi_automation.lab.control_client import ControlClient
from dsi_automation.lab.windows.faults import Fault, FaultRule
from dsi_automation.lab.windows.spec import WorkstationSpec


class Control(ControlClient):
    """Talks to the simulator of the workstations."""

    simulator = T("The workstation simulator")

    def workstations(self) -> list[dict[str, Any]]:
        """Return every workstation in a few words: key, name, address, ports, whether it is up."""
        rows: list[dict[str, Any]] = self._call("GET", "/workstations")
        return rows

    def workstation(self, key: str) -> dict[str, Any]:
        """Return one workstation: spec, state, `methods` (done, by `Class.Method`), `requests` by kind, `up`."""
        shown: dict[str, Any] = self._call("GET", _path(key))
        return shown

    def requests(self, key: str) -> list[dict[str, str]]:
        """Return the log of a workstation's requests, oldest first: names only, never a value."""
        lines: list[dict[str, str]] = self._call("GET", _path(key, "/requests"))
        return lines

    def add(self, spec: WorkstationSpec) -> dict[str, Any]:
        """Serve one more workstation; its address must exist. Return it in a few words."""
        row: dict[str, Any] = self._call("POST", "/workstations", spec.model_dump(mode="json"))
        return row

    def remove(self, key: str) -> None:
        """Stop serving a workstation and forget its state."""
        self._call("DELETE", _path(key))

    def fault(
        self,
        key: str,
        fault: Fault,
        *,
        value: float = 0.0,
        count: int | None = None,
        method: str | None = None,
        class_name: str | None = None,
    ) -> None:
        """Switch a fault on; see `FaultRule` for what the arguments mean."""
        rule = FaultRule(fault=fault, value=value, count=count, method=method, class_name=class_name)
        self._call("POST", _path(key, "/faults"), rule.model_dump(mode="json"))

    def clear_faults(self, key: str) -> None:
        """Switch every fault of a workstation off."""
        self._call("DELETE", _path(key, "/faults"))

    def reset(self, key: str) -> None:
        """Bring a workstation back to its specification; its object in AD is not touched."""
        self._call("POST", _path(key, "/reset"))

    def reboot(self, key: str) -> None:
        """Restart a workstation at once, also one that is down for good."""
        self._call("POST", _path(key, "/reboot"))


def _path(key: str, more: str = "") -> str:
    return f"/workstations/{quote(key, safe='')}{more}"
