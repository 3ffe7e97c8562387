"""The engine of PostgreSQL backups: `BackupWriter` on the parts beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
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
    SourceFacts,
    StoredSet,
)
from dsi_automation.connectors.backups.postgresql import base, inplace, making, manifest, source, window
from dsi_automation.connectors.backups.postgresql.archive import Archive
from dsi_automation.connectors.backups.postgresql.details import LOGS_TAG, START_TAG, Details
from dsi_automation.connectors.backups.postgresql.findings import Findings
from dsi_automation.connectors.backups.postgresql.inplace import Back, put_back
from dsi_automation.connectors.backups.postgresql.live import Live
from dsi_automation.connectors.backups.postgresql.proof import Tools, Trial
from dsi_automation.connectors.backups.postgresql.restoring import checked, restore
from dsi_automation.connectors.backups.postgresql.scratch import cannot_write, clear, locked, room
from dsi_automation.connectors.backups.postgresql.wal import Segment, obsolete
from dsi_automation.connectors.backups.restic.repository import ResticStore
from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret, redact
from dsi_automation.core.text import T, Text

_DATA: Final = "data"


class PostgresBackupEngine:
    """One backup of a PostgreSQL cluster; each write asks the permit first."""

    def __init__(self, tools: Tools, store: ResticStore, shell: Shell, permit: WritePermit | None) -> None:
        """Work with these; without a permit to look only."""
        self._tools, self._store, self._shell, self._permit = tools, store, shell, permit
        self._name = tools.common.name
        self._stage = tools.settings.stage_dir / self._name
        self._work = tools.common.scratch / "proof"

    def source(self) -> SourceFacts:
        """Look at the server, the archive and the stage."""
        return source.facts(self._tools.programs, self._tools.settings, self._tools.clock)

    def repository(self) -> RepositoryFacts:
        """Look at the repository from the controller, by the path of verification."""
        return self._store.facts()

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:
        """List the databases that a set holds, with their sizes then."""
        details = Details.of(of)
        if path.strip("/"):
            return ()
        return tuple(
            Listed(f"/{name}", "database", size, details.moment) for name, size in sorted(details.databases.items())
        )

    def recovery_window(self, sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:
        """Return between which moments these sets and their logs bring the cluster back without a gap."""
        return window.recovery_window([Details.of(each) for each in sets], self._tools)

    def close(self) -> None:
        """Do nothing: each question has a connection of its own."""

    def initialise(self) -> str:
        """Make the repository and return its identifier; one that is there already is left as it is."""
        self._allowed()
        return self._store.initialise()

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Make one set; the stage is empty again afterwards, whatever happens."""
        self._allowed()
        with locked(self._stage):
            stage = self._stage / "base"
            clear(stage, self._tools.clock)
            try:
                self._hook(self._tools.common.before)
                made = self._made(stage / _DATA, run, previous, progress)
            except DsiError as error:
                if (failed := self._after()) is not None:
                    error.detail["after"] = str(failed)
                raise
            finally:
                clear(stage, self._tools.clock)
            failed = self._after()
            return made if failed is None else replace(made, warnings=(*made.warnings, failed))

    def verify(self, of: StoredSet, depth: Depth, progress: Progress) -> Proven:
        """Bring a set back, start it, ask it, throw it away."""
        self._allowed()
        with self._scratch() as work:
            findings = Findings(self._name)
            trial = Trial(self._tools, of, Details.of(of), depth, work, progress, findings)
            return trial.prove()

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Bring the cluster, or one database of it, back to an empty folder; or one database to its place."""
        permit = self._allowed()
        details, folder = Details.of(of), order.destination
        if folder is not None:
            checked(order, details, folder)
            with self._scratch() as work:
                return restore(self._tools, of, details, order, progress, work, folder)
        database, place = inplace.checked(order, details, self._tools)
        live = Live(self._tools.programs, place, database, of.id, permit.run_id)
        with self._scratch() as work:
            return put_back(
                Back(self._tools, of, details, order, live, lambda: permit.check(self._name), progress), work
            )

    def copy(self, of: StoredSet, folder: str, password: Secret, progress: Progress) -> Copied:
        """Copy a set and its logs into a repository in `folder`, made there when it is missing."""
        self._allowed()
        progress(T("Copying the set."), None, None)
        return self._store.copy(of, folder, password)

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret) -> Sequence[Check]:
        """Read all data of a copy back and compare it with the set."""
        return self._store.verify_copy(of, copied, folder, password, self._name)

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove snapshots of this backup that no record knows, and no others."""
        self._allowed()
        return self._store.drop(snapshots)

    def forget(self, sets: Sequence[StoredSet], progress: Progress) -> int:
        """Remove these sets, and the archived logs that no kept set needs; logs go only when a kept set says so."""
        self._allowed()
        progress(T("Removing old sets."), None, None)
        gone = [snapshot for each in sets for snapshot in (each.made.snapshot, *each.made.extra_snapshots)]
        freed = self._store.forget(gone)
        if not sets:
            return freed
        archive = Archive(self._tools.settings.wal_archive, Details.of(sets[-1]).segment_size)
        oldest = self._oldest_needed(archive.segment_size)
        return freed if oldest is None else freed + archive.remove(obsolete(archive.list().segments, oldest))

    def _oldest_needed(self, segment_size: int) -> Segment | None:
        starts = []
        for snapshot in self._store.facts().snapshots:
            tag = next((each for each in snapshot.tags if each.startswith(START_TAG)), None)
            segment = None if tag is None else Segment.parse(tag[len(START_TAG) :], segment_size)
            if segment is not None:
                starts.append(segment)
        return min(starts, key=lambda segment: segment.number, default=None)

    def _made(self, data: Path, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        tools, clock = self._tools, self._tools.clock
        started, phases, at = clock.now(), dict[str, float](), clock.monotonic()

        def ended(name: str) -> None:
            nonlocal at
            phases[name], at = round(clock.monotonic() - at, 3), clock.monotonic()

        before = None if previous is None else Details.of(previous)
        seen = source.look(tools.programs, clock)
        if before is not None:
            source.same_cluster(seen.said, before.system_identifier)
        self._room(int(int(seen.said["size"]) * source.ROOM))
        ended("look")
        self._copied(data, run, progress)
        ended("base")
        written = base.manifest_of(data)
        found = making.counted(tools.programs, tools.settings, progress)
        ended("counts")
        marked = making.mark(tools.programs, seen.segment_size)
        archive = Archive(tools.settings.wal_archive, seen.segment_size)
        start = Segment.holding(*written.start, seen.segment_size)
        progress(T("Waiting for the log to be archived."), None, None)
        logs = making.logs_of(archive, start, marked.segment, before, clock, tools.settings.archive_timeout)
        details = making.described(tools.programs, data, run, seen, written, found, marked, logs)
        ended("logs")
        kept = manifest.write(data, written, tools.common.manifests, run)
        self._plausible(kept, previous)
        ended("manifest")
        saved = self._store.save([data], [*self._tags(run), "part=base", START_TAG + details.start_log], progress)
        ended("repository")
        span = f"{LOGS_TAG}{details.first_log}-{details.last_log}"
        extra = self._store.save(logs.paths, [*self._tags(run), "part=logs", span], progress)
        ended("archive")
        return MadeSet(
            snapshot=saved.snapshot,
            extra_snapshots=(extra.snapshot,),
            repository=self._store.identity(),
            engine=f"PostgreSQL {details.server_version}",
            started_at=started,
            ended_at=clock.now(),
            files=kept.files,
            size=kept.size,
            added=saved.added + extra.added,
            manifest=kept.sha256,
            manifest_file=kept.name,
            phases=phases,
            details=details.to_json(),
            warnings=(making.gap_warning(logs, seen.segment_size),) if logs.gap else (),
        )

    def _copied(self, data: Path, run: str, progress: Progress) -> None:
        try:
            data.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise cannot_write(data, error) from error
        base.take(self._tools.programs, data, run, self._tools.common.bandwidth_kib, progress)
        progress(T("Checking the copy of the cluster."), None, None)
        wrong = base.check(self._tools.programs, data)
        if wrong is not None:
            raise TransientError(T("What was copied is not what the server sent: {said}", said=wrong))

    def _plausible(self, kept: manifest.Kept, previous: StoredSet | None) -> None:
        common = self._tools.common
        least_files, least = common.minimum_files, 0.0
        if previous is not None:
            least = previous.made.size * common.shrink
        if kept.files < least_files or kept.size < least:
            raise BackupFailedError(
                T("The cluster has become implausibly small: {files} files, {size} MB.", files=kept.files,
                  size=kept.size // 10**6),
                next_step=T("Look at the server; if this is right, lower shrink or minimum_files of the backup."),
            )  # fmt: skip

    def _room(self, wanted: int) -> None:
        free = room(self._stage)
        if free < wanted:
            raise TransientError(
                T("{folder} has room for {free} MB, the cluster needs {wanted} MB.", folder=self._stage,
                  free=free // 10**6, wanted=wanted // 10**6),
            )  # fmt: skip

    def _hook(self, words: tuple[str, ...] | None) -> None:
        if words is None:
            return
        done = self._shell.run(Program(words, timeout=self._tools.timeout))
        if done.status != 0:
            raise BackupFailedError(
                T("The command {command} failed with status {status}.", command=words[0], status=done.status),
                detail={"said": redact(done.complaint)[-2000:]},
            )

    def _after(self) -> Text | None:
        """Run the hook after; returns what was wrong with it: the set is made, and stands."""
        try:
            self._hook(self._tools.common.after)
        except DsiError as error:
            return T("After the backup: {failure}", failure=error.what)
        return None

    def _tags(self, run: str) -> list[str]:
        return ["dsi", f"job={self._name}", f"run={run}"]

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with locked(self._tools.common.scratch):
            clear(self._work, self._tools.clock)
            try:
                # Others may pass, to what is theirs, and see nothing.
                self._tools.common.scratch.chmod(0o711)
                self._work.mkdir(mode=0o711)
                self._work.chmod(0o711)
            except OSError as error:
                raise cannot_write(self._work, error) from error
            try:
                yield self._work
            finally:
                clear(self._work, self._tools.clock)

    def _allowed(self) -> WritePermit:
        if self._permit is None:
            raise PermissionError(self._name)
        self._permit.check(self._name)
        return self._permit
