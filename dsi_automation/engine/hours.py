"""When a standing approval may run: hours of the day in its time zone, weekdays, last day.

Hours are those on the wall clock of the time zone. Where clocks jump forward, an hour that does not exist that
day is not offered; where they fall back, the repeated hour is offered twice. Hours over midnight belong to the
day they began on: Friday 22:00 to 04:00 includes Saturday 03:00, for the weekdays and the last day alike.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.engine.model import StandingBounds


def zone(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            T("There is no time zone {name}.", name=name), next_step=T("Use a name like Africa/Abidjan.")
        ) from error


def check_bounds(bounds: StandingBounds, now: datetime) -> None:
    """Make sure that bounds can ever be met.

    Raises:
        UsageError: an unknown zone or weekday, a last day in the past, or times that carry a zone of their own.
    """
    today = now.astimezone(zone(bounds.time_zone)).date()
    if bounds.until < today:
        raise UsageError(
            T("The last day {day} is in the past.", day=bounds.until.isoformat()), next_step=T("Give a later day.")
        )
    if any(day not in range(7) for day in bounds.weekdays):
        raise UsageError(T("Weekdays are 0 (Monday) to 6 (Sunday)."), next_step=T("Correct the weekdays."))
    if bounds.daily_from.tzinfo or bounds.daily_until.tzinfo:
        raise UsageError(T("Hours are given without a time zone of their own."), next_step=T("Write them as 22:00."))


def outside(bounds: StandingBounds, now: datetime) -> Text | None:
    """Return why this moment is not within the bounds, or None when it is.

    Raises:
        UsageError: the time zone is unknown on this machine.
    """
    local = now.astimezone(zone(bounds.time_zone))
    clock, day = local.time(), local.date()
    if bounds.daily_from < bounds.daily_until:
        inside = bounds.daily_from <= clock < bounds.daily_until
    else:
        inside = clock >= bounds.daily_from or clock < bounds.daily_until
        if clock < bounds.daily_until:
            day -= timedelta(days=1)
    if not inside:
        return T(
            "The standing approval covers {first} to {last} ({zone}); it is {now} there.",
            first=bounds.daily_from.isoformat("minutes"),
            last=bounds.daily_until.isoformat("minutes"),
            zone=bounds.time_zone,
            now=clock.isoformat("minutes"),
        )
    if bounds.weekdays and day.weekday() not in bounds.weekdays:
        return T("The standing approval does not cover this day of the week.")
    if day > bounds.until:
        return T("The standing approval ended on {day}.", day=bounds.until.isoformat())
    return None
