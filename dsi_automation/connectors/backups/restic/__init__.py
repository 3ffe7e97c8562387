"""restic on any machine, for every engine and for the copies on media.

::

    Restic(place: Place, shell: Shell, *, peers: Sequence[Restic] = ())
    Place(url, password, program="restic", sftp_command=None, ca_file=None, cache=None, user=None, upload_kib=None)
    written(repository: RepositorySettings, shell, program, *, upload_kib=None, user=None) -> Restic   # by `url`
    read(repository: RepositorySettings, shell) -> Restic                                # by `read_url`, no cache

    .version() -> Version                          .require() -> Version (VersionError below 0.14)
    .identity() -> str | None                      None: there is no repository; a wrong key raises WrongKeyError
    .initialise(like: Restic | None = None) -> str makes it unless it is there; `like`: same chunks, for copies
    .snapshots(ids=(), tags=()) -> tuple[Stored, ...]
    .back_up(Wanted(paths, tags, exclude, ...), told) -> Summary
    .check(part: str | None) -> Checked            part: "3/20", "all", None for the structure only
    .restore(snapshot, target, include=(), verify=True, timeout=None)
    .listing(snapshot, path=None) -> Iterator[Node]
    .copy(snapshots, to: Restic) -> dict[str, Stored]
    .forget(ids) -> int                            by whole identifiers, then prune; bytes freed
    .locks() -> tuple[Lock, ...]                   .unlock_dead() -> bool

Errors: TransientError (LockedError, FullError), WrongKeyError, NoRepositoryError, DamagedBackupError,
IncompleteError, VersionError, else BackupFailedError. A lock of dead processes is removed and the command run again.
"""

from dsi_automation.connectors.backups.restic.driver import Restic, read, written
from dsi_automation.connectors.backups.restic.model import (
    Checked,
    Lock,
    Node,
    Place,
    Stored,
    Summary,
    Wanted,
)
from dsi_automation.connectors.backups.restic.version import Version

__all__ = ["Checked", "Lock", "Node", "Place", "Restic", "Stored", "Summary", "Version", "Wanted", "read", "written"]
