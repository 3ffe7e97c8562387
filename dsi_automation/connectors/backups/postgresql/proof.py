"""Proves a set: brings it back, holds it against its manifests, starts it, asks it, and throws it away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dsi_automation.connectors.backups.errors import TransientError, WrongKeyError
from dsi_automation.connectors.backups.port import Depth, Progress, Proven, StoredSet
from dsi_automation.connectors.backups.postgresql import base, questioning
from dsi_automation.connectors.backups.postgresql.client import Place, Programs
from dsi_automation.connectors.backups.postgresql.configuration import Target
from dsi_automation.connectors.backups.postgresql.details import Details
from dsi_automation.connectors.backups.postgresql.findings import Findings
from dsi_automation.connectors.backups.postgresql.parsing import Control, parse_control
from dsi_automation.connectors.backups.postgresql.scratch import Worker, room
from dsi_automation.connectors.backups.postgresql.server import ScratchServer
from dsi_automation.connectors.backups.restic.store import Store
from dsi_automation.connectors.backups.settings import JobSettings, PostgresSettings
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UnreachableError, UsageError
from dsi_automation.core.text import T

ROOM = 1.15
"""Room asked for in the scratch folder, as a multiple of the set: recovery writes, too."""


@dataclass
class Tools:
    """What proofs and restores work with."""

    common: JobSettings
    settings: PostgresSettings
    programs: Programs
    worker: Worker
    store: Store
    clock: Clock

    @property
    def timeout(self) -> float:
        """Return how long a server may take to recover, seconds."""
        return self.common.timeout.total_seconds()


@dataclass
class Brought:
    """A set brought back: where its data and its logs are."""

    data: Path = Path()
    logs: Path = Path()
    files: int = 0
    size: int = 0


@dataclass
class Trial:
    """One proof under way."""

    tools: Tools
    stored: StoredSet
    details: Details
    depth: Depth
    work: Path
    progress: Progress
    findings: Findings
    phases: dict[str, float] = field(default_factory=dict)
    level: int = 0
    brought: Brought = field(default_factory=Brought)

    def prove(self) -> Proven:
        """Do all of it, each step only when those before held.

        Raises:
            TransientError: nothing can be said about the set: scratch full, repository not reachable.
        """
        steps = (("read", self._read), ("restore", self._bring), ("compare", self._compare), ("start", self._start))
        for name, step in steps:
            with self._timed(name):
                if not self._guarded(name, step):
                    break
        return Proven(
            self.level,
            self.depth,
            tuple(self.findings.checks),
            self.brought.files,
            self.brought.size,
            dict(self.phases),
        )

    def _guarded(self, name: str, step: Callable[[], None]) -> bool:
        """Do a step; what it raises that speaks against the set is a failed check."""
        try:
            step()
        except (UsageError, WrongKeyError):
            # These speak of the inventory, and say nothing about the set.
            raise
        except DsiError as error:
            # A scratch server that goes away under a question speaks against the set; a repository does not.
            if isinstance(error, UnreachableError) and name != "start":
                raise
            if _full(self.work):
                raise TransientError(
                    T("{folder} is full.", folder=self.work),
                    next_step=T("Make room in the scratch folder, then verify again."),
                ) from error
            self.findings.fault(f"step.{name}", T("The set can be brought back and started"), str(error), "dsi")
        return self.findings.ok

    def _read(self) -> None:
        self.progress(T("Reading the repository."), None, None)
        share = self.tools.common.sample if self.depth is Depth.SAMPLE else None
        found = self.tools.store.check(share)
        self.findings.fault("repository", T("The repository is whole"), found, "restic check")

    def _bring(self) -> None:
        self.level = 2
        self.brought = bring(self.tools, self.stored, self.details, self.work, self.progress)

    def _compare(self) -> None:
        compare(self.tools, self.details, self.brought, self.findings)
        if self.depth is Depth.FULL and self.findings.ok:
            found = questioning.logs(
                self.tools.programs, self.brought.logs, self.details.first_log, self.details.last_log
            )
            self.findings.fault("logs", T("Every record of the archived logs can be read"), found, "pg_waldump")
        if self.findings.ok:
            self.level = 3

    def _start(self) -> None:
        there, details = self.brought, self.details
        control = control_of(self.tools, there.data)
        target = Target(position=details.position, timeline=details.timeline)
        with running(self.tools, details, there, self.work, target, [there.logs], control, durable=False) as place:
            self.progress(T("The restored cluster runs."), None, None)
            same_cluster(self.tools, details, place, self.findings)
            with self._timed("counts"):
                questioning.counts(self.tools.programs, place, details.counts, self.findings)
                asked = self.tools.settings.questions
                questioning.questions(self.tools.programs, place, asked, details.moment, self.findings)
            if self.depth is Depth.FULL and self.tools.settings.amcheck:
                with self._timed("amcheck"):
                    self.progress(T("Holding every index against its table."), None, None)
                    questioning.indexes(self.tools.programs, place, self.tools.settings.databases, self.findings)
        with self._timed("pages"):
            questioning.pages(self.tools.programs, there.data, self.findings, enabled=control.checksums)
        if self.findings.ok:
            self.level = 4

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = self.tools.clock.monotonic()
        try:
            yield
        finally:
            self.phases[name] = round(self.tools.clock.monotonic() - began, 3)


def bring(tools: Tools, stored: StoredSet, details: Details, work: Path, progress: Progress) -> Brought:
    """Bring the files and the logs of a set back into `work`.

    Raises:
        TransientError: there is no room, or the repository is not reachable.
        DamagedBackupError: the repository does not give back what was put in.
    """
    wanted = int(stored.made.size * ROOM)
    if room(work) < wanted:
        raise TransientError(
            T("{folder} has room for {free} MB, the set needs {wanted} MB.", folder=work,
              free=room(work) // 10**6, wanted=wanted // 10**6),
            next_step=T("Make room in the scratch folder, then verify again."),
        )  # fmt: skip
    progress(T("Bringing the cluster back."), 0, stored.made.size)
    tools.store.bring(stored.made.snapshot, work / "base", progress)
    for snapshot in stored.made.extra_snapshots:
        progress(T("Bringing the archived logs back."), None, None)
        tools.store.bring(snapshot, work / "logs", progress)
    data, logs = work / "data", work / "logs" / details.logs_folder.lstrip("/")
    (work / "base" / details.data.lstrip("/")).rename(data)
    logs.mkdir(parents=True, exist_ok=True)
    tools.worker.own(data)
    tools.worker.own(work / "logs")
    files = [path for path in data.rglob("*") if path.is_file()]
    return Brought(data, logs, len(files), sum(path.stat().st_size for path in files))


def compare(tools: Tools, details: Details, there: Brought, findings: Findings) -> None:
    """Hold what was brought back against the manifest of the backup, byte for byte: before it is ever started.

    A cluster whose backup_label is missing would start without a word, from the wrong place.
    """
    try:
        found = hashlib.sha256((there.data / base.MANIFEST).read_bytes()).hexdigest()
    except OSError:
        found = "-"
    title = T("The manifest of the cluster is the one of the backup")
    if findings.same("base_manifest", title, details.base_manifest, found, "SHA-256"):
        wrong = base.check(tools.programs, there.data)
        findings.fault("files", T("Every file of the cluster is as it was read"), wrong, "pg_verifybackup")


def control_of(tools: Tools, data: Path) -> Control:
    """Return what the control file of a cluster that was brought back says."""
    try:
        return parse_control(tools.programs.control(data))
    except ValueError as error:
        raise base.unreadable() from error


@contextmanager
def running(
    tools: Tools, details: Details, there: Brought, work: Path, target: Target, logs: list[Path], control: Control, *,
    durable: bool,
) -> Iterator[Place]:  # fmt: skip
    """Have the cluster recovered and answering while the body runs; stopped properly after it, ended when it fails."""
    place = work / "server"
    place.mkdir(mode=0o700)
    server = ScratchServer(tools.programs, tools.worker, tools.clock, there.data, place)
    try:
        server.start(
            control,
            target,
            logs,
            superuser=details.superuser,
            durable=durable,
            timeout=tools.timeout,
            extra={"timezone": details.timezone},
        )
        yield server.place
        server.stop()
    finally:
        server.end()


def same_cluster(tools: Tools, details: Details, place: Place, findings: Findings) -> None:
    """Make sure that what answers is the cluster of the set, recovered at least to where the backup was whole."""
    said = tools.programs.ask(
        "SELECT json_build_object('id', system_identifier::text, 'recovering', pg_is_in_recovery(),"
        " 'replayed', pg_current_wal_lsn()) FROM pg_control_system();",
        place,
    )[0]
    source = questioning.SOURCE
    findings.same("system_identifier", T("It is the same cluster"), details.system_identifier, str(said["id"]), source)
    findings.same("recovered", T("Recovery has ended"), "True", str(not said["recovering"]), source)


def _full(work: Path) -> bool:
    return room(work) < 2**20
