"""Promise: every sequence of messages ends as what it is, from the command file to the verdict, on a real machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dsi_automation.connectors.backups.errors import (
    BackupFailedError,
    DamagedBackupError,
    TransientError,
    WrongKeyError,
)
from dsi_automation.connectors.backups.oracle import session
from dsi_automation.connectors.backups.oracle.host import OracleHost
from dsi_automation.connectors.backups.settings import OracleSettings
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.text import Text
from dsi_automation.lab import oracle as lab

type Try = Callable[..., session.Pieces]

SUCCEEDS = {"success", "warning"}
ENDS: dict[str, type[Exception]] = {
    "listener_down": TransientError,
    "wrong_password": BackupFailedError,
    "instance_down": TransientError,
    "disk_full": TransientError,
    "recovery_area_full": TransientError,
    "corrupt_block": DamagedBackupError,
    "corruption_unreported": DamagedBackupError,
    "missing_log": DamagedBackupError,
    "expired_pieces": DamagedBackupError,
    "failover": DamagedBackupError,
    "wrong_key": WrongKeyError,
    "noarchivelog": BackupFailedError,
    "noarchivelog_seen": BackupFailedError,
    "truncated": TransientError,
    "complete_after_error": TransientError,
    "status_lost": TransientError,
    "media_manager": TransientError,
    "damaged_piece": DamagedBackupError,
    "missing_piece": DamagedBackupError,
    "short_piece": BackupFailedError,
    "no_autobackup": BackupFailedError,
    "job_failed": BackupFailedError,
    "other_database": BackupFailedError,
    "file_left_out": BackupFailedError,
    "known_corruption": DamagedBackupError,
    "syntax_error": BackupFailedError,
}


def silent(_what: Text, _done: int | None, _of: int | None) -> None:
    pass


def settings_in(folder: Path) -> OracleSettings:
    (folder / "stage").mkdir()
    return OracleSettings(
        user="root",
        oracle_home=str(folder / "home"),
        oracle_sid="sydam",
        rman="rman",
        stage_dir=str(folder / "stage"),
        dbid=lab.DBID,
        database=lab.DATABASE,
    )


@pytest.fixture
def attempt(tmp_path: Path) -> Try:
    lab.install(tmp_path / "home")
    settings = settings_in(tmp_path)
    host = OracleHost("sydam-oracle", settings, LocalShell("ora1"))

    def run(scenario: str, level: int = 0) -> session.Pieces:
        lab.set_scenario(tmp_path / "home", scenario)
        return session.make(
            host,
            "sydam-oracle",
            settings,
            SystemClock(),
            base=None if level == 0 else {8: 1_000},
            from_scn=None,
            timeout=timedelta(minutes=1),
            progress=silent,
        )

    return run


def test_every_scenario_of_the_lab_has_an_end_that_is_expected() -> None:
    assert set(lab.scenarios()) == SUCCEEDS | set(ENDS)


@pytest.mark.parametrize("name", lab.scenarios())
def test_every_scenario_names_the_source_it_follows(name: str) -> None:
    assert len(lab.source_of(name)) > 20


@pytest.mark.parametrize("name", sorted(SUCCEEDS))
def test_a_run_that_went_well_leaves_pieces_that_are_what_they_are_said_to_be(name: str, attempt: Try) -> None:
    made = attempt(name)
    sizes = {path.name: path.stat().st_size for path in Path(made.folder).iterdir() if path.is_file()}
    assert sizes == {Path(piece.handle).name: piece.size for piece in made.outcome.pieces}
    assert len(sizes) == 5
    assert made.autobackup.startswith(f"c-{lab.DBID}-")
    assert {path.name for path in (Path(made.folder) / session.LOGS).iterdir()} == {
        "backup.rman",
        "backup.log",
        "prove.rman",
        "prove.log",
    }


@pytest.mark.parametrize(("name", "kind"), ENDS.items())
def test_a_run_that_did_not_is_told_for_what_it_is(name: str, kind: type[Exception], attempt: Try) -> None:
    level = 1 if name == "corruption_unreported" else 0
    with pytest.raises(kind) as caught:
        attempt(name, level)
    assert type(caught.value) is kind
    assert str(caught.value)


def test_after_a_failure_the_next_try_begins_from_scratch(attempt: Try) -> None:
    with pytest.raises(TransientError):
        attempt("disk_full")
    made = attempt("success")
    assert [path.name for path in Path(made.folder).parent.iterdir()] == [made.tag]


def test_files_of_others_in_the_stage_are_left_alone(attempt: Try, tmp_path: Path) -> None:
    made = attempt("success")
    other = Path(made.folder).parent / "export"
    other.mkdir()
    (other / "dump").write_text("of somebody else")
    attempt("success")
    assert (other / "dump").read_text() == "of somebody else"
    assert not Path(made.folder).exists()


def test_a_scenario_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    lab.install(tmp_path)
    with pytest.raises(ValueError, match="nothing"):
        lab.set_scenario(tmp_path, "nothing")
    assert lab.current_scenario(tmp_path) == "success"
