"""Whatever is wrong with a set of PostgreSQL, its logs or its server is found and told; an earlier set still proves."""

import os
import pickle
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fix_cluster
import pytest
from fix_cluster import PASSWORD, Backups, new_cluster, silent

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError, WrongKeyError
from dsi_automation.connectors.backups.port import Depth, Proven, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.postgresql.base import DamagedSourceError
from dsi_automation.connectors.backups.settings import Question
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.secrets import Secret


def failed(proven: Proven) -> list[str]:
    return [check.name for check in proven.checks if not check.ok and not check.warning]


def spoiled(backups: Backups, stored: StoredSet, snapshot: str, spoil: str) -> str:
    """Return a snapshot like another one in which a shell command has changed something: the repository is whole."""
    where = str(stored.made.details["data"]) if snapshot == stored.made.snapshot else str(backups.cluster.archive)
    store = fix_cluster.FolderStore(backups.root / "repository")
    bad = secrets.token_hex(32)
    store.bring(snapshot, store.folder / bad, silent)
    subprocess.run(["sh", "-ec", spoil], cwd=f"{store.folder / bad}{where}", check=True, timeout=60)
    return bad


def flip(name: str, offset: int) -> str:
    return f"printf '\\377\\125\\377' | dd of={name} bs=1 seek={offset} conv=notrunc status=none"


BASE_FAULTS = {
    "a flipped bit in a table": flip("base/1/1259", 4200),
    "a truncated file": "truncate -s 8192 base/1/1249",
    "no backup_label": "rm backup_label",
    "a manifest that was changed with its file": "rm backup_label && sed -i '/backup_label/d' backup_manifest",
    "a flipped bit in its own log": f'f=$(ls pg_wal | grep -m1 "^0000") && {flip("pg_wal/$f", 60)}',
}


