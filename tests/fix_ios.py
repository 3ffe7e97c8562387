"""An emulated Cisco router, and the driver's way to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dsi_automation.connectors.routers.ios import IosRouter
from dsi_automation.connectors.routers.port import Platform, RouterEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ios.configuration import Configuration
from dsi_automation.lab.ios.device import Device
from dsi_automation.lab.ios.server import Server

USER, PASSWORD = "netadmin", "emulated-password-7"
LAN = "interface GigabitEthernet0/1"
ADDRESS = " ip address 198.18.40.1 255.255.255.252"
WAN = "interface GigabitEthernet0/2"
LINES = (WAN, " description LL-12 siege", ADDRESS, " no shutdown", "exit", "ip route 10.0.0.0 255.0.0.0 198.18.40.2")
LIST = "ip access-list extended DSI-LAN-IN"


class Open:
    """A permit that always holds, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def check(self, target: str) -> None:
        self.asked.append(target)


class Hurried(SystemClock):
    """A clock that waits for nothing, and remembers how long it was asked to."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@dataclass
class Emulated:
    """A router, where it answers, and the drivers opened to it."""

    device: Device
    server: Server
    endpoint: RouterEndpoint
    opened: contextlib.ExitStack
    permit: Open
    clock: Hurried = field(default_factory=Hurried)

    def driver(self, **changes: object) -> IosRouter:
        router = IosRouter(replace(self.endpoint, **changes), self.clock, self.permit, "rtr-spy")  # type: ignore[arg-type]
        self.opened.callback(router.close)
        return router


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Callable[..., Emulated]]:
    """Return what makes a router; a minute of its timer lasts `minute` seconds."""
    with contextlib.ExitStack() as stack:

        def make(*, minute: float = 60.0, prints_numbers: bool = True, archive: bool = True) -> Emulated:
            names = ("GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/2")
            running = Configuration("rtr-spy", names, prints_numbers=prints_numbers)
            running.sections["interface GigabitEthernet0/0"] = ["ip address 198.18.0.11 255.255.255.0"]
            running.sections[LAN] = ["ip address 10.64.8.1 255.255.255.0", "ip access-group DSI-LAN-IN in"]
            running.lists["DSI-LAN-IN"] = {
                100: "permit tcp host 198.18.0.1 any eq 22",
                1230: "permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 8443",
                9000: "deny ip any any log",
            }
            if archive:
                running.sections["archive"] = ["path flash:dsi-"]
            device = Device(running, minute=minute)
            server = stack.enter_context(Server(device, {USER: PASSWORD, "other": PASSWORD}))
            known = tmp_path / f"known_hosts-{server.port}"
            known.write_text(server.known_hosts)
            endpoint = RouterEndpoint(
                "rtr-spy", Platform.IOS, "127.0.0.1", server.port, USER, Secret(PASSWORD), known_hosts=str(known),
                filter=True, read_timeout=20.0,
            )  # fmt: skip
            return Emulated(device, server, endpoint, stack.enter_context(contextlib.ExitStack()), Open())

        yield make


@pytest.fixture
def emulated(emulate: Callable[..., Emulated]) -> Emulated:
    """Return a router whose minutes are minutes."""
    return emulate()
