"""A backup engine in memory, with faults that can be switched on: what the operations are tried against."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dsi_automation.connectors.backups.errors import DamagedBackupError, NoRepositoryError, TransientError
from dsi_automation.connectors.backups.port import (
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
from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError, UsageError
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

type Files = Mapping[str, bytes]


@dataclass
class MemoryStore:
    """A source and its repository, and what goes wrong with them.

    Attributes:
        source: files by their absolute path.
        snapshots: what the repository holds, by the identifier of the snapshot, oldest first; `tags` their marks.
        repository_id: None where there is no repository.
        manifests: folder where manifests are kept.
        facts: what is told of the source, besides its files.
        places: what was brought back, by destination.
        faults: errors to be raised, by the method's name, one at each call.
        point: is told the name of each step before and after it: where a test kills.
    """

    manifests: Path
    source: dict[str, bytes] = field(default_factory=dict)
    snapshots: dict[str, Files] = field(default_factory=dict)
    made_at: dict[str, datetime] = field(default_factory=dict)
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    repository_id: str | None = None
    facts: SourceFacts = field(default_factory=lambda: SourceFacts("memory 1"))
    places: dict[str, Files] = field(default_factory=dict)
    folders: dict[str, dict[str, Files]] = field(default_factory=dict)
    window: tuple[datetime, datetime] | None = None
    faults: dict[str, list[DsiError]] = field(default_factory=dict)
    point: Callable[[str], None] = lambda _name: None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fail(self, method: str, *errors: DsiError) -> None:
        """Have the next calls of a method raise these errors."""
        self.faults.setdefault(method, []).extend(errors)


class MemoryBackup:
    """`BackupWriter` on a `MemoryStore`; each write asks the permit first."""

    def __init__(self, name: str, store: MemoryStore, clock: Clock, permit: WritePermit | None = None) -> None:
        """Work for one backup of the plan; without a permit to look only."""
        self._name, self._store, self._clock, self._permit = name, store, clock, permit

    def source(self) -> SourceFacts:
        """Return what the store says of the source."""
        self._step("source")
        return self._store.facts

    def repository(self) -> RepositoryFacts:
        """Return what the repository holds."""
        self._step("repository")
        store = self._store
        if store.repository_id is None:
            return RepositoryFacts(exists=False)
        snapshots = tuple(
            Snapshot(name, store.made_at[name], "memory", self._tags(name), tuple(store.snapshots[name]))
            for name in store.snapshots
        )
        return RepositoryFacts(exists=True, id=store.repository_id, engine="memory 1", snapshots=snapshots)

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:
        """List what a set holds directly under a folder."""
        self._step("contents")
        files, folder = self._held(of), path.rstrip("/") + "/"
        found: dict[str, Listed] = {}
        for name, content in files.items():
            if name.startswith(folder):
                first, deeper, _ = name[len(folder) :].partition("/")
                kind, size = ("dir", 0) if deeper else ("file", len(content))
                found[first] = Listed(folder + first, kind, size, of.made.ended_at)
        return tuple(found[name] for name in sorted(found))

    def recovery_window(self, sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:
        """Return what the store was told, when there are sets."""
        return self._store.window if sets else None

    def close(self) -> None:
        """Close nothing."""

    def initialise(self) -> str:
        """Make the repository, unless it is there."""
        self._write("initialise")
        store = self._store
        if store.repository_id is None:
            store.repository_id = hashlib.sha256(f"repository {next(store.numbers)}".encode()).hexdigest()
        self._step("after initialise")
        return store.repository_id

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Keep a copy of the source, and its manifest."""
        self._write("back_up")
        store, began = self._store, self._clock.now()
        if store.repository_id is None:
            raise NoRepositoryError(T("There is no repository."), on=self._name)
        files = dict(store.source)
        snapshot = hashlib.sha256(f"{run} {next(store.numbers)}".encode()).hexdigest()
        size = sum(map(len, files.values()))
        progress(T("Reading the source."), size, size)
        store.snapshots[snapshot], store.made_at[snapshot] = files, began
        store.tags[snapshot] = ("dsi", f"job={self._name}", f"run={run}")
        manifest_file, manifest = f"{snapshot[:16]}.manifest", _manifest(files)
        store.manifests.mkdir(parents=True, exist_ok=True)
        (store.manifests / manifest_file).write_bytes(manifest)
        self._step("after back_up")
        return MadeSet(
            snapshot=snapshot,
            repository=store.repository_id,
            engine="memory 1",
            started_at=began,
            ended_at=self._clock.now(),
            files=len(files),
            size=size,
            added=size if previous is None else 0,
            manifest=hashlib.sha256(manifest).hexdigest(),
            manifest_file=manifest_file,
            phases={"backup": 1.0},
            details=dict(store.facts.details),
        )

    def verify(self, of: StoredSet, depth: Depth, progress: Progress) -> Proven:
        """Compare what is held with the manifest."""
        self._write("verify")
        files = self._held(of)
        progress(T("Comparing."), of.made.size, of.made.size)
        check = self._compared(of, files)
        self._step("after verify")
        return Proven(3, depth, (check,), len(files), sum(map(len, files.values())), {"compare": 1.0})

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Bring files back to a place of the store."""
        self._write("restore")
        held = self._held(of)
        files = {n: c for n, c in held.items() if not order.paths or n.startswith(order.paths)}
        if not files:
            raise UsageError(T("The set does not hold {paths}.", paths=", ".join(order.paths)), on=self._name)
        place, store = order.destination or "/", self._store
        if order.destination is None:
            store.source.update(files)
        elif store.places.get(place) and not order.overwrite:
            raise RefusedError(T("{place} is not empty.", place=place), on=self._name)
        store.places[place] = files
        progress(T("Bringing back."), None, None)
        self._step("after restore")
        return Restored(place, len(files), sum(map(len, files.values())), (self._compared(of, held),))

    def copy(self, of: StoredSet, folder: str, password: Secret, progress: Progress) -> Copied:
        """Copy a set into a folder of the store."""
        del password
        self._write("copy")
        files = self._held(of)
        self._store.folders.setdefault(folder, {})[of.id] = dict(files)
        progress(T("Copying."), None, None)
        size = sum(map(len, files.values()))
        self._step("after copy")
        return Copied(of.made.snapshot, size, size)

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret) -> Sequence[Check]:
        """Compare a copy with the set."""
        del copied, password
        self._step("verify_copy")
        return (self._compared(of, self._store.folders.get(folder, {}).get(of.id, {})),)

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove snapshots of this backup that no record knows."""
        self._write("drop")
        store = self._store
        ours = [name for name in snapshots if name in store.snapshots and f"job={self._name}" in self._tags(name)]
        freed = sum(sum(map(len, store.snapshots.pop(name).values())) for name in ours)
        self._step("after drop")
        return freed

    def forget(self, sets: Sequence[StoredSet], progress: Progress) -> int:
        """Remove these sets, and no others."""
        self._write("forget")
        freed = 0
        for stored in sets:
            files = self._store.snapshots.pop(stored.made.snapshot, {})
            freed += sum(map(len, files.values()))
            (self._store.manifests / stored.made.manifest_file).unlink(missing_ok=True)
        progress(T("Removing."), None, None)
        self._step("after forget")
        return freed

    def _tags(self, snapshot: str) -> tuple[str, ...]:
        return self._store.tags.get(snapshot, ("dsi", f"job={self._name}"))

    def _held(self, of: StoredSet) -> Files:
        files = self._store.snapshots.get(of.made.snapshot)
        if files is None:
            raise DamagedBackupError(T("{set} is not in the repository.", set=of.id), on=self._name)
        return files

    def _compared(self, of: StoredSet, files: Files) -> Check:
        expected = of.made.manifest
        found = hashlib.sha256(_manifest(files)).hexdigest()
        return Check(
            self._name,
            "contents",
            T("Files compared with the manifest"),
            expected[:16],
            found[:16],
            ok=found == expected,
            source="memory",
        )

    def _write(self, method: str) -> None:
        if self._permit is None:
            raise AssertionError(method)
        self._permit.check(self._name)
        self._step(method)

    def _step(self, name: str) -> None:
        self._store.point(name)
        waiting = self._store.faults.get(name)
        if waiting:
            raise waiting.pop(0)


def network_fault() -> TransientError:
    """Return an error that can pass by itself."""
    return TransientError(T("The network is down."))


def _manifest(files: Files) -> bytes:
    lines = (f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return "".join(lines).encode()
