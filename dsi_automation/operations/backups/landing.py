"""What hinders bringing something back, seen while it is planned: the folder it goes to, and what the set lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Final

from dsi_automation.connectors.backups.landing import survey
from dsi_automation.connectors.backups.port import BackupReader, Listed, StoredSet
from dsi_automation.core.plan import Blocker
from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import FilesBackup, Job, OracleBackup
from dsi_automation.operations.backups.facts import Landing, amount

_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


def is_whole(path: str) -> bool:
    """Tell whether a path is absolute, on Linux or on Windows."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def look(
    job: Job, stored: StoredSet, paths: Sequence[str], destination: str | None, reader: BackupReader, *, all_of_it: bool
) -> Landing:
    """Look where something is to be put, and whether the set holds what is asked for.

    Args:
        paths: what is asked of the set; empty for all of it.
        destination: the folder it goes to; None in place.
        all_of_it: whether the whole set is brought back, so that its size is what it needs.
    """
    ground = None if destination is None or isinstance(job, OracleBackup) else survey(destination)
    absent, size = _held(reader, stored, paths) if paths and isinstance(job, FilesBackup) else ((), None)
    return Landing(
        set=stored.id,
        destination=destination,
        occupied=ground is not None and ground.occupied,
        free=None if ground is None else ground.free,
        needed=stored.made.size if all_of_it else size,
        absent=absent,
    )


def blockers(target: str, found: Landing) -> Iterator[Blocker]:
    """Yield why it cannot be brought back there; the restore itself looks again."""
    if found.occupied:
        yield Blocker(
            target,
            T("{place} holds something already.", place=found.destination),
            T("Name an empty folder, or one that is not there yet: “destination”."),
        )
    if found.free is not None and found.needed is not None and found.free < found.needed:
        yield Blocker(
            target,
            T(
                "{place} has no room for it: {free} free, {needed} needed.",
                place=found.destination,
                free=amount(found.free),
                needed=amount(found.needed),
            ),
            T("Free space there, or name a folder on another disk: “destination”."),
        )
    for path in found.absent:
        yield Blocker(
            target,
            T("The set {set} does not hold {path}.", set=found.set, path=path),
            T("See what it holds: dsi backup contents {set}", set=found.set),
        )


def _held(reader: BackupReader, stored: StoredSet, paths: Sequence[str]) -> tuple[tuple[str, ...], int | None]:
    """Return the paths that a set lacks, and the bytes of the others; None where a folder is among them."""
    listed, absent, sizes = dict[str, dict[str, Listed]](), list[str](), list[int | None]()
    for path in paths:
        whole = _path(path)
        if whole.parent == whole or not path.isprintable():
            sizes.append(None)  # all of it, or a name that no listing shows as it is: the restore itself looks
            continue
        folder = str(whole.parent)
        if folder not in listed:
            listed[folder] = {one.path.rpartition("/")[2]: one for one in reader.contents(stored, folder)}
        entry = listed[folder].get(whole.name)
        if entry is None:
            absent.append(path)
        else:
            sizes.append(entry.size if entry.kind == "file" else None)
    known = [size for size in sizes if size is not None]
    return tuple(absent), sum(known) if len(known) == len(sizes) else None


def _path(path: str) -> PurePath:
    return PureWindowsPath(path) if _DRIVE.match(path) else PurePosixPath(path)
