"""What is to be done about a schedule now: begin an occurrence, wait, or tell that some were missed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.occurrences import Occurrence, jitter, occurrences
from dsi_automation.schedules.record import Record, rule_of

ON_TIME: Final = timedelta(minutes=5)
"""A start up to this late is on time: a scheduler looks once a minute, a machine may be slow to wake."""
TRIES: Final = 3
"""How often an occurrence whose process was killed is begun: it may be what brings the machine down."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Occurrences that were not started and never will be.

    Attributes:
        first, last: the moments they were due at; the same for one.
        reason: `late` (nobody was there in time), `superseded` (a newer one takes their place), `busy` (something
            else held the schedule or its targets), `no_approval`, `killed` (its process died each time).
    """

    first: datetime
    last: datetime
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        known: the schedule is new or was changed: what was due before is nobody's fault.
        begin: the occurrence to begin now; at once, its jitter is over.
        missed: to be recorded and told.
        wake: when to look again at the latest, because an occurrence begins then.
    """

    known: bool = False
    begin: Occurrence | None = None
    missed: tuple[Missed, ...] = ()
    wake: datetime | None = None


def decide(
    name: str,
    schedule: Schedule,
    record: Record,
    now: datetime,
    *,
    held: bool = False,
    fresh: timedelta = timedelta(0),
) -> Decision:
    """Return what to do about a schedule at a moment.

    Args:
        held: somebody is at work for this schedule.
        fresh: how far back a schedule that nobody has taken up yet is looked at.
    """
    known = record.rule != rule_of(schedule)
    if not schedule.enabled:
        return Decision(known)
    cursor = record.cursor
    if known or cursor is None:
        cursor = max(now - fresh, cursor) if cursor is not None else now - fresh
    ripe: list[Occurrence] = []
    wake: datetime | None = None
    for item in occurrences(name, schedule, cursor):
        if item.start > now:
            wake = item.start
            break
        ripe.append(item)
    if known:
        ripe = ripe[-1:]  # only a start that is due at this moment: what was before is nobody's fault
    opened = None if record.open is None or held else record.open
    return _decided(name, schedule, record, now, _Seen(known, ripe, wake, opened, held))


@dataclass(frozen=True, slots=True)
class _Seen:
    known: bool
    ripe: list[Occurrence]
    wake: datetime | None
    opened: datetime | None
    held: bool


def _decided(name: str, schedule: Schedule, record: Record, now: datetime, seen: _Seen) -> Decision:
    if seen.held:
        over = [item for item in seen.ripe if now > item.due + schedule.too_late_after]
        return Decision(seen.known, None, _missed(over, "busy"), seen.wake)
    missed: tuple[Missed, ...] = ()
    if seen.opened is not None:
        soon = now <= seen.opened + schedule.too_late_after
        if not seen.ripe and record.tries < TRIES and soon:
            again = Occurrence(seen.opened, seen.opened + jitter(name, schedule, seen.opened))
            return Decision(seen.known, again, (), seen.wake)
        missed = (Missed(seen.opened, seen.opened, 1, "killed"),)
    if not seen.ripe:
        return Decision(seen.known, None, missed, seen.wake)
    newest = seen.ripe[-1]
    on_time = now <= newest.start + ON_TIME
    in_window = schedule.catch_up == "last" and now <= newest.due + schedule.too_late_after
    if on_time or in_window:
        return Decision(seen.known, newest, (*missed, *_missed(seen.ripe[:-1], "superseded")), seen.wake)
    late = () if seen.known else _missed(seen.ripe, "late")
    return Decision(seen.known, None, (*missed, *late), seen.wake)


def _missed(items: list[Occurrence], reason: str) -> tuple[Missed, ...]:
    return (Missed(items[0].due, items[-1].due, len(items), reason),) if items else ()
