"""Requests that wait for somebody, emergencies that nobody has ratified, and how long standing approvals last."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dsi_automation.engine.model import Request, RequestKind, RequestState
from dsi_automation.metrics.spec import Part, Sheet, counter, gauge

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

MADE = counter("dsi_requests_total", "Requests made.", "operation", "kind")
OPEN = gauge("dsi_requests_open", "Requests that are not over, by where they stand.", "state")
OLDEST = gauge("dsi_request_oldest_open_timestamp_seconds", "When the oldest request in that state was made.", "state")
EMERGENCIES = gauge("dsi_emergencies_open", "Emergencies that nobody has ratified or refused yet.")
OVERDUE = gauge("dsi_emergencies_overdue", "Open emergencies whose time to be ratified is over.")
RATIFY_BEFORE = gauge(
    "dsi_emergency_ratify_before_timestamp_seconds", "When the most urgent open emergency must be ratified."
)
STANDING = gauge(
    "dsi_standing_approval_end_timestamp_seconds",
    "When the approval that a step of a backup runs under ends; 0 for none.",
    "backup",
    "operation",
)
WAITING = (RequestState.PENDING, RequestState.APPROVED, RequestState.RATIFICATION_DUE)


def fill(view: View, sheet: Sheet) -> None:
    """Write what waits; a standing approval in force waits for nobody."""
    requests = view.requests()
    made = Counter((item.plan.operation, item.kind.value) for item in requests)
    sheet.count(MADE, made)
    for state in WAITING:
        found = [
            item
            for item in requests
            if item.state is state and not (state is RequestState.APPROVED and item.kind is RequestKind.STANDING)
        ]
        sheet.put(OPEN, len(found), state.value)
        if found:
            sheet.put(OLDEST, min(item.made_at for item in found), state.value)
    due = [item for item in requests if item.state is RequestState.RATIFICATION_DUE]
    limits = [item.ratify_before or item.made_at for item in due]
    sheet.put(EMERGENCIES, len(due))
    sheet.put(OVERDUE, sum(limit < view.now for limit in limits))
    if limits:
        sheet.put(RATIFY_BEFORE, min(limits))
    _standing(view, sheet, requests)


def _standing(view: View, sheet: Sheet, requests: list[Request]) -> None:
    from dsi_automation.operations.backups.steps import steps_of

    ends: dict[tuple[str, str], datetime] = {}
    for item in requests:
        if item.kind is RequestKind.STANDING and item.state is RequestState.APPROVED:
            for target in item.plan.targets:
                key = (target, item.plan.operation)
                ends[key] = max(ends.get(key, end_of(item)), end_of(item))
    for name, job in view.plan.backups.items():
        for operation, _ in steps_of(name, job):
            sheet.put(STANDING, ends.get((name, operation)), name, operation)


def end_of(item: Request) -> datetime:
    """Return when a standing approval ends: the end of its last day, in its zone."""
    bounds = item.bounds
    if bounds is None:
        return datetime.fromtimestamp(0, UTC)
    day_after = bounds.until + timedelta(days=1)
    return datetime.combine(day_after, time(), ZoneInfo(bounds.time_zone)).astimezone(UTC)


PART = Part("requests", (MADE, OPEN, OLDEST, EMERGENCIES, OVERDUE, RATIFY_BEFORE, STANDING), fill)
