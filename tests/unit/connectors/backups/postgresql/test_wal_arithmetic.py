"""Names of log segments, timelines and gaps: as PostgreSQL counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.backups.postgresql import wal
from dsi_automation.connectors.backups.postgresql.wal import Fork, Segment

MIB = 2**20
sizes = st.sampled_from([1 * MIB, 16 * MIB, 64 * MIB, 1024 * MIB])
segments = st.builds(Segment, st.integers(1, 2**32 - 1), st.integers(0, 2**34 // 1024))


@given(segments, sizes)
def test_a_segment_is_what_its_name_says(segment: Segment, size: int) -> None:
    assert Segment.parse(segment.name(size), size) == segment


@given(st.integers(0, 2**64 - 1))
def test_a_position_is_what_is_written(position: int) -> None:
    assert wal.parse_lsn(wal.format_lsn(position)) == position


@pytest.mark.parametrize(
    ("lsn", "size", "name"),
    [
        # pg_walfile_name of PostgreSQL 15, with segments of 16 MiB and of 1 MiB.
        ("0/2000028", 16 * MIB, "000000010000000000000002"),
        ("16/B374D848", 16 * MIB, "0000000100000016000000B3"),
        ("1/FFFFFFFF", 16 * MIB, "0000000100000001000000FF"),
        ("0/2000028", 1 * MIB, "000000010000000000000020"),
    ],
)
def test_a_position_is_in_the_segment_the_server_names(lsn: str, size: int, name: str) -> None:
    assert Segment.holding(1, wal.parse_lsn(lsn), size).name(size) == name


def test_the_end_of_a_segment_belongs_to_it() -> None:
    assert Segment.ending(1, wal.parse_lsn("0/3000000")).name() == "000000010000000000000002"
    assert Segment.holding(1, wal.parse_lsn("0/3000000")).name() == "000000010000000000000003"


@pytest.mark.parametrize(
    "name",
    ["", "000000010000000000000100", "00000001000000000000000g", "000000010000000000000002.partial", "00000002.history",
     "000000000000000000000001", "000000010000000000000002.00000028.backup"],
)  # fmt: skip
def test_what_is_no_whole_segment_is_none(name: str) -> None:
    assert Segment.parse(name) is None


def test_a_history_tells_where_each_timeline_ended() -> None:
    text = "1\t0/3000158\tno recovery target specified\n\n# note\n2\t0/5000000\tbefore 2026-11-22\n"
    assert wal.parse_history(text) == (Fork(1, 0x3000158), Fork(2, 0x5000000))
    for wrong in ("1 0/3\n1 0/4\n", "x\n", "2\t0/1\n1\t0/2\n"):
        with pytest.raises(ValueError, match=r".*"):
            wal.parse_history(wrong)


def test_a_segment_where_a_timeline_ends_is_read_on_the_next() -> None:
    found = wal.needed(Segment(1, 2), Segment(3, 6), (Fork(1, 0x3000158), Fork(2, 0x5000000)))
    assert found == (Segment(1, 2), Segment(2, 3), Segment(2, 4), Segment(3, 5), Segment(3, 6))
    with pytest.raises(ValueError, match=r".*"):
        wal.needed(Segment(1, 2), Segment(3, 6), (Fork(2, 0x5000000),))


@given(st.integers(0, 50), st.integers(0, 50), st.sets(st.integers(0, 100)))
def test_every_gap_is_named_and_nothing_else(start: int, length: int, lost: set[int]) -> None:
    wanted = wal.needed(Segment(1, start), Segment(1, start + length))
    there = [segment for segment in wanted if segment.number not in lost]
    assert {segment.number for segment in wal.missing(wanted, there)} == lost & set(range(start, start + length + 1))
    end = wal.contiguous_end(Segment(1, start), there)
    reached = -1 if end is None else end.number
    assert all(number not in lost for number in range(start, reached + 1))
    assert reached == start + length or (reached if end else start - 1) + 1 in lost


@given(st.sets(segments, max_size=20), segments)
def test_only_what_is_older_than_needed_is_obsolete(there: set[Segment], oldest: Segment) -> None:
    gone = set(wal.obsolete(there, oldest))
    assert all(segment.number < oldest.number for segment in gone)
    assert all(segment.number >= oldest.number for segment in there - gone)


def test_many_names_are_told_by_the_first_and_the_last() -> None:
    assert wal.named([Segment(1, n) for n in range(9)]).count(",") == 5
    assert wal.named([Segment(1, 1)]) == "000000010000000000000001"
