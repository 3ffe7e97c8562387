"""Backups: when one last succeeded, when one was last proven, and what they weigh."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.backups.port import Depth, StoredSet
from dsi_automation.core.results import Outcome
from dsi_automation.journal.model import Entry, Kind
from dsi_automation.metrics.spec import Part, Sheet, counter, gauge, info
from dsi_automation.metrics.view import last_end
from dsi_automation.operations.backups.health import BACKUP_OPERATIONS

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View
    from dsi_automation.operations.backups.catalogue import Catalogue

RESULTS: Final = ("success", "failed", "not_verified", "unreachable", "unknown", "interrupted", "never")
"""How the last attempt that is over ended; `interrupted` also for one whose process died."""

INFO = info("dsi_backup_info", "A backup of the plan.", "backup", "kind", "repository", "environment", "media")
ATTEMPT = gauge("dsi_backup_last_attempt_timestamp_seconds", "When it was last begun; 0 for never.", "backup")
SUCCESS = gauge("dsi_backup_last_success_timestamp_seconds", "When a run of it last ended well; 0 for never.", "backup")
RESULT = gauge("dsi_backup_last_result", "1 for how the last attempt that is over ended.", "backup", "result")
RUNNING = gauge("dsi_backup_running", "1 while a run of it holds its lease.", "backup")
LAST_SET = gauge("dsi_backup_last_set_timestamp_seconds", "When the newest set was recorded; 0 for none.", "backup")
VERIFIED = gauge(
    "dsi_backup_last_verified_timestamp_seconds",
    "When a set was last restored and compared, and held; 0 for never.",
    "backup",
)
VERIFIED_SET = gauge(
    "dsi_backup_verified_set_timestamp_seconds",
    "When the newest set whose last verification held was recorded; 0 for none.",
    "backup",
)
FULL = gauge(
    "dsi_backup_last_full_proof_timestamp_seconds",
    "When all of a set was last restored and compared, and held; 0 for never.",
    "backup",
)
LEVEL = gauge(
    "dsi_backup_verified_level",
    "Level of the proof of the newest verified set: 2 all data read, 3 restored and compared, 4 started and asked.",
    "backup",
)
PROOF_OK = gauge("dsi_backup_last_proof_ok", "1 when the last verification held, 0 when it did not.", "backup")
STALE = gauge("dsi_backup_stale_after_seconds", "How old the newest verified set may be, by the plan.", "backup")
DURATION = gauge("dsi_backup_duration_seconds", "How long each phase of the newest set took.", "backup", "phase")
PROOF_DURATION = gauge(
    "dsi_backup_verification_duration_seconds", "How long each phase of the last verification took.", "backup", "phase"
)
SIZE = gauge("dsi_backup_size_bytes", "What the newest set holds, as read at the source.", "backup")
ADDED = gauge("dsi_backup_added_bytes", "What the repository grew by with the newest set.", "backup")
FILES = gauge("dsi_backup_files", "Files of the newest set.", "backup")
SETS = gauge("dsi_backup_sets", "Sets that are kept.", "backup")
TRIES = counter("dsi_backup_tries_total", "Tries of the backup itself, each run making one or several.", "backup")
FAILED = counter("dsi_backup_failed_tries_total", "Tries that failed.", "backup")


def fill(view: View, sheet: Sheet) -> None:
    """Write what is known of each backup of the plan."""
    catalogue, runs = view.catalogue(), _Runs(view)
    tries = Counter(one.job for one in catalogue.tries)
    failed = Counter(one.job for one in catalogue.tries if one.error is not None)
    for name, job in view.plan.backups.items():
        sheet.put(INFO, 1, name, job.kind, job.repository, job.environment.value, job.media or "")
        sheet.put(STALE, job.verification.stale_after.total_seconds(), name)
        runs.write(sheet, name)
        sets = catalogue.of(name)
        sheet.put(SETS, len(sets), name)
        sheet.put(TRIES, tries[name], name)
        sheet.put(FAILED, failed[name], name)
        sheet.put(LAST_SET, catalogue.recorded[sets[-1].id] if sets else None, name)
        if sets:
            _newest(sheet, name, sets[-1])
        _proofs(sheet, name, catalogue)


def _newest(sheet: Sheet, name: str, newest: StoredSet) -> None:
    made = newest.made
    sheet.put(SIZE, made.size, name)
    sheet.put(ADDED, made.added, name)
    sheet.put(FILES, made.files, name)
    for phase, seconds in made.phases.items():
        sheet.put(DURATION, seconds, name, phase)


def _proofs(sheet: Sheet, name: str, catalogue: Catalogue) -> None:
    proofs = [proof for proof in catalogue.proofs if proof.job == name]
    good = [proof for proof in proofs if proof.ok]
    verified = catalogue.verified(name)
    sheet.put(VERIFIED, good[-1].at if good else None, name)
    sheet.put(VERIFIED_SET, catalogue.recorded[verified[-1].id] if verified else None, name)
    full = [proof for proof in good if proof.depth is Depth.FULL]
    sheet.put(FULL, full[-1].at if full else None, name)
    proof = catalogue.last_proof(verified[-1].id) if verified else None
    sheet.put(LEVEL, 0 if proof is None else proof.level, name)
    if proofs:
        sheet.put(PROOF_OK, float(proofs[-1].ok), name)
        for phase, seconds in proofs[-1].phases.items():
            sheet.put(PROOF_DURATION, seconds, name, phase)


class _Runs:
    """Runs that make sets, by backup: how they began and ended."""

    def __init__(self, view: View) -> None:
        self._ledger = view.record.ledger
        self._held = {lease.run_id for lease in view.record.leases}
        self._by_target: dict[str, list[str]] = {}
        for entry in view.record.of(Kind.RUN_STARTED):
            if entry.body["operation"] in BACKUP_OPERATIONS:
                for target in entry.body["targets"]:
                    self._by_target.setdefault(target, []).append(entry.subject)

    def write(self, sheet: Sheet, name: str) -> None:
        """Write what became of the runs of one backup; what is under way says nothing of the last result."""
        attempt, success, result = None, None, "never"
        running = False
        for run in self._by_target.get(name, ()):
            entries = self._ledger.about(run)
            begun = [entry.at for entry in entries if entry.kind in (Kind.RUN_STARTED, Kind.RUN_RESUMED)]
            attempt = _later(attempt, begun[-1])
            ended = last_end(entries)
            if ended is not None:
                result = _result(ended, name)
                success = _later(success, ended.at) if result == "success" else success
            elif run in self._held:
                running = True
            else:
                result = "interrupted"
        sheet.put(ATTEMPT, attempt, name)
        sheet.put(SUCCESS, success, name)
        sheet.put(RUNNING, float(running), name)
        sheet.one_of(RESULT, RESULTS, result, name)


def _result(ended: Entry, name: str) -> str:
    outcome = ended.body.get("targets", {}).get(name, Outcome.FAILED.value)
    if outcome in (Outcome.DONE, Outcome.UNCHANGED):
        return "success"
    return str(outcome)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


PART = Part(
    "backups",
    (
        INFO,
        ATTEMPT,
        SUCCESS,
        RESULT,
        RUNNING,
        LAST_SET,
        VERIFIED,
        VERIFIED_SET,
        FULL,
        LEVEL,
        PROOF_OK,
        STALE,
        DURATION,
        PROOF_DURATION,
        SIZE,
        ADDED,
        FILES,
        SETS,
        TRIES,
        FAILED,
    ),
    fill,
)
