r"""Manifests: what a set should hold, written at backup time beside the engine, and compared with what came back.

::

    take(shell, Order(paths, exclude, one_file_system, cache, stop), to: Path) -> Manifest   # runs the agent
    load(path, expected_sha256) -> Manifest                                                  # ManifestError
    compare(manifest, root, only=None, place=None) -> Comparison                             # bytes on the controller

A manifest is gzip'ed JSON lines, one for each entry: `path`, `type` (file, dir, symlink, other), `mode`,
`mtime_ns`; of files `size`, `sha256`, `reused` when the hash was taken over from the last manifest; of links
`target`; `changed` when it changed while it was read. Paths are text as the machine writes them; bytes that are
not UTF-8 are lone surrogates (PEP 383), written as `\udcXX`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError, ended_from_outside
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.text import T

PYTHON: Final = "python3"
MENTIONED: Final = 20
"""How many names a message lists; all of them count."""


class ManifestError(DamagedBackupError):
    """The manifest of a set is missing, or is not the one that was made with it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder, link or other thing of a manifest."""

    path: str
    type: str
    mode: int
    mtime_ns: int
    size: int = 0
    sha256: str | None = None
    target: str | None = None
    reused: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a manifest holds, in numbers."""

    files: int
    size: int
    changed: int


@dataclass(frozen=True)
class Manifest:
    """A manifest on the controller's disk.

    Attributes:
        sha256: of the file as it is on the disk, hexadecimal.
        numbers: how many files, their bytes, and how many changed while they were read.
        unread: what the agent could not read: path and reason.
    """

    path: Path
    sha256: str
    numbers: Numbers
    unread: tuple[tuple[str, str], ...] = ()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return every entry; read when it is first asked for."""
        return _entries(self.path.read_bytes())

    @cached_property
    def by_path(self) -> dict[str, Entry]:
        """Return the entries by their paths."""
        return {entry.path: entry for entry in self.entries}

    @property
    def files(self) -> tuple[Entry, ...]:
        """Return the regular files."""
        return tuple(entry for entry in self.entries if entry.type == "file")

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return self.numbers.size

    @property
    def changed(self) -> int:
        """Return how many files changed while they were read."""
        return self.numbers.changed


@dataclass(frozen=True, slots=True)
class Order:
    """What the agent is told.

    Attributes:
        exclude: patterns as restic takes them.
        cache: file on the machine with the hashes of the last manifest; None to read every byte.
        stop: file whose appearance says that the engine has ended; None when nothing runs beside.
    """

    paths: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    cache: str | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came back, held against a manifest. Names of the first few of each kind, and how many there are.

    Attributes:
        files, size: what was compared, and their bytes.
        tolerated: differences of what changed while it was read.
    """

    files: int
    size: int
    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    tolerated: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether nothing is missing, different or too much."""
        return not (self.missing or self.different or self.unexpected)


def program(order: Order, timeout: float | None) -> Program:
    """Return the agent as a program: its text goes in on standard input, so that nothing is left on the machine."""
    agent = (files("dsi_automation.connectors.backups.files") / "agent.py").read_text(encoding="utf-8")
    data = {name: getattr(order, name) for name in Order.__slots__}
    sent = f"ORDER = {json.dumps(data)!a}\n{agent}"
    return Program([PYTHON, "-"], stdin=sent.encode("utf-8"), timeout=timeout)


def take(shell: Shell, order: Order, to: Path, *, timeout: float | None = None) -> Manifest:
    """Make a manifest of what is on a machine, into a file of the controller, whole or not at all.

    Raises:
        BackupFailedError: Python is missing there, or the agent failed. TransientError: it was ended from outside.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    beside = to.with_name(f".{to.name}.part")
    try:
        with beside.open("wb") as file:
            finished = shell.stream(program(order, timeout), file.write)
            file.flush()
            os.fsync(file.fileno())
        unread, numbers = tuple(_complaints(finished.complaint)), _numbers(finished.complaint)
        if finished.ended_from_outside:
            raise ended_from_outside(PYTHON, shell.name)
        if finished.status != 0 or numbers is None:
            raise BackupFailedError(
                T("The manifest could not be made on {host}.", host=shell.name),
                on=shell.name,
                next_step=T("Python 3.6 or later must be there as python3; see what it said."),
                detail={"said": finished.complaint[-2000:]},
            )
        digest = sha256(beside)
        beside.replace(to)
    finally:
        beside.unlink(missing_ok=True)
    return Manifest(to, digest, numbers, unread)


