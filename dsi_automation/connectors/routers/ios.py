"""A router with Cisco IOS or IOS-XE: its own rollback timer, its archive, its configuration replace.

Commands and texts: "Configuration Replace and Configuration Rollback" and "Configuration Rollback Confirmed Change"
(Cisco IOS Configuration Management). The driver has not met a real Cisco: see the emulator, `lab/ios`.

`configure terminal revert timer N` arms the timer and enters configuration mode at once. The session that armed is
closed and the lines are pushed through another one of the same account: the timer is absolute and belongs to the
device, and what it announces is printed into the session that armed. Only the account that armed may confirm.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.routers import ios_answers as answers
from dsi_automation.connectors.routers import ios_errors as errors
from dsi_automation.connectors.routers import refusals
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.ios import IosDialect
from dsi_automation.connectors.routers.endpoints import interfaces
from dsi_automation.connectors.routers.looking import one_by_one
from dsi_automation.connectors.routers.port import (
    Interface,
    NothingPendingError,
    Ping,
    Printed,
    Proof,
    RouterEndpoint,
    Seen,
    Timer,
    TimerState,
)
from dsi_automation.connectors.routers.session import RouterSession
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError

if TYPE_CHECKING:
    from dsi_automation.connectors.windows.port import WritePermit

LONGEST_TIMER: Final = 120
"""Minutes `configure terminal revert timer` takes."""
SPACE: Final = 1 << 20
"""Bytes that must be free where snapshots are kept: several times the longest configuration."""
SAVES: Final = 5
"""Times a configuration is saved when somebody else keeps the file open."""
SAVE_AGAIN: Final = 2.0
"""Seconds between two of them."""
_LONG: Final = 3.0
"""Times the read time-out for what the device thinks about: a replace goes through up to five passes."""
_INTERFACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9./:-]*")
_SNAPSHOT: Final = re.compile(r"[A-Za-z0-9_-]{1,48}")
_TIMER: Final = "show archive config rollback timer"


class IosRouter:
    """See `port.RouterWriter`."""

    def __init__(self, endpoint: RouterEndpoint, clock: Clock, permit: WritePermit | None, target: str) -> None:
        """Remember where it is; nothing is connected yet."""
        self._endpoint = endpoint
        self._clock = clock
        self._permit = permit
        self._target = target
        self._session = RouterSession(endpoint, clock)
        self._dialect = IosDialect()
        self._pushed = False

    @property
    def name(self) -> str:
        """Return the router's name."""
        return self._endpoint.name

    @property
    def dialect(self) -> IosDialect:
        """Return its words."""
        return self._dialect

    def running(self) -> Config:
        """Return what runs now."""
        return self._read(self._session.show("show running-config"))

    def startup(self) -> Config:
        """Return what it would start with.

        Older releases do not keep the numbers of access lists: what starts then is numbered anew, from 10 in steps of
        10 ("IP Access List Entry Sequence Numbering"). Where its entries are those that run, it has their numbers.
        """
        text = self._session.show("show startup-config")
        config = self._dialect.parse(text)
        return self._dialect.numbered_as(config, self.running()) if answers.bare(text) else config

    def text(self) -> str:
        """Return what runs as printed, secrets masked, without what changes at each look."""
        return self._dialect.masked(answers.quiet(self._session.show("show running-config")))

    def printed(self) -> Printed:
        """Return what runs, and its text."""
        shown = self._session.show("show running-config")
        return Printed(self._read(shown), self._dialect.masked(answers.quiet(shown)))

    def seen(self) -> Seen:
        """Return what runs, its text, what it would start with, its timer; IOS prints every interface it has."""
        timer, printed = self.timer(), self.printed()
        return Seen(printed.running, printed.text, self.startup(), timer, tuple(interfaces(printed.running)))

    def proof(self, interfaces: Sequence[str], routes: Sequence[str], addresses: Sequence[str], count: int) -> Proof:
        """Return what runs and what is true of it, asked in turn."""
        return one_by_one(self, interfaces, routes, addresses, count)

    def timer(self) -> Timer:
        """Return the state of its rollback timer."""
        return answers.timer(self._asked(_TIMER))

    def ready(self) -> None:
        """Make sure that a change could be taken back."""
        privilege = re.search(r"privilege level is (\d+)", self._session.show("show privilege"))
        if privilege is not None and int(privilege[1]) < 15:
            raise errors.privilege(self._endpoint, int(privilege[1]))
        if "not enabled" in self._asked("show archive"):
            raise errors.no_archive(self._endpoint)
        self._nothing_armed()
        holder = answers.lock_held_by(self._session.show("show configuration lock"))
        if holder is not None:
            raise errors.locked(self._endpoint, holder)
        system = f"{self._endpoint.archive.partition(':')[0]}:"
        free = answers.free_bytes(self._asked(f"dir {system}"))
        if free is not None and free < SPACE:
            raise errors.no_space(self._endpoint, system, free, SPACE)

    def interface(self, name: str) -> Interface | None:
        """Return an interface as it is."""
        if not _INTERFACE.fullmatch(name):
            return None
        return answers.interface(name, self._session.show(f"show interfaces {name}"))

    def route(self, prefix: str) -> tuple[str, ...]:
        """Return the next hops in use for exactly this network."""
        network = ipaddress.IPv4Network(prefix)
        command = f"show ip route {network.network_address} {network.netmask}"
        return answers.next_hops(prefix, self._session.show(command))

    def ping(self, address: str, *, count: int = 5) -> Ping:
        """Send echo requests from the router itself."""
        command = f"ping {ipaddress.IPv4Address(address)} repeat {count} timeout 1"
        # All dots of a row may come at once.
        said = self._session.show(command, timeout=self._endpoint.read_timeout + count)
        found = answers.ping(said)
        if found is None:
            raise errors.said(self._endpoint, command, said)
        return found

    def snapshot(self, name: str) -> str:
        """Keep what runs under a name, in a file beside the archive."""
        self._check()
        file = self._file(name)
        kept = self._session.show(f"more {file}")
        if not re.match(r"\s*%", kept):
            now = self.printed()
            if self._read(kept) != now.running:
                raise errors.another_snapshot(self._endpoint, file)
            return now.text
        command = f"copy running-config {file}"
        said = self._long(command, [(r"Destination filename \[[^\]]*\]\?", "")])
        if not answers.COPIED.search(said):
            raise errors.said(self._endpoint, command, said)
        return self.text()

    def arm(self, seconds: float) -> Config:
        """Arm the timer; returns what the device took down."""
        self._check()
        minutes = math.ceil(seconds / 60)
        if not 1 <= minutes <= LONGEST_TIMER:
            raise errors.no_such_timer(self._endpoint, seconds, LONGEST_TIMER)
        self._nothing_armed()
        said = self._session.configure([], enter=f"configure terminal revert timer {minutes}")
        # Its announcements are printed into the session that armed.
        self.close()
        file = answers.BACKED_UP.search(said)
        try:
            return self.running() if file is None else self._read(self._asked(f"more {file[1]}"))
        except RefusedError:
            return self.running()
        except UnreachableError as error:
            # It is armed: whoever reads this must know that it may go back.
            raise UnknownOutcomeError(error.what, on=self.name, meaning=error.meaning) from error

    def push(self, lines: Sequence[str]) -> None:
        """Send commands of configuration mode, one line each, while a timer is armed."""
        self._check()
        refusals.sendable(self.name, self._dialect, self._endpoint.protected, lines)
        if self.timer().state is TimerState.NONE:
            raise refusals.not_armed(self.name)
        self._pushed = True
        self._session.configure(lines)

    def confirm(self) -> None:
        """Disarm the timer and keep what runs."""
        self._check()
        if self._pushed:
            # An answer through the session that pushed proves nothing.
            self.close()
        pending = self.timer()
        if pending.state is TimerState.NONE:
            raise NothingPendingError(self.name)
        if pending.user not in {None, self._endpoint.user}:
            raise errors.armed_by_another(self._endpoint, str(pending.user))
        command = "configure confirm"
        said = self._long(command)
        if answers.NONE_PENDING in said:
            raise NothingPendingError(self.name)
        if answers.FAILED.search(said) or self.timer().state is not TimerState.NONE:
            raise errors.said(self._endpoint, command, said)

    def save(self) -> None:
        """Make what runs what it starts with."""
        self._check()
        self._nothing_armed()
        command = "write memory"
        for attempt in range(1, SAVES + 1):
            said = self._long(
                command,
                [(r"Overwrite the previous NVRAM configuration\?\s*\[confirm\]", ""), (answers.TOO_LARGE, "no")],
            )
            if answers.SAVED.search(said) and "too large" not in said:
                return
            if not answers.BUSY.search(said) or attempt == SAVES:
                raise errors.said(self._endpoint, command, said)
            self._clock.sleep(SAVE_AGAIN)

    def revert(self) -> None:
        """Go back now to what `arm` took down."""
        self._check()
        if self.timer().state is TimerState.NONE:
            raise NothingPendingError(self.name)
        command = "configure revert now"
        said = self._long(command)
        if answers.NONE_PENDING in said:
            raise NothingPendingError(self.name)
        if answers.FAILED.search(said):
            raise errors.said(self._endpoint, command, said)

    def restore(self, name: str) -> None:
        """Go back to a named snapshot."""
        self._check()
        self._nothing_armed()
        command = f"configure replace {self._file(name)} force"
        said = self._long(command)
        if answers.FAILED.search(said) or not answers.ROLLED_BACK.search(said):
            raise errors.said(self._endpoint, command, said)

    def close(self) -> None:
        """Close the connection."""
        self._pushed = False
        self._session.close()

    def _check(self) -> None:
        if self._permit is None:
            raise refusals.read_only(self.name)
        self._permit.check(self._target)

    def _nothing_armed(self) -> None:
        pending = self.timer()
        if pending.state is not TimerState.NONE:
            raise errors.armed_already(self._endpoint, pending.user)

    def _asked(self, command: str) -> str:
        """Return the answer to a command the driver cannot do without."""
        said = self._session.show(command)
        if re.match(r"\s*(?:\^\s*)?% ?(?:Invalid|Incomplete|Ambiguous|Error|Unrecognized)", said):
            raise errors.said(self._endpoint, command, said)
        return said

    def _long(self, command: str, replies: Sequence[tuple[str, str]] = ()) -> str:
        return self._session.run(command, replies, timeout=self._endpoint.read_timeout * _LONG, whole=True)

    def _file(self, name: str) -> str:
        if not _SNAPSHOT.fullmatch(name):
            raise refusals.no_name(self.name, name)
        return f"{self._endpoint.archive}{name}.cfg"

    def _read(self, text: str) -> Config:
        """Return a configuration with the numbers of its access lists, which older releases do not print."""
        config = self._dialect.parse(text)
        if not answers.bare(text):
            return config
        return self._dialect.with_numbers(config, self._session.show("show ip access-lists"))
