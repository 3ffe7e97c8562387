"""The folder of archived segments: what it holds, what is missing in it, and what may leave it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.postgresql import wal
from dsi_automation.connectors.backups.postgresql.wal import Fork, Segment
from dsi_automation.core.clock import Clock
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

PAUSE = 0.1
"""Seconds between two looks for a segment that is to come."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the folder held when it was looked at.

    Attributes:
        segments: whole ones; `short` those whose file is not as long as a segment is.
        histories: timelines whose history is there.
    """

    segments: frozenset[Segment]
    short: tuple[str, ...]
    histories: frozenset[int]

    def newest(self, timeline: int) -> Segment | None:
        """Return the newest segment of a timeline."""
        return max((segment for segment in self.segments if segment.timeline == timeline), default=None)


class Archive:
    """Archived segments in one folder, as the controller sees it. Other files in it are never touched."""

    def __init__(self, folder: Path, segment_size: int = wal.DEFAULT_SEGMENT_SIZE) -> None:
        """Keep where it is; `segment_size` in bytes."""
        self.folder, self.segment_size = folder, segment_size

    def list(self) -> Listing:
        """Look at what is there.

        Raises:
            TransientError: the folder cannot be read: it may not be mounted.
        """
        segments: set[Segment] = set()
        short: list[str] = []
        histories: set[int] = set()
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    timeline = wal.history_timeline(entry.name)
                    if timeline is not None:
                        histories.add(timeline)
                    segment = Segment.parse(entry.name, self.segment_size)
                    if segment is None:
                        continue
                    if entry.stat().st_size == self.segment_size:
                        segments.add(segment)
                    else:
                        short.append(entry.name)
        except OSError as error:
            raise TransientError(
                T("The archive in {folder} cannot be read: {reason}.", folder=self.folder, reason=reason_of(error)),
                next_step=T("Check that the folder is mounted on the controller, and who may read it."),
            ) from error
        return Listing(frozenset(segments), tuple(sorted(short)), frozenset(histories))

    def history(self, timeline: int) -> tuple[Fork, ...]:
        """Return where a timeline comes from; nothing for the first one.

        Raises:
            BackupFailedError: its history is not there, or not readable as one.
        """
        if timeline == 1:
            return ()
        path = self.folder / f"{timeline:08X}.history"
        try:
            return wal.parse_history(path.read_text())
        except (OSError, ValueError) as error:
            raise BackupFailedError(
                T("The history of timeline {number} is not in {folder}.", number=timeline, folder=self.folder),
                next_step=T("Copy {name} from pg_wal of the server to the archive.", name=path.name),
            ) from error

    def names(self, segments: Iterable[Segment]) -> tuple[str, ...]:
        """Return the file names of segments."""
        return tuple(segment.name(self.segment_size) for segment in segments)

    def gaps(self, start: Segment, last: Segment) -> tuple[Segment, ...]:
        """Return the segments from `start` to `last` that are not there, or not whole.

        Raises:
            BackupFailedError: no history leads from one to the other.
        """
        history = self.history(last.timeline) if start.timeline != last.timeline else ()
        try:
            wanted = wal.needed(start, last, history, self.segment_size)
        except ValueError as error:
            raise BackupFailedError(
                T(
                    "The log went from timeline {old} to {new} by a way that the history does not tell.",
                    old=start.timeline,
                    new=last.timeline,
                )
            ) from error
        return wal.missing(wanted, self.list().segments)

    def wait_for(self, segment: Segment, longest: timedelta, clock: Clock) -> None:
        """Wait until a segment is archived.

        Raises:
            TransientError: it is not there in time.
        """
        path = self.folder / segment.name(self.segment_size)
        deadline = clock.monotonic() + longest.total_seconds()
        while not _whole(path, self.segment_size):
            if clock.monotonic() >= deadline:
                raise TransientError(
                    T(
                        "{segment} did not come to {folder} within {seconds} s.",
                        segment=path.name,
                        folder=self.folder,
                        seconds=int(longest.total_seconds()),
                    ),
                    meaning=T("The server's archive_command fails, is slow, or writes elsewhere."),
                    next_step=T("Read pg_stat_archiver and the server's log, then back up again."),
                )
            clock.sleep(PAUSE)

    def remove(self, segments: Sequence[Segment]) -> int:
        """Remove these segments, and nothing else; return how many bytes that freed."""
        freed = 0
        for name in self.names(segments):
            path = self.folder / name
            try:
                size = path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise BackupFailedError(
                    T("{path} cannot be removed: {reason}.", path=path, reason=reason_of(error))
                ) from error
            freed += size
        return freed


def _whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
