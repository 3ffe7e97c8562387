"""The scheduler in the foreground, for controllers without systemd: it watches the clock and starts what is due.

Each occurrence is a process of its own (`dsi schedule run NAME --due last`), which decides once more, in the
journal's transaction, whether there is something to begin: two schedulers on one journal start nothing twice, and
a scheduler that dies takes nothing with it.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import T, Text
from dsi_automation.schedules.claims import look, take
from dsi_automation.schedules.telling import tell_missed
from dsi_automation.schedules.waiting import Waiter

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.inventory.schedule_model import Schedule

LONGEST: Final = timedelta(minutes=1)
"""How long the scheduler sleeps at most: after that it sees a clock that was set and a file that was edited."""
STEP: Final = 2.0
"""Seconds by which the clock must differ from what passed to be told that it was set."""
BETWEEN: Final = timedelta(minutes=1)
"""How long after a process that ended another one is started for the same schedule, if something is still due."""


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]


@dataclass(slots=True)
class Keeper:
    """Watches the schedules of an inventory.

    Attributes:
        command: what starts one occurrence, the schedule's name aside.
        waiter: hears signals, and sleeps.
    """

    toolkit: Toolkit
    observer: Observer
    command: Callable[[str], Sequence[str]]
    waiter: Waiter
    _children: dict[str, _Child] = field(default_factory=dict)
    _not_before: dict[str, datetime] = field(default_factory=dict)
    _schedules: Mapping[str, Schedule] = field(default_factory=dict)
    _trouble: str | None = None
    _seen: tuple[datetime, float] | None = None
    _postman: threading.Thread | None = None

    def watch(self) -> None:
        """Start what is due until asked to stop; then wait for what runs.

        The first SIGTERM or SIGINT: nothing new is started, and what only waits for a busy target gives up. The
        second: what runs is asked to stop at its next safe point. Each further one is passed on as it is.
        """
        self._see_clock()
        self._tell("scheduler.started", T("Watching the schedules."))
        self.toolkit.teller.make_up(self.observer)
        while not self.waiter.asked:
            wake = self._round()
            self._send_mails()
            self._sleep(wake)
        self._stop()

    def _round(self) -> datetime | None:
        """Look at each schedule once; return when the next one begins."""
        self._reap()
        wakes: list[datetime] = []
        try:
            self._schedules = self.toolkit.schedules()
            for name, schedule in self._schedules.items():
                wake = self._see_to(name, schedule)
                if wake is not None:
                    wakes.append(wake)
        except DsiError as error:
            self._complain(error)
        else:
            self._trouble = None
        return min(wakes, default=None)

    def _see_to(self, name: str, schedule: Schedule) -> datetime | None:
        if name in self._children:
            return None
        decision = look(self.toolkit, name, schedule)
        if decision.known or decision.missed:
            _, missed = take(self.toolkit, name, schedule, begin=False)
            for item in missed:
                tell_missed(self.toolkit, name, schedule, item, self.observer)
            decision = look(self.toolkit, name, schedule)
        if decision.begin is not None:
            wait = self._not_before.get(name)
            if wait is not None and self.toolkit.clock.now() < wait:
                return wait
            self._start(name, schedule, decision.begin.due)
            return None
        return decision.wake

    def _start(self, name: str, schedule: Schedule, due: datetime) -> None:
        # A session of its own: Ctrl+C in a terminal reaches the scheduler, which decides.
        process = subprocess.Popen(self.command(name), start_new_session=True, stdin=subprocess.DEVNULL)
        self._children[name] = _Child(process)
        text = T("Starting: {title} ({name}).", title=schedule.title, name=name)
        self._tell("schedule.started", text, schedule=name, due=due.isoformat(), pid=process.pid)

    def _reap(self) -> None:
        for name, child in list(self._children.items()):
            code = child.process.poll()
            if code is None:
                continue
            del self._children[name]
            self._not_before[name] = self.toolkit.clock.now() + BETWEEN
            text = T("Ended: {name}, exit code {code}.", name=name, code=code)
            self._tell("schedule.ended", text, schedule=name, exit_code=code)

    def _sleep(self, wake: datetime | None) -> None:
        seconds = LONGEST.total_seconds()
        if wake is not None:
            seconds = min(seconds, max((wake - self.toolkit.clock.now()).total_seconds(), 0.0))
        self.waiter.sleep(seconds)
        stepped = self._see_clock()
        if abs(stepped) > STEP:
            text = T("The clock was set by {seconds} seconds; looking at every schedule again.", seconds=round(stepped))
            self._tell("scheduler.clock", text, seconds=round(stepped))
            self._not_before.clear()

    def _send_mails(self) -> None:
        """Offer the mails that wait and are due, beside the watching: a mail server that is down answers slowly."""

        def offer() -> None:
            with contextlib.suppress(DsiError):  # they wait on; metrics and `dsi mail list` tell it
                self.toolkit.teller.flush()

        if self._postman is None or not self._postman.is_alive():
            self._postman = threading.Thread(target=offer, daemon=True)
            self._postman.start()

    def _see_clock(self) -> float:
        """Return by how many seconds the clock was set since it was last seen, whatever was done meanwhile."""
        now, passed = self.toolkit.clock.now(), self.toolkit.clock.monotonic()
        before, self._seen = self._seen or (now, passed), (now, passed)
        return (now - before[0]).total_seconds() - (passed - before[1])

    def _stop(self) -> None:
        names = list(self._children)
        self._tell("scheduler.stopping", T("Stopping: nothing new is started."), schedules=names)
        self._send(signal.SIGUSR1)
        passed = 1
        while self._children:
            if self.waiter.asked > passed:
                passed = self.waiter.asked
                text = T("Asking what runs to stop at its next safe point.")
                self._tell("scheduler.interrupting", text, schedules=list(self._children))
                self._send(signal.SIGTERM)
            self.waiter.sleep(LONGEST.total_seconds())
            self._reap()
        self._tell("scheduler.stopped", T("Stopped."))

    def _send(self, number: int) -> None:
        for child in self._children.values():
            if child.process.poll() is None:
                child.process.send_signal(number)

    def _complain(self, error: DsiError) -> None:
        """Tell what keeps the schedules from being looked at, once until it changes."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            text = T("The schedules cannot be looked at: {error}", error=str(error))
            self._tell("scheduler.trouble", text, error=error.to_json())

    def _tell(self, kind: str, text: Text, **data: object) -> None:
        self.observer.notify(Event(kind, text, data=data))
