"""What a router's driver does: look, snapshot, arm a timer on the device, push, confirm, save, go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

LONGEST_ANSWER: Final = 10
"""Times the read time-out: a device that goes on talking is given up after it."""


class Platform(StrEnum):
    """A kind of router."""

    IOS = "ios"
    FRR = "frr"


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Algorithms of an old SSH server that are allowed for this host besides the usual ones."""

    key_exchange: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterEndpoint:
    """Where a router answers and who logs in there.

    Attributes:
        name: the name in the inventory.
        key: private key file; None for a password or the agent's keys.
        known_hosts: file with the host's key; an unknown or changed one is always refused.
        filter: whether it has a packet filter that is ours.
        archive: where an IOS keeps snapshots.
        helper: the second account of a Linux router, which keeps timer and filter.
        protected: the interface of the management, which no line may touch; None where nobody said.
        connect_timeout, read_timeout: seconds.
    """

    name: str
    platform: Platform
    host: str
    port: int = 22
    user: str = "netadmin"
    password: Secret | None = None
    key: str | None = None
    known_hosts: str | None = None
    algorithms: Algorithms = field(default_factory=Algorithms)
    filter: bool = False
    archive: str = "flash:dsi-"
    helper: str = "dsi-cc"
    protected: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0


class TimerState(StrEnum):
    """What the rollback timer of a device is doing."""

    NONE = "none"
    ARMED = "armed"
    REVERTING = "reverting"


@dataclass(frozen=True, slots=True)
class Timer:
    """The rollback timer of a device.

    Attributes:
        until: when it fires, where the device tells.
        user: who armed it, where the device tells.
        last: what became of the last one, in the device's own words: `confirmed`, `reverted ...`.
    """

    state: TimerState
    until: datetime | None = None
    user: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as it is now, not as it is configured.

    Attributes:
        up: not shut down.
        line_protocol: whether the other side is there.
        addresses: with prefix length.
    """

    name: str
    up: bool
    line_protocol: bool
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """Echo requests sent and answered."""

    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Printed:
    """What runs, by one look.

    Attributes:
        running: what runs, packet filter included.
        text: the same as the device prints it, secrets masked, without what changes at each look.
    """

    running: Config
    text: str


@dataclass(frozen=True, slots=True)
class Seen(Printed):
    """What a look at a router begins with.

    Attributes:
        startup: what it would start with.
        timer: the state of its rollback timer.
        interfaces: those it has, by name, configured or not.
    """

    startup: Config
    timer: Timer
    interfaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What is true of a router now.

    Attributes:
        running: what runs.
        interfaces: those asked for; None where there is none of that name.
        routes: next hops in use, by network.
        pings: by address.
    """

    running: Config
    interfaces: Mapping[str, Interface | None]
    routes: Mapping[str, tuple[str, ...]]
    pings: Mapping[str, Ping]


class RouterReader(Protocol):
    """One router, read-only. Belongs to one thread at a time; nothing is connected before it is first used.

    Every method raises `UnreachableError` (no answer in time), `RefusedError` (login, host key, what it said).
    """

    @property
    def name(self) -> str:
        """Return the router's name."""
        ...

    @property
    def dialect(self) -> Dialect:
        """Return its words."""
        ...

    def running(self) -> Config:
        """Return what runs now, packet filter included."""
        ...

    def startup(self) -> Config:
        """Return what it would start with."""
        ...

    def text(self) -> str:
        """Return what runs as the device prints it, secrets masked, without what changes at each look."""
        ...

    def timer(self) -> Timer:
        """Return the state of its rollback timer."""
        ...

    def ready(self) -> None:
        """Make sure that a change could be taken back: timer, archive, space, no lock of somebody else.

        Raises:
            RefusedError: it could not; says what to do on the device.
        """
        ...

    def printed(self) -> Printed:
        """Return what runs, and its text."""
        ...

    def seen(self) -> Seen:
        """Return what runs, its text, what it would start with, its timer, its interfaces; one answer where it can."""
        ...

    def proof(self, interfaces: Sequence[str], routes: Sequence[str], addresses: Sequence[str], count: int) -> Proof:
        """Return what runs and what is true of it; one answer where the device can.

        Args:
            interfaces: names.
            routes: networks.
            addresses: who is sent echo requests.
            count: how many of them each.
        """
        ...

    def interface(self, name: str) -> Interface | None:
        """Return an interface as it is; None when there is none of that name."""
        ...

    def route(self, prefix: str) -> tuple[str, ...]:
        """Return the next hops in use for exactly this network; empty without such a route."""
        ...

    def ping(self, address: str, *, count: int = 5) -> Ping:
        """Send echo requests from the router itself; ends by itself within a second or two per request."""
        ...


class RouterWriter(RouterReader, Protocol):
    """One router, to change it. Every write asks the run's permit first.

    The order is always: `snapshot`, `arm`, `push`, `close`, a look through a new connection, `confirm`, `save`.
    """

    def snapshot(self, name: str) -> str:
        """Keep what runs under a name on the device; again: the same content is left, another refused.

        Returns:
            What was kept, as `text` has it.
        """
        ...

    def arm(self, seconds: float) -> Config:
        """Arm the timer: unless confirmed by then, the device goes back by itself to what runs now.

        Returns:
            What it would go back to, as the device took it down: compare it with what the plan was made from.

        Raises:
            RefusedError: a timer is armed already, or the device cannot.
        """
        ...

    def push(self, lines: Sequence[str]) -> None:
        """Send commands of configuration mode, one line each, and stop at the first that is refused.

        Success proves nothing: the device may have cut this very connection and gone back meanwhile.

        Raises:
            LineRefusedError: the device refused a line; those before it are in force.
            RefusedError: a line is on the list of dangerous ones, touches the protected interface, or is more than one
                line; nothing was sent.
            UnknownOutcomeError: no answer: the connection broke, perhaps by what was sent.
        """
        ...

    def confirm(self) -> None:
        """Disarm the timer and keep what runs; only from a connection opened after `push`.

        Raises:
            NothingPendingError: the timer is gone: the device went back already.
        """
        ...

    def save(self) -> None:
        """Make what runs what it starts with; refused while a timer is armed."""
        ...

    def revert(self) -> None:
        """Go back now to what `arm` took down, without waiting for the timer; returns once it is done."""
        ...

    def restore(self, name: str) -> None:
        """Go back to a named snapshot, no timer being armed: what was confirmed is taken back."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class LineRefusedError(RefusedError):
    """A device refused a line of a change.

    Attributes:
        line: the line.
        answer: what the device said.
    """

    def __init__(self, router: str, line: str, answer: str) -> None:
        """Name the router, the line and the answer."""
        super().__init__(
            T("{router} refused the line “{line}”: {answer}", router=router, line=line.strip(), answer=answer),
            on=router,
            next_step=T("Correct what the inventory says, make a new plan and ask for a new approval."),
            detail={"line": line, "answer": answer},
        )
        self.line = line
        self.answer = answer


class NothingPendingError(RefusedError):
    """A change was to be confirmed and no timer is armed: the device went back already."""

    def __init__(self, router: str) -> None:
        """Name the router."""
        super().__init__(
            T("{router} has nothing to confirm: its timer ran out and it went back by itself.", router=router),
            on=router,
        )
