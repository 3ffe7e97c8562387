"""Telling users: a mail, then the application's own message at each step of a countdown; and that it is back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.databases.port import DatabaseWriter
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError, GateClosedError, RefusedError, StoppedError, StorageError
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text
from dsi_automation.engine.closed import closed
from dsi_automation.operations.applications import conditions, notes
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.announcing import Announced, Announcement
from dsi_automation.operations.applications.history import History

SLICE: Final = 1.0
"""Seconds after which the countdown looks whether it was asked to stop."""
ASKED: Final = 5.0
"""Seconds after which the countdown asks the journal whether it is still approved; in its last two it asks too."""
LATE: Final = timedelta(minutes=10)
"""A run that is resumed later than this after the moment announced tells users a new one."""


def warn(doing: Doing, history: History) -> None:
    """Tell users when it stops, and wait until then.

    A run that was cut short goes on to the moment it announced.

    Raises:
        GateClosedError: the approval was taken back meanwhile; users were told that it does not stop.
        StoppedError: the run was asked to stop meanwhile; users were told that it does not stop.
    """
    steps = doing.wish.countdown(doing.application)
    stops_at, now = history.stops_at, doing.clock.now()
    if stops_at is None or now - stops_at > LATE:
        stops_at = now + timedelta(seconds=steps[0] if steps else 0.0)
        wish = doing.wish
        doing.note(notes.WARNED, {"stops_at": iso(stops_at), "why": wish.why, "planned": wish.planned})
    doing.hands.announce(doing.target, _announcement(doing, Announced.BEFORE, stops_at))
    _count_down(steps, stops_at, doing)


def hold(doing: Doing, history: History) -> None:
    """Make sure that what must be true before the stop is true now; asked once, before the first server stops.

    Users who were told that it does not stop after all are told anew that it does.

    Raises:
        RefusedError: it is not; users were told that it does not stop.
        StoppedError: as `warn`.
    """
    if history.stop_begun:
        return
    if history.put_off:
        warn(doing, history)
    found = conditions.ask(doing.application.before, doing.target, doing.look)
    wrong = [one for one in found if not one.ok]
    if not wrong:
        return
    why = T("What must be true before the stop is not: {condition}", condition=wrong[0].words)
    put_off(doing, str(why))
    raise RefusedError(
        why,
        on=doing.target,
        meaning=T("Nothing was stopped; users who had been told were told that it does not stop."),
        next_step=T("See to it, then go on: dsi resume {run}", run=doing.hands.run),
    )


def put_off(doing: Doing, why: str) -> None:
    """Tell users who were told of a stop that it does not take place, and take the message back."""
    stops_at = doing.history().stops_at
    if stops_at is None:
        return
    doing.note(notes.PUT_OFF, {"stops_at": iso(stops_at), "why": why})
    clear_message(doing, doing.history())
    doing.hands.announce(doing.target, _announcement(doing, Announced.PUT_OFF, stops_at, why))


def back(doing: Doing, release: str | None = None) -> None:
    """Tell users that it is available again, and take the application's message away.

    Args:
        release: the one in use from now on, after an integration.
    """
    record = doing.look.application_record()
    history = History.of(record, doing.hands.run, doing.target)
    clear_message(doing, history, always=True)
    up = history.last(notes.UP)
    ended = [one for one in record.interruptions if one.application == doing.target and one.ended_at is not None]
    doing.hands.announce(
        doing.target,
        Announcement(
            application=doing.target,
            kind=Announced.BACK,
            planned=ended[-1].planned if ended else doing.wish.planned,
            why=doing.wish.why,
            seconds=None if up is None else float(up.data["seconds"]),
            release=release,
        ),
    )


def clear_message(doing: Doing, history: History, *, always: bool = False) -> None:
    """Take the application's own message away, where this run showed one.

    Args:
        always: whoever showed one: a stop of the evening before did.

    Raises:
        DsiError: the database refuses, and users would go on being told what is not so.
    """
    message, shown = doing.application.notice.message, history.last(notes.MESSAGE)
    known = bool(shown.data["shown"]) if shown is not None else always
    if message is None or not known:
        return
    with doing.hands.database(doing.target, doing.target) as database, database.transaction() as change:
        change.execute(message.clear)
    doing.note(notes.MESSAGE, {"shown": False})


def _announcement(doing: Doing, kind: Announced, stops_at: datetime, why: str = "") -> Announcement:
    wish = doing.wish
    return Announcement(doing.target, kind, wish.planned, why or wish.why, stops_at=stops_at)


def _count_down(steps: tuple[float, ...], stops_at: datetime, doing: Doing) -> None:
    clock, shown, asked = doing.clock, float("inf"), float("inf")
    while True:
        left = (stops_at - clock.now()).total_seconds()
        # The step that is due: a run that was cut short shows what is left, and not what was.
        due = min((step for step in steps if step >= left), default=None)
        if due is not None and due < shown and left > 0:
            shown = due
            _show(_words(left, stops_at, doing), stops_at, doing)
        if left <= 0:
            return
        # Each question is a transaction: with one a second, fifteen minutes would be nine hundred of them.
        if left <= max(asked - ASKED, 2 * SLICE):
            asked = left
            _still_approved(doing)
        if doing.hands.interrupted:
            put_off(doing, str(T("the stop was called off")))
            raise StoppedError(
                T("The run was asked to stop in the countdown on {target}.", target=doing.target),
                on=doing.target,
                meaning=T("Nothing was stopped; users were told that it does not stop."),
                next_step=T("Tell them anew and go on: dsi resume {run}", run=doing.hands.run),
            )
        clock.sleep(min(SLICE, left))


def _still_approved(doing: Doing) -> None:
    if doing.hands.withdrawn:
        put_off(doing, str(T("the stop was called off")))
        raise closed(
            "revoked",
            T("The approval was taken back in the countdown on {target}.", target=doing.target),
            T("Make a new request if it is still to stop."),
            meaning=T("Nothing was stopped; users were told that it does not stop."),
        )


def _show(words: Text, until: datetime, doing: Doing) -> None:
    """Show the application's message; users have the mail, so what hinders it hinders no stop."""
    doing.tell("warn.wait", words)
    message = doing.application.notice.message
    if message is None:
        return
    try:
        with doing.hands.database(doing.target, doing.target) as database:
            _write(message.show, str(words), until, database)
    except (GateClosedError, StorageError):
        raise
    except DsiError as error:
        doing.tell("warn.failed", T("The application's message could not be shown: {why}", why=error.what))
        return
    doing.note(notes.MESSAGE, {"shown": True})


def _write(statement: str, text: str, until: datetime, database: DatabaseWriter) -> None:
    with database.transaction() as change:
        change.execute(statement, {"text": text, "until": until})


def _words(left: float, stops_at: datetime, doing: Doing) -> Text:
    from zoneinfo import ZoneInfo

    application = doing.application
    return T(
        "{title} stops in {left}, at {when:%H:%M}: {why}. Save your work and log out.",
        title=application.title,
        left=Seconds(round(left)),
        when=stops_at.astimezone(ZoneInfo(application.time_zone)),
        why=doing.wish.why.rstrip("."),
    )
