"""An Oracle database as a backup of the plan: RMAN makes the pieces on its host, restic carries them from there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError, NoRepositoryError
from dsi_automation.connectors.backups.oracle import details, restoring, session
from dsi_automation.connectors.backups.oracle.host import OracleHost
from dsi_automation.connectors.backups.oracle.proof import Proof
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
from dsi_automation.connectors.backups.restic import Restic, Summary, Wanted, written
from dsi_automation.connectors.backups.restic.repository import ResticStore
from dsi_automation.connectors.backups.settings import JobSettings, OracleSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text

_RELEASED: Final = "released.json"
"""Snapshots of sets that are forgotten but that a level 1 still stands on: beside the manifests."""

_OFF: Final = 5.0
"""Seconds a clock may be off before it is told."""


class OracleBackup:
    """`BackupWriter` for one Oracle database; each write asks the permit first."""

    def __init__(
        self,
        common: JobSettings,
        oracle: OracleSettings,
        shell: Shell,
        repository: RepositorySettings,
        clock: Clock,
        permit: WritePermit | None,
    ) -> None:
        """Take what the plan says; nothing is opened yet.

        Raises:
            UsageError: a value of the plan could be more than a value where RMAN reads it.
        """
        self._common, self._oracle, self._shell = common, oracle, shell
        self._clock, self._permit = clock, permit
        self._host = OracleHost(common.name, oracle, shell)
        self._repository = repository
        self._store = ResticStore(common, repository, LocalShell())

    def source(self) -> SourceFacts:
        """Look at the database and at restic on its host."""
        before = self._clock.now()
        found = self._host.instance()
        offset = (found.at - before).total_seconds()
        told = list(session.warnings(found))
        if abs(offset) > _OFF:
            told.append(T("The clock of {host} is {seconds} s off.", host=self._shell.name, seconds=round(offset)))
        carrier = self._writer().version()
        told += [] if carrier.warning is None else [carrier.warning]
        return SourceFacts(
            engine=f"Oracle {found.version}",
            clock_offset=offset,
            problems=tuple(session.problems(found, self._oracle)),
            warnings=tuple(told),
            details={
                "dbid": found.dbid,
                "database": found.name,
                "log_mode": found.log_mode,
                "open_mode": found.open_mode,
                "corrupt": found.corrupt,
                "recovery_area": [list(area) for area in found.areas],
                "restic": str(carrier),
            },
        )

    def repository(self) -> RepositoryFacts:
        """Look at the repository from the controller."""
        return self._store.facts()

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:  # noqa: ARG002  # a database has no folders
        """List the pieces of a set: they are brought back together."""
        known = manifest.load(self._common.manifests / of.made.manifest_file, of.made.manifest)
        return [Listed(entry.path, "file", entry.size, of.made.ended_at) for entry in known.files]

    def recovery_window(self, sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:
        """Return between which moments these sets and their logs reach without a gap."""
        return details.window(sets)

    def close(self) -> None:
        """Close the connection to the host, where there is one."""
        close = getattr(self._shell, "close", None)
        if close is not None:
            close()

    def initialise(self) -> str:
        """Make the repository from the host, which writes to it."""
        self._check()
        return self._writer().initialise()

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Make pieces, prove them, hash them, carry them to the repository, and only then remove them."""
        self._check()
        started = self._clock.now()
        if self._writer().identity() is None:
            raise NoRepositoryError(
                T("There is no repository at {url}.", url=self._repository.name),
                on=self._common.name,
                next_step=T("Look there before anything is made anew."),
            )
        seconds: dict[str, float] = {}
        try:
            self._hook(self._common.before, "before", seconds)
            made = self._make(run, previous, progress, started)
        except DsiError as error:
            if (failed := self._after(seconds)) is not None:
                error.detail["after"] = str(failed)
            raise
        failed = self._after(seconds)
        return replace(
            made,
            ended_at=self._clock.now(),
            phases={**made.phases, **seconds},
            warnings=made.warnings if failed is None else (*made.warnings, failed),
        )

    def verify(self, of: StoredSet, depth: Depth, progress: Progress) -> Proven:
        """Bring pieces back to the controller by the path of verification and compare every byte of them."""
        self._check()
        return Proof(of, self._store, self._repository, self._common, self._clock).run(depth, progress)

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Put the pieces into a folder of the host, with a script and words on how to bring the database back."""
        self._check()
        return restoring.restore(of, order, self._writer(), self._store.facts(), self._oracle, self._common, progress)

    def copy(self, of: StoredSet, folder: str, password: Secret, progress: Progress) -> Copied:
        """Copy a set, and the level 0 it stands on, into a repository of its own."""
        self._check()
        progress(T("Copying the set."), 0, of.made.size)
        return self._store.copy(of, folder, password)

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret) -> Sequence[Check]:
        """Read all data of a copy back and compare it with the set."""
        return self._store.verify_copy(of, copied, folder, password, self._common.name)

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove snapshots of this backup that no record knows, and no others."""
        self._check()
        return self._writer().forget_of(self._common.name, snapshots, self._common.timeout.total_seconds())

    def forget(self, sets: Sequence[StoredSet], progress: Progress) -> int:
        """Remove these sets; a level 0 stays as long as a level 1 in the repository stands on it."""
        self._check()
        progress(T("Removing sets that are no longer kept."), None, None)
        place = self._common.manifests / _RELEASED
        released = set(json.loads(place.read_text("utf-8"))) if place.exists() else set()
        wanted = released | {stored.made.snapshot for stored in sets}
        staying = [
            each for each in self._writer().snapshots(tags=[f"job={self._common.name}"]) if each.id not in wanted
        ]
        needed = {tag.removeprefix("base=") for each in staying for tag in each.tags if tag.startswith("base=")}
        freed = self._writer().forget(sorted(wanted - needed), timeout=self._common.timeout.total_seconds())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(sorted(wanted & needed)), encoding="utf-8")
        return freed

    def _make(self, run: str, previous: StoredSet | None, progress: Progress, started: datetime) -> MadeSet:
        common, told = self._common, list[Text]()
        last = None if previous is None else details.read(previous)
        if last is not None and last.dbid != self._oracle.dbid:
            last, previous = None, None
        base = self._base(previous, told)
        pieces = session.make(
            self._host, common.name, self._oracle, self._clock,
            base=None if base is None else base.checkpoints,
            from_scn=None if last is None else last.next_change,
            timeout=common.timeout, progress=progress,
        )  # fmt: skip
        mark = self._clock.monotonic()
        progress(T("Hashing the pieces."), None, None)
        name = f"{pieces.tag}.jsonl.gz"
        order = manifest.Order((pieces.folder,))
        timeout = common.timeout.total_seconds()
        taken = manifest.take(self._shell, order, common.manifests / name, timeout=timeout)
        try:
            self._hold(pieces, taken, previous)
            hashed = self._clock.monotonic()
            self._check()
            # The database's own clock: the times of its logs are compared with this moment.
            said = details.describe(pieces, base, self._host.instance().at)
            saved = self._save(run, pieces, said, progress)
        except BaseException:
            taken.path.unlink(missing_ok=True)
            raise
        done = self._clock.monotonic()
        self._host.remove(pieces.folder)
        if last is not None and said.first_change > last.next_change:
            told.append(T("Archived logs since the last set are missing: no moment in between can be recovered."))
        return MadeSet(
            snapshot=saved.snapshot,
            repository=saved.repository,
            engine=f"Oracle {pieces.instance.version}",
            started_at=started,
            ended_at=self._clock.now(),
            files=len(taken.files),
            size=taken.size,
            added=saved.added,
            manifest=taken.sha256,
            manifest_file=name,
            extra_snapshots=() if base is None else (base.snapshot,),
            phases={**pieces.phases, "manifest": hashed - mark, "backup": done - hashed},
            details=said.to_json(),
            warnings=(*told, *session.warnings(pieces.instance)),
        )

    def _base(self, previous: StoredSet | None, told: list[Text]) -> details.Base | None:
        if self._oracle.level == 0:
            return None
        if previous is not None:
            base = details.base_of(previous)
            if self._writer().snapshots([base.snapshot]):
                return base
        told.append(T("There is no level 0 to stand on: all of the database was backed up."))
        return None

    def _save(self, run: str, pieces: session.Pieces, said: details.Details, progress: Progress) -> Summary:
        tags = ["dsi", f"job={self._common.name}", f"run={run}", f"tag={pieces.tag}"]
        tags += [f"scn={said.first_change}-{said.next_change}", f"logs={said.logs_until}"]
        tags += [] if said.base is None else [f"base={said.base}"]
        wanted = Wanted(
            (pieces.folder,), tuple(tags), host=self._common.name, timeout=self._common.timeout.total_seconds()
        )
        return self._writer().back_up(
            wanted, lambda done, total: progress(T("Writing to the repository."), done, total)
        )

    def _hold(self, pieces: session.Pieces, taken: manifest.Manifest, previous: StoredSet | None) -> None:
        """Hold what was hashed against what RMAN recorded, and against the last set of the same level."""
        hashed = {entry.path: entry.size for entry in taken.files}
        recorded = {piece.handle: piece.size for piece in pieces.outcome.pieces}
        if taken.unread or taken.changed or any(hashed.get(path) != size for path, size in recorded.items()):
            raise BackupFailedError(
                T("The pieces on {host} changed, or could not all be read.", host=self._shell.name),
                on=self._common.name,
                next_step=T("Check the disk of stage_dir on the host, then make another backup."),
            )
        least = self._common.minimum_files
        if previous is not None and details.read(previous).level == pieces.level:
            least = max(least, 1)
            if taken.size < self._common.shrink * previous.made.size:
                raise BackupFailedError(
                    T("Much less was there than last time: {size} bytes, after {before}.", size=taken.size,
                      before=previous.made.size),
                    on=self._common.name,
                    meaning=T("The backup does not count, and no earlier one was touched."),
                    next_step=T("If it is right that so much is gone, lower shrink in the plan for this backup."),
                )  # fmt: skip
        if len(taken.files) < least:
            raise BackupFailedError(
                T("The backup holds {files} files, {minimum} are expected.", files=len(taken.files), minimum=least),
                on=self._common.name,
            )

    def _hook(self, words: tuple[str, ...] | None, phase: str, seconds: dict[str, float]) -> None:
        if words is None:
            return
        began = self._clock.monotonic()
        done = self._shell.run(Program(words, timeout=self._common.timeout.total_seconds()))
        seconds[phase] = self._clock.monotonic() - began
        if done.status != 0:
            raise BackupFailedError(
                T("The command {command} on {host} ended with status {status}.", command=words[0],
                  host=self._shell.name, status=done.status),
                on=self._common.name,
                detail={"said": (done.complaint or done.text)[-2000:]},
            )  # fmt: skip

    def _after(self, seconds: dict[str, float]) -> Text | None:
        try:
            self._hook(self._common.after, "after", seconds)
        except DsiError as error:
            return T("After the backup: {failure}", failure=error.what)
        return None

    def _writer(self) -> Restic:
        return written(
            self._repository,
            self._shell,
            self._oracle.restic,
            upload_kib=self._common.bandwidth_kib,
            cache=f"{session.home(self._common.name, self._oracle)}/restic",
        )

    def _check(self) -> None:
        if self._permit is None:
            raise BackupFailedError(T("{name} was opened to look only.", name=self._common.name), on=self._common.name)
        self._permit.check(self._common.name)
