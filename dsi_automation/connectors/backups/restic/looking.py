"""A look at a repository from the controller: what is in it, which one it is, who holds it.

Opening a repository costs a derivation of its key, half a second of processor: it is opened once where it can be.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dsi_automation.connectors.backups.errors import NoRepositoryError
from dsi_automation.connectors.backups.restic.driver import Restic, at
from dsi_automation.connectors.backups.restic.model import Lock, Stored


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a repository."""

    identity: str
    snapshots: tuple[Stored, ...]
    locks: tuple[Lock, ...]


def look(restic: Restic, tags: tuple[str, ...] = ()) -> Looked | None:
    """Look at a repository with a restic of the controller; None when there is none.

    Raises:
        TransientError: it cannot be reached. WrongKeyError, DamagedBackupError: see there.
    """
    # Nothing comes out of a cache that is made for this look: it only tells the repository's whole name.
    with tempfile.TemporaryDirectory(prefix="dsi-look-") as cache, ThreadPoolExecutor(max_workers=1) as pool:
        locks = pool.submit(restic.locks)
        try:
            snapshots = at(restic, cache=cache).snapshots(tags=tags)
        except NoRepositoryError:
            return None
        names = [path.name for path in Path(cache).iterdir() if len(path.name) == 64]
        identity = names[0] if len(names) == 1 else restic.identity()
        return None if identity is None else Looked(identity, snapshots, locks.result())
