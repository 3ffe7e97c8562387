"""What PostgreSQL's programs and files say, read strictly: values without I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.backups.postgresql.wal import parse_lsn

_VERSION: Final = re.compile(r"\(PostgreSQL\)\s+(\d+)(?:\.(\d+))?")
_PROGRESS: Final = re.compile(r"^\s*(\d+)/(\d+) kB")
_LABEL_START: Final = re.compile(r"^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) \(file ([0-9A-F]{24})\)$", re.MULTILINE)
_LABEL: Final = re.compile(r"^LABEL: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Control:
    """What pg_controldata says of a cluster, in the C locale; `limits` are settings recovery may need."""

    system_identifier: str
    state: str
    timeline: int
    segment_size: int
    checksums: bool
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Label:
    """What a backup_label says: where recovery must begin."""

    start: int
    start_file: str
    label: str


@dataclass(frozen=True, slots=True)
class BaseManifest:
    """What PostgreSQL's backup_manifest says.

    Attributes:
        files: SHA-256 by path; None for a file with another kind of checksum or none.
        ranges: timeline, start and end of the log that the backup needs, in order.
    """

    files: Mapping[str, str | None]
    ranges: tuple[tuple[int, int, int], ...]
    size: int

    @property
    def start(self) -> tuple[int, int]:
        """Return on which timeline and where recovery begins."""
        return self.ranges[0][0], self.ranges[0][1]

    @property
    def end(self) -> tuple[int, int]:
        """Return on which timeline and where the backup is consistent."""
        return self.ranges[-1][0], self.ranges[-1][2]


def parse_version(text: str) -> tuple[int, str]:
    """Return the major version and the whole one of `psql (PostgreSQL) 15.18 (Debian ...)`.

    Raises:
        ValueError: there is none in it.
    """
    found = _VERSION.search(text)
    if found is None:
        raise ValueError(text)
    return int(found.group(1)), found.group(1) if found.group(2) is None else f"{found.group(1)}.{found.group(2)}"


_LIMITS: Final = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}


def parse_control(text: str) -> Control:
    """Return what pg_controldata printed.

    Raises:
        ValueError: a line that must be there is not.
    """
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
    try:
        return Control(
            system_identifier=said["Database system identifier"],
            state=said["Database cluster state"],
            timeline=int(said["Latest checkpoint's TimeLineID"]),
            segment_size=int(said["Bytes per WAL segment"]),
            checksums=int(said["Data page checksum version"]) > 0,
            limits={ours: int(said[theirs]) for theirs, ours in _LIMITS.items() if theirs in said},
        )
    except KeyError as error:
        raise ValueError(str(error)) from error


def parse_label(text: str) -> Label:
    """Return what a backup_label says.

    Raises:
        ValueError: it does not say where recovery begins.
    """
    start, label = _LABEL_START.search(text), _LABEL.search(text)
    if start is None:
        raise ValueError(text[:200])
    return Label(parse_lsn(start.group(1)), start.group(2), "" if label is None else label.group(1))


def parse_manifest(content: bytes) -> BaseManifest:
    """Return what a backup_manifest says; whether it is whole is pg_verifybackup's to tell.

    Raises:
        ValueError: it is not one.
    """
    try:
        said: dict[str, Any] = json.loads(content)
        files = {_path(each): _sha256(each) for each in said["Files"]}
        ranges = tuple(
            (int(each["Timeline"]), parse_lsn(each["Start-LSN"]), parse_lsn(each["End-LSN"]))
            for each in said["WAL-Ranges"]
        )
        size = sum(int(each["Size"]) for each in said["Files"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    if not ranges:
        raise ValueError(ranges)
    # Newest timeline first, as the server writes them (src/backend/backup/backup_manifest.c).
    return BaseManifest(files, tuple(sorted(ranges)), size)


def parse_progress(line: str) -> tuple[int, int] | None:
    """Return bytes done and in all, from a line of `pg_basebackup --progress`; None when it is another line."""
    found = _PROGRESS.match(line)
    return None if found is None else (int(found.group(1)) * 1024, int(found.group(2)) * 1024)


def _path(entry: Mapping[str, Any]) -> str:
    if "Path" in entry:
        return str(entry["Path"])
    # A name that is not UTF-8 is written in hexadecimal.
    return bytes.fromhex(entry["Encoded-Path"]).decode(errors="surrogateescape")


def _sha256(entry: Mapping[str, Any]) -> str | None:
    return str(entry["Checksum"]) if entry.get("Checksum-Algorithm") == "SHA256" else None
