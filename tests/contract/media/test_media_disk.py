"""The right disk, and no other, is written; what is on it is read past the cache before it counts."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from dsi_automation.connectors.media.errors import (
    MediumBusyError,
    MediumDamagedError,
    MediumLostError,
    MediumRefusedError,
)
from dsi_automation.connectors.media.port import Token
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.text import T

DAY = timedelta(days=1)
ABOUT = {"job": "srv1", "made_at": "2026-11-22T02:00:00Z", "engine": "restic 0.14.0", "snapshot": "abcd"}


def quiet(*_):
    """Nobody looks."""


def fill(folder, size=200_000, seed=b"a"):
    place = Path(folder)
    (place / "data").mkdir(parents=True, exist_ok=True)
    (place / "config").write_bytes(seed)
    (place / "data" / "pack").write_bytes(seed * size)


def copied(medium, set_id="SET-1", **about):
    fill(medium.begin(set_id, 300_000), seed=set_id.encode())
    medium.finish(set_id, {**ABOUT, **about}, quiet)


def fill_up(path, chunk):
    with path.open("wb", buffering=0) as more:
        while more.write(b"x" * chunk) == chunk:
            pass
        more.write(b"x")


def mounted(disk):
    return subprocess.run(["findmnt", "-M", disk.mount_point], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(new_disk):
    return new_disk().plug_in()


@pytest.fixture
def medium(disk, opened):
    made = opened(disk)
    made.register(DAY)
    return made


def test_a_blank_disk_is_known_as_the_inventorys_and_as_never_registered(disk, opened):
    facts = opened(disk).look()
    assert (facts.present, facts.problem, facts.details["token"]) == (True, None, Token.BLANK)
    with pytest.raises(MediumRefusedError, match=r"registered|enregistr"):
        opened(disk).begin("SET-1", 1000)


def test_a_copy_is_on_the_disk_with_its_hashes_and_how_to_read_it_without_us(disk, medium):
    copied(medium)
    assert medium.look().holds == ("SET-1",)
    place = disk.mount_point / "sets" / "SET-1"
    done = subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=place, check=False)
    assert done.returncode == 0
    assert json.loads((place / "SET.json").read_text())["snapshot"] == "abcd"
    text = (disk.mount_point / "LISEZMOI.txt").read_text()
    assert "restic --no-lock" in text
    assert "SET-1" in text
    assert list(disk.mount_point.glob(".partial-*")) == []


def test_a_copy_is_given_back_with_the_lock_that_a_killed_engine_left(disk, medium):
    copied(medium)
    for _ in range(2):
        with medium.read_back("SET-1", quiet) as folder:
            assert Path(folder, "config").read_bytes() == b"SET-1"
            Path(folder, "locks").mkdir(exist_ok=True)
            Path(folder, "locks", "abcd").write_text("x")


def test_a_bit_flipped_on_the_disk_after_the_write_is_found(disk, medium):
    copied(medium)
    subprocess.run(["sync"], check=True)
    held = bytearray(disk.image.read_bytes())
    at = held.rindex(b"SET-1SET-1SET-1") + 3
    with disk.image.open("r+b") as image:
        image.seek(at)
        image.write(bytes([held[at] ^ 1]))
    pack = disk.mount_point / "sets" / "SET-1" / "restic" / "data" / "pack"
    assert pack.read_bytes() == b"SET-1" * 200_000, "the page cache hides it: that is why the read must be cold"
    with pytest.raises(MediumDamagedError, match="pack"), medium.read_back("SET-1", quiet):
        pytest.fail("a damaged copy was given out")


def test_it_is_found_by_dropping_the_cache_too_where_nobody_may_unmount(disk, medium, tmp_path):
    copied(medium)
    held = bytearray(disk.image.read_bytes())
    at = held.rindex(b"SET-1SET-1SET-1") + 3
    with disk.image.open("r+b") as image:
        image.seek(at)
        image.write(bytes([held[at] ^ 1]))
    user = (disk.mount_point / "sets" / "SET-1" / "SHA256SUMS").open()
    with user, pytest.raises(MediumDamagedError, match="pack"), medium.read_back("SET-1", quiet):
        pytest.fail("a damaged copy was given out")
    assert mounted(disk)


def test_a_filesystem_that_another_mount_namespace_holds_is_read_past_the_cache(disk, medium):
    copied(medium)
    hold = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo held; read line"]
    holder = subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        held = bytearray(disk.image.read_bytes())
        at = held.rindex(b"SET-1SET-1SET-1") + 3
        with disk.image.open("r+b") as image:
            image.seek(at)
            image.write(bytes([held[at] ^ 1]))
        with pytest.raises(MediumDamagedError, match="pack"), medium.read_back("SET-1", quiet):
            pytest.fail("a damaged copy was given out")
        (disk.mount_point / "writable-again").write_text("x")
    finally:
        holder.communicate("go\n")


@pytest.mark.parametrize("there", [True, False])
def test_an_empty_mount_point_is_never_written(new_disk, opened, there):
    disk = new_disk()
    if there:
        disk.mount_point.mkdir()
    facts = opened(disk).look()
    assert not facts.present
    assert str(disk.mount_point) in str(facts.problem)
    with pytest.raises(MediumRefusedError):
        opened(disk).begin("SET-1", 1000)
    assert not there or list(disk.mount_point.iterdir()) == []


def test_another_disk_is_refused_and_named(new_disk, opened):
    wanted, other = new_disk("wanted"), new_disk("other").plug_in()
    facts = opened(wanted).look()
    assert not facts.present
    assert other.uuid in str(facts.problem)
    assert wanted.uuid in str(facts.problem)
    with pytest.raises(MediumRefusedError):
        opened(wanted).register(DAY)
    assert not (other.mount_point / "MEDIUM.json").exists()


def test_a_disk_with_the_right_label_and_another_uuid_is_refused(new_disk, opened):
    wanted = new_disk("wanted")
    new_disk("clone", label=wanted.label).plug_in()
    assert not opened(wanted).look().present


def test_the_right_uuid_under_another_label_is_refused(disk, opened):
    assert "ARCHIVES" in str(opened(disk, label="ARCHIVES").look().problem)


def test_a_disk_copied_onto_another_is_told_by_its_token(new_disk, disk, medium, opened):
    copied(medium)
    clone = new_disk("clone", mount_point=disk.mount_point.with_name("clone")).plug_in()
    shutil.copytree(disk.mount_point, clone.mount_point, dirs_exist_ok=True)
    facts = opened(clone).look()
    assert not facts.present
    assert disk.uuid in str(facts.problem)


def test_two_plugged_in_disks_of_one_uuid_are_refused(new_disk, opened):
    one = new_disk("one").plug_in(mount=False)
    clone = new_disk("two", uuid=one.uuid).plug_in(mount=False)
    facts = opened(one).look()
    assert not facts.present
    assert clone.device in str(facts.next_step)


def test_a_token_edited_or_sealed_by_somebody_else_is_refused(disk, medium, opened):
    path = disk.mount_point / "MEDIUM.json"
    path.write_text(path.read_text().replace("disque-01", "disque-09"))
    assert not opened(disk).look().present
    path.write_text("{broken")
    assert not opened(disk).look().present


def test_a_medium_registered_under_another_name_is_refused(disk, medium, opened):
    facts = opened(disk, name="disque-02", title="DISQUE-02").look()
    assert not facts.present
    assert "disque-01" in str(facts.problem)


def test_a_disk_with_somebodys_files_is_never_registered(disk, opened):
    (disk.mount_point / "photos").mkdir()
    facts = opened(disk).look()
    assert "photos" in str(facts.problem)
    with pytest.raises(MediumRefusedError):
        opened(disk).register(DAY)
    assert not (disk.mount_point / "MEDIUM.json").exists()


def test_a_read_only_disk_is_refused(disk, medium, opened):
    subprocess.run(["mount", "-o", "remount,ro", disk.mount_point], check=True)
    facts = opened(disk).look()
    assert not facts.writable
    with pytest.raises(MediumRefusedError):
        medium.begin("SET-1", 1000)


def test_a_disk_that_turns_read_only_midway_holds_no_half_copy(disk, medium, opened):
    copied(medium)
    fill(medium.begin("SET-2", 300_000))
    subprocess.run(["mount", "-o", "remount,ro", disk.mount_point], check=True)
    with pytest.raises(MediumRefusedError):
        medium.finish("SET-2", ABOUT, quiet)
    assert opened(disk).look().holds == ("SET-1",)


def test_a_full_disk_is_refused_before_anything_is_written(disk, medium):
    with pytest.raises(MediumRefusedError, match=r"Mi[Bo]"):
        medium.begin("SET-1", disk.megabytes << 20)


def test_a_disk_that_fills_up_midway_keeps_its_earlier_copies(disk, medium, opened):
    copied(medium)
    folder = medium.begin("SET-2", 300_000)
    fill(folder)
    for chunk in (1 << 20, 1 << 12):
        with pytest.raises(OSError, match="No space"):
            fill_up(Path(folder, f"more{chunk}"), chunk)
    with pytest.raises(MediumRefusedError):
        medium.finish("SET-2", ABOUT, quiet)
    again = opened(disk)
    assert again.look().holds == ("SET-1",)
    copied(again, "SET-3")
    assert again.look().holds == ("SET-1", "SET-3")


def test_a_disk_without_inodes_is_refused(new_disk, opened):
    disk = new_disk(inodes=100).plug_in()
    medium = opened(disk)
    medium.register(DAY)
    with pytest.raises(MediumRefusedError, match="inodes"):
        medium.begin("SET-1", 1000)


def test_the_disk_that_holds_the_data_is_refused(disk, opened):
    data = disk.mount_point / "sydam"
    assert str(data) in str(opened(disk, others=(data,)).look().problem)
    assert opened(disk, others=(Path("/"),)).look().present


def test_a_disk_pulled_out_midway_is_told_and_nothing_counts(disk, medium, opened, tmp_path):
    copied(medium)
    folder = medium.begin("SET-2", 300_000)
    fill(folder)
    disk.pull()
    with pytest.raises(MediumLostError):
        medium.finish("SET-2", ABOUT, quiet)
    assert list(disk.mount_point.iterdir()) == [], "nothing may land in the empty mount point"
    disk.plug_in()
    again = opened(disk)
    assert again.look().holds == ("SET-1",)
    with again.read_back("SET-1", quiet) as back:
        assert Path(back, "config").read_bytes() == b"SET-1"
    copied(again, "SET-2")
    assert list(disk.mount_point.glob(".partial-*")) == []


def test_what_is_written_on_after_the_disk_was_pulled_out_does_not_stay_on_this_server(disk, medium):
    copied(medium)
    for end in (medium.give_up, lambda: medium.finish("SET-2", ABOUT, quiet)):
        folder = Path(medium.begin("SET-2", 300_000))
        disk.pull()
        # An engine makes the folders it misses: they are in the empty mount point.
        folder.mkdir(parents=True)
        fill(folder)
        with contextlib.suppress(MediumLostError):
            end()
        assert list(disk.mount_point.iterdir()) == []
        disk.plug_in()
    copied(medium, "SET-2")


def test_a_device_that_loses_its_blocks_is_found_by_the_read_back(disk, medium):
    copied(medium)
    with disk.image.open("r+b") as image:
        held = image.read()
        image.seek(held.rindex(b"SET-1SET-1SET-1"))
        image.truncate()
    with pytest.raises((MediumLostError, MediumDamagedError, MediumRefusedError)), medium.read_back("SET-1", quiet):
        pytest.fail("a copy without its blocks was given out")


KILLED = """
    import signal, sys
    sys.path.insert(0, {here!r})
    from conftest import Leave
    from pathlib import Path
    from dsi_automation.connectors.media import contents, token, trees
    from dsi_automation.connectors.media.opening import open_medium
    from dsi_automation.connectors.media.port import MediumSettings
    from dsi_automation.core.clock import SystemClock
    from dsi_automation.core.secrets import Secret
    settings = MediumSettings("disque-01", "DISQUE-01", "disk", {uuid!r}, None, None, None, Path({mount!r}), None,
                              Path({scratch!r}), 10, "externe", lambda: Secret("mot-de-passe-de-la-rotation"))
    token._N = 2
    def stop(*_):
        print("now", flush=True)
        signal.pause()
    {hook} = stop
    medium = open_medium(settings, "srv1", SystemClock(), Leave(), patience=0)
    folder = Path(medium.begin("SET-2", 1000))
    (folder / "config").write_text("half")
    medium.finish("SET-2", {{}}, lambda *_: None)
