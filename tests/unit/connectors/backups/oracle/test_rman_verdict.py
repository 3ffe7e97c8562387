"""Promise: a backup counts only when exit status, log, RMAN's record, catalogue, disk and validation all agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dsi_automation.connectors.backups.errors import (
    BackupFailedError,
    DamagedBackupError,
    TransientError,
    WrongKeyError,
)
from dsi_automation.connectors.backups.oracle import log, verdict
from dsi_automation.connectors.backups.oracle.sql import (
    ArchivedLog,
    BackedUpFile,
    CataloguedPiece,
    Instance,
    JobRow,
    Outcome,
)
from dsi_automation.connectors.backups.oracle.verdict import Evidence, Step

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CONNECTED = "connected to target database: SYDAM (DBID=7)"
FRENCH = "connecté à la base de données cible : SYDAM (DBID=7)"
END = "Recovery Manager complete."
PIECES = (
    CataloguedPiece(1, "A", 100, "T", "/s/data"),
    CataloguedPiece(2, "A", 50, "T", "/s/logs"),
    CataloguedPiece(3, "A", 10, "A", "/s/c-7-20261122-00"),
)
PROOF = [
    CONNECTED,
    *["crosschecked backup piece: found to be 'AVAILABLE'"] * 3,
    *["channel c1: validation complete, elapsed time: 00:00:01"] * 3,
    END,
]
GOOD = Evidence(
    target="sydam-oracle",
    dbid=7,
    database="SYDAM",
    instance=Instance("OPEN", "19.0.0.0.0", 7, "SYDAM", "ARCHIVELOG", "READ WRITE", NOW, 0, ()),
    backup=Step(0, log.read([CONNECTED, "piece handle=/s/data tag=T comment=NONE", END])),
    outcome=Outcome(
        (JobRow(1, "COMPLETED", 300, 160),), PIECES, True, True, (), (ArchivedLog(1, 4, 9, 12, NOW, NOW),), 0
    ),
    disk={"/s/data": 100, "/s/logs": 50, "/s/c-7-20261122-00": 10},
    proof=Step(0, log.read(PROOF)),
)


def backup(*lines: str, status: int = 0) -> Evidence:
    return replace(GOOD, backup=Step(status, log.read([CONNECTED, *lines, END])))


def outcome(**changed: object) -> Evidence:
    return replace(GOOD, outcome=replace(GOOD.outcome, **changed))


def proof(lines: list[str], status: int = 0) -> Evidence:
    return replace(GOOD, proof=Step(status, log.read(lines)))


def test_a_backup_on_which_everything_agrees_counts() -> None:
    assert verdict.failure(GOOD) is None
    assert len(verdict.checks(GOOD)) == 21


FAULTS: dict[str, tuple[Evidence, type[Exception], str]] = {
    "exit status lost to a wrapper": (
        backup("ORA-19502: write error", "ORA-27072: I/O", "Linux Error: 28: x"),
        TransientError,
        "log_errors",
    ),
    "exit status alone": (backup(status=1), BackupFailedError, "exit_status"),
    "no end": (replace(GOOD, backup=Step(0, log.read([CONNECTED]))), TransientError, "log_complete"),
    "a log in French": (
        replace(GOOD, backup=Step(0, log.read([FRENCH, "Recovery Manager terminé."]))),
        BackupFailedError,
        "log_english",
    ),
    "a log in French that was cut off": (
        replace(GOOD, backup=Step(0, log.read([FRENCH]))),
        BackupFailedError,
        "log_english",
    ),
    "an end in Japanese": (
        replace(GOOD, backup=Step(0, log.read([CONNECTED, "Recovery Managerが完了しました。"]))),
        BackupFailedError,
        "log_english",
    ),
    "a validation in French": (proof([FRENCH, *PROOF[1:]]), BackupFailedError, "proof_log"),
    "corrupt rows": (backup("8    FAILED 0    1153    1280    1510913"), DamagedBackupError, "corrupt_blocks"),
    "skipped file": (backup("skipping datafile 00012 because it has not changed"), BackupFailedError, "left_out"),
    "wallet": (backup("ORA-28365: wallet is not open"), WrongKeyError, "log_errors"),
    "another database in the log": (
        replace(GOOD, backup=Step(0, log.read([CONNECTED.replace("=7", "=8"), END]))),
        BackupFailedError,
        "database",
    ),
    "another name": (replace(GOOD, database="OTHER"), BackupFailedError, "database"),
    "job with errors": (outcome(jobs=(JobRow(1, "COMPLETED WITH ERRORS", 1, 1),)), BackupFailedError, "job"),
    "job with warnings nobody told": (
        outcome(jobs=(JobRow(1, "COMPLETED WITH WARNINGS", 1, 1),)),
        BackupFailedError,
        "job",
    ),
    "no job": (outcome(jobs=()), BackupFailedError, "job"),
    "two jobs": (outcome(jobs=GOOD.outcome.jobs * 2), BackupFailedError, "job"),
    "no piece": (outcome(pieces=()), BackupFailedError, "pieces"),
    "piece expired in the catalogue": (
        outcome(pieces=(*PIECES[1:], replace(PIECES[0], status="X"))),
        BackupFailedError,
        "pieces",
    ),
    "piece not on disk": (replace(GOOD, disk={"/s/data": 100}), BackupFailedError, "pieces"),
    "piece shorter": (replace(GOOD, disk={**GOOD.disk, "/s/data": 99}), BackupFailedError, "pieces"),
    "empty piece": (
        replace(outcome(pieces=(*PIECES[1:], replace(PIECES[0], size=0))), disk={**GOOD.disk, "/s/data": 0}),
        BackupFailedError,
        "pieces",
    ),
    "piece of the log unknown": (backup("piece handle=/s/other tag=T comment=NONE"), BackupFailedError, "named"),
    "no autobackup": (outcome(pieces=PIECES[:2]), BackupFailedError, "autobackup"),
    "no spfile": (outcome(spfile=False), BackupFailedError, "control_file"),
    "no control file": (outcome(control_file=False), BackupFailedError, "control_file"),
    "data file left out": (outcome(uncovered=("9 /u01/x.dbf",)), BackupFailedError, "data_files"),
    "changes since another level 0": (
        outcome(files=(BackedUpFile(1, 50, 90),)),
        BackupFailedError,
        "base",
    ),
    "no archived log": (outcome(logs=()), BackupFailedError, "logs"),
    "known corruption": (outcome(corrupt=1), DamagedBackupError, "known_corruption"),
    "expired at crosscheck": (
        proof([line.replace("AVAILABLE", "EXPIRED") for line in PROOF]),
        DamagedBackupError,
        "crosscheck",
    ),
    "fewer validated": (proof([*PROOF[:-2], END]), BackupFailedError, "validated"),
    "failover": (proof([*PROOF[:-1], "RMAN-05016: failover to previous backup", END]), DamagedBackupError, "proof_log"),
    "nothing matched": (
        proof([*PROOF[:-1], "specification does not match any backup in the repository", END]),
        DamagedBackupError,
        "proof_log",
    ),
    "validation failed": (
        proof([*PROOF[:-1], "ORA-19599: block number 97 is corrupt in backup piece", END], 1),
        DamagedBackupError,
        "proof_log",
    ),
    "validation of another database": (
        proof([CONNECTED.replace("=7", "=8"), *PROOF[1:]]),
        BackupFailedError,
        "proof_database",
    ),
}


@pytest.mark.parametrize(("found", "kind", "check"), FAULTS.values(), ids=FAULTS)
def test_one_disagreement_is_enough_to_fail(found: Evidence, kind: type[Exception], check: str) -> None:
    error = verdict.failure(found)
    assert type(error) is kind
    assert check in [each.name for each in verdict.checks(found) if not each.ok]
    assert error.next_step is not None


def test_a_log_in_another_language_is_told_as_such_and_not_as_cut_off() -> None:
    found = verdict.failure(FAULTS["a log in French"][0])
    assert found is not None
    assert "NLS_LANG" in str(found)


def test_a_warning_that_is_tolerated_is_accepted_with_the_job_row_that_goes_with_it() -> None:
    found = backup("RMAN-08137: WARNING: archived log not deleted")
    jobs = (JobRow(1, "COMPLETED WITH WARNINGS", 1, 1),)
    assert verdict.failure(replace(found, outcome=replace(GOOD.outcome, jobs=jobs))) is None


RETRIED: dict[str, tuple[str, type[Exception]]] = {
    "ORA-19809: limit exceeded": ("recovery area", TransientError),
    "ORA-12541: TNS:no listener": ("connection", TransientError),
    "ORA-01034: ORACLE not available": ("connection", TransientError),
    "ORA-19511: media manager": ("media manager", TransientError),
    "ORA-01017: invalid username/password": ("login", BackupFailedError),
    "RMAN-06817: cannot be backed up in NOARCHIVELOG mode": ("NOARCHIVELOG", BackupFailedError),
    "ORA-19566: exceeded limit of 0 corrupt blocks": ("corrupt", DamagedBackupError),
    "RMAN-06059: expected archived log not found": ("archived log", DamagedBackupError),
    "RMAN-20002: already registered": ("catalogue", BackupFailedError),
}


@pytest.mark.parametrize(("line", "expected"), RETRIED.items())
def test_what_can_pass_is_tried_again_and_nothing_else(line: str, expected: tuple[str, type[Exception]]) -> None:
    error = verdict.failure(backup(line, status=1))
    assert type(error) is expected[1]
    assert expected[0] in error.what.render("en")
    assert error.retryable is (expected[1] is TransientError)


def test_every_check_can_be_the_one_that_fails() -> None:
    seen = {check.name for found, _, _ in FAULTS.values() for check in verdict.checks(found) if not check.ok}
    assert {check.name for check in verdict.checks(GOOD)} == seen
