"""Dates as letters write them."""

from __future__ import annotations

from datetime import date
from typing import Final

from dsi_automation.core.text import T, Text

_MONTHS: Final = (
    T("January"),
    T("February"),
    T("March"),
    T("April"),
    T("May"),
    T("June"),
    T("July"),
    T("August"),
    T("September"),
    T("October"),
    T("November"),
    T("December"),
)


def long_date(day: date) -> Text:
    """Return a date in words: “21 November 2026”, and in French the first of a month as “1er”."""
    month = _MONTHS[day.month - 1]
    if day.day == 1:
        return T("1 {month} {year}", month=month, year=str(day.year))
    return T("{day} {month} {year}", day=day.day, month=month, year=str(day.year))
