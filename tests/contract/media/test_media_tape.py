"""A tape is labelled, written, read back whole and brought back with tar alone; on a SIMH image, never a drive."""

import struct
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from dsi_automation.connectors.media.errors import MediumDamagedError, MediumRefusedError
from dsi_automation.connectors.media.opening import open_medium
from dsi_automation.connectors.media.port import MediumSettings, Token
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret

DAY = timedelta(days=1)


def quiet(*_):
    """Nobody looks."""


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "bande-01.tap"
    path.touch()
    return path


@pytest.fixture
def tape(tmp_path, image, leave):
    def one(**changes):
        settings = {
            "name": "bande-01",
            "title": "TK-0001",
            "kind": "tape",
            "uuid": None,
            "label": None,
            "serial": "DSI001L8",
            "device": str(image),
            "mount_point": None,
            "capacity": 64 << 20,
            "scratch": tmp_path / "scratch" / "bande-01",
            "copies": 3,
            "rotation": "bandes",
            "password": lambda: Secret("mot-de-passe-de-la-rotation"),
        }
        return open_medium(MediumSettings(**{**settings, **changes}), "srv1", SystemClock(), leave, patience=0)

    return one


@pytest.fixture
def labelled(tape):
    made = tape()
    made.register(DAY)
    return made


def copied(medium, set_id="SET-1", **about):
    folder = Path(medium.begin(set_id, 2_000_000))
    (folder / "data").mkdir()
    (folder / "config").write_text(set_id)
    (folder / "data" / "pack").write_bytes(set_id.encode() * 250_000)
    medium.finish(set_id, {"job": "srv1", **about}, quiet)


def given_back(medium, set_id):
    with medium.read_back(set_id, quiet) as folder:
        return Path(folder, "config").read_text(), Path(folder, "data", "pack").stat().st_size


def records(image):
    """Return the records of a SIMH image: bytes, and None for a filemark."""
    data, at, found = image.read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        found.append(data[at + 4 : at + 4 + length] if length else None)
        at += 4 if not length else 8 + length + length % 2
    return found


def test_a_blank_tape_is_not_written_before_it_is_registered(tape):
    facts = tape().look()
    assert (facts.present, facts.problem, facts.details["token"]) == (True, None, Token.BLANK)
    with pytest.raises(MediumRefusedError):
        tape().begin("SET-1", 1000)


def test_sets_follow_one_another_and_each_is_given_back(labelled, tape):
    copied(labelled)
    copied(labelled, "SET-2")
    assert tape().look().holds == ("SET-1", "SET-2")
    for name in ("SET-1", "SET-2"):
        assert given_back(tape(), name) == (name, 5 * 250_000)


def test_a_set_is_brought_back_with_tar_alone(labelled, image, tmp_path):
    copied(labelled)
    files, current = [], []
    for record in records(image):
        if record is None:
            files.append(current)
            current = []
        else:
            current.append(record)
    label, instructions, _header, archive, _trailer = files
    assert b"DSI001L8" in label[0]
    assert "tar -b 1024" in instructions[0].decode()
    assert {len(record) for record in archive} == {512 * 1024}
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-b", "1024", "-xf", "-"], input=b"".join(archive), cwd=out, check=True)
    assert (out / "SET-1" / "restic" / "config").read_text() == "SET-1"
    done = subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=out / "SET-1", check=False)
    assert done.returncode == 0


def test_a_bit_flipped_on_the_tape_is_found_and_its_block_named(labelled, image, tape):
    copied(labelled)
    data = bytearray(image.read_bytes())
    data[data.rindex(b"SET-1SET-1SET-1") + 4] ^= 1
    image.write_bytes(data)
    with pytest.raises(MediumDamagedError) as caught, tape().read_back("SET-1", quiet):
        pytest.fail("a damaged copy was given out")
    assert caught.value.detail["count"] == 1


def test_a_set_cut_short_counts_for_nothing_and_is_written_over(labelled, image, tape):
    copied(labelled)
    size = image.stat().st_size
    copied(labelled, "SET-2")
    with image.open("r+b") as tail:
        tail.truncate(size + 700_000)
    assert tape().look().holds == ("SET-1",)
    copied(tape(), "SET-3")
    assert tape().look().holds == ("SET-1", "SET-3")
    assert given_back(tape(), "SET-1")[0] == "SET-1"


def test_a_tape_at_its_end_is_told_and_keeps_what_it_held(labelled, tape, image):
    copied(labelled)
    small = tape(capacity=image.stat().st_size + (1 << 20))
    with pytest.raises(MediumRefusedError):
        small.begin("SET-2", 2_000_000)
    folder = Path(small.begin("SET-2", 1000))
    (folder / "pack").write_bytes(b"x" * (3 << 20))
    with pytest.raises(MediumRefusedError):
        small.finish("SET-2", {}, quiet)
    assert tape().look().holds == ("SET-1",)


def test_a_write_protected_foreign_or_absent_tape_is_refused(labelled, tape, image):
    copied(labelled)
    image.chmod(0o444)
    with pytest.raises(MediumRefusedError, match="TK-0001"):
        tape().begin("SET-2", 1000)
    image.chmod(0o644)
    assert not tape(serial="DSI002L8").look().present
    assert not tape(password=lambda: Secret("un-autre-mot-de-passe")).look().present
    image.write_bytes(struct.pack("<I", 6) + b"photos" + struct.pack("<I", 6))
    assert not tape().look().present
    image.unlink()
    assert not tape().look().present


def test_a_tape_is_written_over_as_a_whole_and_not_before_its_time(labelled, tape):
    copied(labelled, "SET-1", kept_until="2001-01-01T00:00:00Z")
    copied(labelled, "SET-2", kept_until="2999-01-01T00:00:00Z")
    for sets in (["SET-1"], ["SET-1", "SET-2"]):
        with pytest.raises(MediumRefusedError):
            tape().remove(sets)
    assert tape().look().holds == ("SET-1", "SET-2")


def test_a_tape_whose_time_is_over_begins_anew_with_one_use_more(labelled, tape):
    copied(labelled, "SET-1", kept_until="2001-01-01T00:00:00Z")
    tape().remove(["SET-1"])
    facts = tape().look()
    assert (facts.holds, facts.details["uses"]) == ((), 2)
    copied(tape(), "SET-2")
    assert tape().look().holds == ("SET-2",)