@pytest.fixture(scope="module")
def made(filled_cluster: Path) -> Iterator[tuple[Backups, StoredSet]]:
    with new_cluster(filled_cluster) as cluster, tempfile.TemporaryDirectory(prefix="dsi-pgt-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        backups = Backups(cluster, Path(folder))
        yield backups, backups.make()


@pytest.mark.parametrize("fault", BASE_FAULTS)
def test_a_base_backup_that_is_not_what_was_written_is_never_started(
    made: tuple[Backups, StoredSet], fault: str
) -> None:
    backups, stored = made
    bad = spoiled(backups, stored, stored.made.snapshot, BASE_FAULTS[fault])
    proven = backups.engine().verify(replace(stored, made=replace(stored.made, snapshot=bad)), Depth.SAMPLE, silent)
    assert failed(proven) in (["files"], ["base_manifest"])
    assert "start" not in proven.phases
    assert proven.level < 3
    assert backups.leftovers() == []


@pytest.mark.parametrize(
    "spoil", [f"f=$(ls | tail -1) && {flip('$f', 600)} && {flip('$f', 40)}", "rm $(ls | tail -1)"], ids=["bit", "gap"]
)
def test_a_log_that_is_damaged_or_missing_keeps_the_proof_from_its_moment(
    made: tuple[Backups, StoredSet], spoil: str
) -> None:
    backups, stored = made
    bad = spoiled(backups, stored, stored.made.extra_snapshots[0], spoil)
    changed = replace(stored, made=replace(stored.made, extra_snapshots=(bad,)))
    proven = backups.engine().verify(changed, Depth.SAMPLE, silent)
    assert failed(proven) == ["step.start"]
    assert failed(backups.engine().verify(changed, Depth.FULL, silent)) == ["logs"]
    assert failed(backups.engine().verify(stored, Depth.SAMPLE, silent)) == []


def test_another_cluster_old_data_and_a_question_that_may_write_fail_the_proof(
    made: tuple[Backups, StoredSet],
) -> None:
    backups, stored = made
    asked = (
        Question("Fraîcheur", "sydam", "SELECT timestamptz '2020-01-01'", newer_than=timedelta(days=1)),
        Question("Écriture", "sydam", "SELECT 1); DELETE FROM declaration; SELECT (1", minimum=0),
        Question("Absente", "sydam", "SELECT count(*) FROM nulle_part", minimum=0),
    )
    details = dict(stored.made.details) | {"system_identifier": "7000000000000000001"}
    changed = replace(stored, made=replace(stored.made, details=details))
    proven = backups.engine(questions=asked).verify(changed, Depth.SAMPLE, silent)
    assert failed(proven) == ["system_identifier", "question.1", "question.2", "question.3"]
    with pytest.raises(BackupFailedError, match="7000000000000000001"):
        backups.make(changed)


def test_a_wrong_key_is_told_as_such_and_harms_nothing(backups: Backups) -> None:
    stored = backups.make()
    wrong = backups.engine(key="une-autre-clef-que-celle-du-depot")
    with pytest.raises(WrongKeyError):
        wrong.back_up("RUN-WRONG", stored, silent)
    # Nothing can be said about a set whose key is not there: no proof, and no failed one either.
    with pytest.raises(WrongKeyError):
        wrong.verify(stored, Depth.SAMPLE, silent)
    assert failed(backups.engine().verify(stored, Depth.SAMPLE, silent)) == []
    assert backups.leftovers() == []


def test_two_at_once_follow_one_another(made: tuple[Backups, StoredSet]) -> None:
    backups, stored = made
    seen: list[type[BaseException]] = []

    def meanwhile(*_said: object) -> None:
        if not seen:
            with pytest.raises(TransientError) as caught:
                backups.engine().back_up("RUN-2", stored, silent)
            seen.append(caught.type)

    backups.engine().back_up("RUN-1", stored, meanwhile)
    assert seen == [TransientError]


def test_restores_that_cannot_be_are_refused_before_anything_is_brought_back(made: tuple[Backups, StoredSet]) -> None:
    backups, stored = made
    engine, full = backups.engine(), backups.root / "full"
    full.mkdir(exist_ok=True)
    (full / "here").touch()
    now = backups.cluster.now()
    for order, error in (
        (RestoreOrder(), UsageError),
        (RestoreOrder(destination=str(full / "x"), paths=("/a",)), UsageError),
        (RestoreOrder(destination=str(full / "x"), database="nulle"), UsageError),
        (RestoreOrder(destination=str(full / "x"), until=now - timedelta(days=1)), UsageError),
        (RestoreOrder(destination=str(full)), RefusedError),
        (RestoreOrder(destination=str(backups.root / "late"), until=now + timedelta(days=1)), UsageError),
    ):
        with pytest.raises(error):
            engine.restore(stored, order, silent)
    assert [path.name for path in full.iterdir()] == ["here"]
    assert backups.leftovers() == []


def test_a_damaged_page_of_the_server_fails_the_backup_and_the_earlier_set_still_proves(own_backups: Backups) -> None:
    cluster = own_backups.cluster
    stored = own_backups.make()
    path = cluster.sql("SELECT pg_relation_filepath('declaration')")
    cluster.sql("CHECKPOINT", "postgres")
    with (cluster.data / path).open("r+b") as file:
        file.seek(8192 + 4000)
        file.write(b"\xde\xad\xbe\xef")
    with pytest.raises(DamagedSourceError, match=path.rsplit("/", maxsplit=1)[-1]):
        own_backups.make(stored)
    assert own_backups.leftovers() == []
    assert failed(own_backups.engine().verify(stored, Depth.SAMPLE, silent)) == []


def test_archiving_that_fails_is_seen_before_and_during_a_backup(own_backups: Backups) -> None:
    cluster = own_backups.cluster
    stored = own_backups.make()
    (cluster.folder / "archiving-fails").touch()
    with pytest.raises(TransientError, match="archive"):
        own_backups.make(stored, archive_timeout=timedelta(seconds=2))
    problems = [str(problem) for problem in own_backups.engine().source().problems]
    assert any("archive_command" in problem for problem in problems), problems
    assert own_backups.leftovers() == []


def test_a_segment_missing_between_two_sets_is_named_and_cuts_the_window(own_backups: Backups) -> None:
    cluster = own_backups.cluster
    first = own_backups.make()
    for number in range(3):
        cluster.sql(f"INSERT INTO declaration (id) VALUES ({9000 + number}); SELECT pg_switch_wal();")  # noqa: S608
    own_backups.engine().source()
    second_last = sorted(path.name for path in cluster.archive.iterdir() if path.suffix == "")
    lost = next(name for name in second_last if name > str(first.made.details["last_log"]))
    (cluster.archive / lost).unlink()
    second = own_backups.make(first)
    assert lost in str(second.made.warnings[0])
    window = own_backups.engine().recovery_window([first, second])
    assert window is not None
    assert window[0].isoformat()[:19] == str(second.made.details["moment"])[:19]


def test_a_server_that_is_down_or_refuses_is_told_without_the_password(own_backups: Backups) -> None:
    stored = own_backups.make()
    with pytest.raises(RefusedError) as refused:
        own_backups.engine(password=Secret("Pas-Le-Bon-Mot-77")).source()
    assert "Pas-Le-Bon-Mot-77" not in str(refused.value.to_json())
    own_backups.cluster.stop()
    with pytest.raises(TransientError) as down:
        own_backups.engine().source()
    with pytest.raises(TransientError):
        own_backups.make(stored)
    assert PASSWORD not in str(down.value.to_json())
    assert failed(own_backups.engine().verify(stored, Depth.SAMPLE, silent)) == []


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Path]:
    folder = open_folder / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0755", "tmpfs", str(folder)], check=True, timeout=30)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def test_a_full_stage_or_scratch_folder_is_no_verdict_on_the_set(
    made: tuple[Backups, StoredSet], small_disk: Path
) -> None:
    backups, stored = made
    assert any(str(small_disk) in str(each) for each in backups.engine(stage_dir=small_disk).source().problems)
    with pytest.raises(TransientError, match=str(small_disk)):
        backups.engine(stage_dir=small_disk).back_up("RUN-FULL", stored, silent)
    with pytest.raises(TransientError, match=str(small_disk)):
        backups.engine(common={"scratch": small_disk}).verify(stored, Depth.SAMPLE, silent)
    # Even where it only becomes full midway.
    lying = replace(stored, made=replace(stored.made, size=1))
    with pytest.raises(TransientError):
        backups.engine(common={"scratch": small_disk}).verify(lying, Depth.SAMPLE, silent)
    assert [path.name for path in small_disk.rglob("*") if path.name not in (".lock", "sydam")] == []


