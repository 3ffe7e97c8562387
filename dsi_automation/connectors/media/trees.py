"""Files of a copy: all of them on the medium before it counts, each with its hash, and read past the cache."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media.errors import MediumDamagedError, MediumLostError, MediumRefusedError
from dsi_automation.connectors.media.port import Progress
from dsi_automation.core.text import T

SUMS: Final = "SHA256SUMS"
"""Names and hashes as `sha256sum --check` reads them."""
LOCKS: Final = "/locks/"
"""Folder of a repository where an engine keeps its locks."""
_GONE: Final = {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.ENOMEDIUM, errno.ENOENT}
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def translated(title: str) -> Iterator[None]:
    """Translate what the kernel says of a medium.

    Raises:
        MediumLostError: it does not answer any more. MediumRefusedError: it is full, or read-only.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise MediumRefusedError(
                T("{title} is full.", title=title),
                meaning=T("What was being written counts for nothing; what it held before is untouched."),
                next_step=T("Put in the next medium of the rotation, or a larger one."),
            ) from error
        if error.errno in _GONE:
            raise lost(title) from error
        raise MediumRefusedError(
            T("{title} cannot be written: {why}.", title=title, why=os.strerror(error.errno or 0)),
            next_step=T("Look at the disk and the kernel's messages (`dmesg`): a disk with errors turns read-only."),
            detail={"errno": error.errno},
        ) from error


def lost(title: str) -> MediumLostError:
    """Return the error for a medium that went away."""
    return MediumLostError(
        T("{title} was taken out, or stopped answering, while it was used.", title=title),
        meaning=T("What was being written on it counts for nothing; no backup is lost."),
        next_step=T("Put it back in, let `dsi media list` show it, and run the same command again."),
    )


def files_below(folder: Path) -> list[Path]:
    """Return every regular file below a folder, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def write_sums(folder: Path, progress: Progress) -> int:
    """Write the hash of every file of a copy beside them; returns how many bytes they hold."""
    files = [path for path in files_below(folder) if path.name != SUMS or path.parent != folder]
    total, done, lines = sum(path.stat().st_size for path in files), 0, []
    for path in files:
        progress(T("hashing what goes on the medium"), done, total)
        lines.append(f"{sha256_of(path)}  {path.relative_to(folder)}\n")
        done += path.stat().st_size
    (folder / SUMS).write_text("".join(lines))
    return total


def sync_tree(folder: Path) -> None:
    """Have every file and folder written to the device."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(root) / name)
        sync(Path(root))


def sync(path: Path) -> None:
    """Have one file or folder written to the device."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, content: bytes) -> None:
    """Write a file so that at any moment either the old one or the new one is there."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    sync(new)
    new.replace(path)
    sync(path.parent)


def forget_cached(folder: Path) -> None:
    """Have the kernel forget what it holds of files, so that the next read comes from the device itself.

    `sha256sum` after a write reads the page cache: a bit flipped on the device shows only when that is gone.
    """
    for path in files_below(folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def hold_against_sums(folder: Path, title: str, progress: Progress) -> None:
    """Read every file of a copy and compare it with its hash.

    Raises:
        MediumDamagedError: a file is missing, changed, or was added.
    """
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        raise _damaged(title, [SUMS]) from None
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {str(path.relative_to(folder)): path for path in files_below(folder) if path != folder / SUMS}
    # An engine killed while it read left its lock behind: no part of the copy.
    there = {name: path for name, path in there.items() if name in expected or LOCKS not in f"/{name}"}
    wrong = sorted(set(expected) ^ set(there))
    total, done = sum(path.stat().st_size for path in there.values()), 0
    for name in sorted(set(expected) & set(there)):
        progress(T("reading the medium back"), done, total)
        if sha256_of(there[name]) != expected[name]:
            wrong.append(name)
        done += there[name].stat().st_size
    if wrong:
        raise _damaged(title, wrong)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _damaged(title: str, names: list[str]) -> MediumDamagedError:
    return MediumDamagedError(
        T(
            "{title} does not give back what was written on it: {names}.",
            title=title,
            names=", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
        ),
        meaning=T("The copy counts for nothing: the medium, its cable or the port is bad."),
        next_step=T("Copy again on another medium, and take this one out of the rotation."),
        detail={"files": names[:50], "count": len(names)},
    )
