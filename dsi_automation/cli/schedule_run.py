"""`dsi schedule run`: the scheduler in the foreground, one schedule now, or the occurrence a timer stands for."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.clean import clean, to_json_text
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.core.events import Event
    from dsi_automation.inventory.schedule_model import Schedule
    from dsi_automation.schedules.claims import Claim

LAST: Final = "last"
PROGRAM: Final = (sys.executable, "-m", "dsi_automation")
"""What the scheduler starts for an occurrence."""


@command(
    "run",
    T(
        "Without a name: watch the clock and start what is due, in the foreground, for machines without systemd. "
        "The first SIGTERM or Ctrl+C lets what runs finish; the second asks it to stop at its next safe point.\n\n"
        "With a name: run that schedule now, under its standing approvals. This is also how one that failed is "
        "relaunched."
    ),
)
@argument("name", required=False, metavar=T("[NAME]"), help=T("The schedule to run now."))
@option(
    "--due",
    type=str,
    metavar=T("last"),
    help=T("For timers: begin the occurrence that is due, if it has not begun; else do nothing."),
)
def run(name: str | None, due: str | None) -> int:
    """Run the scheduler, or one schedule."""
    current = session()
    if due not in {None, LAST}:
        raise UsageError(T("--due takes the word “last”."), next_step=T("Leave it out to run the schedule now."))
    if name is None:
        return _watch(current)
    from dsi_automation.cli.schedule import one
    from dsi_automation.schedules.waiting import no_more_starts

    schedule = one(current.toolkit.schedules(), name)
    with no_more_starts() as stop:
        claim = _due(current, name, schedule, stop) if due else _by_hand(current, name)
        return 0 if claim is None else _carry_out(current, schedule, claim, stop)


def _watch(session: Session) -> int:
    from dsi_automation.schedules.keeper import Keeper
    from dsi_automation.schedules.waiting import Waiter

    with Waiter() as waiter:
        Keeper(session.toolkit, Log(session), lambda name: _occurrence_command(session, name), waiter).watch()
    return 0


def _occurrence_command(session: Session, name: str) -> list[str]:
    """Return the command for one occurrence, with the options this one was called with."""
    choices, settings = session.choices, session.toolkit.settings
    words = [*PROGRAM, "--inventory", str(settings.inventory.value.absolute())]
    if settings.key.value is not None:
        words += ["--key", str(settings.key.value)]
    words += ["--lang", choices.lang] if choices.lang else []
    words += [flag for flag, given in (("--json", choices.json), ("--debug", choices.debug)) if given]
    return [*words, "schedule", "run", name, "--due", LAST]


def _by_hand(session: Session, name: str) -> Claim:
    from dsi_automation.schedules.claims import take_by_hand

    return take_by_hand(session.toolkit, name)


def _due(session: Session, name: str, schedule: Schedule, stop: threading.Event) -> Claim | None:
    """Begin what is due, its jitter waited for; None when there is nothing, or when asked to stop before."""
    from dsi_automation.schedules.claims import look, take
    from dsi_automation.schedules.decide import ON_TIME
    from dsi_automation.schedules.telling import tell_missed
    from dsi_automation.schedules.waiting import sleep_until

    toolkit, log = session.toolkit, Log(session)
    jitter = schedule.jitter
    if jitter is not None and schedule.enabled:
        wake = look(toolkit, name, schedule, fresh=ON_TIME + jitter).wake
        if wake is not None and wake - toolkit.clock.now() <= jitter:
            log.say("schedule.jitter", T("Waiting for its second: {moment}.", moment=iso(wake)), schedule=name)
            if not sleep_until(toolkit.clock, wake, stop):
                return None
    claim, missed = take(toolkit, name, schedule, fresh=ON_TIME if jitter is None else ON_TIME + jitter)
    for item in missed:
        tell_missed(toolkit, name, schedule, item, log)
    if claim is None:
        log.say("schedule.nothing", T("Nothing is due: {name}.", name=name), schedule=name)
    return claim


def _carry_out(session: Session, schedule: Schedule, claim: Claim, stop: threading.Event) -> int:
    from dsi_automation.schedules.occasion import carry_out

    log = Log(session)
    log.say("schedule.begun", T("{title}: begins.", title=schedule.title), schedule=claim.name)
    end = carry_out(session.toolkit, schedule, claim, log, stop)
    from dsi_automation.cli.schedule_show import WORDS

    word = WORDS.get(str(end.word), str(end.word))
    data: dict[str, Any] = {"schedule": claim.name, "outcome": str(end.word), "exit_code": end.exit_code}
    error = None if end.cause is None else end.cause.to_json()
    text = T("{title}: {word}.", title=schedule.title, word=word)
    log.say("schedule.end", text, **data, due=iso(claim.occurrence.due), runs=end.runs, error=error)
    if end.cause is not None and not session.choices.json:
        session.out.note(str(end.cause))
    return end.exit_code


class Log:
    """An observer that writes a line for each event: for a terminal, a service's log, or with --json for programs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        # systemd's journal dates each line itself.
        self._dated = "JOURNAL_STREAM" not in os.environ

    def say(self, kind: str, text: Any, **data: Any) -> None:
        """Write one line of our own."""
        from dsi_automation.core.events import Event

        self.notify(Event(kind, text, data=data))

    def notify(self, event: Event) -> None:
        """Write an event; progress within an action is left out."""
        if event.kind.endswith(".progress"):
            return
        at = self._session.toolkit.clock.now()
        with self._lock:
            if self._session.choices.json:
                facts = {"at": iso(at), "event": event.kind, "target": event.target, "text": str(event.text)}
                self._write(to_json_text({**facts, "data": dict(event.data)}, indent=None))
                return
            target = f"{clean(event.target)}: " if event.target else ""
            moment = f"{at.astimezone():%Y-%m-%d %H:%M:%S} " if self._dated else ""
            self._write(f"{moment}{target}{clean(event.text)}")

    @staticmethod
    def _write(line: str) -> None:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            return  # nobody reads any more; the work goes on
