"""Schedules: what was due, what was missed, and what is due next."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.core.clock import parse_iso
from dsi_automation.metrics.spec import Part, Sheet, counter, gauge

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

KIND: Final = "schedule.occurrence"
MISSED_OUTCOME: Final = "missed"

OCCURRENCES = counter("dsi_schedule_occurrences_total", "Occurrences that are over.", "schedule", "outcome")
MISSED = counter("dsi_schedule_missed_total", "Occurrences that were not run in time.", "schedule")
LAST_DUE = gauge("dsi_schedule_last_due_timestamp_seconds", "When the last one that is over was due.", "schedule")
LAST_OK = gauge(
    "dsi_schedule_last_success_timestamp_seconds", "When the last one that went well was due; 0 for never.", "schedule"
)
NEXT = gauge(
    "dsi_schedule_next_timestamp_seconds",
    "When the first occurrence that the journal knows nothing of begins: past, when nobody looks after the schedule.",
    "schedule",
)
ENDS: Final = ("done", "failed", "interrupted", MISSED_OUTCOME)


def fill(view: View, sheet: Sheet) -> None:
    """Write what the journal says of past occurrences, and the inventory of those to come."""
    outcomes: Counter[tuple[str, str]] = Counter()
    settled: dict[str, datetime] = {}
    due: dict[str, datetime] = {}
    good: dict[str, datetime] = {}
    for entry in view.record.of(KIND):
        body = entry.body
        name, outcome, moment = str(body["schedule"]), str(body["outcome"]), parse_iso(body["due"])
        if not body.get("by_hand"):
            settled[name] = max(settled.get(name, moment), moment)
        if outcome in ENDS:
            outcomes[name, outcome] += int(body.get("count", 1))
            due[name] = max(due.get(name, moment), moment)
        if outcome == "done":
            good[name] = max(good.get(name, moment), moment)
    times = {} if view.next_times is None else view.next_times(settled)
    for name in sorted({*times, *settled, *due}):
        for outcome in ENDS:
            sheet.put(OCCURRENCES, outcomes[name, outcome], name, outcome)
        sheet.put(MISSED, outcomes[name, MISSED_OUTCOME], name)
        sheet.put(LAST_OK, good.get(name), name)
        if name in due:
            sheet.put(LAST_DUE, due[name], name)
        following = times.get(name)
        if following is not None:
            sheet.put(NEXT, following, name)


PART = Part("schedules", (OCCURRENCES, MISSED, LAST_DUE, LAST_OK, NEXT), fill)
