"""Between which moments a cluster can be brought back: sets and logs that follow one another without a gap."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def unbroken(sets: Sequence[Details]) -> tuple[Details, ...]:
    """Return the newest sets that logs connect without a gap, oldest first."""
    ordered = sorted(sets, key=lambda each: each.position)
    start = 0
    for number, each in enumerate(ordered):
        if number and (each.gap or _apart(ordered[number - 1], each)):
            start = number
    return tuple(ordered[start:])


def recovery_window(sets: Sequence[Details], tools: Tools) -> tuple[datetime, datetime] | None:
    """Return from when on, and until when, any moment can be brought back; None without a set."""
    chain = unbroken(sets)
    if not chain:
        return None
    newest = chain[-1]
    return chain[0].moment, max(newest.moment, _last_moment(newest, tools) or newest.moment)


def last_end(printed: str) -> datetime | None:
    """Return when the last transaction of what pg_waldump printed ended; its times are UTC here."""
    found = _ENDED.findall(printed)
    return None if not found else datetime.fromisoformat(found[-1]).replace(tzinfo=UTC)


def _apart(older: Details, newer: Details) -> bool:
    if older.system_identifier != newer.system_identifier:
        return True
    # A set in between that was forgotten took its snapshot of logs along: what the archive holds is not known here.
    return newer.first_segment.number > older.last_segment.number + 1 and newer.start_segment.number > (
        older.last_segment.number + 1
    )


def _last_moment(newest: Details, tools: Tools) -> datetime | None:
    archive = Archive(tools.settings.wal_archive, newest.segment_size)
    try:
        there = archive.list().segments
    except TransientError:
        return None
    last = wal.contiguous_end(newest.last_segment, there)
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
