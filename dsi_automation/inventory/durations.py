"""Durations as people write them: `7d`, `24h`, `90m`, `30s`, `1d12h`, and ISO 8601 (`P7D`, `PT24H`)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.inventory.problems import WrongValueError

_SHORT: Final = re.compile(
    r"(?:(?P<days>\d{1,5})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,7})m)?(?:(?P<seconds>\d{1,8})s)?",
    re.IGNORECASE,
)
_ISO: Final = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W"
    r"|(?:(?P<days>\d{1,5})D)?(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,8})S)?)?)"
)


def parse_duration(value: object) -> timedelta:
    """Return the duration written in `value`.

    Raises:
        WrongValueError: it is no duration, or lasts no time at all. A bare number is refused: nobody knows its unit.
    """
    if isinstance(value, timedelta):
        duration = value
    else:
        text = value.strip() if isinstance(value, str) else ""
        found = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
        parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
        duration = timedelta(**parts)
    if duration <= timedelta(0):
        raise WrongValueError(T("a duration is expected: 30s, 90m, 24h, 7d, 1d12h, or ISO 8601 (PT90M, P7D)."))
    return duration


def short(duration: timedelta) -> str:
    """Return a duration in the short form, `1d12h`, down to the second."""
    seconds = int(duration.total_seconds())
    parts = (
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "m"),
        (seconds % 60, "s"),
    )
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
