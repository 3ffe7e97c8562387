"""What goes wrong with a backup of files is told, and no earlier good set is harmed: real sshd, restic and files."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fix_files_backup import PASSWORD, silent
from fix_restic import put_lock
from waiting import wait_for

from dsi_automation.connectors.backups.errors import (
    BackupFailedError,
    NoRepositoryError,
    TransientError,
    WrongKeyError,
)
from dsi_automation.connectors.backups.files.making import SuspectError
from dsi_automation.connectors.backups.port import Depth, RestoreOrder
from dsi_automation.connectors.backups.restic.failures import IncompleteError
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.secrets import Secret


@pytest.fixture
def house(files_house):
    return files_house()


def bad(proven) -> set[str]:
    return {check.name for check in proven.checks if not check.ok}


def full(house, stored):
    return house.engine().verify(stored, Depth.FULL, silent)


def spoil(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_set_is_proven_byte_by_byte_and_the_scratch_folder_is_left_empty(house):
    stored = house.back_up()
    proven = full(house, stored)
    assert not bad(proven)
    assert (proven.level, proven.restored_files, proven.restored_bytes) == (3, stored.made.files, stored.made.size)
    sampled = house.engine().verify(stored, Depth.SAMPLE, silent)
    assert not bad(sampled)
    assert list(house.scratch.iterdir()) == []


def test_a_flipped_bit_in_a_pack_is_found(house):
    stored = house.back_up()
    pack = house.packs()[-1]
    content = bytearray(pack.read_bytes())
    content[len(content) // 3] ^= 1
    spoil(pack, bytes(content))
    assert "data" in bad(full(house, stored))


@pytest.mark.parametrize("fault", ["pack truncated", "pack deleted", "index deleted"])
def test_a_pack_or_an_index_that_is_not_whole_is_found(house, fault):
    stored = house.back_up()
    match fault:
        case "pack truncated":
            pack = house.packs()[-1]
            spoil(pack, pack.read_bytes()[:-1000])
        case "pack deleted":
            house.packs()[-1].unlink()
        case _:
            for item in (house.repository / "index").iterdir():
                item.unlink()
    # The structure alone tells: reading the data of a short pack, restic tries again for most of a minute.
    assert "data" in bad(house.engine().verify(stored, Depth.SAMPLE, silent))


def test_a_deleted_repository_is_found_and_the_next_backup_says_so(house):
    stored = house.back_up()
    shutil.rmtree(house.repository)
    assert bad(full(house, stored)) == {"repository"}
    assert not house.engine().repository().exists
    with pytest.raises(NoRepositoryError):
        house.back_up(2)


def test_another_repository_in_the_place_of_ours_is_found(house):
    stored = house.back_up()
    shutil.rmtree(house.repository)
    house.engine().initialise()
    assert bad(full(house, stored)) == {"repository"}


def test_a_set_whose_snapshots_were_all_removed_is_found_though_the_repository_is_sound(house):
    stored = house.back_up()
    for item in (house.repository / "snapshots").iterdir():
        item.unlink()
    assert bad(full(house, stored)) == {"snapshot"}


def test_a_wrong_key_is_told_as_such_and_never_shown(house):
    stored = house.back_up()
    wrong = {"repository": {"password": Secret("another password")}}
    with pytest.raises(WrongKeyError) as raised:
        house.back_up(2, **wrong)
    assert not raised.value.retryable
    assert "another password" not in json.dumps(raised.value.to_json())
    assert bad(house.engine(**wrong).verify(stored, Depth.FULL, silent)) == {"repository"}


def test_a_key_file_that_is_gone_is_told(house):
    stored = house.back_up()
    for item in (house.repository / "keys").iterdir():
        item.unlink()
    with pytest.raises(WrongKeyError):
        house.back_up(2)
    assert bad(full(house, stored)) == {"repository"}


def test_a_manifest_that_was_altered_proves_nothing(house):
    stored = house.back_up()
    path = house.folder / "manifests" / stored.made.manifest_file
    path.write_bytes(path.read_bytes() + b"\0")
    assert "manifest" in bad(full(house, stored))


@pytest.mark.parametrize("fault", ["empty mount point", "one of two missing"])
def test_a_source_that_is_not_whole_makes_no_set(house, fault):
    good = house.back_up()
    other = house.folder / "other"
    if fault == "empty mount point":
        other.mkdir()
    with pytest.raises(BackupFailedError) as raised:
        house.back_up(2, paths=(str(house.data), str(other)))
    assert str(other) in str(raised.value)
    assert not raised.value.retryable
    assert len(house.engine().repository().snapshots) == 1
    assert not bad(full(house, good))


def test_a_file_restic_cannot_read_removes_the_snapshot_again(house, tmp_path):
    # Root reads everything: an unreadable file is one whose reading fails.
    wrapper = tmp_path / "restic-3"
    wrapper.write_text('#!/bin/sh\nrestic "$@"; s=$?\n[ "$1" = backup ] && exit 3\nexit $s\n')
    wrapper.chmod(0o755)
    with pytest.raises(IncompleteError):
        house.back_up(files={"restic": str(wrapper)})
    assert house.engine().repository().snapshots == ()


def test_much_less_than_last_time_is_suspect_and_does_not_count(house):
    good = house.back_up()
    for item in house.data.glob("f*"):
        item.unlink()
    with pytest.raises(SuspectError):
        house.back_up(2, previous=good)
    with pytest.raises(SuspectError):
        house.back_up(3, minimum_files=1000)
    assert len(house.engine().repository().snapshots) == 1
    assert not bad(full(house, good))


def test_a_disk_that_fills_up_midway_is_worth_another_try_and_harms_nothing(house):
    small = house.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], check=True)
    try:
        there = {"repository": {"url": str(small / "r"), "read_url": str(small / "r")}}
        house.engine(**there).initialise()
        good = house.back_up(**there)
        (house.data / "big").write_bytes(os.urandom(9_000_000))
        with pytest.raises(TransientError):
            house.back_up(2, **there)
        assert not bad(house.engine(**there).verify(good, Depth.FULL, silent))
        (house.data / "big").unlink()
        house.back_up(3, **there)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_two_backups_at_once_both_count(house):
    made = {}
    threads = [threading.Thread(target=lambda n=n: made.__setitem__(n, house.back_up(n))) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[1].made.snapshot != made[2].made.snapshot
    assert not bad(full(house, made[1]))
    assert not bad(full(house, made[2]))


@pytest.mark.parametrize("point", ["lock", "pack", "snapshot"])
def test_a_controller_killed_at_any_point_harms_no_set_and_the_next_run_is_good(house, sshd, point):
    good = house.back_up()
    (house.data / "big").write_bytes(os.urandom(20_000_000))
    end = sshd.endpoint()
    told = {name: getattr(end, name) for name in ("name", "host", "port", "user", "key", "known_hosts")}
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from fix_files_backup import FilesHouse\n"
        "from dsi_automation.connectors.ssh.client import SshShell\n"
        "from dsi_automation.connectors.ssh.port import SshEndpoint\n"
        f"FilesHouse(Path(sys.argv[2]), SshShell(SshEndpoint(**{told!r}))).back_up(2)\n"
    )
    here = str(Path(__file__).resolve().parents[2])
    before = {name: count(house.repository / name) for name in ("locks", "data", "snapshots")}
    folder = {"lock": "locks", "pack": "data", "snapshot": "snapshots"}[point]
    controller = subprocess.Popen([sys.executable, "-c", script, here, str(house.folder)])

    def reached() -> bool:
        return controller.poll() is not None or count(house.repository / folder) > before[folder]

    wait_for(reached, every=0.002)
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    wait_for(lambda: not running(house.repository))
    second = house.back_up(3, previous=good)
    assert not bad(full(house, good))
    assert not bad(full(house, second))


def count(folder: Path) -> int:
    return sum(1 for item in folder.rglob("*") if item.is_file())


def running(repository: Path) -> bool:
    """Tell whether a restic of that repository runs."""
    for item in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"RESTIC_REPOSITORY={repository}\0".encode() in item.read_bytes():
                return True
    return False


def test_a_lock_of_a_dead_process_hinders_nothing(house):
    good = house.back_up()
    _leave_lock(house)
    assert house.engine().repository().locked is not None
    assert not bad(full(house, good))
    assert house.engine().repository().locked is None


def test_a_lock_of_a_living_process_is_left_alone_whatever_its_clock_says(house):
    good = house.back_up()
    held = _restic(house)
    # The lock's time is an hour ago: restic's own unlock would remove it.
    (lock,) = (item for item in (house.repository / "locks").iterdir() if len(item.name) == 64)
    lock.unlink()
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    said = {"time": hour_ago, "exclusive": False, "hostname": os.uname().nodename, "username": "root", "pid": held.pid}
    put_lock(house.repository, PASSWORD, said)
    try:
        with pytest.raises(TransientError):
            full(house, good)
        assert house.engine().repository().locked is not None
    finally:
        _end(held)


def _restic(house) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(house.folder), "RESTIC_PASSWORD": PASSWORD}
    words = ["restic", "-r", str(house.repository), "backup", "--stdin", "--no-cache"]
    process = subprocess.Popen(
        words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # A name of 64 digits is a whole lock, a longer one is still being written.
    locks = house.repository / "locks"
    wait_for(lambda: any(len(item.name) == 64 for item in locks.iterdir()) or process.poll() is not None, every=0.01)
    assert process.poll() is None
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.stdin.close()
    process.wait()


def _leave_lock(house) -> None:
    process = _restic(house)
    _end(process)


def test_nothing_is_ordered_by_the_clock_of_another_machine(house):
    first = house.back_up()
    environment = {"PATH": os.environ["PATH"], "HOME": str(house.folder), "RESTIC_PASSWORD": PASSWORD}
    subprocess.run(
        ["restic", "-r", str(house.repository), "backup", "-q", "--time", "2030-01-01 00:00:00", str(house.data)],
        env=environment, check=True,
    )  # fmt: skip
    (house.data / "new").write_text("today")
    second = house.back_up(2, previous=first)
    house.engine().forget([first], silent)
    ids = [snapshot.id for snapshot in house.engine().repository().snapshots]
    assert second.made.snapshot in ids
    assert first.made.snapshot not in ids
    assert len(ids) == 2
    assert not bad(full(house, second))


def test_no_argument_list_holds_the_password_while_restic_runs(house):
    seen, stop = set(), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for item in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(item.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        stored = house.back_up()
        full(house, stored)
    finally:
        stop.set()
        watcher.join()
    assert any(b"restic\0backup" in line for line in seen)
    assert not [line for line in seen if PASSWORD.encode() in line]


def test_a_file_that_changes_while_it_is_read_is_marked_and_not_held_against_the_set(house):
    busy, stop = house.data / "busy", threading.Event()

    def write() -> None:
        while not stop.is_set():
            busy.write_bytes(os.urandom(1000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(busy.exists, every=0.001)
        stored = house.back_up()
    finally:
        stop.set()
        writer.join()
    assert stored.made.changed == 1
    assert not bad(full(house, stored))


def test_the_hook_after_runs_when_the_backup_fails_and_its_own_failure_is_told(house):
    mark = house.folder / "mark"
    with pytest.raises(BackupFailedError):
        house.back_up(before=("false",), after=("touch", str(mark)))
    assert mark.exists()
    stored = house.back_up(after=("false",))
    assert any("false" in str(warning) for warning in stored.made.warnings)


def test_one_file_comes_back_elsewhere_and_never_over_what_is_there(house):
    stored, out = house.back_up(), house.folder / "out"
    name = str(house.data / "d" / "[x] * ?.txt")
    order = RestoreOrder(paths=(name,), destination=str(out))
    restored = house.engine().restore(stored, order, silent)
    assert restored.files == 1
    assert all(check.ok for check in restored.checks)
    assert (out / name.lstrip("/")).read_text() == "accentué"
    with pytest.raises(RefusedError):
        house.engine().restore(stored, order, silent)
    with pytest.raises(UsageError):
        house.engine().restore(stored, replace(order, paths=("/no/such",)), silent)


def test_in_place_replaces_only_when_it_may(house):
    stored, path = house.back_up(), house.data / "f1"
    whole = path.read_bytes()
    path.write_bytes(b"spoilt")
    order = RestoreOrder(paths=(str(path),))
    with pytest.raises(RefusedError):
        house.engine().restore(stored, order, silent)
    assert path.read_bytes() == b"spoilt"
    restored = house.engine().restore(stored, replace(order, overwrite=True), silent)
    assert path.read_bytes() == whole
    assert all(check.ok for check in restored.checks)


def test_a_copy_has_its_own_password_and_a_damaged_one_is_found(house):
    stored, folder, password = house.back_up(), str(house.folder / "medium"), Secret("of the rotation")
    engine = house.engine()
    copied = engine.copy(stored, folder, password, silent)
    assert all(check.ok for check in engine.verify_copy(stored, copied, folder, password))
    packs = sorted((Path(folder) / "data").rglob("*"), key=lambda item: item.stat().st_size * item.is_file())
    content = bytearray(packs[-1].read_bytes())
    content[1000] ^= 4
    spoil(packs[-1], bytes(content))
    assert not all(check.ok for check in engine.verify_copy(stored, copied, folder, password))
    assert not bad(full(house, stored))


def test_unchanged_files_are_not_hashed_again_and_changed_ones_are(house):
    from dsi_automation.connectors.backups import manifest

    house.back_up()
    (house.data / "f2").write_bytes(b"changed")
    second = house.back_up(2)
    taken = manifest.load(house.folder / "manifests" / second.made.manifest_file, second.made.manifest)
    assert [entry.path for entry in taken.files if not entry.reused] == [str(house.data / "f2")]


def test_a_repository_out_of_reach_is_worth_another_try(house, sshd):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = sshd.ssh_command.replace(f"-p {sshd.port}", f"-p {port}")
    with pytest.raises(TransientError):
        house.back_up(repository={"url": "sftp:root@127.0.0.1:/r", "sftp_command": command})


def test_the_write_may_go_over_sftp_and_the_proof_another_way(house, sshd):
    stored = house.back_up(
        repository={"url": f"sftp:root@127.0.0.1:{house.repository}", "sftp_command": sshd.ssh_command}
    )
    assert not bad(full(house, stored))


@pytest.mark.parametrize("pattern", ["*.tmp", "cache", "/**/old/*", "d?", "[^f]*.log", "a/**/z"])
def test_the_manifest_leaves_out_what_restic_leaves_out(house, pattern):
    for name in ("x.tmp", "cache/c", "old/o", "d1/e", "f.log", "g.log", "a/z", "a/b/c/z/y", "tmp"):
        path = house.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    stored = house.back_up(exclude=(pattern,))
    assert not bad(full(house, stored))
