"""Between which moments a cluster can be brought back: sets and logs that follow one another without a gap."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.backups.errors import TransientError
from dsi_automation.connectors.backups.postgresql import wal
from dsi_automation.connectors.backups.postgresql.archive import Archive
from dsi_automation.connectors.backups.postgresql.details import Details
from dsi_automation.connectors.backups.postgresql.proof import Tools
from dsi_automation.connectors.backups.postgresql.wal import Segment

_ENDED: Final = re.compile(r"desc: (?:COMMIT|ABORT)\S* (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")
_LOOK_BACK: Final = 200
"""Segments without the end of a transaction that are read before the last set's own moment is taken."""


def unbroken(sets: Sequence[Details], archived: Collection[Segment]) -> tuple[Details, ...]:
    """Return the newest sets that logs connect without a gap, oldest first.

    Args:
        sets: those that are kept.
        archived: what the archive still holds: a forgotten set in between took its snapshot of logs along.
    """
    ordered = sorted(sets, key=lambda each: each.position)
    start = 0
    for number, each in enumerate(ordered):
        if number and (each.gap or not _connected(ordered[number - 1], each, archived)):
            start = number
    return tuple(ordered[start:])


def recovery_window(sets: Sequence[Details], tools: Tools) -> tuple[datetime, datetime] | None:
    """Return from when on, and until when, any moment can be brought back; None without a set."""
    if not sets:
        return None
    archive = Archive(tools.settings.wal_archive, sets[-1].segment_size)
    try:
        archived = archive.list().segments
    except TransientError:
        archived = frozenset()
    chain = unbroken(sets, archived)
    newest = chain[-1]
    return chain[0].moment, max(newest.moment, _last_moment(newest, archive, archived, tools) or newest.moment)


def last_end(printed: str) -> datetime | None:
    """Return when the last transaction of what pg_waldump printed ended; its times are UTC here."""
    found = _ENDED.findall(printed)
    return None if not found else datetime.fromisoformat(found[-1]).replace(tzinfo=UTC)


def _connected(older: Details, newer: Details, archived: Collection[Segment]) -> bool:
    if older.system_identifier != newer.system_identifier:
        return False
    there = {segment.number for segment in archived}
    return all(number in there for number in range(older.last_segment.number + 1, newer.first_segment.number))


def _last_moment(newest: Details, archive: Archive, archived: Collection[Segment], tools: Tools) -> datetime | None:
    last = wal.contiguous_end(newest.last_segment, archived)
    if last is None:
        return None
    for number in range(last.number, max(newest.last_segment.number, last.number - _LOOK_BACK), -1):
        name = Segment(last.timeline, number).name(archive.segment_size)
        done = tools.programs.run(
            "pg_waldump", "-r", "Transaction", "-p", str(archive.folder), name, name,
            environment={"TZ": "UTC"}, timeout=300,
        )  # fmt: skip
        moment = last_end(done.text)
        if moment is not None:
            return moment
    return None
