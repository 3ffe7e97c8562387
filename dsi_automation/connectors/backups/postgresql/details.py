"""What a set of PostgreSQL remembers besides its files: written at backup time, read at proofs and restores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.backups.errors import DamagedBackupError
from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.connectors.backups.postgresql.counting import Counted
from dsi_automation.connectors.backups.postgresql.wal import Segment, format_lsn, parse_lsn
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.text import T

START_TAG: Final = "start="
LOGS_TAG: Final = "logs="


@dataclass(frozen=True, slots=True)
class Details:
    """Everything a proof or a restore of one set needs to know.

    Attributes:
        system_identifier: of the cluster: another one is another cluster.
        data: the data folder as it was when restic read it: where it is in the snapshot.
        base_manifest: SHA-256 of PostgreSQL's backup_manifest, hexadecimal.
        start, stop: positions of the log between which the base backup was made.
        position: how far a proof recovers: right after what was counted.
        moment: when that was, by the server's clock; a recovery to a moment can be to no earlier one.
        first_log, last_log: names of the archived segments in the set's snapshot of logs.
        logs_folder: where they were.
        gap: names of segments that are missing between the previous set and this one.
        counts: `{database: {"rows": {table: number}, "exact": bool}}`.
    """

    server_version: str
    system_identifier: str
    timeline: int
    segment_size: int
    superuser: str
    timezone: str
    data: str
    base_manifest: str
    start: int
    stop: int
    position: int
    moment: datetime
    start_log: str
    first_log: str
    last_log: str
    logs_folder: str
    gap: Sequence[str]
    databases: Mapping[str, int]
    counts: Mapping[str, Any]

    def to_json(self) -> dict[str, Json]:
        """Return them as the record keeps them."""
        return {
            "server_version": self.server_version,
            "system_identifier": self.system_identifier,
            "timeline": self.timeline,
            "segment_size": self.segment_size,
            "superuser": self.superuser,
            "timezone": self.timezone,
            "data": self.data,
            "base_manifest": self.base_manifest,
            "start_lsn": format_lsn(self.start),
            "stop_lsn": format_lsn(self.stop),
            "position": format_lsn(self.position),
            "moment": iso(self.moment),
            "start_log": self.start_log,
            "first_log": self.first_log,
            "last_log": self.last_log,
            "archive_newest": self.last_log,
            "logs_folder": self.logs_folder,
            "gap": list(self.gap),
            "databases": dict(self.databases),
            "counts": dict(self.counts),
        }

    @classmethod
    def of(cls, stored: StoredSet) -> Details:
        """Return the details of a set.

        Raises:
            DamagedBackupError: the record of it is not one of a cluster.
        """
        said: Mapping[str, Any] = stored.made.details
        try:
            return cls(
                server_version=str(said["server_version"]),
                system_identifier=str(said["system_identifier"]),
                timeline=int(said["timeline"]),
                segment_size=int(said["segment_size"]),
                superuser=str(said["superuser"]),
                timezone=str(said["timezone"]),
                data=str(said["data"]),
                base_manifest=str(said["base_manifest"]),
                start=parse_lsn(said["start_lsn"]),
                stop=parse_lsn(said["stop_lsn"]),
                position=parse_lsn(said["position"]),
                moment=parse_iso(said["moment"]),
                start_log=str(said["start_log"]),
                first_log=str(said["first_log"]),
                last_log=str(said["last_log"]),
                logs_folder=str(said["logs_folder"]),
                gap=tuple(str(name) for name in said["gap"]),
                databases={str(name): int(size) for name, size in said["databases"].items()},
                counts=said["counts"],
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DamagedBackupError(
                T("What is recorded of the set {id} is not of a PostgreSQL cluster.", id=stored.id)
            ) from error

    @property
    def start_segment(self) -> Segment:
        """Return the first segment a recovery from this set reads."""
        return _segment(self.start_log, self.segment_size)

    @property
    def first_segment(self) -> Segment:
        """Return the first segment in the set's snapshot of logs."""
        return _segment(self.first_log, self.segment_size)

    @property
    def last_segment(self) -> Segment:
        """Return the last segment in the set's snapshot of logs."""
        return _segment(self.last_log, self.segment_size)


def counts_json(counted: Sequence[Counted], position: int) -> dict[str, Json]:
    """Return counts as details hold them: exact when recovery to `position` must show these very rows."""
    return {
        each.database: {"rows": dict(each.rows), "exact": each.exact and each.position == position} for each in counted
    }


def _segment(name: str, size: int) -> Segment:
    found = Segment.parse(name, size)
    if found is None:
        raise DamagedBackupError(T("{name} is not the name of a log segment.", name=name))
    return found