def load(path: Path, expected: str | None) -> Manifest:
    """Read a manifest back.

    Raises:
        ManifestError: it is not there, damaged, or another one than `expected` (SHA-256).
    """
    try:
        found = _read(path)
    except FileNotFoundError as error:
        raise ManifestError(
            T("The manifest {path} is not there.", path=str(path)),
            meaning=T("What is brought back cannot be compared with what was backed up."),
            next_step=T("Bring the controller's state folder back from its own backup."),
        ) from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise ManifestError(T("The manifest {path} cannot be read.", path=str(path))) from error
    if expected is not None and found.sha256 != expected:
        raise ManifestError(
            T("The manifest {path} is not the one that was made with the set.", path=str(path)),
            meaning=T("Somebody or something changed it since."),
            detail={"expected": expected, "found": found.sha256},
        )
    return found


def compare(
    manifest: Manifest,
    root: Path,
    *,
    only: Collection[str] | None = None,
    below: Collection[str] | None = None,
    place: Callable[[str], str] = lambda path: path.lstrip("/"),
) -> Comparison:
    """Read everything that came back below `root` and compare it, byte by byte through SHA-256, with the manifest.

    Args:
        manifest: what should be there.
        only: these paths and no others; None for all.
        below: paths and all that is below them; what else came back is unexpected.
        place: where below `root` a path of the manifest comes back.
    """
    wanted = [entry for entry in manifest.entries if _asked(entry.path, only, below)]
    # A manifest holds all or a part; where it is all, nothing else may have come back either.
    present = set(_walk(root)) if only is None else set()
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        verdicts = list(pool.map(lambda entry: _differs(entry, os.path.join(root, place(entry.path))), wanted))  # noqa: PTH118  # names that are not UTF-8
    missing, different, tolerated = list[str](), list[str](), 0
    for entry, verdict in zip(wanted, verdicts, strict=True):
        present.discard(place(entry.path))
        if verdict == "":
            continue
        if entry.changed:
            tolerated += 1
        else:
            (missing if verdict == "missing" else different).append(entry.path)
    unexpected, allowed = _unexpected(manifest, present, place)
    read = [entry for entry in wanted if entry.type == "file"]
    return Comparison(
        len(read),
        sum(entry.size for entry in read),
        tuple(missing),
        tuple(different),
        tuple(unexpected),
        tolerated + allowed,
    )


def _asked(path: str, only: Collection[str] | None, below: Collection[str] | None) -> bool:
    if only is not None:
        return path in only
    return below is None or any(path == top or path.startswith(top.rstrip("/") + "/") for top in below)


def _unexpected(manifest: Manifest, present: set[str], place: Callable[[str], str]) -> tuple[list[str], int]:
    """Return what came back that no line names, and how much of it appeared in folders that changed meanwhile."""
    if not present:
        return [], 0
    changed = {place(entry.path) for entry in manifest.entries if entry.changed and entry.type == "dir"}
    # Folders above what was backed up come back with it.
    tops = {place(entry.path) for entry in manifest.entries}
    above = {parent for top in tops for parent in _parents(top)}
    rest = [path for path in present if path not in above]
    late = [path for path in rest if any(parent in changed for parent in _parents(path))]
    return sorted(set(rest) - set(late)), len(late)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _walk(root: Path) -> Iterator[str]:
    start = str(root)
    for folder, folders, names in os.walk(start):
        for name in (*folders, *names):
            yield os.path.relpath(os.path.join(folder, name), start).replace(os.sep, "/")  # noqa: PTH118  # as above


def _differs(entry: Entry, path: str) -> str:
    """Return what is wrong with what came back: nothing, `missing`, or `different`."""
    try:
        if entry.type == "symlink":
            return "" if os.readlink(path) == entry.target else "different"  # noqa: PTH115
        if entry.type == "dir":
            return "" if os.path.isdir(path) and not os.path.islink(path) else "missing"  # noqa: PTH112, PTH114
        if entry.type != "file":
            return ""
        if os.path.islink(path) or os.path.getsize(path) != entry.size:  # noqa: PTH114, PTH202
            return "different"
        return "" if entry.sha256 is None or sha256(path) == entry.sha256 else "different"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "different"


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as file:  # noqa: PTH123  # names that are not UTF-8
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> Manifest:
    content = path.read_bytes()
    read = [entry for entry in _entries(content) if entry.type == "file"]
    numbers = Numbers(len(read), sum(entry.size for entry in read), sum(entry.changed for entry in read))
    return Manifest(path, hashlib.sha256(content).hexdigest(), numbers)


def _entries(content: bytes) -> tuple[Entry, ...]:
    return tuple(Entry(**json.loads(line)) for line in gzip.decompress(content).splitlines())


def _numbers(said: str) -> Numbers | None:
    last = said.rstrip().rpartition("\n")[2]
    return Numbers(**json.loads(last)) if last.startswith('{"files"') else None


def _complaints(said: str) -> Iterator[tuple[str, str]]:
    for line in said.splitlines():
        if line.startswith('{"path"'):
            told: dict[str, Any] = json.loads(line)
            yield str(told["path"]), str(told["error"])
