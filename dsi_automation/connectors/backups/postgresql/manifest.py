"""Our manifest of a base backup, as `backups.manifest` reads it: hashes the server made are not made again."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dsi_automation.connectors.backups.postgresql.parsing import BaseManifest
from dsi_automation.connectors.backups.postgresql.scratch import cannot_write


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest that was written: its name, the SHA-256 of the file, and what it tells of."""

    name: str
    sha256: str
    files: int
    size: int


def write(data: Path, base: BaseManifest, folder: Path, run: str) -> Kept:
    """Write the manifest of a data folder into `folder`, whole or not at all.

    Raises:
        TransientError: it cannot be written.
    """
    name = f"{run}.jsonl.gz"
    part = folder / f".{name}.part"
    files = size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as raw:
            # Without a time in it: the same content has the same hash.
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed:
                for entry in _entries(data, base.files):
                    files += entry["type"] == "file"
                    size += int(str(entry.get("size", 0)))
                    packed.write(json.dumps(entry, separators=(",", ":"), sort_keys=True).encode() + b"\n")
            raw.flush()
            os.fsync(raw.fileno())
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        part.replace(folder / name)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return Kept(name, digest, files, size)


def _entries(data: Path, known: Mapping[str, str | None]) -> Iterator[dict[str, object]]:
    for path in sorted(data.rglob("*")):
        seen, name = path.lstat(), path.relative_to(data).as_posix()
        entry: dict[str, object] = {
            "path": str(path),
            "mode": seen.st_mode,
            "mtime_ns": seen.st_mtime_ns,
        }
        if stat.S_ISREG(seen.st_mode):
            theirs = known.get(name)
            entry |= {"type": "file", "size": seen.st_size, "sha256": theirs or _sha256(path), "reused": bool(theirs)}
        elif stat.S_ISLNK(seen.st_mode):
            entry |= {"type": "symlink", "target": str(path.readlink())}
        else:
            entry["type"] = "dir" if stat.S_ISDIR(seen.st_mode) else "other"
        yield entry


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
