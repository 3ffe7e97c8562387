"""Moments as people read them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from dsi_automation.core.text import T, Text

DAYS: Final[tuple[Text, ...]] = (T("Mon"), T("Tue"), T("Wed"), T("Thu"), T("Fri"), T("Sat"), T("Sun"))
"""Days of the week, as `date.weekday` counts them."""


def local(when: datetime, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """Return a moment for people: `2026-11-30 18:00 +00:00`, by default in the machine's zone."""
    there = when.astimezone(zone)
    return f"{there:%Y-%m-%d %H:%M:%S %:z}" if seconds else f"{there:%Y-%m-%d %H:%M %:z}"


def span(start: datetime, end: datetime) -> tuple[str, str]:
    """Return both ends of a span for people, to the second where both are within one minute."""
    seconds = start.replace(second=0, microsecond=0) == end.replace(second=0, microsecond=0)
    return local(start, seconds=seconds), local(end, seconds=seconds)