"""


@pytest.mark.parametrize("hook", ["trees.write_sums", "trees.sync_tree", "contents.Contents._write_table"])
def test_a_run_killed_midway_harms_no_earlier_copy_and_can_be_run_again(disk, medium, opened, hook, tmp_path):
    copied(medium)
    program = textwrap.dedent(KILLED).format(
        here=str(Path(__file__).parent),
        uuid=disk.uuid,
        mount=str(disk.mount_point),
        scratch=str(tmp_path / "scratch" / "disque-01"),
        hook=hook,
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "now\n"
    with pytest.raises(MediumBusyError, match="RUN-20261122-0001"):
        medium.begin("SET-3", 1000)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert medium.look().holds == ("SET-1",)
    copied(medium, "SET-2")
    assert medium.look().holds == ("SET-1", "SET-2")
    assert sorted(path.name for path in (disk.mount_point / "sets").iterdir()) == ["SET-1", "SET-2"]


def test_what_must_still_be_kept_is_not_removed(disk, medium):
    copied(medium, "SET-1", kept_until="2999-01-01T00:00:00Z")
    copied(medium, "SET-2", kept_until="2001-01-01T00:00:00Z")
    with pytest.raises(MediumRefusedError, match="SET-1"):
        medium.remove(["SET-1", "SET-2"])
    medium.remove(["SET-2"])
    assert medium.look().holds == ("SET-1",)
    assert not (disk.mount_point / "sets" / "SET-2").exists()


def test_a_medium_takes_no_more_sets_than_it_may(disk, medium, opened):
    copied(medium)
    full = opened(disk, copies=1)
    with pytest.raises(MediumRefusedError, match=r"\b1\b"):
        full.begin("SET-2", 1000)


def test_every_write_asks_the_permit(disk, medium, leave):
    leave.asked.clear()
    copied(medium)
    assert leave.asked == ["srv1", "srv1"]
    leave.taken_back = GateClosedError(T("No."))
    for write in (lambda: medium.begin("SET-2", 1), lambda: medium.remove(["SET-1"]), lambda: medium.register(DAY)):
        with pytest.raises(GateClosedError):
            write()
    assert medium.look().holds == ("SET-1",)


def test_a_disk_plugged_in_and_not_mounted_is_mounted_for_the_copy_alone(disk, medium):
    subprocess.run(["umount", disk.mount_point], check=True)
    facts = medium.look()
    assert (facts.present, facts.details["token"]) == (True, Token.UNREAD)
    copied(medium)
    with medium.read_back("SET-1", quiet) as folder:
        assert Path(folder, "config").exists()
    assert not mounted(disk)


def test_an_ejected_disk_is_unmounted_and_one_in_use_is_not(disk, medium):
    copied(medium)
    with (disk.mount_point / "MEDIUM.json").open(), pytest.raises(MediumRefusedError):
        medium.eject()
    assert mounted(disk)
    medium.eject()
    assert not mounted(disk)
