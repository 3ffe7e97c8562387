"""`dsi application availability`: how much of each month users could work, and what the missing part was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dsi_automation.cli.application_names import application_argument, applications_of, record_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text, current_language

if TYPE_CHECKING:
    from dsi_automation.inventory.application_model import Application
    from dsi_automation.operations.applications.availability import Month
    from dsi_automation.operations.applications.record import Interruption


@command(
    "availability",
    T(
        "Show for each month how much of it users could work, and how long planned and unplanned interruptions took, "
        "by the record.\n\n"
        "With --month, every interruption of that month as well, with its reason and its length."
    ),
)
@application_argument(many=True, required=False)
@option("--month", metavar=T("YYYY-MM"), help=T("This month only; all since the first interruption by default."))
def availability(names: tuple[str, ...], month: str | None) -> int:
    """Show availability."""
    current = session()
    known, record, now = applications_of(current, names), record_of(current), current.toolkit.clock.now()
    figures = [
        one for name, described in known.items() for one in _months(name, described, record.interruptions, month, now)
    ]
    listed = [
        item
        for name, described in known.items()
        for item in record.interruptions
        if month is not None and item.application == name and _touches(item, month, described, now)
    ]
    if current.choices.json:
        interruptions = [interruption_view(item, now) for item in listed]
        more = {} if month is None else {"interruptions": interruptions}
        current.out.data({"availability": [month_view(one) for one in figures], **more})
        return 0
    _show(current, figures)
    if month is not None:
        _show_interruptions(current, listed, known, now)
    return 0


def month_view(one: Month) -> dict[str, Any]:
    """Return the figures of a month as `--json` prints them."""
    return {
        "application": one.application,
        "month": one.month,
        "seconds": one.seconds,
        "up_seconds": one.up_seconds,
        "planned": {"interruptions": one.planned, "seconds": one.planned_seconds},
        "unplanned": {"interruptions": one.unplanned, "seconds": one.unplanned_seconds},
        "availability": one.availability,
        "availability_without_planned": one.without_planned,
    }


def interruption_view(item: Interruption, now: datetime) -> dict[str, Any]:
    """Return an interruption as `--json` prints it; one that lasts counts until now."""
    return {
        "application": item.application,
        "began_at": iso(item.began_at),
        "ended_at": None if item.ended_at is None else iso(item.ended_at),
        "seconds": _length(item, now),
        "planned": item.planned,
        "why": item.why,
        "run": item.run,
    }


def _months(
    name: str, described: Application, interruptions: Sequence[Interruption], wanted: str | None, now: datetime
) -> Sequence[Month]:
    from dsi_automation.operations.applications.availability import first_moment, months

    if wanted is None:
        first = first_moment(interruptions, name, now)
        return months(name, interruptions, described.time_zone, first, now)
    first = _beginning(wanted, described)
    if first > now:
        raise UsageError(
            T("{month} has not begun.", month=wanted), next_step=T("Write a month as 2026-11, this one or before.")
        )
    return months(name, interruptions, described.time_zone, first, now)[:1]


def _beginning(month: str, described: Application) -> datetime:
    match = re.fullmatch(r"(\d{4})-(\d{2})", month.strip())
    try:
        if match:
            return datetime(int(match[1]), int(match[2]), 1, tzinfo=ZoneInfo(described.time_zone))
    except ValueError:
        pass
    raise UsageError(T("“{text}” is not a month.", text=month), next_step=T("Write a month as 2026-11."))


def _touches(item: Interruption, month: str, described: Application, now: datetime) -> bool:
    begins = _beginning(month, described)
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    return item.began_at < ends and (item.ended_at or now) >= begins


def _show(session: Session, figures: Sequence[Month]) -> None:
    headers = (
        T("Application"), T("Month"), T("Availability"), T("Without planned stops"), T("Planned stops"),
        T("Unplanned stops"), T("Interrupted in all"),
    )  # fmt: skip
    session.out.table(
        headers,
        [
            (
                one.application,
                one.month,
                _percent(one.availability),
                _percent(one.without_planned),
                _times(one.planned, one.planned_seconds),
                _times(one.unplanned, one.unplanned_seconds),
                Seconds(one.planned_seconds + one.unplanned_seconds),
            )
            for one in figures
        ],
        ["yellow" if one.unplanned else "" for one in figures],
    )


def _show_interruptions(
    session: Session, found: Sequence[Interruption], known: Mapping[str, Application], now: datetime
) -> None:
    if not found:
        session.out.line(T("No interruption in that month."))
        return
    session.out.line()
    session.out.table(
        (T("Application"), T("Since"), T("Length"), T("Kind"), T("Why"), T("Run")),
        [
            (
                item.application,
                local(item.began_at, ZoneInfo(known[item.application].time_zone)),
                T("{time}, it lasts", time=Seconds(_length(item, now)))
                if item.ended_at is None
                else Seconds(_length(item, now)),
                T("planned") if item.planned else T("unplanned"),
                item.why,
                item.run,
            )
            for item in found
        ],
        ["red" if item.ended_at is None else "" for item in found],
    )


def _length(item: Interruption, now: datetime) -> float:
    return max(((item.ended_at or now) - item.began_at).total_seconds(), 0.0)


def _times(count: int, seconds: float) -> Text | str:
    return T("{n}, {time}", n=count, time=Seconds(seconds)) if count else "-"


def _percent(share: float) -> str:
    """Return a share to the hundredth of a percent, never rounded up to a whole that it is not."""
    shown = f"{int(share * 10000) / 100:.2f}"
    return f"{shown.replace('.', ',')} %" if current_language() == "fr" else f"{shown}%"
