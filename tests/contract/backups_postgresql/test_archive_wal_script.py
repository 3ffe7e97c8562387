"""archive_wal.sh keeps a segment whole or not at all, never over another one, and touches nothing else."""

import subprocess
from pathlib import Path

import pytest
from fix_cluster import ARCHIVE_SCRIPT

NAME = "000000010000000000000007"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    segment, archive = tmp_path / "pg wal" / NAME, tmp_path / "archive"
    segment.parent.mkdir()
    archive.mkdir()
    segment.write_bytes(b"log" * 100_000)
    (archive / "autre").write_bytes(b"x")
    return segment, archive


def keep(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ARCHIVE_SCRIPT), *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )


def held(archive: Path) -> list[str]:
    return sorted(path.name for path in archive.iterdir())


def test_a_segment_is_kept_whole_and_the_same_one_again_is_a_success(places: tuple[Path, Path]) -> None:
    segment, archive = places
    for _ in range(2):
        assert keep(segment, NAME, archive).returncode == 0
    assert (archive / NAME).read_bytes() == segment.read_bytes()
    assert held(archive) == [NAME, "autre"]


def test_another_segment_of_the_same_name_is_never_written_over(places: tuple[Path, Path]) -> None:
    segment, archive = places
    (archive / NAME).write_bytes(b"another")
    done = keep(segment, NAME, archive)
    assert done.returncode == 1
    assert "another file" in done.stderr
    assert (archive / NAME).read_bytes() == b"another"
    assert held(archive) == [NAME, "autre"]


def test_what_cannot_be_kept_is_refused_and_leaves_nothing(places: tuple[Path, Path]) -> None:
    segment, archive = places
    for words in (
        (segment, NAME, archive / "absent"),
        (segment.with_name("absent"), NAME, archive),
        (segment, f"../{NAME}", archive),
        (segment, ".hidden", archive),
        (segment, NAME),
    ):
        assert keep(*words).returncode == 1, words
    assert held(archive) == ["autre"]


def test_a_full_disk_leaves_no_half_of_a_segment(places: tuple[Path, Path]) -> None:
    segment, archive = places
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(archive)], check=True, timeout=30)
    try:
        assert keep(segment, NAME, archive).returncode == 1
        assert held(archive) == []
    finally:
        subprocess.run(["umount", "-l", str(archive)], check=True, timeout=30)
