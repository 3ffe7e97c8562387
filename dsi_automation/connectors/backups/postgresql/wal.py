"""Names and order of write-ahead log segments, timelines and their history: values without I/O.

Sources: PostgreSQL 15 documentation, "WAL Internals" and "Continuous Archiving"; `XLogFileName` of
src/include/access/xlog_internal.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

DEFAULT_SEGMENT_SIZE: Final = 16 * 2**20
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_HISTORY: Final = re.compile(r"([0-9A-F]{8})\.history")
_HISTORY_LINE: Final = re.compile(r"\s*([0-9]+)\s+([0-9A-Fa-f]+/[0-9A-Fa-f]+)")


def parse_lsn(text: str) -> int:
    """Return a position in the log, `16/B374D848`, as bytes from its beginning.

    Raises:
        ValueError: it is not one.
    """
    high, slash, low = text.strip().partition("/")
    if not slash:
        raise ValueError(text)
    return (int(high, 16) << 32) | int(low, 16)


def format_lsn(position: int) -> str:
    """Return a position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the log: its timeline, and its number from the log's beginning."""

    timeline: int
    number: int

    def name(self, size: int = DEFAULT_SEGMENT_SIZE) -> str:
        """Return its file name, for segments of `size` bytes."""
        per_id = 2**32 // size
        return f"{self.timeline:08X}{self.number // per_id:08X}{self.number % per_id:08X}"

    @classmethod
    def parse(cls, name: str, size: int = DEFAULT_SEGMENT_SIZE) -> Segment | None:
        """Return the segment a file name means; None when it is no name of a whole segment of that size."""
        if not _SEGMENT.fullmatch(name):
            return None
        timeline, log, number = (int(name[start : start + 8], 16) for start in (0, 8, 16))
        per_id = 2**32 // size
        return None if timeline == 0 or number >= per_id else cls(timeline, log * per_id + number)

    @classmethod
    def holding(cls, timeline: int, position: int, size: int = DEFAULT_SEGMENT_SIZE) -> Segment:
        """Return the segment the byte at `position` is in."""
        return cls(timeline, position // size)

    @classmethod
    def ending(cls, timeline: int, position: int, size: int = DEFAULT_SEGMENT_SIZE) -> Segment:
        """Return the segment the last byte before `position` is in."""
        return cls(timeline, (position - 1) // size)


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a timeline ended and the next one of a history began."""

    timeline: int
    position: int


def history_timeline(name: str) -> int | None:
    """Return the timeline a history file is of; None when it is no history file's name."""
    found = _HISTORY.fullmatch(name)
    return None if found is None else int(found.group(1), 16)


def parse_history(text: str) -> tuple[Fork, ...]:
    """Return the timelines a history file tells, oldest first; comments and empty lines are passed over.

    Raises:
        ValueError: a line is neither, or the timelines do not grow.
    """
    forks: list[Fork] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _HISTORY_LINE.match(line)
        if found is None:
            raise ValueError(line)
        fork = Fork(int(found.group(1)), parse_lsn(found.group(2)))
        if forks and fork.timeline <= forks[-1].timeline:
            raise ValueError(line)
        forks.append(fork)
    return tuple(forks)


def needed(
    start: Segment, last: Segment, history: Sequence[Fork] = (), size: int = DEFAULT_SEGMENT_SIZE
) -> tuple[Segment, ...]:
    """Return every segment that recovery reads to come from `start` to `last`.

    Args:
        history: of the timeline of `last`. A segment in which a timeline ends is read on the next one.
        size: of a segment, bytes.

    Raises:
        ValueError: the history does not lead from one to the other.
    """
    forks = [fork for fork in history if start.timeline <= fork.timeline < last.timeline]
    if start.timeline != last.timeline and (not forks or forks[0].timeline != start.timeline):
        raise ValueError(history)
    found: list[Segment] = []
    number = start.number
    for fork in forks:
        end = fork.position // size
        found.extend(Segment(fork.timeline, each) for each in range(number, end))
        number = max(number, end)
    found.extend(Segment(last.timeline, each) for each in range(number, last.number + 1))
    return tuple(found)


def missing(wanted: Iterable[Segment], there: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the segments that are wanted and not there, in order."""
    return tuple(sorted(set(wanted) - set(there)))


def contiguous_end(start: Segment, there: Iterable[Segment]) -> Segment | None:
    """Return the last segment that can be reached from `start` on its timeline without a gap; None for none."""
    numbers = {segment.number for segment in there if segment.timeline == start.timeline}
    number = start.number
    while number in numbers:
        number += 1
    return None if number == start.number else Segment(start.timeline, number - 1)


def obsolete(there: Iterable[Segment], oldest_needed: Segment) -> tuple[Segment, ...]:
    """Return the segments older than what the oldest kept set needs, whatever their timeline."""
    return tuple(sorted(segment for segment in there if segment.number < oldest_needed.number))


def named(segments: Sequence[Segment], size: int = DEFAULT_SEGMENT_SIZE, most: int = 5) -> str:
    """Return names for a sentence: all of a few, else the first ones and the last."""
    names = [segment.name(size) for segment in segments]
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[: most - 1])}, …, {names[-1]}"
