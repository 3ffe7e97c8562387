"""Our own manifest of the pieces: their SHA-256, taken on the host beside RMAN and restic, kept by the controller.

The format is that of every manifest of the toolkit: gzip'ed JSON, one line for each file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError, TransientError
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.text import T

_BLOCK: Final = 1 << 20
_AT_ONCE: Final = 200
"""Files in one command line: Linux takes 128 KiB of it at least."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of the set, as it was on the host."""

    path: str
    size: int
    mode: int
    mtime_ns: int
    sha256: str


def take(shell: Shell, folder: str, user: str | None, timeout: float) -> tuple[Piece, ...]:
    """Hash every file below a folder of the host.

    Raises:
        BackupFailedError: a file could not be read.
    """
    listed = shell.run(
        Program(["find", folder, "-type", "f", "-printf", r"%s %m %T@ %p\0"], user=user, timeout=timeout)
    )
    found: dict[str, tuple[int, int, int]] = {}
    for entry in listed.text.split("\0"):
        if entry:
            size, mode, moment, path = entry.split(" ", 3)
            seconds, _, fraction = moment.partition(".")
            found[path] = (int(size), int(mode, 8), int(seconds) * 10**9 + int(fraction[:9].ljust(9, "0")))
    hashes: dict[str, str] = {}
    paths = sorted(found)
    for start in range(0, len(paths), _AT_ONCE):
        words = ["sha256sum", "-z", "--", *paths[start : start + _AT_ONCE]]
        done = shell.run(Program(words, user=user, timeout=timeout))
        for entry in done.text.split("\0"):
            if entry:
                hashes[entry[66:]] = entry[:64]
        if done.status != 0:
            break
    if listed.status != 0 or set(hashes) != set(found):
        raise BackupFailedError(
            T("The pieces on {host} could not all be read.", host=shell.name),
            on=shell.name,
            next_step=T("Check the disk of stage_dir on the host, then make another backup."),
        )
    return tuple(Piece(path, *found[path], hashes[path]) for path in paths)


def write(pieces: Sequence[Piece], place: Path) -> str:
    """Write a manifest, whole or not at all; return the SHA-256 of the file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(
        json.dumps(
            {"path": p.path, "type": "file", "size": p.size, "mode": p.mode, "mtime_ns": p.mtime_ns, "sha256": p.sha256}
        )
        + "\n"
        for p in pieces
    )
    content = gzip.compress(lines.encode(), mtime=0)
    draft = place.with_name(f".{place.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise TransientError(
            T("The manifest cannot be kept: {reason}.", reason=error.strerror or str(error)),
            next_step=T("Make room in the controller's state folder."),
        ) from error
    return hashlib.sha256(content).hexdigest()


def read(place: Path, expected: str | None) -> Mapping[str, Piece]:
    """Read a manifest back, by path.

    Args:
        expected: SHA-256 the file must have; None when nobody wrote it down.

    Raises:
        DamagedBackupError: it is gone, or it is not the one that was written.
    """
    try:
        content = place.read_bytes()
        found = {piece.path: piece for piece in _pieces(gzip.decompress(content).decode())}
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        raise _not_ours(place) from error
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise _not_ours(place)
    return found


def differing(pieces: Sequence[Piece], root: Path) -> list[str]:
    """Return which files below `root` are missing or not what the manifest says; every byte is read."""
    wrong = []
    for piece in pieces:
        place = root / piece.path.lstrip("/")
        try:
            if place.is_symlink() or place.stat().st_size != piece.size or _sha256(place) != piece.sha256:
                wrong.append(piece.path)
        except OSError:
            wrong.append(piece.path)
    return wrong


def _not_ours(place: Path) -> DamagedBackupError:
    return DamagedBackupError(
        T("The manifest {file} is gone, or it is not the one that was written.", file=place.name),
        next_step=T("The set cannot be proven without it; make another backup."),
    )


def _pieces(text: str) -> Iterator[Piece]:
    for line in text.splitlines():
        item = json.loads(line)
        yield Piece(item["path"], item["size"], item["mode"], item["mtime_ns"], item["sha256"])


def _sha256(place: Path) -> str:
    digest = hashlib.sha256()
    with place.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
