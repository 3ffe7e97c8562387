"""How much of each month users could work, and whether what is missing was planned: pure, from the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dsi_automation.operations.applications.record import Interruption


@dataclass(frozen=True, slots=True)
class Month:
    """One application in one month of its own time zone.

    Attributes:
        month: `2026-11`.
        seconds: of the month, so far where it is the present one.
        planned_seconds, unplanned_seconds: of them, interrupted; an interruption that lasts counts until now.
        planned, unplanned: how many interruptions touch the month; one over its end counts in both months.
    """

    application: str
    month: str
    seconds: float
    planned_seconds: float
    unplanned_seconds: float
    planned: int
    unplanned: int

    @property
    def up_seconds(self) -> float:
        """Return how long users could work."""
        return max(0.0, self.seconds - self.planned_seconds - self.unplanned_seconds)

    @property
    def availability(self) -> float:
        """Return the share of the month in which users could work: 0 to 1; planned stops count as missing."""
        return self.up_seconds / self.seconds if self.seconds > 0 else 1.0

    @property
    def without_planned(self) -> float:
        """Return the share of the time in which they should have been able to: planned stops are taken out of it."""
        promised = self.seconds - self.planned_seconds
        return self.up_seconds / promised if promised > 0 else 1.0


def months(
    application: str, interruptions: Sequence[Interruption], time_zone: str, first: datetime, now: datetime
) -> tuple[Month, ...]:
    """Return the months from the one that holds `first` to the present one, oldest first.

    Args:
        interruptions: of all applications, oldest first; time that two of them share counts once, for the earlier.
        time_zone: of the months.
    """
    zone = ZoneInfo(time_zone)
    spans = _apart([one for one in interruptions if one.application == application], now)
    figures: list[Month] = []
    year, number = first.astimezone(zone).year, first.astimezone(zone).month
    while (begins := _first_of(year, number, zone)) <= now:
        label = f"{year:04d}-{number:02d}"
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)
        ends = min(_first_of(year, number, zone), now)
        figures.append(_month(application, label, begins, ends, spans))
    return tuple(figures)


def first_moment(interruptions: Sequence[Interruption], application: str, now: datetime) -> datetime:
    """Return when the first interruption of an application began; now when there was none."""
    return min((one.began_at for one in interruptions if one.application == application), default=now)


type _Span = tuple[datetime, datetime, bool]


def _apart(interruptions: Sequence[Interruption], now: datetime) -> list[_Span]:
    """Return the interruptions as spans that do not overlap: an incident may have begun before another's end."""
    spans: list[_Span] = []
    reached = datetime.min.replace(tzinfo=UTC)
    for one in sorted(interruptions, key=lambda item: item.began_at):
        begins, ends = max(one.began_at, reached), min(one.ended_at or now, now)
        if ends >= begins:
            spans.append((begins, ends, one.planned))
            reached = max(reached, ends)
    return spans


def _month(application: str, label: str, begins: datetime, ends: datetime, spans: Sequence[_Span]) -> Month:
    seconds = {True: 0.0, False: 0.0}
    count = {True: 0, False: 0}
    for start, end, planned in spans:
        if start < ends and end >= begins:
            inside = (min(end, ends) - max(start, begins)).total_seconds()
            seconds[planned] += max(0.0, inside)
            count[planned] += inside > 0 or start >= begins
    return Month(
        application,
        label,
        max(0.0, (ends - begins).total_seconds()),
        seconds[True],
        seconds[False],
        count[True],
        count[False],
    )


def _first_of(year: int, month: int, zone: ZoneInfo) -> datetime:
    return datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
