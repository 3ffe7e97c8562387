"""Sets and copies as the record keeps them: to JSON and back, nothing lost on the way."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from dsi_automation.connectors.backups.port import Copied, MadeSet, StoredSet
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.text import Text

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, as in the identifiers of requests and runs: no I, L, O, U."""


def set_id(now: datetime, run: str, made: MadeSet, taken: Container[str]) -> str:
    """Return the identifier of a set, `SET-20261122-0201-7F3K`: UTC, and four characters that tell sets apart.

    The same backup of the same run gets the same identifier, whatever the process that records it.
    """
    minute = now.astimezone(UTC).strftime("%Y%m%d-%H%M")
    number = 0
    while True:
        digest = sha256(f"{run}/{made.repository}/{made.snapshot}/{number}".encode()).digest()
        word = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:4])
        if (candidate := f"SET-{minute}-{word}") not in taken:
            return candidate
        number += 1


def made_to_json(made: MadeSet) -> dict[str, Json]:
    """Return what a backup made as data."""
    return {
        "snapshot": made.snapshot,
        "repository": made.repository,
        "engine": made.engine,
        "started_at": iso(made.started_at),
        "ended_at": iso(made.ended_at),
        "files": made.files,
        "size": made.size,
        "added": made.added,
        "manifest": made.manifest,
        "manifest_file": made.manifest_file,
        "extra_snapshots": list(made.extra_snapshots),
        "changed": made.changed,
        "phases": dict(made.phases),
        "details": dict(made.details),
        "warnings": [dict(warning.to_json()) for warning in made.warnings],
    }


def made_from_json(data: Mapping[str, Any]) -> MadeSet:
    """Return what a backup made, as the record holds it.

    Raises:
        KeyError, TypeError, ValueError: it is not what `made_to_json` writes.
    """
    return MadeSet(
        snapshot=str(data["snapshot"]),
        repository=str(data["repository"]),
        engine=str(data["engine"]),
        started_at=parse_iso(data["started_at"]),
        ended_at=parse_iso(data["ended_at"]),
        files=int(data["files"]),
        size=int(data["size"]),
        added=int(data["added"]),
        manifest=str(data["manifest"]),
        manifest_file=str(data["manifest_file"]),
        extra_snapshots=tuple(map(str, data["extra_snapshots"])),
        changed=int(data["changed"]),
        phases={str(phase): float(seconds) for phase, seconds in data["phases"].items()},
        details=dict(data["details"]),
        warnings=tuple(Text.from_json(warning) for warning in data["warnings"]),
    )


def set_to_json(stored: StoredSet) -> dict[str, Json]:
    """Return a set as data."""
    return {
        "id": stored.id,
        "job": stored.job,
        "run": stored.run,
        "kind": stored.kind,
        "made": made_to_json(stored.made),
    }


def set_from_json(data: Mapping[str, Any]) -> StoredSet:
    """Return a set, as the record holds it.

    Raises:
        KeyError, TypeError, ValueError: it is not what `set_to_json` writes.
    """
    return StoredSet(
        id=str(data["id"]),
        job=str(data["job"]),
        run=str(data["run"]),
        kind=str(data["kind"]),
        made=made_from_json(data["made"]),
    )


def copied_to_json(copied: Copied) -> dict[str, Json]:
    """Return a copy as data."""
    return {
        "snapshot": copied.snapshot,
        "size": copied.size,
        "total": copied.total,
        "extra_snapshots": list(copied.extra_snapshots),
        "details": dict(copied.details),
    }


def copied_from_json(data: Mapping[str, Any]) -> Copied:
    """Return a copy, as the record holds it.

    Raises:
        KeyError, TypeError, ValueError: it is not what `copied_to_json` writes.
    """
    return Copied(
        snapshot=str(data["snapshot"]),
        size=int(data["size"]),
        total=int(data["total"]),
        extra_snapshots=tuple(map(str, data["extra_snapshots"])),
        details=dict(data["details"]),
    )
