"""A folder in place of a disk: known by its UUID in a file, refused like a disk where that can be told."""

from datetime import timedelta
from pathlib import Path

import pytest
from disks import FolderDisk

from dsi_automation.connectors.media.errors import MediumDamagedError, MediumLostError, MediumRefusedError
from dsi_automation.connectors.media.port import Token

DAY = timedelta(days=1)
ABOUT = {"job": "srv1", "made_at": "2026-11-22T02:00:00Z", "engine": "restic 0.14.0", "snapshot": "abcd"}


def quiet(*_):
    """Nobody looks."""


@pytest.fixture
def folder(tmp_path):
    made = FolderDisk(tmp_path / "disque-01", tmp_path / "externe").make().plug_in()
    yield made
    made.pull()


def begun(medium):
    place = Path(medium.begin("SET-1", 300_000))
    (place / "data").mkdir(parents=True)
    (place / "data" / "pack").write_bytes(b"a" * 200_000)
    return place


def copied(medium):
    begun(medium)
    medium.finish("SET-1", ABOUT, quiet)


def test_it_is_registered_takes_a_copy_and_gives_it_back_from_the_folder_itself(folder, opened):
    medium = opened(folder, kind="folder")
    facts = medium.look()
    assert (facts.present, facts.problem, facts.details["token"]) == (True, None, Token.BLANK)
    medium.register(DAY)
    copied(medium)
    with medium.read_back("SET-1", quiet) as place:
        assert (Path(place) / "data" / "pack").read_bytes() == b"a" * 200_000
    assert opened(folder, kind="folder").look().holds == ("SET-1",)
    assert (folder.folder / "sets" / "SET-1" / "SHA256SUMS").is_file()
    medium.eject()
    assert list(folder.mount_point.iterdir()) == []


def test_a_byte_changed_in_the_folder_is_found(folder, opened):
    medium = opened(folder, kind="folder")
    medium.register(DAY)
    copied(medium)
    (folder.folder / "sets" / "SET-1" / "restic" / "data" / "pack").write_bytes(b"b" + b"a" * 199_999)
    with pytest.raises(MediumDamagedError), medium.read_back("SET-1", quiet):
        raise AssertionError


def test_another_folder_and_one_without_its_file_are_refused(folder, opened):
    wrong = opened(folder, kind="folder", uuid="5d5a0002-0a1b-4c2d-8e3f-d15c00000002")
    assert folder.uuid in str(wrong.look().problem)
    with pytest.raises(MediumRefusedError):
        wrong.register(DAY)
    (folder.folder / ".dsi-uuid").unlink()
    facts = opened(folder, kind="folder").look()
    assert (facts.present, facts.identity) == (False, None)


def test_an_empty_mount_point_is_never_written_and_one_pulled_out_is_told(folder, opened):
    medium = opened(folder, kind="folder")
    medium.register(DAY)
    begun(medium)
    folder.pull()
    with pytest.raises(MediumLostError):
        medium.finish("SET-1", ABOUT, quiet)
    with pytest.raises(MediumRefusedError):
        medium.begin("SET-2", 1000)
    assert list(folder.mount_point.iterdir()) == []
    folder.plug_in()
    assert opened(folder, kind="folder").look().holds == ()


def test_a_folder_described_as_a_disk_is_refused(folder, opened):
    facts = opened(folder).look()
    assert not facts.present
    assert facts.problem is not None
