"""Moments, hours and days as people type them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from dsi_automation.cli.moments import local
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.engine.model import StandingBounds, Window

_AFTER: Final = re.compile(r"\+(\d{1,5})\s*([mhdj])")
_BEFORE: Final = re.compile(r"-(\d{1,5})\s*([mhdj])")
_HOUR: Final = re.compile(r"(\d{1,2}):(\d{2})")
_LAST: Final = time(23, 59, 59)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "j": "days"}
_DAYS: Final = (
    ("mon", "lun"),
    ("tue", "mar"),
    ("wed", "mer"),
    ("thu", "jeu"),
    ("fri", "ven"),
    ("sat", "sam"),
    ("sun", "dim"),
)


def moment(text: str, now: datetime, zone: tzinfo | None = None, *, of_day: time = time.min) -> datetime:
    """Return the moment meant by `2026-11-30T18:00`, `2026-11-30`, `18:00` (today) or `+2h`, in UTC.

    Args:
        now: the present, UTC.
        zone: the zone of what carries none; by default this machine's.
        of_day: which moment of a day that stands alone is meant.

    Raises:
        UsageError: it is none of these, or it is past.
    """
    text = text.strip()
    found = _relative(text, now) or _today(text, now, zone) or _iso(text, zone, of_day)
    if found is None:
        raise UsageError(
            T("“{text}” is not a moment.", text=text),
            next_step=T("Write 2026-11-30T18:00, 2026-11-30, 18:00 for today, or +2h for in two hours (m, h, d)."),
        )
    if found <= now:
        raise UsageError(
            T("{moment} is past.", moment=local(found, zone)),
            next_step=T("Give a moment to come; for tomorrow, write the date too: 2026-11-30T18:00."),
        )
    return found


def past(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment meant by `2026-11-30T18:00`, `18:00` (today) or `-20m` (minutes ago), in UTC.

    Args:
        now: the present, UTC.
        zone: the zone of what carries none; by default this machine's.

    Raises:
        UsageError: it is none of these, or it is still to come.
    """
    text = text.strip()
    ago = _BEFORE.fullmatch(text.lower())
    found = (
        now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if ago
        else _today(text, now, zone) or _iso(text, zone, time.min)
    )
    if found is None:
        raise UsageError(
            T("“{text}” is not a moment.", text=text),
            next_step=T("Write 2026-11-30T18:00, 18:00 for today, or -20m for twenty minutes ago (m, h, d)."),
        )
    if found > now:
        raise UsageError(
            T("{moment} is still to come.", moment=local(found, zone)),
            next_step=T("Give a moment that is past; for yesterday, write the date too: 2026-11-30T18:00."),
        )
    return found


def window(not_before: str | None, not_after: str | None, now: datetime) -> Window:
    """Return the window two typed moments make; either may be missing. A day alone is meant from its start to its end.

    Raises:
        UsageError: a moment is past or unreadable, or the end comes before the beginning.
    """
    start = None if not_before is None else moment(not_before, now)
    end = None if not_after is None else moment(not_after, now, of_day=_LAST)
    if start and end and end <= start:
        raise UsageError(
            T("The window ends at {end}, before it begins at {start}.", end=local(end), start=local(start)),
        )
    return Window(start, end)


def bounds(until: str | None, hours: str | None, time_zone: str, weekdays: str | None) -> StandingBounds:
    """Return the bounds of a standing approval.

    Raises:
        UsageError: the last day or the hours are missing, or one of them cannot be read.
    """
    if until is None or hours is None:
        raise UsageError(
            T("A standing request needs its last day and its hours."),
            next_step=T("Add --until 2026-12-31 --hours 18:00-20:00."),
        )
    start, dash, end = hours.partition("-")
    if not dash:
        raise _unreadable(hours, T("Write hours as 18:00-20:00."))
    return StandingBounds(
        until=day(until),
        daily_from=_clock_time(start),
        daily_until=_clock_time(end),
        time_zone=_zone_name(time_zone),
        weekdays=() if weekdays is None else _weekdays(weekdays),
    )


def _relative(text: str, now: datetime) -> datetime | None:
    match = _AFTER.fullmatch(text.lower())
    return now + timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def _today(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    if not _HOUR.fullmatch(text):
        return None
    there = now.astimezone(zone)
    naive = datetime.combine(there.date(), _clock_time(text))
    return _aware(naive, zone)


def _iso(text: str, zone: tzinfo | None, of_day: time) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
        if len(text) <= len("2026-11-30"):
            parsed = datetime.combine(parsed.date(), of_day)
        return parsed.astimezone(UTC) if parsed.tzinfo else _aware(parsed, zone)
    except (ValueError, OverflowError):
        return None


def _aware(naive: datetime, zone: tzinfo | None) -> datetime:
    # Without a zone, astimezone reads the naive moment as this machine's local time.
    return (naive if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)


def _clock_time(text: str) -> time:
    match = _HOUR.fullmatch(text.strip())
    try:
        if match:
            return time(int(match[1]), int(match[2]))
    except ValueError:
        pass
    raise _unreadable(text, T("Write an hour as 18:00."))


def day(text: str) -> date:
    """Return the day meant by `2026-12-31`.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _unreadable(text, T("Write a day as 2026-12-31.")) from error


def _zone_name(text: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _unreadable(text, T("Write a time zone as Africa/Abidjan.")) from error


def _weekdays(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        start = _weekday(first, text)
        end = _weekday(last, text) if dash else start
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(found))


def _weekday(name: str, text: str) -> int:
    short = name.strip()[:3]
    for number, names in enumerate(_DAYS):
        if short in names:
            return number
    raise _unreadable(text, T("Write days as mon-fri or mon,wed (lun-ven, lun,mer)."))


def _unreadable(text: str, next_step: Text) -> UsageError:
    return UsageError(T("“{text}” cannot be read.", text=text), next_step=next_step)
