"""Telling that something was missed: the record holds it already; here is who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from dsi_automation.core.clock import iso
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.composition import Toolkit
    from dsi_automation.core.errors import DsiError
    from dsi_automation.inventory.schedule_model import Schedule
    from dsi_automation.schedules.decide import Missed

REASONS: Final[Mapping[str, Text]] = {
    "late": T("no scheduler was there in time"),
    "superseded": T("a newer one took its place"),
    "busy": T("its targets were busy for too long"),
    "no_approval": T("no standing approval covers it"),
    "killed": T("it was cut short, and not finished in time"),
}


_APPLICATIONS: Final = ("application.", "sources.", "rules.")
"""Operations whose targets are applications: who is told of these is told of a miss."""


def missed_text(name: str, schedule: Schedule, missed: Missed) -> Text:
    """Return what people read about occurrences that were missed."""
    reason = REASONS.get(missed.reason, T("unknown"))
    first, last = (_shown(schedule, moment) for moment in (missed.first, missed.last))
    return TN(
        "Missed: {title} ({name}), due {first}: {reason}.",
        "Missed: {title} ({name}), {n} times, from {first} to {last}: {reason}.",
        missed.count,
        title=schedule.title,
        name=name,
        first=first,
        last=last,
        reason=reason,
    )


def _shown(schedule: Schedule, moment: datetime) -> str:
    from dsi_automation.schedules.occurrences import zone_of

    return f"{moment.astimezone(zone_of(schedule)):%Y-%m-%d %H:%M %:z}"


def tell_missed(
    toolkit: Toolkit,
    name: str,
    schedule: Schedule,
    missed: Missed,
    observer: Observer,
    error: DsiError | None = None,
) -> None:
    """Tell whoever listens; the one place where a mail about it is put into the outbox.

    Called once for each entry that the record has got about a miss, after it was written.
    """
    data = {
        "schedule": name,
        "first": iso(missed.first),
        "last": iso(missed.last),
        "count": missed.count,
        "reason": missed.reason,
        "error": None if error is None else error.to_json(),
    }
    words = missed_text(name, schedule, missed)
    observer.notify(Event("schedule.missed", words, data=data))
    targets = {target for step in schedule.steps if step.operation.startswith(_APPLICATIONS) for target in step.targets}
    toolkit.teller.tell_missed(schedule.backup or name, words, missed.last, error, observer, targets=sorted(targets))
