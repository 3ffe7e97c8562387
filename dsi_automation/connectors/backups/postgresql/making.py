"""Makes one set: base backup, counts, the log up to there archived and whole, then into the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError
from dsi_automation.connectors.backups.port import Progress
from dsi_automation.connectors.backups.postgresql import base, wal
from dsi_automation.connectors.backups.postgresql.archive import Archive
from dsi_automation.connectors.backups.postgresql.client import Programs
from dsi_automation.connectors.backups.postgresql.counting import Counted, count
from dsi_automation.connectors.backups.postgresql.details import Details, counts_json
from dsi_automation.connectors.backups.postgresql.parsing import BaseManifest, parse_control, parse_label
from dsi_automation.connectors.backups.postgresql.source import Look
from dsi_automation.connectors.backups.postgresql.wal import Segment, parse_lsn
from dsi_automation.connectors.backups.settings import PostgresSettings
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T, Text

# Assigning a number to a transaction has its end written to the log, with its time: a moment recovery can stop at.
_MARK = """
SELECT json_build_object('xid', pg_current_xact_id()::text, 'now', extract(epoch FROM clock_timestamp()));
SELECT json_build_object('position', pg_current_wal_insert_lsn());
SELECT json_build_object('switched', pg_switch_wal());
SELECT json_build_object('timeline', timeline_id) FROM pg_control_checkpoint();
"""


@dataclass(frozen=True, slots=True)
class Logs:
    """The archived segments that go with a base backup.

    Attributes:
        first, last: all between them are archived.
        gap: those missing between the previous set and `first`.
    """

    first: Segment
    last: Segment
    gap: tuple[Segment, ...]
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """The end of a set in the log.

    Attributes:
        moment: by the server's clock; a transaction was ended right after it.
        before: the position of the log before that transaction; `segment` the one it is in, on its way out.
    """

    moment: datetime
    before: int
    segment: Segment


def counted(programs: Programs, settings: PostgresSettings, progress: Progress) -> list[Counted]:
    """Count what the inventory wants counted, each database in a snapshot of its own."""
    found = []
    for database, tables in settings.count_tables.items():
        progress(T("Counting rows in {database}.", database=database), None, None)
        found.append(count(programs, programs.origin, database, tables))
    return found


def mark(programs: Programs, segment_size: int) -> Marked:
    """Leave the end of a transaction in the log, and have the log up to it archived."""
    said: dict[str, Any] = {}
    before = programs.ask("SELECT json_build_object('before', pg_current_wal_insert_lsn());", programs.origin)[0]
    for row in programs.ask(_MARK, programs.origin):
        said |= row
    switched = parse_lsn(said["switched"])
    return Marked(
        datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(said["now"])),
        parse_lsn(before["before"]),
        Segment.ending(int(said["timeline"]), switched, segment_size),
    )


def logs_of(archive: Archive, start: Segment, last: Segment, previous: Details | None, clock: Clock,
            longest: timedelta) -> Logs:  # fmt: skip
    """Return the segments to keep with a base backup, after waiting for the last of them.

    Raises:
        TransientError: it is not archived in time.
        BackupFailedError: segments that recovery of this very set needs are missing.
    """
    archive.wait_for(last, longest, clock)
    own = archive.gaps(start, last)
    if own:
        raise BackupFailedError(
            T("The archive lacks log of the backup itself: {names}.", names=wal.named(own, archive.segment_size)),
            meaning=T("The server believes that its archive_command kept them."),
            next_step=T("Look for them elsewhere, mend archive_command, and back up again."),
        )
    first = start
    gap: tuple[Segment, ...] = ()
    if previous is not None:
        after = Segment(previous.last_segment.timeline, previous.last_segment.number + 1)
        if after.number < start.number:
            gap = archive.gaps(after, start)
            first = after if not gap else _whole_from(gap, start)
    there = sorted(s for s in archive.list().segments if first.number <= s.number <= last.number)
    histories = [archive.folder / f"{t:08X}.history" for t in sorted(archive.list().histories)]
    return Logs(first, last, gap, (*(archive.folder / name for name in archive.names(there)), *histories))


def _whole_from(gap: tuple[Segment, ...], start: Segment) -> Segment:
    after = max(segment.number for segment in gap) + 1
    return min(Segment(start.timeline, after), start, key=lambda segment: segment.number)


def gap_warning(logs: Logs, segment_size: int) -> Text:
    """Return what a gap before a set means."""
    return T(
        "The archive lacks {names}: earlier sets bring back nothing later than what comes before.",
        names=wal.named(logs.gap, segment_size),
    )


def described(
    programs: Programs, data: Path, run: str, seen: Look, manifest: BaseManifest, found: list[Counted], marked: Marked,
    logs: Logs,
) -> Details:  # fmt: skip
    """Return the details of a set, from what was really copied.

    Raises:
        BackupFailedError: what was copied is not what was asked for.
    """
    said: Mapping[str, Any] = seen.said
    try:
        control = parse_control(programs.control(data))
        label = parse_label((data / "backup_label").read_text())
    except (OSError, ValueError) as error:
        raise DamagedBackupError(T("The base backup has no control file or label that can be read.")) from error
    if control.system_identifier != str(said["system_identifier"]) or label.label != run:
        raise BackupFailedError(T("What was copied is another cluster, or another backup of it."))
    position = max([each.position for each in found] or [marked.before])
    size = seen.segment_size
    return Details(
        server_version=str(said["version"]).split()[0],
        system_identifier=control.system_identifier,
        timeline=logs.last.timeline,
        segment_size=size,
        superuser=str(said["superuser"]),
        timezone=str(said["timezone"]),
        data=str(data),
        base_manifest=hashlib.sha256((data / base.MANIFEST).read_bytes()).hexdigest(),
        start=manifest.start[1],
        stop=manifest.end[1],
        position=max(position, manifest.end[1]),
        moment=marked.moment,
        start_log=label.start_file,
        first_log=logs.first.name(size),
        last_log=logs.last.name(size),
        logs_folder="" if not logs.paths else str(logs.paths[0].parent),
        gap=tuple(segment.name(size) for segment in logs.gap),
        databases=seen.databases,
        counts=counts_json(found, position),
    )
