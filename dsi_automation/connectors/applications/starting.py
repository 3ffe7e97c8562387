"""Starts a service and waits until its port answers the controller."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.applications import addresses
from dsi_automation.connectors.applications.asking import LOOK_WITHIN, Asking
from dsi_automation.connectors.applications.errors import NotStartedError
from dsi_automation.connectors.applications.port import PortHolder, ServiceState, Started
from dsi_automation.connectors.applications.remote import Said
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text

_KNOCK: Final = 0.05
"""Seconds between two tries of the port."""
_LOOK: Final = 0.5
_RARER: Final = 1.5
_RAREST: Final = 5.0
"""Seconds before the first look at the service, how many times longer each further wait is, and the longest: a look
costs the server some of what it needs to start."""
_DEAD: Final = 3
"""Looks in a row that find it ended, when its start command said that all is well: it may not have written down
which process it is yet."""
_GONE: Final = (ServiceState.STOPPED, ServiceState.FAILED)

type LogTail = Callable[[], tuple[str, ...]]


def start(asking: Asking, clock: Clock, log: LogTail, expected: Callable[[], None] | None) -> Started:
    """Start the service; see `SshServer.start`."""
    begun = clock.monotonic()
    said = asking.change("start", given={"DSI_START": shlex.join(asking.settings.start)})
    gone = ServiceState(said.first("state") or "unknown") in _GONE
    if "listening" in said and gone:
        raise _taken(asking, next(iter(asking.holders(said)), None))
    if "listening" in said and addresses.reachable(asking.settings):
        return Started(0.0, clock.now())
    launched = said if "launched" in said else None
    waiting = _Waiting(asking, clock, log, begun, launched)
    try:
        waiting.wait(expected)
        return Started(clock.monotonic() - begun, clock.now())
    finally:
        waiting.forget()


@dataclass(slots=True)
class _Waiting:
    """Waits for the port.

    Attributes:
        begun: monotonic seconds.
        launched: what the launch said; None when the service was running already and was not started again.
        dead: looks in a row that found it ended.
    """

    asking: Asking
    clock: Clock
    log: LogTail
    begun: float
    launched: Said | None
    dead: int = 0

    def wait(self, expected: Callable[[], None] | None) -> None:
        """Return when the port answers.

        Raises:
            NotStartedError: it ended, or the time is over.
        """
        until = self.begun + self.asking.settings.start_within
        pause = _LOOK
        again = self.begun + pause
        while not addresses.reachable(self.asking.settings):
            now = self.clock.monotonic()
            if now >= until:
                raise self._late(self._progress())
            if now >= again:
                if expected is not None:
                    expected()
                self._look()
                pause = _LOOK if self.dead else min(_RAREST, pause * _RARER)
                again = self.clock.monotonic() + pause
            self.clock.sleep(_KNOCK)

    def forget(self) -> None:
        """Remove what the launch keeps on the server; it is left there when the server does not answer."""
        folder = None if self.launched is None else self.launched.first("folder")
        if folder:
            with suppress(DsiError):
                self.asking.shell.run(Program(["rm", "-rf", "--", folder], timeout=LOOK_WITHIN))

    def _progress(self) -> Said:
        folder = None if self.launched is None else self.launched.first("folder")
        return self.asking.ask("progress", given={"DSI_FOLDER": folder or ""})

    def _look(self) -> None:
        said = self._progress()
        state = ServiceState(said.first("state") or "unknown")
        status = said.first("ended") or (None if self.launched is None else self.launched.first("ended"))
        if state not in _GONE or (self.launched is not None and status is None):
            self.dead = 0
            return
        self.dead += 1
        if self.dead >= _DEAD or (status is not None and status != "0"):
            raise self._ended(said, status)

    def _ended(self, said: Said, status: str | None) -> NotStartedError:
        one = self.asking.settings
        if status is not None and status != "0":
            what = T("{server} did not start: its start command ended with {status}.", server=one.name, status=status)
        else:
            what = T("{server} was started and ended again before its port answered.", server=one.name)
        return self._error(what, None, said)

    def _late(self, said: Said) -> NotStartedError:
        one = self.asking.settings
        what = T("{server} was started, but its port {port} did not answer within {seconds} s.", server=one.name,
                 port=one.port, seconds=round(one.start_within))  # fmt: skip
        meaning = T("It still runs on {host} as it was left.", host=one.host)
        if "listening" in said:
            meaning = T("It listens on {host}, but the controller does not get through to {address}: a firewall, or "
                        "another address.", host=one.host, address=f"{one.address}:{one.port}")  # fmt: skip
        elif self.launched is None:
            meaning = T("It was running already, and was not started a second time: it may hang.")
        return self._error(what, meaning, said)

    def _error(self, what: Text, meaning: Text | None, said: Said) -> NotStartedError:
        one = self.asking.settings
        detail: dict[str, Any] = {"service": said.first("state") or "unknown"}
        words = said.tail("said") or ("" if self.launched is None else self.launched.tail("said"))
        if words:
            detail["said"] = words
        with suppress(DsiError):
            detail["log"] = list(self.log())
        return NotStartedError(
            what,
            on=one.host,
            meaning=meaning,
            next_step=T("Read the last lines of its log; nothing was undone on {host}.", host=one.host),
            detail=detail,
        )


def _taken(asking: Asking, holder: PortHolder | None) -> NotStartedError:
    one = asking.settings
    if holder is None:
        meaning = T("A process that cannot be seen from this account holds port {port}.", port=one.port)
    else:
        meaning = T("Process {pid}, {command}, of {user}, holds port {port}.", pid=holder.pid, command=holder.command,
                    user=holder.user, port=one.port)  # fmt: skip
    return NotStartedError(
        T("{server} was not started: its service is stopped, and its port is taken.", server=one.name),
        on=one.host,
        meaning=meaning,
        next_step=T("Stop it properly first: a stop ends what holds the port, where the inventory allows it."),
    )
