"""Cron in systemd's words: `OnCalendar=` lines (systemd.time(7)) that elapse exactly when the schedule is due.

systemd has no moment where the clock skips it, and one where the clock shows it twice. Where the schedule's own rule
says otherwise, the instants concerned are written out in UTC for the years to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dsi_automation.inventory.cron import DAYS
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.occurrences import occurrences, zone_of

YEARS: Final = 10
"""For how long changes of the clock are written out; `dsi schedule install` writes them anew each time."""


def on_calendar(name: str, schedule: Schedule, now: datetime) -> tuple[str, ...]:
    """Return the calendar expressions of a schedule, those of the clock's changes last."""
    zone = zone_of(schedule)
    regular = [f"{line} {zone.key}" for line in _lines(CronSim(schedule.cron, datetime(2026, 1, 1)))]  # noqa: DTZ001  # fields only
    extra = [f"{instant:%Y-%m-%d %H:%M:%S} UTC" for instant in _at_changes(name, schedule, now)]
    return (*regular, *extra)


def _lines(cron: CronSim) -> Iterator[str]:
    time = f"{_numbers(cron.hours, range(24))}:{_numbers(cron.minutes, range(60))}:00"
    months = _numbers(cron.months, range(1, 13))
    days = _numbers(cron.days, range(1, 32))
    numbers = sorted({day % 7 for day in cron.weekdays if isinstance(day, int)})
    weekdays = "" if len(numbers) == len(DAYS) else ",".join(DAYS[day].title() for day in numbers) + " "
    if cron.day_and:
        yield f"{weekdays}*-{months}-{days} {time}"
        return
    # Neither field begins with a star: a day that either names is meant (crontab(5)).
    yield f"*-{months}-{days} {time}"
    yield f"{weekdays}*-{months}-* {time}"


def _numbers(found: Iterable[int], whole: range) -> str:
    numbers = sorted(found)
    return "*" if numbers == list(whole) else ",".join(f"{number:02}" for number in numbers)


def _at_changes(name: str, schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Yield the instants at which the schedule is due and systemd's expression does not elapse."""
    zone = zone_of(schedule)
    for day in _changes(zone, now):
        for item in occurrences(name, schedule, max(day - timedelta(days=1), now)):
            if item.due > day + timedelta(days=2):
                break
            local = item.due.astimezone(zone)
            cron_time = _is_of(schedule, local)
            if local.fold or not cron_time:
                yield item.due


def _is_of(schedule: Schedule, local: datetime) -> bool:
    """Tell whether a wall-clock time is one of the cron expression itself."""
    wall = local.replace(tzinfo=None, fold=0)
    return next(CronSim(schedule.cron, wall - timedelta(minutes=1))) == wall


def _changes(zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Yield the days, as UTC midnights, in which the zone's offset changes."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    offset = day.astimezone(zone).utcoffset()
    for _ in range(YEARS * 366):
        following = day + timedelta(days=1)
        after = following.astimezone(zone).utcoffset()
        if after != offset:
            yield day
        day, offset = following, after
