"""Whether a backup counts: exit status and log and RMAN's own record and the files on disk, all of them. Pure.

Each alone has been seen to say “well done” over a backup that was none: a wrapper that lost the exit status, a log
that ends “complete” after an error, a record of a session whose pieces are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.oracle import failures
from dsi_automation.connectors.backups.oracle.codes import Trouble
from dsi_automation.connectors.backups.oracle.log import RmanLog
from dsi_automation.connectors.backups.oracle.sql import Instance, Outcome
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text

_YES: Final = T("yes")
_COMPLETED: Final = "COMPLETED"
_WITH_WARNINGS: Final = "COMPLETED WITH WARNINGS"


@dataclass(frozen=True, slots=True)
class Step:
    """One run of RMAN: its exit status and its log."""

    status: int
    log: RmanLog


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about one try.

    Attributes:
        proof: the run that checked the pieces; None when the backup itself had failed already.
        base: change number of each data file in the set a level 1 stands on; None for a level 0.
        disk: size of every file in the folder of the pieces, bytes, by absolute path.
    """

    target: str
    dbid: int
    database: str
    instance: Instance
    backup: Step
    outcome: Outcome
    disk: Mapping[str, int]
    proof: Step | None = None
    base: Mapping[int, int] | None = None


def checks(found: Evidence) -> tuple[Check, ...]:
    """Return every comparison; the backup counts when none of them failed."""
    return (*_backup(found), *_catalogue(found), *_proof(found))


def failure(found: Evidence) -> DsiError | None:
    """Return why the backup does not count, in the words of what caused it; None when it counts.

    The database's own troubles come first, then what RMAN said, then what only the comparison shows.
    """
    failed = [check for check in checks(found) if not check.ok]
    if not failed:
        return None
    for step in (found.backup, found.proof):
        error = None if step is None else failures.of_log(step.log, found.target)
        if error is not None:
            error.detail["checks"] = [check.name for check in failed]
            return error
    if found.outcome.corrupt:
        return failures.corrupt(found.target, [f"V$DATABASE_BLOCK_CORRUPTION: {found.outcome.corrupt}"])
    return BackupFailedError(
        T("The Oracle backup does not count: {which}.", which="; ".join(str(check.title) for check in failed)),
        on=found.target,
        meaning=T("RMAN reported no error, and yet not everything it left behind agrees."),
        next_step=T("Look at the comparisons below and at RMAN's log on the host."),
        detail={"checks": {check.name: f"{check.observed} ≠ {check.expected}" for check in failed}},
    )


def _backup(found: Evidence) -> Iterator[Check]:
    log = found.backup.log
    yield _check(found, "exit_status", T("RMAN's exit status"), "0", str(found.backup.status), "rman")
    yield _check(found, "log_complete", T("RMAN's log has its end"), str(_YES), _yes(log.complete), "rman log")
    yield _check(found, "log_english", T("RMAN's log is in English"), str(_YES), _yes(not log.foreign), "rman log")
    yield _check(found, "log_errors", T("errors in RMAN's log"), "0", _told(log), "rman log")
    yield _check(found, "corrupt_blocks", T("corrupt blocks in RMAN's log"), "0", str(len(log.corrupt)), "rman log")
    missing = len(log.skipped) + log.nothing_found
    yield _check(found, "left_out", T("what RMAN left out"), "0", str(missing), "rman log")
    seen = f"{log.dbid} {found.instance.dbid} {found.instance.name}"
    wanted = f"{found.dbid} {found.dbid} {found.database}"
    ok = seen.upper() == wanted.upper()
    yield Check(
        found.target, "database", T("the database that was backed up"), wanted, seen, ok, "rman log, V$DATABASE"
    )


