"""What an emulated router shows."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from dsi_automation.lab.ios.device import SPACE, Device
from dsi_automation.lab.ios.texts import say


def show(device: Device, line: str) -> str | None:
    """Return the answer to a command that only shows something; None when it is another one."""
    fixed: dict[str, Callable[[], str]] = {
        "show running-config": device.running_text,
        "show startup-config": lambda: device.startup.text() if device.startup else say("no_startup"),
        "show privilege": lambda: say("privilege", level=device.faults.privilege),
        "show archive": lambda: _archive(device),
        "show archive config rollback timer": lambda: _timer(device),
        "show configuration lock": lambda: _lock(device),
        "show ip access-lists": lambda: "".join(_list(device, name) for name in device.running.lists),
    }
    if line in fixed:
        return fixed[line]()
    for pattern, answer in (
        (r"show interfaces (\S+)", _interface),
        (r"show ip route (\S+ \S+)", _route),
        (r"dir (\S+)", _dir),
        (r"more (\S+)", _more),
        (r"ping (\S+ repeat \d+) timeout 1", _ping),
    ):
        if (found := re.fullmatch(pattern, line)) is not None:
            return answer(device, found[1])
    return None


def _archive(device: Device) -> str:
    path = device.running.archive
    if path is None:
        return say("no_archive")
    return say("archive", count=len(device.files), next=len(device.files), path=path)


def _timer(device: Device) -> str:
    pending = device.pending
    if pending is None:
        return say("no_timer")
    return say("timer", at=f"{pending.at:%H:%M:%S UTC %a %b %-d %Y}", minutes=pending.minutes, user=pending.user)


def _lock(device: Device) -> str:
    return say("lock_free") if device.faults.lock is None else say("lock_held", user=device.faults.lock)


def _list(device: Device, name: str) -> str:
    entries = (say("list_entry", number=number, text=text) for number, text in device.running.entries(name))
    return say("list_head", name=name) + "".join(entries)


def _interface(device: Device, name: str) -> str:
    lines = device.running.sections.get(f"interface {name}")
    if lines is None:
        return say("invalid", caret=" " * 18)
    up = "shutdown" not in lines
    words = next((line.split() for line in lines if line.startswith("ip address ")), None)
    shown = "" if words is None else f"{words[2]}/{ipaddress.IPv4Network(f'0.0.0.0/{words[3]}').prefixlen}"
    address = say("internet_address", address=shown) if shown else ""
    return say("interface", name=name, state="up" if up else "administratively down", protocol="up" if up else "down",
               address=address)  # fmt: skip


def _route(device: Device, wanted: str) -> str:
    network = ipaddress.IPv4Network("/".join(wanted.split()))
    for line in device.running.top:
        words = line.split()
        if words[:2] == ["ip", "route"] and ipaddress.IPv4Network(f"{words[2]}/{words[3]}").supernet_of(network):
            return say("route", prefix=ipaddress.IPv4Network(f"{words[2]}/{words[3]}"), hop=words[4])
    return say("no_route")


def _dir(device: Device, system: str) -> str:
    return say("dir", system=system, total=SPACE, free=device.faults.free)


def _more(device: Device, file: str) -> str:
    kept = device.files.get(file)
    return say("no_file", file=file) if kept is None else f"!\n{kept.text()}"


def _ping(device: Device, wanted: str) -> str:
    address, _, count = wanted.split()
    received = 0 if address in device.unreachable else int(count)
    marks = ("!" if received else ".") * int(count)
    return say("ping", count=count, address=address, marks=marks, received=received,
               percent=100 * received // int(count))  # fmt: skip
