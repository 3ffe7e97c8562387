"""Connections to routers in memory that circuits join: what the operations are tried against."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from dsi_automation.connectors.routers import refusals
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.endpoints import static_routes
from dsi_automation.connectors.routers.lines import RefusedLineError
from dsi_automation.connectors.routers.looking import one_by_one
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.connectors.routers.port import (
    Interface,
    LineRefusedError,
    NothingPendingError,
    Ping,
    Printed,
    Proof,
    Seen,
    Timer,
    TimerState,
)
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.connectors.windows.port import WritePermit


class MemoryNetwork:
    """Routers in memory, joined by circuits."""

    def __init__(
        self, devices: Iterable[MemoryDevice], circuits: Iterable[tuple[tuple[str, str], tuple[str, str]]] = ()
    ) -> None:
        """Join them.

        Args:
            circuits: both ends of each: router and interface.
        """
        self.devices: Mapping[str, MemoryDevice] = {one.name: one for one in devices}
        self._others: dict[tuple[str, str], tuple[str, str]] = {}
        for one, two in circuits:
            ends = [(name, self.devices[name].dialect.interface_name(interface)) for name, interface in (one, two)]
            self._others |= {ends[0]: ends[1], ends[1]: ends[0]}
        for name, interface in self._others:
            self.devices[name].plug(interface)

    def open(self, name: str, permit: WritePermit | None = None, target: str | None = None) -> MemoryRouter:
        """Return a router to look at and, with a permit, to change."""
        return MemoryRouter(self.devices[name], self, permit, target or name)

    def settle(self) -> None:
        """Have every timer that ran out take its effect."""
        for device in self.devices.values():
            device.tick()

    def line_protocol(self, router: str, interface: str) -> bool:
        """Tell whether the other side of an interface is there; one without a circuit is in a LAN, where it is."""
        ends = [(router, interface), self._others.get((router, interface), (router, interface))]
        return all(self.devices[name].up(one) and one not in self.devices[name].faults.down for name, one in ends)

    def answers(self, router: str, address: str) -> bool:
        """Tell whether an address answers a router: one of its own, or the one at the other end of a circuit."""
        device, wanted = self.devices[router], ipaddress.IPv4Address(address)
        if device.faults.ping & {address, "*"}:
            return False
        for name in device.ports:
            mine = device.addresses(name)
            if any(one.ip == wanted for one in mine) and device.up(name):
                return True
            other = self._others.get((router, name))
            if other is None or not self.line_protocol(router, name):
                continue
            there = self.devices[other[0]].addresses(other[1])
            if any(one.ip == wanted and any(own.network == one.network for own in mine) for one in there):
                return True
        return False


class MemoryRouter:
    """One connection to a router in memory; see `RouterWriter`."""

    def __init__(self, device: MemoryDevice, network: MemoryNetwork, permit: WritePermit | None, target: str) -> None:
        """Connect to nothing yet."""
        self.device = device
        self._network = network
        self._permit = permit
        self._target = target
        self._pushed = False

    @property
    def name(self) -> str:
        """Return the router's name."""
        return self.device.name

    @property
    def dialect(self) -> Dialect:
        """Return its words."""
        return self.device.dialect

    def running(self) -> Config:
        """Return what runs now."""
        self._reach("running")
        return self.device.config

    def startup(self) -> Config:
        """Return what it would start with."""
        self._reach("startup")
        return self.device.start or Config()

    def text(self) -> str:
        """Return what runs, secrets masked."""
        self._reach("text")
        return self.dialect.masked("\n".join([*self.device.config.lines(), "end", ""]))

    def timer(self) -> Timer:
        """Return the state of its rollback timer."""
        self._reach("timer")
        device = self.device
        if device.armed:
            return Timer(TimerState.ARMED, device.until, device.user, device.last)
        return Timer(TimerState.NONE, last=device.last)

    def ready(self) -> None:
        """Make sure that a change could be taken back."""
        self._reach("ready")
        if self.device.faults.unready is not None:
            raise RefusedError(self.device.faults.unready, on=self.name)

    def printed(self) -> Printed:
        """Return what runs, and its text."""
        return Printed(self.running(), self.text())

    def seen(self) -> Seen:
        """Return what runs, its text, what it would start with, its timer and its interfaces."""
        timer, printed = self.timer(), self.printed()
        return Seen(printed.running, printed.text, self.startup(), timer, tuple(sorted(self.device.ports)))

    def proof(self, interfaces: Sequence[str], routes: Sequence[str], addresses: Sequence[str], count: int) -> Proof:
        """Return what runs and what is true of it."""
        return one_by_one(self, interfaces, routes, addresses, count)

    def interface(self, name: str) -> Interface | None:
        """Return an interface as it is."""
        self._reach("interface")
        device, full = self.device, self.dialect.interface_name(name)
        if full not in device.ports:
            return None
        line = self._network.line_protocol(self.name, full)
        return Interface(full, device.up(full), line, tuple(str(one) for one in device.addresses(full)))

    def route(self, prefix: str) -> tuple[str, ...]:
        """Return the next hops in use for exactly this network."""
        self._reach("route")
        device = self.device
        usable = [
            one.network
            for name in device.ports
            if self._network.line_protocol(self.name, name)
            for one in device.addresses(name)
        ]
        hops = (one.via for one in static_routes(device.config) if one.prefix == prefix)
        return tuple(one for one in hops if any(_is_in(one, network) for network in usable))

    def ping(self, address: str, *, count: int = 5) -> Ping:
        """Send echo requests."""
        self._reach("ping")
        return Ping(count, count if self._network.answers(self.name, address) else 0)

    def snapshot(self, name: str) -> str:
        """Keep what runs under a name."""
        with self._write("snapshot", name) as device:
            if device.snapshots.setdefault(name, device.config).digest != device.config.digest:
                raise RefusedError(
                    T("{router} keeps another configuration under the name {name}.", router=self.name, name=name),
                    on=self.name,
                )
        return self.text()

    def arm(self, seconds: float) -> Config:
        """Arm the timer."""
        with self._write("arm", f"{seconds:g}") as device:
            if device.armed:
                raise RefusedError(T("{router} has a timer armed already.", router=self.name), on=self.name)
            device.before = device.config
            device.until = device.clock.now() + timedelta(seconds=seconds)
            return device.before

    def push(self, lines: Sequence[str]) -> None:
        """Send commands of configuration mode."""
        refusals.sendable(self.name, self.dialect, self.device.protected, lines)
        with self._write("push", str(len(lines))) as device:
            self._pushed = True
            for step in _steps(lines):
                self._take(device, step)
            if device.faults.early:
                device.go_back("timer")

    def confirm(self) -> None:
        """Disarm the timer and keep what runs."""
        if self._pushed:
            raise RefusedError(
                T("A change of {router} is confirmed through a new connection only.", router=self.name), on=self.name
            )
        with self._write("confirm") as device:
            if not device.armed:
                raise NothingPendingError(self.name)
            device.before, device.until, device.last = None, None, "confirmed"

    def save(self) -> None:
        """Make what runs what it starts with."""
        with self._write("save") as device:
            if device.armed:
                raise RefusedError(
                    T("{router} has a timer armed: nothing is saved before it is confirmed.", router=self.name),
                    on=self.name,
                )
            device.start = device.config

    def revert(self) -> None:
        """Go back now."""
        with self._write("revert") as device:
            if device.armed:
                device.go_back("asked")
            elif not (device.last or "").startswith("reverted"):
                raise NothingPendingError(self.name)

    def restore(self, name: str) -> None:
        """Go back to a named snapshot."""
        with self._write("restore", name) as device:
            if device.armed:
                raise RefusedError(T("{router} has a timer armed already.", router=self.name), on=self.name)
            if name not in device.snapshots:
                raise RefusedError(T("{router} has no snapshot {name}.", router=self.name, name=name), on=self.name)
            device.config = device.snapshots[name]

    def close(self) -> None:
        """Close the connections."""
        self._pushed = False

    def _reach(self, method: str) -> None:
        self.device.tick()
        faults = self.device.faults
        pending = faults.fails.get(method)
        error = pending.pop(0) if pending else faults.unreachable
        if error is not None:
            raise error
        if self.device.offline:
            raise UnreachableError(T("{router} does not answer.", router=self.name), on=self.name)

    def _take(self, device: MemoryDevice, step: Sequence[str]) -> None:
        """Take a line with the heading it stands under, or all lines of a filter at once."""
        refused = ((line, _first(device.faults.refuse, line)) for line in step)
        for line, answer in refused:
            if answer is not None:
                raise LineRefusedError(self.name, line, answer)
        try:
            device.config = device.dialect.apply(device.config, step)
        except RefusedLineError as error:
            raise LineRefusedError(self.name, error.line, error.answer) from error
        device.pushed.append(step[-1])
        if device.faults.cut is not None and any(re.search(device.faults.cut, line) for line in step):
            device.offline = True
            raise UnknownOutcomeError(
                T("{router} stopped answering while it was changed.", router=self.name), on=self.name
            )

    @contextmanager
    def _write(self, event: str, detail: str = "") -> Iterator[MemoryDevice]:
        if self._permit is not None:
            self._permit.check(self._target)
        self._reach(event)
        self.device.point(f"before {event}")
        with self.device.lock:
            done = f"{event} {detail}".strip()
            try:
                yield self.device
            except DsiError:
                self.device.events.append(f"{done} failed")
                raise
            self.device.events.append(done)
        self.device.point(f"after {event}")


def _first(refused: Mapping[str, str], line: str) -> str | None:
    return next((answer for pattern, answer in refused.items() if re.search(pattern, line)), None)


def _steps(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield what is taken at once: each line with its heading, or a whole filter."""
    heading, block = "", list[str]()
    for line in lines:
        inside = line.startswith(" ")
        if block and not inside:
            yield block
            block = []
        if not inside:
            heading = "" if line == "exit" else line
        if heading.startswith("filter "):
            block.append(line)
        elif line != "exit":
            yield [heading, line] if inside else [line]
    if block:
        yield block


def _is_in(address: str, network: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(address) in network
    except ValueError:
        return False
