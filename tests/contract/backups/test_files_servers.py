"""Servers as they are: a clock an hour off, an account that may not read everything, what a killed run left."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fix_files_backup import PASSWORD, FilesHouse, silent
from fix_sshd import new_sshd

from dsi_automation.connectors.backups.port import Depth
from dsi_automation.connectors.backups.restic.failures import IncompleteError
from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.inventory.backup_model import Retention
from dsi_automation.operations.backups import planning
from dsi_automation.operations.backups.retention import to_forget

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
# Go asks the kernel for the time, and no library: what restic writes down is told it by name.
LATE = """#!/bin/sh
case "$1" in backup) shift; exec restic backup --time "$(date "+%Y-%m-%d %H:%M:%S")" "$@" ;; esac
exec restic "$@"
"""


@pytest.fixture
def hour_ahead() -> Iterator[SshShell]:
    with new_sshd(environment={"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+1h"}) as sshd:
        shell = SshShell(sshd.endpoint())
        yield shell
        shell.close()


def test_a_server_an_hour_ahead_is_told_and_puts_nothing_out_of_order(
    files_house: Callable[[], FilesHouse], hour_ahead: SshShell
) -> None:
    house = files_house()
    wrapper = house.folder / "restic-late"
    wrapper.write_text(LATE)
    wrapper.chmod(0o755)
    ahead = FilesHouse(house.folder, hour_ahead, {"files": {"restic": str(wrapper)}})
    seen = ahead.engine().source()
    assert seen.clock_offset == pytest.approx(3600, abs=60)
    assert not seen.problems
    assert [told.kind for told in planning.clock_warning("srv1", seen)] == ["clock"]
    first = ahead.back_up(1)
    assert first.made.details["clock_offset"] == pytest.approx(3600, abs=60)
    assert len(first.made.warnings) == len(seen.warnings)
    # The clock was set right: the newer set has the older time of the two.
    (house.data / "new").write_text("today")
    second = house.back_up(2, previous=first)
    at = {snapshot.id: snapshot.at for snapshot in house.engine().repository().snapshots}
    assert at[first.made.snapshot] - at[second.made.snapshot] > timedelta(minutes=50)
    recorded = {first.id: first.made.started_at, second.id: second.made.started_at}
    newest = Retention(last=1, daily=0, weekly=0, monthly=0, yearly=0)
    gone = to_forget((first, second), recorded, newest, verified={second.id})
    assert gone == (first,)
    house.engine().forget(gone, silent)
    assert [snapshot.id for snapshot in house.engine().repository().snapshots] == [second.made.snapshot]
    proven = house.engine().verify(second, Depth.FULL, silent)
    assert [check for check in proven.checks if not check.ok] == []


@pytest.fixture
def plain_account(open_folder: Path) -> Iterator[SshShell]:
    with new_sshd("postgres", {"XDG_CACHE_HOME": str(open_folder / "cache")}) as sshd:
        shell = SshShell(sshd.endpoint())
        yield shell
        shell.close()


def test_a_file_the_account_may_not_read_makes_a_set_that_counts_for_nothing(
    open_folder: Path, plain_account: SshShell, put_repository: Callable[[Path, str], Path]
) -> None:
    house = FilesHouse(open_folder, plain_account)
    house.data.mkdir(parents=True)
    (house.data / "a").write_bytes(os.urandom(50_000))
    (house.data / "b").write_text("b")
    put_repository(house.repository, PASSWORD)
    subprocess.run(["chown", "-R", "postgres", str(open_folder)], check=True)
    good = house.back_up(1)
    secret = house.data / "secret"
    secret.write_text("root's own")
    secret.chmod(0o600)
    with pytest.raises(IncompleteError) as raised:
        house.back_up(2, previous=good)
    assert not raised.value.retryable
    assert str(secret) in str(raised.value.to_json())
    assert [snapshot.id for snapshot in house.engine().repository().snapshots] == [good.made.snapshot]
    proven = house.engine().verify(good, Depth.FULL, silent)
    assert [check for check in proven.checks if not check.ok] == []


def test_what_a_killed_run_left_is_dropped_and_what_carries_other_marks_is_not(
    files_house: Callable[[], FilesHouse],
) -> None:
    house = files_house()
    good, left = house.back_up(1), house.back_up(2)
    environment = {"PATH": os.environ["PATH"], "HOME": str(house.folder), "RESTIC_PASSWORD": PASSWORD}
    for tag in ("nightly", "dsi,job=srv2,run=RUN-9"):
        words = ["restic", "-r", str(house.repository), "backup", "-q", "--no-cache", "--tag", tag]
        subprocess.run([*words, str(house.data / "d")], env=environment, check=True)
    ids = {snapshot.id for snapshot in house.engine().repository().snapshots}
    house.engine().drop([*(ids - {good.made.snapshot}), "0" * 64])
    assert {snapshot.id for snapshot in house.engine().repository().snapshots} == ids - {left.made.snapshot}
