"""One port for every backup engine: what is there, make a set, prove it, bring it back, copy it, forget it.

A *set* is what one backup made: one snapshot of the engine's repository, with our own manifest of hashes and the
facts needed to bring it back. The engine's word that all went well is never the verdict: see `operations.backups`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dsi_automation.core.canonical import Json
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text


class Depth(StrEnum):
    """How much of a set is brought back to prove it."""

    SAMPLE = "sample"
    """Structure, part of the data, and some files or tables."""
    FULL = "full"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as the engine's repository lists it.

    Attributes:
        id: its whole identifier.
        at: when it says it was made: the clock of the machine that made it, not to be trusted for order.
        tags: what it was marked with: `dsi`, `job=NAME`, `run=RUN-...`.
    """

    id: str
    at: datetime
    host: str
    tags: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """The repository as the controller sees it, by the path of verification.

    Attributes:
        exists: whether there is a repository at all. A wrong key raises instead.
        id: the engine's identifier of the repository: another one at the same place is another repository.
        locked: who holds it and since when, in the engine's words; None when nobody does.
    """

    exists: bool
    id: str | None = None
    engine: str | None = None
    snapshots: tuple[Snapshot, ...] = ()
    locked: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What would be backed up, as it is now.

    Attributes:
        engine: version of the engine on the machine that makes the backup, `restic 0.14.0`, `PostgreSQL 15.18`.
        clock_offset: that machine's clock minus the controller's, seconds; None when it was not asked.
        problems: why no backup can be made now, each a sentence.
        warnings: what is worth telling but hinders nothing.
        details: engine-specific: system_identifier, archiving, dbid, log mode, paths missing, ...
    """

    engine: str
    clock_offset: float | None = None
    problems: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeSet:
    """What one backup made.

    Attributes:
        snapshot: the engine's identifier in the repository; `extra_snapshots` others that belong to it (logs).
        repository: the engine's identifier of the repository.
        files, size: what was read at the source, bytes.
        added: what the repository grew by, bytes.
        manifest: SHA-256 of our manifest, hexadecimal.
        manifest_file: its name in the controller's folder of manifests of the job.
        changed: files that changed while they were read.
        phases: seconds by phase: `before`, `backup`, `manifest`, `archive`, `after`, ...
        details: what is needed to bring it back: paths, version, system_identifier, timeline, LSNs, WAL names, tag...
        warnings: sentences worth the report.
    """

    snapshot: str
    repository: str
    engine: str
    started_at: datetime
    ended_at: datetime
    files: int
    size: int
    added: int
    manifest: str
    manifest_file: str
    extra_snapshots: tuple[str, ...] = ()
    changed: int = 0
    phases: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A set as the record holds it: `MadeSet` and what happened around it; see `operations.backups.catalogue`.

    Attributes:
        id: its own identifier, `SET-20261122-0201-7F3K`.
        job: the backup of the plan it was made for.
        run: the run that made it.
    """

    id: str
    job: str
    run: str
    kind: str
    made: MadeSet


@dataclass(frozen=True, slots=True)
class Proven:
    """What a verification found.

    Attributes:
        level: 2 all data read by the engine, 3 brought back and compared, 4 started and asked.
        checks: every comparison; the set is verified when none of them failed.
        restored_files, restored_bytes: what was brought back.
        phases: seconds by phase.
    """

    level: int
    depth: Depth
    checks: tuple[Check, ...]
    restored_files: int
    restored_bytes: int
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """What to bring back, and where.

    Attributes:
        paths: files or folders of the set, absolute as at the source; empty for all of it.
        destination: folder on the machine that gets it; None to put it back where it came from.
        until: the moment to recover a database to, UTC; None for the end of the set's logs.
        database: for one database of a cluster where the engine can; None for all.
        overwrite: whether what is there may be replaced: in place only.
    """

    paths: tuple[str, ...] = ()
    destination: str | None = None
    until: datetime | None = None
    database: str | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: where it is, and what an independent look found there."""

    destination: str
    files: int
    size: int
    checks: tuple[Check, ...]
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """One file or folder of a set."""

    path: str
    kind: str
    size: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Copied:
    """A set copied into a folder (of a medium, or to be put on a tape): an engine's repository of its own.

    Attributes:
        snapshot: its identifier in the copy.
        size: bytes the folder grew by; `total` all it holds.
        details: what whoever reads the medium without us needs: engine, version, commands.
    """

    snapshot: str
    size: int
    total: int
    extra_snapshots: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)


type Progress = Callable[[Text, int | None, int | None], None]
"""Told what goes on: a sentence, and how much of how much is done (bytes), where that can be counted."""


class BackupReader(Protocol):
    """Looks at one backup of the plan: its source, its repository. Changes nothing."""

    def source(self) -> SourceFacts:
        """Look at what would be backed up, on the machine that has it.

        Raises:
            UnreachableError, RefusedError: the machine or the database does not let itself be looked at.
        """
        ...

    def repository(self) -> RepositoryFacts:
        """Look at the repository from the controller, by the path of verification.

        Raises:
            UnreachableError: it cannot be reached. RefusedError: the key does not open it, or it is damaged.
        """
        ...

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:
        """List what a set holds directly under a folder; for a database, what can be brought back."""
        ...

    def recovery_window(self, sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:
        """Return between which moments these sets and their logs can bring a database back without a gap.

        None where the engine knows no moments but those of its sets.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class BackupWriter(BackupReader, Protocol):
    """Makes, proves, brings back, copies and forgets sets of one backup of the plan; each write asks the permit.

    Every method may be called again after a kill: it first removes what an earlier call left behind.
    """

    def initialise(self) -> str:
        """Make the repository and return its identifier; one that is there already is left as it is."""
        ...

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Make one set. `previous` is the job's last set: for incremental hashes and for comparison.

        The hooks before and after are run; the one after also when the backup fails.

        Raises:
            TransientError: worth another try: network, lock, space after clean-up, connection.
            DsiError: not worth one: key, corruption, configuration, source missing. Nothing that failed counts.
        """
        ...

    def verify(self, of: StoredSet, depth: Depth, progress: Progress) -> Proven:
        """Bring a set back to the scratch folder of the controller, by the path of verification, and compare.

        A set that is bad is a failed check in the result, and no error.

        Raises:
            TransientError: nothing could be said about the set (scratch full, repository not reachable).
        """
        ...

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Bring back what is ordered, and compare it with the manifest.

        Raises:
            UsageError: the set does not hold it, or the moment is outside what can be recovered.
            RefusedError: the destination holds something and may not be overwritten.
        """
        ...

    def copy(self, of: StoredSet, folder: str, password: Secret, progress: Progress) -> Copied:
        """Copy a set into an engine's repository in `folder` of the controller, made there when it is missing."""
        ...

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret) -> Sequence[Check]:
        """Read all data of a copy back and compare it with the set."""
        ...

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove snapshots that no record knows: what a run killed before its note left; returns the bytes freed.

        One that does not carry this backup's own tags is left alone, whoever asks.
        """
        ...

    def forget(self, sets: Sequence[StoredSet], progress: Progress) -> int:
        """Remove these sets, and no others, from the repository; returns the bytes freed."""
        ...
