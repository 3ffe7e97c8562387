"""Promise: an Oracle backup is made, carried, proven and brought back, and no fault on the way counts or harms."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from fix_restic import hasten

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.oracle import details
from dsi_automation.connectors.backups.oracle.opening import open_oracle
from dsi_automation.connectors.backups.port import BackupWriter, Depth, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.settings import JobSettings, OracleSettings, RepositorySettings
from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError, RefusedError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text
from dsi_automation.lab import oracle as lab

PASSWORD = Secret("une phrase de passe du laboratoire")


class Allowed:
    run_id = "RUN-20261122-0201-7F3K"

    def __init__(self) -> None:
        self.asked = 0

    def check(self, target: str) -> None:
        assert target == "sydam-oracle"
        self.asked += 1


def silent(_what: Text, _done: int | None, _of: int | None) -> None:
    pass


@dataclass
class Host:
    """A host with the stand-in, and one backup of the plan on it."""

    folder: Path
    common: JobSettings
    oracle: OracleSettings
    repository: RepositorySettings
    permit: Allowed
    shell: Shell

    def engine(self, **changes: object) -> BackupWriter:
        oracle = replace(self.oracle, **changes)  # type: ignore[arg-type]
        return open_oracle(self.common, oracle, self.shell, self.repository, SystemClock(), self.permit)

    def make(self, engine: BackupWriter, previous: StoredSet | None = None) -> StoredSet:
        made = engine.back_up(self.permit.run_id, previous, silent)
        return StoredSet(f"SET-{made.manifest_file[4:20]}", "sydam-oracle", self.permit.run_id, "oracle", made)

    def play(self, scenario: str) -> None:
        lab.set_scenario(self.folder / "home", scenario)

    @property
    def stage(self) -> list[Path]:
        files = [path for path in (self.folder / "stage").rglob("*") if path.is_file()]
        return [path for path in files if "restic" not in path.parts]


type Put = Callable[[Path, str], Path]


def _host(folder: Path, shell: Shell, put_repository: Put) -> Host:
    lab.install(folder / "home")
    put_repository(folder / "repository", PASSWORD.reveal())
    (folder / "stage").mkdir()
    url = str(folder / "repository")
    return Host(
        folder,
        JobSettings("sydam-oracle", "SYDAM", folder / "manifests", folder / "scratch", timeout=timedelta(minutes=5)),
        OracleSettings(
            user="root",
            oracle_home=str(folder / "home"),
            oracle_sid="sydam",
            rman="rman",
            stage_dir=str(folder / "stage"),
            dbid=lab.DBID,
            database=lab.DATABASE,
        ),
        RepositorySettings("bases", url, url, PASSWORD),
        Allowed(),
        shell,
    )


@pytest.fixture
def host(tmp_path: Path, put_repository: Put) -> Host:
    return _host(tmp_path, LocalShell("ora1"), put_repository)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, put_repository: Put) -> tuple[Host, StoredSet]:
    """Return a host with one set, for what changes neither."""
    made = _host(tmp_path_factory.mktemp("saved"), LocalShell("ora1"), put_repository)
    (made.folder / "full").mkdir()
    (made.folder / "full" / "of somebody").write_text("x")
    return made, made.make(made.engine())


@pytest.fixture
def remote(tmp_path: Path, ssh_shell: SshShell, put_repository: Put) -> Host:
    return _host(tmp_path, ssh_shell, put_repository)


def failed(checks: object) -> list[str]:
    return [check.name for check in checks if not check.ok]  # type: ignore[attr-defined]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def packs(folder: Path) -> list[Path]:
    return sorted(
        (path for path in (folder / "data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )


def test_over_ssh_a_set_is_made_proven_copied_and_brought_back(remote: Host) -> None:
    engine = remote.engine()
    facts = engine.source()
    assert (facts.engine, facts.problems, facts.details["log_mode"]) == ("Oracle 19.0.0.0.0", (), "ARCHIVELOG")
    shutil.rmtree(remote.folder / "repository")
    assert not engine.repository().exists
    identity = engine.initialise()
    hasten(remote.folder / "repository", PASSWORD.reveal())
    stored = remote.make(engine)
    assert remote.stage == []
    assert stored.made.repository == identity
    assert [one.id for one in engine.repository().snapshots] == [stored.made.snapshot]
    proven = engine.verify(stored, Depth.FULL, silent)
    assert (proven.level, failed(proven.checks)) == (3, [])
    assert proven.restored_files == stored.made.files == 9
    assert proven.restored_bytes == stored.made.size
    place = remote.folder / "back"
    restored = engine.restore(stored, RestoreOrder(destination=str(place)), silent)
    assert (restored.files, failed(restored.checks)) == (9, [])
    assert "CATALOG START WITH" in Path(str(restored.details["script"])).read_text()
    assert str(lab.DBID) in Path(str(restored.details["readme"])).read_text()
    copied = engine.copy(stored, str(remote.folder / "medium"), Secret("une autre phrase"), silent)
    hasten(remote.folder / "medium", "une autre phrase")
    assert failed(engine.verify_copy(stored, copied, str(remote.folder / "medium"), Secret("une autre phrase"))) == []
    assert remote.permit.asked >= 5
    engine.close()


def test_a_failure_adds_nothing_to_the_repository_and_the_next_try_succeeds(host: Host) -> None:
    engine = host.engine()
    good = host.make(engine)
    for scenario in ("status_lost", "damaged_piece"):
        host.play(scenario)
        with pytest.raises(DsiError):
            host.make(engine, good)
        assert [one.id for one in engine.repository().snapshots] == [good.made.snapshot], scenario
        assert [path.name for path in host.common.manifests.glob("*.gz")] == [good.made.manifest_file], scenario
    host.play("success")
    again = host.make(engine, good)
    assert details.read(again).first_change == details.read(good).next_change
    assert failed(engine.verify(good, Depth.FULL, silent).checks) == []
    assert host.stage == []


def test_a_repository_out_of_reach_loses_no_log_of_the_next_set(host: Host) -> None:
    engine = host.engine()
    first = host.make(engine)
    (host.folder / "repository").rename(host.folder / "away")
    with pytest.raises(DsiError):
        host.make(engine, first)
    (host.folder / "away").rename(host.folder / "repository")
    second = host.make(engine, first)
    assert details.read(second).first_change <= details.read(first).next_change
    window = engine.recovery_window([first, second])
    assert window is not None
    assert window[0] <= details.read(first).window[1]


def test_a_flipped_bit_in_the_repository_fails_the_proof(host: Host) -> None:
    engine = host.engine()
    stored = host.make(engine)
    flip(packs(host.folder / "repository")[-1])
    assert "data" in failed(engine.verify(stored, Depth.FULL, silent).checks)


def test_a_snapshot_or_a_manifest_that_is_gone_fails_the_proof(host: Host) -> None:
    engine = host.engine()
    stored = host.make(engine)
    kept = host.common.manifests / stored.made.manifest_file
    content = kept.read_bytes()
    flip(kept)
    assert failed(engine.verify(stored, Depth.SAMPLE, silent).checks) == ["manifest"]
    kept.write_bytes(content)
    other = host.make(engine, stored)
    engine.forget([other], silent)
    assert failed(engine.verify(other, Depth.SAMPLE, silent).checks) == ["snapshots"]
    assert failed(engine.verify(stored, Depth.SAMPLE, silent).checks) == []


def test_a_level_1_carries_the_level_0_it_stands_on_and_keeps_it_alive(host: Host) -> None:
    engine = host.engine(level=1)
    base = host.make(engine)
    assert base.made.extra_snapshots == ()
    assert base.made.warnings
    later = host.make(engine, base)
    assert later.made.extra_snapshots == (base.made.snapshot,)
    assert details.read(later).level == 1
    engine.forget([base], silent)
    assert failed(engine.verify(later, Depth.FULL, silent).checks) == []
    restored = engine.restore(later, RestoreOrder(destination=str(host.folder / "back")), silent)
    assert failed(restored.checks) == []
    assert restored.files == base.made.files + later.made.files
    engine.forget([later], silent)
    assert engine.repository().snapshots == ()
    assert json.loads((host.common.manifests / "released.json").read_text()) == []


def test_a_level_1_that_stands_on_a_level_0_of_somebody_else_does_not_count(host: Host) -> None:
    engine = host.engine(level=1)
    base = host.make(engine)
    state = host.folder / "home" / "state" / "catalogue.json"
    known = json.loads(state.read_text())
    state.write_text(json.dumps(known | {"base": known["base"] + 500}))
    with pytest.raises(BackupFailedError, match=r".+"):
        host.make(engine, base)
    assert [one.id for one in engine.repository().snapshots] == [base.made.snapshot]


def test_a_moment_takes_the_later_sets_whose_logs_lead_to_it_and_none_outside_is_promised(host: Host) -> None:
    engine = host.engine()
    first = host.make(engine)
    second = host.make(engine, first)
    until = details.read(second).window[1]
    restored = engine.restore(first, RestoreOrder(destination=str(host.folder / "back"), until=until), silent)
    assert failed(restored.checks) == []
    assert restored.files in {first.made.files, first.made.files + second.made.files}
    assert "SET UNTIL TIME" in Path(str(restored.details["script"])).read_text()
    with pytest.raises(UsageError):
        engine.restore(
            first, RestoreOrder(destination=str(host.folder / "b2"), until=until + timedelta(days=1)), silent
        )


ORDERS: dict[str, tuple[Callable[[Path], RestoreOrder], type[DsiError]]] = {
    "in place": (lambda _: RestoreOrder(), UsageError),
    "over something": (lambda folder: RestoreOrder(destination=str(folder / "full"), overwrite=True), UsageError),
    "in part": (lambda folder: RestoreOrder(destination=str(folder / "b"), paths=("/x",)), UsageError),
    "not empty": (lambda folder: RestoreOrder(destination=str(folder / "full")), RefusedError),
    "a folder that is a command": (lambda folder: RestoreOrder(destination=f"{folder}/a'; HOST 'id"), UsageError),
}


@pytest.mark.parametrize(("order", "kind"), ORDERS.values(), ids=ORDERS)
def test_no_restore_goes_over_anything(
    saved: tuple[Host, StoredSet], order: Callable[[Path], RestoreOrder], kind: type[DsiError]
) -> None:
    host, stored = saved
    with pytest.raises(kind):
        host.engine().restore(stored, order(host.folder), silent)
    assert [path.name for path in (host.folder / "full").iterdir()] == ["of somebody"]


def test_the_command_after_is_run_after_a_failure_too_and_the_one_before_stops_everything(host: Host) -> None:
    mark = host.folder / "after"
    host.common = replace(host.common, after=("touch", str(mark)))
    engine = host.engine()
    host.play("instance_down")
    with pytest.raises(TransientError):
        host.make(engine)
    assert mark.exists()
    host.common = replace(host.common, before=("false",))
    with pytest.raises(BackupFailedError):
        host.make(host.engine())
    assert engine.repository().snapshots == ()


def test_a_set_much_smaller_than_the_last_one_does_not_count(host: Host) -> None:
    engine = host.engine()
    stored = host.make(engine)
    bigger = replace(stored, made=replace(stored.made, size=stored.made.size * 3))
    with pytest.raises(BackupFailedError):
        host.make(engine, bigger)
    assert len(engine.repository().snapshots) == 1


def test_without_a_permit_nothing_is_written(host: Host) -> None:
    looker = open_oracle(host.common, host.oracle, host.shell, host.repository, SystemClock(), None)
    with pytest.raises(BackupFailedError):
        looker.initialise()
    with pytest.raises(BackupFailedError):
        looker.back_up("RUN", None, silent)
    assert host.stage == []
