"""The files engine behind the port of all backup engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dsi_automation.connectors.backups import restic
from dsi_automation.connectors.backups.files import bringing, copying, making, proving, source
from dsi_automation.connectors.backups.files.work import Work
from dsi_automation.connectors.backups.port import (
    BackupWriter,
    Copied,
    Depth,
    Listed,
    MadeSet,
    Progress,
    Proven,
    RepositoryFacts,
    Restored,
    RestoreOrder,
    Snapshot,
    SourceFacts,
    StoredSet,
)
from dsi_automation.connectors.backups.restic import looking
from dsi_automation.connectors.backups.restic.driver import Restic
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.clock import Clock
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret


def open_files(
    common: JobSettings,
    files: FilesSettings,
    shell: Shell,
    repository: RepositorySettings,
    clock: Clock,
    permit: WritePermit | None,
) -> BackupWriter:
    """Return the engine of one backup of files; without a permit it is used to look only."""
    local = LocalShell()
    writer = restic.written(repository, shell, files.restic, upload_kib=common.bandwidth_kib)
    reader = restic.read(repository, local, peers=(writer,))
    return FilesEngine(Work(common, files, repository, shell, local, reader, writer, clock, permit))


class FilesEngine:
    """Files and applications of one server; see `port.BackupWriter`."""

    def __init__(self, work: Work) -> None:
        """Work with these."""
        self._work = work

    def source(self) -> SourceFacts:
        """Look at the server."""
        return source.facts(self._work)

    def repository(self) -> RepositoryFacts:
        """Look at the repository from the controller."""
        return repository_facts(self._work.reader)

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:
        """List what a set holds directly under a folder."""
        top = path.rstrip("/") or "/"
        below = "/" if top == "/" else top + "/"
        return [
            Listed(node.path, node.kind, node.size, node.modified)
            for node in self._work.reader.listing(of.made.snapshot, top)
            if node.path.startswith(below) and node.path != top and "/" not in node.path[len(below) :]
        ]

    def recovery_window(self, sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:  # noqa: ARG002  # the port's
        """Return None: files know no moments but those of their sets."""
        return None

    def initialise(self) -> str:
        """Make the repository, by the way of the write; one that is there already is left as it is."""
        self._work.may_write()
        return self._work.writer.initialise()

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Make one set."""
        return making.back_up(self._work, run, previous, progress)

    def verify(self, of: StoredSet, depth: Depth, progress: Progress) -> Proven:
        """Bring a set back to the scratch folder and compare it with its manifest."""
        work = self._work
        work.may_write()
        return proving.prove(
            work.name, work.reader, of, of.made.snapshot, work.manifest_of(of), work.common.scratch, depth,
            work.common.sample, work.common.manifests / "rotation", progress,
        )  # fmt: skip

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Bring back what is ordered."""
        return bringing.restore(self._work, of, order, progress)

    def copy(self, of: StoredSet, folder: str, password: Secret, progress: Progress) -> Copied:  # noqa: ARG002  # the port's
        """Copy a set into a repository in `folder`."""
        self._work.may_write()
        return copying.copy_set(self._work.reader, self._work.local, of, folder, password)

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret) -> Sequence[Check]:
        """Read all data of a copy back and compare it with the set."""
        work = self._work
        return copying.verify_copy(
            work.local, work.repository.restic, work.name, of, copied, folder, password, work.manifest_of(of)
        )

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove snapshots of this backup that no record knows, and no others."""
        work = self._work
        work.may_write()
        return work.reader.forget_of(work.name, snapshots, work.common.timeout.total_seconds())

    def forget(self, sets: Sequence[StoredSet], progress: Progress) -> int:  # noqa: ARG002  # the port's
        """Remove these sets, and no others, from the repository, then their manifests."""
        work = self._work
        work.may_write()
        if not sets:
            return 0
        freed = work.reader.forget([item for of in sets for item in (of.made.snapshot, *of.made.extra_snapshots)])
        for of in sets:
            work.manifest_of(of).unlink(missing_ok=True)
        return freed

    def close(self) -> None:
        """Close the connection to the server."""
        self._work.shell.close()


def repository_facts(reader: Restic) -> RepositoryFacts:
    """Look at a repository by the path of verification.

    Raises:
        TransientError: it cannot be reached. WrongKeyError, DamagedBackupError: see there.
    """
    found = looking.look(reader)
    if found is None:
        return RepositoryFacts(exists=False)
    return RepositoryFacts(
        exists=True,
        id=found.identity,
        engine="restic",
        snapshots=tuple(Snapshot(item.id, item.at, item.host, item.tags, item.paths) for item in found.snapshots),
        locked="; ".join(f"{lock.host} PID {lock.pid} ({lock.at.isoformat()})" for lock in found.locks) or None,
    )
