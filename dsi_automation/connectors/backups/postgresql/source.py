"""Looks at the cluster that would be backed up: whether a backup of it can be made now, and be worth something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.port import SourceFacts
from dsi_automation.connectors.backups.postgresql.archive import Archive
from dsi_automation.connectors.backups.postgresql.client import Programs
from dsi_automation.connectors.backups.postgresql.parsing import parse_version
from dsi_automation.connectors.backups.postgresql.scratch import room
from dsi_automation.connectors.backups.postgresql.wal import Segment
from dsi_automation.connectors.backups.settings import PostgresSettings
from dsi_automation.core.clock import Clock, iso
from dsi_automation.core.text import TN, T, Text

ROOM: Final = 1.1
"""Room asked for in the stage, as a multiple of the cluster."""
_PILED_UP: Final = 10 * 2**30
"""Bytes of log a replication slot may hold back before that is told."""
_LAG: Final = 64
"""Segments that may wait for the archive before that is told."""

_LOOK: Final = """
SELECT json_build_object(
  'version', current_setting('server_version'),
  'version_num', current_setting('server_version_num')::int,
  'now', extract(epoch FROM clock_timestamp()),
  'in_recovery', pg_is_in_recovery(),
  'checksums', current_setting('data_checksums'),
  'wal_level', current_setting('wal_level'),
  'archive_mode', current_setting('archive_mode'),
  'segment_size', (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),
  'timezone', current_setting('TimeZone'),
  'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', (SELECT timeline_id FROM pg_control_checkpoint()),
  'archiver', (SELECT json_build_object(
      'last_archived', last_archived_wal, 'archived_at', extract(epoch FROM last_archived_time),
      'last_failed', last_failed_wal, 'failed_at', extract(epoch FROM last_failed_time)) FROM pg_stat_archiver),
  'replication', (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
  'switch', has_function_privilege('pg_switch_wal()', 'EXECUTE'),
  'senders_free', current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication),
  'superuser', (SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1),
  'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace
      WHERE spcname NOT IN ('pg_default', 'pg_global')),
  'databases', (SELECT json_object_agg(datname, pg_database_size(oid)) FROM pg_database WHERE datallowconn),
  'size', (SELECT sum(pg_database_size(oid))::bigint FROM pg_database),
  'slots', (SELECT coalesce(json_object_agg(slot_name, pg_wal_lsn_diff(
      CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)), '{}')
      FROM pg_replication_slots WHERE restart_lsn IS NOT NULL),
  'current', CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END);
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What the server said of itself, and when it was asked by the controller's clock."""

    said: Mapping[str, Any]
    offset: float

    @property
    def databases(self) -> dict[str, int]:
        """Return the databases that let themselves be connected to, with their sizes in bytes; templates apart."""
        return {str(name): int(size) for name, size in self.said["databases"].items() if name != "template1"}

    @property
    def segment_size(self) -> int:
        """Return how long a segment of its log is, bytes."""
        return int(self.said["segment_size"])


def look(programs: Programs, clock: Clock) -> Look:
    """Ask the server about itself.

    Raises:
        TransientError, RefusedError: it does not answer, or lets us not in.
    """
    before = clock.now()
    said = programs.ask(_LOOK, programs.origin, timeout=120)[0]
    middle = before + (clock.now() - before) / 2
    return Look(said, float(said["now"]) - middle.timestamp())


def facts(programs: Programs, settings: PostgresSettings, clock: Clock) -> SourceFacts:
    """Look at the server, the archive and the stage, and judge them.

    Raises:
        TransientError, RefusedError: the server does not answer, or lets us not in.
    """
    seen = look(programs, clock)
    said = seen.said
    archive = Archive(settings.wal_archive, seen.segment_size)
    problems = [*_server_problems(said, settings), *_version_problems(programs, said, settings)]
    problems += _archiver_problems(said)
    problems += _stage_problems(said, settings.stage_dir)
    warnings = _warnings(said, settings)
    newest: str | None = None
    try:
        listing = archive.list()
    except TransientError as error:
        problems.append(error.what)
    else:
        found = listing.newest(int(said["timeline"]))
        newest = None if found is None else found.name(seen.segment_size)
        warnings += _archive_warnings(said, found, seen.segment_size, listing.short)
    return SourceFacts(
        engine=f"PostgreSQL {said['version'].split()[0]}",
        clock_offset=round(seen.offset, 3),
        problems=tuple(problems),
        warnings=tuple(warnings),
        details={
            "system_identifier": said["system_identifier"],
            "timeline": said["timeline"],
            "checksums": said["checksums"] == "on",
            "archive_mode": said["archive_mode"],
            "wal_level": said["wal_level"],
            "archive_newest": newest,
            "last_archived": said["archiver"]["last_archived"],
            "archived_at": _moment(said["archiver"]["archived_at"]),
            "size": said["size"],
            "databases": seen.databases,
        },
    )


