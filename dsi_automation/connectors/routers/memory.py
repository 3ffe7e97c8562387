"""Routers in memory, with faults that can be switched on: what the operations are tried against."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.endpoints import addresses, interfaces, static_routes
from dsi_automation.connectors.routers.lines import RefusedLineError
from dsi_automation.connectors.routers.port import (
    Interface,
    LineRefusedError,
    NothingPendingError,
    Ping,
    Timer,
    TimerState,
)
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T, Text


class MemoryPermit(Protocol):
    """What every write asks first."""

    def check(self, target: str) -> None:
        """Make sure that the run may still write to `target`."""
        ...


@dataclass
class Faults:
    """What goes wrong with a router.

    Attributes:
        refuse: lines it refuses, as regular expressions, with its answer.
        cut: a line after which the controller reaches it no more, as a regular expression.
        ping: addresses that never answer; `*` for all.
        down: interfaces whose line protocol stays down.
        early: it goes back by itself right after the push, before its time.
        stuck: what remains of a change when it goes back: lines taken again after it, ours to find.
        unready: why a change could not be taken back.
        unreachable: why it does not answer.
        fails: for each method, the errors its next calls raise; None for a call that works.
    """

    refuse: dict[str, str] = field(default_factory=dict)
    cut: str | None = None
    ping: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    early: bool = False
    stuck: tuple[str, ...] = ()
    unready: Text | None = None
    unreachable: DsiError | None = None
    fails: dict[str, list[DsiError | None]] = field(default_factory=dict)


@dataclass
class MemoryDevice:
    """A router in memory: what runs, what it starts with, snapshots and the timer.

    Attributes:
        protected: the interface of the management; a push that touches it is refused.
        offline: whether the controller is cut off until it goes back.
        pushed: all lines it ever took from a push, in order.
        events: what was done to it, in order: `snapshot NAME`, `arm SECONDS`, `push N`, `confirm`, ...
        point: is told the name of each event before and after it: where a test kills.
    """

    name: str
    dialect: Dialect
    clock: Clock
    config: Config
    start: Config | None = None
    protected: str = "mgmt0"
    faults: Faults = field(default_factory=Faults)
    snapshots: dict[str, Config] = field(default_factory=dict)
    before: Config | None = None
    until: datetime | None = None
    last: str | None = None
    user: str = "netadmin"
    offline: bool = False
    pushed: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    point: Callable[[str], None] = lambda _name: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Start with what runs, where nothing else is said."""
        if self.start is None:
            self.start = self.config

    @property
    def armed(self) -> bool:
        """Tell whether the timer is running."""
        return self.before is not None

    def tick(self) -> None:
        """Go back if the timer ran out meanwhile."""
        with self.lock:
            if self.until is not None and self.clock.now() >= self.until:
                self.go_back("timer")

    def go_back(self, why: str) -> None:
        """Go back to what was taken down when the timer was armed."""
        with self.lock:
            if self.before is None:
                return
            self.config = self.dialect.apply(self.before, self.faults.stuck)
            self.before, self.until, self.offline = None, None, False
            self.last = f"reverted remaining={len(self.faults.stuck)} why={why}"
            self.events.append(f"reverted {why}")

    def by_hand(self, *lines: str) -> None:
        """Take lines at the console, past everything the toolkit does."""
        with self.lock:
            self.config = self.dialect.apply(self.config, lines)

    def reboot(self) -> None:
        """Start again with what it starts with; a timer is forgotten."""
        with self.lock:
            self.config = self.start or self.config
            self.before, self.until, self.offline = None, None, False
            self.events.append("rebooted")

    def up(self, interface: str) -> bool:
        """Tell whether an interface is not shut down."""
        lines = interfaces(self.config).get(interface)
        return lines is not None and "shutdown" not in lines

    def addresses(self, interface: str) -> tuple[ipaddress.IPv4Interface, ...]:
        """Return the addresses of an interface."""
        return addresses(interfaces(self.config).get(interface, ()))


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
        self._others = {end: other for one, two in circuits for end, other in ((one, two), (two, one))}
        for device in self.devices.values():
            mine = {interface for router, interface in self._others if router == device.name}
            missing = mine - set(interfaces(device.config))
            if missing:
                sections = {**device.config.sections, **{f"interface {name}": () for name in missing}}
                device.config = Config(sections)

    def open(self, name: str, permit: MemoryPermit | None = None, target: str | None = None) -> MemoryRouter:
        """Return a router to look at and, with a permit, to change."""
        return MemoryRouter(self.devices[name], self, permit, target or name)

    def settle(self) -> None:
        """Have every timer that ran out take its effect."""
        for device in self.devices.values():
            device.tick()

    def line_protocol(self, router: str, interface: str) -> bool:
        """Tell whether the other side of an interface is there; one without a circuit is in a LAN, where it is."""
        ends = [(router, interface)]
        if (router, interface) in self._others:
            ends.append(self._others[router, interface])
        return all(
            self.devices[name].up(one) or one not in interfaces(self.devices[name].config) for name, one in ends
        ) and not any(one in self.devices[name].faults.down for name, one in ends)

    def answers(self, router: str, address: str) -> bool:
        """Tell whether an address answers a router: one of its own, or the one at the other end of a circuit."""
        device, wanted = self.devices[router], ipaddress.IPv4Address(address)
        if device.faults.ping & {address, "*"}:
            return False
        for name in interfaces(device.config):
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

    def __init__(
        self, device: MemoryDevice, network: MemoryNetwork, permit: MemoryPermit | None, target: str
    ) -> None:
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

    def interface(self, name: str) -> Interface | None:
        """Return an interface as it is."""
        self._reach("interface")
        device = self.device
        if name not in interfaces(device.config):
            return None
        up = device.up(name)
        line = up and self._network.line_protocol(self.name, name)
        return Interface(name, up, line, tuple(str(one) for one in device.addresses(name)))

    def route(self, prefix: str) -> tuple[str, ...]:
        """Return the next hops in use for exactly this network."""
        self._reach("route")
        device = self.device
        usable = [
            one.network
            for name in interfaces(device.config)
            if device.up(name) and self._network.line_protocol(self.name, name)
            for one in device.addresses(name)
        ]
        hops = (one.via for one in static_routes(device.config) if one.prefix == prefix)
        return tuple(one for one in hops if any(_is_in(one, network) for network in usable))

    def ping(self, address: str, *, count: int = 5) -> Ping:
        """Send echo requests."""
        self._reach("ping")
        return Ping(count, count if self._network.answers(self.name, address) else 0)

    def snapshot(self, name: str) -> None:
        """Keep what runs under a name."""
        with self._write("snapshot", name) as device:
            if device.snapshots.setdefault(name, device.config).digest != device.config.digest:
                raise RefusedError(
                    T("{router} keeps another configuration under the name {name}.", router=self.name, name=name),
                    on=self.name,
                )

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
        self._check(lines)
        with self._write("push", str(len(lines))) as device:
            self._pushed = True
            for place, line in enumerate(lines):
                answer = _first(device.faults.refuse, line)
                try:
                    if answer is not None:
                        raise RefusedLineError(line, answer)
                    # A line under a heading is taken with its heading.
                    device.config = device.dialect.apply(device.config, _from_heading(lines, place))
                except RefusedLineError as error:
                    raise LineRefusedError(self.name, line, error.answer) from error
                device.pushed.append(line)
                if device.faults.cut is not None and re.search(device.faults.cut, line):
                    device.offline = True
                    raise UnknownOutcomeError(
                        T("{router} stopped answering while it was changed.", router=self.name), on=self.name
                    )
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
                raise RefusedError(
                    T("{router} has no snapshot {name}.", router=self.name, name=name), on=self.name
                )
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

    def _check(self, lines: Sequence[str]) -> None:
        protected = self.dialect.apply(Config({f"interface {self.device.protected}": ("shutdown",)}), ())
        headings = {name for name in protected.sections if name}
        for line in lines:
            why = self.dialect.dangerous(line)
            if why is not None:
                raise RefusedError(
                    T("The line “{line}” is never sent to a router: {why}.", line=line.strip(), why=why), on=self.name
                )
            if line in headings:
                raise RefusedError(
                    T("{router} is managed through {interface}: no change touches it.",
                      router=self.name, interface=self.device.protected),
                    on=self.name,
                )  # fmt: skip

    def _write(self, event: str, detail: str = "") -> _Writing:
        if self._permit is not None:
            self._permit.check(self._target)
        self._reach(event)
        return _Writing(self.device, event, detail)


class _Writing:
    """One write: tells the test before and after it, and is alone with the device."""

    def __init__(self, device: MemoryDevice, event: str, detail: str) -> None:
        self._device = device
        self._event = event
        self._detail = detail

    def __enter__(self) -> MemoryDevice:
        self._device.point(f"before {self._event}")
        self._device.lock.acquire()
        return self._device

    def __exit__(self, kind: object, *_: object) -> None:
        self._device.events.append(f"{self._event} {self._detail}".strip() + ("" if kind is None else " failed"))
        self._device.lock.release()
        if kind is None:
            self._device.point(f"after {self._event}")


def _first(refused: Mapping[str, str], line: str) -> str | None:
    return next((answer for pattern, answer in refused.items() if re.search(pattern, line)), None)


def _from_heading(lines: Sequence[str], place: int) -> Sequence[str]:
    """Return a line with the heading it stands under."""
    if not lines[place].startswith(" "):
        return () if lines[place].strip() == "exit" else lines[place : place + 1]
    heading = next((line for line in reversed(lines[:place]) if not line.startswith(" ")), None)
    return lines[place : place + 1] if heading is None else (heading, lines[place])


def _is_in(address: str, network: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(address) in network
    except ValueError:
        return False