def _catalogue(found: Evidence) -> Iterator[Check]:
    outcome = found.outcome
    states = [job.status for job in outcome.jobs]
    accepted = states == [_COMPLETED] or (states == [_WITH_WARNINGS] and bool(found.backup.log.warnings))
    source = "V$RMAN_BACKUP_JOB_DETAILS"
    title = T("RMAN's own record of the session")
    yield Check(found.target, "job", title, _COMPLETED, ", ".join(states) or "-", accepted, source)
    listed = {piece.handle: piece.size for piece in outcome.pieces if piece.status == "A"}
    gone = [handle for handle, size in listed.items() if found.disk.get(handle) != size or size == 0]
    complete = bool(listed) and not gone and len(listed) == len({piece.handle for piece in outcome.pieces})
    yield Check(
        found.target,
        "pieces",
        T("pieces on disk, with the size RMAN recorded"),
        str(len(outcome.pieces)),
        str(len(listed) - len(gone)),
        complete,
        "stat, V$BACKUP_PIECE_DETAILS",
    )
    names = {piece.handle for piece in outcome.pieces}
    unnamed = [piece.handle for piece in found.backup.log.pieces if piece.handle not in names]
    yield _check(
        found, "named", T("pieces of the log that the catalogue does not know"), "0", str(len(unnamed)), source
    )
    auto = any(f"/c-{found.dbid}-" in handle for handle in listed)
    yield _check(
        found, "autobackup", T("autobackup of the control file"), str(_YES), _yes(auto), "V$BACKUP_PIECE_DETAILS"
    )
    both = outcome.control_file and outcome.spfile
    yield _check(
        found, "control_file", T("control file and spfile are in it"), str(_YES), _yes(both), "V$BACKUP_SET_DETAILS"
    )
    left = str(len(outcome.uncovered))
    yield _check(found, "data_files", T("data files that are not in it"), "0", left, "V$BACKUP_DATAFILE_DETAILS")
    base = found.base or {}
    loose = [each.number for each in outcome.files if each.since > base.get(each.number, 0)]
    title = T("data files whose changes do not join the set they stand on")
    yield _check(found, "base", title, "0", str(len(loose)), "V$BACKUP_DATAFILE_DETAILS")
    yield _check(
        found, "logs", T("archived logs are in it"), str(_YES), _yes(bool(outcome.logs)), "V$BACKUP_ARCHIVELOG_DETAILS"
    )
    blocks = str(outcome.corrupt)
    yield _check(
        found,
        "known_corruption",
        T("blocks the database knows to be corrupt"),
        "0",
        blocks,
        "V$DATABASE_BLOCK_CORRUPTION",
    )


def _proof(found: Evidence) -> Iterator[Check]:
    if found.proof is None:
        return
    log, pieces = found.proof.log, {piece.handle for piece in found.outcome.pieces}
    keys = {piece.set_key for piece in found.outcome.pieces}
    yield _check(found, "proof_status", T("exit status of the validation"), "0", str(found.proof.status), "rman")
    yield _check(
        found,
        "proof_log",
        T("nothing in the validation's log speaks against it"),
        str(_YES),
        _yes(log.clean),
        "rman log",
    )
    available = str(log.statuses.get("AVAILABLE", 0))
    yield _check(found, "crosscheck", T("pieces that crosscheck found"), str(len(pieces)), available, "CROSSCHECK")
    enough = log.validated >= len(keys) > 0
    title = T("backup sets that were validated")
    yield Check(found.target, "validated", title, str(len(keys)), str(log.validated), enough, "VALIDATE BACKUPSET")
    same = log.dbid == found.dbid
    yield _check(
        found, "proof_database", T("the validation was of the same database"), str(_YES), _yes(same), "rman log"
    )


def _told(log: RmanLog) -> str:
    if not log.failures:
        return "0"
    kinds = sorted({stack.trouble for stack in log.stacks if stack.trouble is not Trouble.OTHER})
    return f"{log.failures} ({', '.join(kinds)})" if kinds else str(log.failures)


def _check(found: Evidence, name: str, title: Text, expected: str, observed: str, source: str) -> Check:
    return Check(found.target, name, title, expected, observed, expected == observed, source)


def _yes(value: object) -> str:
    return str(_YES if value else T("no"))