def test_forgetting_a_set_takes_only_logs_that_no_kept_set_needs(own_backups: Backups) -> None:
    cluster = own_backups.cluster
    first = own_backups.make()
    second = own_backups.make(first)
    (cluster.archive / "LISEZMOI.txt").write_text("à garder")
    own_backups.engine().forget([first], silent)
    names = sorted(path.name for path in cluster.archive.iterdir())
    assert names[-1] == "LISEZMOI.txt"
    assert next(name for name in names if len(name) == 24) == second.made.details["start_log"]
    ids = {snapshot.id for snapshot in own_backups.engine().repository().snapshots}
    assert ids == {second.made.snapshot, *second.made.extra_snapshots}
    assert failed(own_backups.engine().verify(second, Depth.SAMPLE, silent)) == []


KILLED = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fix_cluster import Backups, Cluster
from dsi_automation.connectors.backups.port import Depth
backups = Backups(Cluster(Path({cluster!r})), Path({root!r}))
stored = pickle.loads(Path({stored!r}).read_bytes())
def told(said, *_):
    print(said.template, flush=True)
engine = backups.engine()
engine.back_up("RUN-KILLED", stored, told) if {what!r} == "back_up" else engine.verify(stored, Depth.SAMPLE, told)
"""


def processes_in(folder: Path) -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words:
            found.append(words)
    return found


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("back_up", "Copying the cluster."),
        ("back_up", "Waiting for the log to be archived."),
        ("back_up", "Writing to the repository."),
        ("verify", "Bringing the cluster back."),
        ("verify", "The restored cluster runs."),
    ],
)
def test_a_kill_at_any_point_is_cleared_by_the_next_call(
    made: tuple[Backups, StoredSet], what: str, sentence: str
) -> None:
    backups, stored = made
    (backups.root / "stored").write_bytes(pickle.dumps(stored))
    code = KILLED.format(
        tests=str(Path(fix_cluster.__file__).parent), cluster=str(backups.cluster.folder), root=str(backups.root),
        stored=str(backups.root / "stored"), what=what,
    )  # fmt: skip
    seen_words: list[bytes] = []
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(sentence in line for line in process.stdout)
        seen_words += processes_in(backups.root)
        os.kill(process.pid, signal.SIGKILL)
    assert not any(PASSWORD.encode() in words for words in seen_words)
    if what == "back_up":
        again = backups.stored(backups.engine().back_up("RUN-AGAIN", stored, silent))
        assert again.made.details["counts"] == stored.made.details["counts"]
    assert failed(backups.engine().verify(stored, Depth.SAMPLE, silent)) == []
    assert backups.leftovers() == []
    assert processes_in(backups.root) == []
