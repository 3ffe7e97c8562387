"""A router in memory: what runs, what it starts with, its timer, and faults that can be switched on."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.endpoints import addresses, interfaces
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import Text


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
        ports: the interfaces it has, whether or not its configuration names them.
        offline: whether the controller is cut off until it goes back.
        pushed: all lines it ever took from a push, in order; the last line alone of a filter.
        events: what was done to it, in order: `snapshot NAME`, `arm SECONDS`, `push N`, `confirm`, ...;
            with ` failed` after it where it was refused.
        point: is told the name of each event before and after it: where a test kills.
    """

    name: str
    dialect: Dialect
    clock: Clock
    config: Config
    start: Config | None = None
    protected: str = "mgmt0"
    ports: set[str] = field(default_factory=set)
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
        for name in (*interfaces(self.config), self.dialect.interface_name(self.protected), *self.ports):
            self.plug(name)

    def plug(self, interface: str) -> None:
        """Give it an interface; a platform that prints every interface prints this one too."""
        self.ports.add(interface)
        empty = {f"interface {interface}": ()}
        self.config, self.start = (
            self.dialect.apply(Config({**empty, **one.sections}), ()) for one in (self.config, self.start or Config())
        )

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
        return interface in self.ports and "shutdown" not in interfaces(self.config).get(interface, ())

    def addresses(self, interface: str) -> tuple[ipaddress.IPv4Interface, ...]:
        """Return the addresses of an interface."""
        return addresses(interfaces(self.config).get(interface, ()))
