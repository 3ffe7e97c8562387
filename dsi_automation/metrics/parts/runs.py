"""Runs of every operation, and the targets that are held."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from dsi_automation.journal.model import Kind
from dsi_automation.metrics.spec import Part, Sheet, counter, gauge

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

STARTED = counter("dsi_runs_started_total", "Runs begun.", "operation")
ENDED = counter("dsi_runs_total", "Ends of runs, a resumed run counting each time.", "operation", "outcome")
DANGLING = gauge("dsi_runs_interrupted", "Runs without an end whose targets nobody holds: to be resumed.", "operation")
LEASES = gauge("dsi_leases_held", "Targets held by runs at this moment.", "operation")
SINCE = gauge(
    "dsi_lease_oldest_held_since_timestamp_seconds", "Since when the target held longest is held.", "operation"
)


def fill(view: View, sheet: Sheet) -> None:
    """Write the runs and the leases; targets may be people, so they are counted and not named."""
    ledger = view.record.ledger
    operations = {entry.subject: str(entry.body["operation"]) for entry in view.record.of(Kind.RUN_STARTED)}
    sheet.count(STARTED, {(name,): number for name, number in Counter(operations.values()).items()})
    ends = Counter(
        (operations.get(entry.subject, "unknown"), str(entry.body["outcome"]))
        for entry in view.record.of(Kind.RUN_ENDED)
    )
    sheet.count(ENDED, ends)
    held = [lease for lease in view.record.leases if lease.run_id in operations]
    running = {lease.run_id for lease in held}
    left = Counter(name for run, name in operations.items() if run not in running and not view.is_over(run))
    sheet.count(DANGLING, {(name,): left[name] for name in sorted(set(operations.values()))})
    sheet.count(LEASES, {(name,): n for name, n in Counter(operations[lease.run_id] for lease in held).items()})
    since: dict[str, datetime] = {}
    for run in running:
        begun = [entry.at for entry in ledger.about(run, Kind.RUN_STARTED, Kind.RUN_RESUMED)][-1]
        name = operations[run]
        since[name] = min(since.get(name, begun), begun)
    for name, moment in since.items():
        sheet.put(SINCE, moment, name)


PART = Part("runs", (STARTED, ENDED, DANGLING, LEASES, SINCE), fill)
