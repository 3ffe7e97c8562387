"""When a schedule comes to pass: pure computation, in UTC instants. Cron fields are cronsim's affair.

cronsim is asked about wall-clock times without a zone; what a change of the clock does to each of them is the
schedule's own rule, so that one that the clock skips, or shows twice, is decided here and nowhere else.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dsi_automation.core.clock import iso
from dsi_automation.inventory.schedule_model import Schedule

_LOOK_BACK = timedelta(days=2)
"""Wall clocks differ from UTC by 14 hours at most, and change by a day at most (Samoa, 2011)."""


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One time a schedule comes to pass.

    Attributes:
        due: the moment of the cron expression, UTC: what names the occurrence.
        start: when it begins: `due` and its jitter.
    """

    due: datetime
    start: datetime


def occurrences(name: str, schedule: Schedule, after: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences due after a moment, in order, without end (cronsim gives up after fifty empty years).

    Args:
        name: of the schedule: its jitter depends on it.
    """
    for due in _instants(schedule, after):
        if due > after:
            yield Occurrence(due, due + jitter(name, schedule, due))


def following(name: str, schedule: Schedule, now: datetime, count: int) -> list[Occurrence]:
    """Return the next occurrences that begin after now, in order; none of a schedule that is not enabled."""
    if not schedule.enabled:
        return []
    # One whose jitter has not passed yet is due already, and still to begin.
    since = now if schedule.jitter is None else now - schedule.jitter
    return list(islice((item for item in occurrences(name, schedule, since) if item.start > now), count))


def jitter(name: str, schedule: Schedule, due: datetime) -> timedelta:
    """Return by how much this occurrence begins later: seconds below the schedule's jitter, ever the same."""
    if schedule.jitter is None:
        return timedelta(0)
    digest = hashlib.sha256(f"{name} {iso(due)}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % (int(schedule.jitter.total_seconds()) or 1))


def runs_twice(schedule: Schedule) -> bool:
    """Tell whether a moment that the clock shows twice counts twice."""
    if schedule.clock_change.repeated is not None:
        return schedule.clock_change.repeated == "twice"
    minute, hour = schedule.cron.split()[:2]
    return minute.startswith("*") or hour.startswith("*")


def zone_of(schedule: Schedule) -> ZoneInfo:
    """Return the time zone of a schedule."""
    return ZoneInfo(schedule.time_zone or "UTC")


def _instants(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    zone, waiting = zone_of(schedule), list[datetime]()
    last: datetime | None = None
    wall = (after.astimezone(zone) - _LOOK_BACK).replace(tzinfo=None)
    for naive in CronSim(schedule.cron, wall):
        # Wall times of the first reading never go back: what is due before this one is all there is before it.
        first = naive.replace(tzinfo=zone).astimezone(UTC)
        while waiting and waiting[0] < first:
            last = heapq.heappop(waiting)
            yield last
        for instant in _readings(schedule, zone, naive):
            if instant not in waiting and instant != last:
                heapq.heappush(waiting, instant)
    yield from sorted(waiting)


def _readings(schedule: Schedule, zone: ZoneInfo, naive: datetime) -> tuple[datetime, ...]:
    """Return the instants at which a wall clock shows a time, by the schedule's rule for none and for two."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return (first,)
    if first < second:
        return (first, second) if runs_twice(schedule) else (first,)
    # A gap (PEP 495): read with the offset before it, the time lies after the change; with the one after, before it.
    return (_change(zone, second, first),) if schedule.clock_change.skipped == "run_after" else ()


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the instant of the change of the clock between two instants, to the second."""
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)
