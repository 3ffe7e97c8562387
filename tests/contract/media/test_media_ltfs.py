"""An LTFS volume is known by its serial, written file after file, and read back as it is; on ext4, never a drive."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from dsi_automation.connectors.media.errors import MediumDamagedError
from dsi_automation.connectors.media.ltfs import SERIAL


def quiet(*_):
    """Nobody looks."""


@pytest.fixture
def volume(new_disk):
    disk = new_disk().plug_in()
    os.setxattr(disk.mount_point, SERIAL, b"DSI003")
    return disk


def ltfs(opened, disk, serial="DSI003"):
    return opened(disk, name="ltfs-01", title="TK-0003", kind="ltfs", uuid=None, label=None, serial=serial)


def test_a_volume_holds_what_was_staged_and_gives_it_back(volume, opened):
    medium = ltfs(opened, volume)
    medium.register(timedelta(days=1))
    folder = Path(medium.begin("SET-1", 1_000_000))
    assert volume.mount_point not in folder.parents
    (folder / "pack").write_bytes(b"SET-1" * 100_000)
    medium.finish("SET-1", {"job": "srv1"}, quiet)
    assert medium.look().holds == ("SET-1",)
    with medium.read_back("SET-1", quiet) as back:
        assert Path(back, "pack").stat().st_size == 500_000
    assert not folder.exists()


def test_another_volume_or_none_is_refused(volume, opened):
    facts = ltfs(opened, volume, serial="DSI009").look()
    assert (facts.present, facts.identity) == (False, "DSI003")
    subprocess.run(["umount", volume.mount_point], check=True)
    assert not ltfs(opened, volume).look().present


def test_a_bit_flipped_on_the_volume_is_found(volume, opened):
    medium = ltfs(opened, volume)
    medium.register(timedelta(days=1))
    folder = Path(medium.begin("SET-1", 1_000_000))
    (folder / "pack").write_bytes(b"SET-1" * 100_000)
    medium.finish("SET-1", {"job": "srv1"}, quiet)
    held = bytearray(volume.image.read_bytes())
    at = held.rindex(b"SET-1SET-1SET-1") + 3
    with volume.image.open("r+b") as image:
        image.seek(at)
        image.write(bytes([held[at] ^ 1]))
    with pytest.raises(MediumDamagedError, match="pack"), medium.read_back("SET-1", quiet):
        pytest.fail("a damaged copy was given out")