def _server_problems(said: Mapping[str, Any], settings: PostgresSettings) -> list[Text]:
    problems = []
    if said["in_recovery"]:
        problems.append(T("The server is a standby: back up the primary, whose log is archived."))
    if said["wal_level"] == "minimal":
        problems.append(T("wal_level is minimal: set it to replica and restart the server."))
    if said["archive_mode"] == "off":
        problems.append(T("archive_mode is off: nothing between two backups could be recovered."))
    if not said["replication"]:
        problems.append(
            T("{user} has no right to copy the cluster: ALTER ROLE {user} REPLICATION.", user=settings.user)
        )
    if not said["switch"]:
        problems.append(
            T(
                "{user} may not have the log archived: GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {user}.",
                user=settings.user,
            )
        )
    if int(said["senders_free"]) < 2:  # one for the files, one for the log
        problems.append(T("max_wal_senders leaves less than the two connections that a backup needs."))
    if said["tablespaces"]:
        problems.append(
            T(
                "The cluster has tablespaces of its own ({names}): a backup of them is not made by this kind of job; "
                "move their tables to pg_default.",
                names=", ".join(said["tablespaces"]),
            )
        )
    absent = sorted({*settings.databases, *settings.count_tables} - set(said["databases"] or {}))
    return [*problems, *(T("The cluster has no database {name}.", name=database) for database in absent)]


def _version_problems(programs: Programs, said: Mapping[str, Any], settings: PostgresSettings) -> list[Text]:
    server = int(said["version_num"]) // 10000
    try:
        major, version = parse_version(programs.version())
    except ValueError:
        return [T("The programs in {folder} do not tell their version.", folder=settings.bin_dir)]
    if major == server:
        return []
    return [
        T(
            "The server is PostgreSQL {server}, the programs in {folder} are {version}: a proof needs the same.",
            server=server,
            folder=settings.bin_dir,
            version=version,
        )
    ]


def _archiver_problems(said: Mapping[str, Any]) -> list[Text]:
    archiver = said["archiver"]
    failed, archived = archiver["failed_at"], archiver["archived_at"]
    if failed is None or (archived is not None and archived >= failed):
        return []
    return [
        T(
            "The server's archive_command fails: last for {segment}, at {at}.",
            segment=archiver["last_failed"],
            at=_moment(failed),
        )
    ]


def _stage_problems(said: Mapping[str, Any], stage: Path) -> list[Text]:
    wanted, free = int(int(said["size"]) * ROOM), room(stage)
    if free >= wanted:
        return []
    return [
        T(
            "{folder} has room for {free} MB, the cluster needs {wanted} MB.",
            folder=stage,
            free=free // 10**6,
            wanted=wanted // 10**6,
        )
    ]


def _warnings(said: Mapping[str, Any], settings: PostgresSettings) -> list[Text]:
    warnings = []
    if said["checksums"] != "on":
        warnings.append(T("Data checksums are off: a page damaged on the server's disk is backed up without a word."))
    for slot, behind in sorted(said["slots"].items()):
        if int(behind) > _PILED_UP:
            warnings.append(
                T("The replication slot {slot} holds back {size} GB of log.", slot=slot, size=int(behind) // 10**9)
            )
    if settings.ca_file is None and not settings.server.startswith(("/", "localhost", "127.", "::1")):
        warnings.append(T("The server's certificate is not checked: no ca_file is set."))
    return warnings


def _archive_warnings(said: Mapping[str, Any], newest: Segment | None, size: int, short: tuple[str, ...]) -> list[Text]:
    warnings = []
    current = None if said["current"] is None else Segment.parse(str(said["current"]), size)
    if newest is None:
        warnings.append(T("The archive holds no log of this timeline yet."))
    elif current is not None and current.number - newest.number > _LAG:
        behind = current.number - newest.number
        warnings.append(TN("The archive is {n} segment behind.", "The archive is {n} segments behind.", behind))
    if short:
        warnings.append(T("Not whole in the archive: {names}.", names=", ".join(short[:5])))
    return warnings


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else iso(datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(seconds)))


def same_cluster(said: Mapping[str, Any], expected: str) -> None:
    """Make sure that the server is the one earlier sets are of.

    Raises:
        BackupFailedError: it is another cluster.
    """
    if str(said["system_identifier"]) != expected:
        raise BackupFailedError(
            T(
                "The server is another cluster ({found}) than the earlier sets are of ({expected}).",
                found=str(said["system_identifier"]),
                expected=expected,
            ),
            next_step=T("Check server and port; a cluster made anew gets a backup of its own name."),
        )
