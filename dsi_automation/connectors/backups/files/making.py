"""Making one set: hooks, restic and the manifest agent side by side, and what must hold before it counts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.files import source
from dsi_automation.connectors.backups.files.work import Work
from dsi_automation.connectors.backups.port import MadeSet, Progress, StoredSet
from dsi_automation.connectors.backups.restic import version
from dsi_automation.connectors.backups.restic.driver import Told, at
from dsi_automation.connectors.backups.restic.failures import IncompleteError
from dsi_automation.connectors.backups.restic.model import Summary, Wanted
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text


class SuspectError(BackupFailedError):
    """Much less was there than last time, or less than there must be: the set does not count."""


@dataclass
class Phases:
    """Seconds by phase."""

    work: Work
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase."""
        start = self.work.clock.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.work.clock.monotonic() - start


def back_up(work: Work, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
    """Make one set; the hook after is run whatever happens.

    Raises:
        TransientError: worth another try. IncompleteError, SuspectError, BackupFailedError: not worth one.
    """
    work.may_write()
    phases, started, warnings = Phases(work), work.clock.now(), list[Text]()
    for leftover in work.common.manifests.glob(".*.part"):
        leftover.unlink(missing_ok=True)
    try:
        if work.common.before is not None:
            with phases.phase("before"):
                _hook(work, work.common.before)
        made = _make(work, run, previous, progress, phases, started)
    except DsiError as error:
        if (failed := _after(work, phases)) is not None:
            error.detail["after"] = str(failed)
        raise
    failed = _after(work, phases)
    if failed is not None:
        warnings.append(failed)
    return replace(made, ended_at=work.clock.now(), phases=dict(phases.seconds), warnings=(*made.warnings, *warnings))


def _make(
    work: Work, run: str, previous: StoredSet | None, progress: Progress, phases: Phases, started: datetime
) -> MadeSet:
    with phases.phase("check"):
        seen = source.look(work)
        problems = source.path_problems(work, seen)
        if problems:
            raise BackupFailedError(
                problems[0],
                on=work.name,
                meaning=T("A backup without it would be one with a hole: none was made."),
                next_step=T("See to it on the server, or change the plan."),
                detail={"problems": [str(problem) for problem in problems]},
            )
        engine = version.parse(seen.restic, work.shell.name)
    restic = at(work.writer, cache=f"{seen.cache}/restic")
    token = secrets.token_hex(16)
    stop = f"{seen.cache}/{token}.stop"
    order = manifest.Order(
        work.files.paths, work.files.exclude, work.files.one_file_system, f"{seen.cache}/{work.name}.hashes.gz", stop
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        beside = pool.submit(
            manifest.take, work.shell, order, work.common.manifests / f"{run}-{token[:8]}.jsonl.gz",
            timeout=work.common.timeout.total_seconds(),
        )  # fmt: skip
        said = list[Future[None]]()
        try:
            with phases.phase("backup"):
                summary = restic.back_up(
                    _wanted(work, run), _telling(progress), lambda: said.append(pool.submit(_say, work, stop))
                )
        except BaseException:
            if not said:
                _say(work, f"{stop}.failed")
            raise
        try:
            with phases.phase("manifest"):
                taken = beside.result()
            _hold(work, summary, taken, previous)
        except DsiError:
            _drop(work, summary, beside)
            raise
    return MadeSet(
        snapshot=summary.snapshot,
        repository=summary.repository,
        engine=str(engine),
        started_at=started,
        ended_at=started,
        files=taken.numbers.files,
        size=taken.numbers.size,
        added=summary.added,
        manifest=taken.sha256,
        manifest_file=taken.path.name,
        changed=taken.numbers.changed,
        details={
            "paths": list(work.files.paths),
            "exclude": list(work.files.exclude),
            "host": work.shell.name,
            "clock_offset": None if seen.offset is None else round(seen.offset, 3),
        },
        warnings=_warnings(work, engine, taken, seen),
    )


def _wanted(work: Work, run: str) -> Wanted:
    return Wanted(
        work.files.paths,
        ("dsi", f"job={work.name}", f"run={run}"),
        work.files.exclude,
        work.files.one_file_system,
        timeout=work.common.timeout.total_seconds(),
    )


def _hold(work: Work, summary: Summary, taken: manifest.Manifest, previous: StoredSet | None) -> None:
    """Hold what was made against what must be.

    Raises:
        IncompleteError: not all could be read. SuspectError: too little was there.
    """
    # What vanished between the walk and the reading is no hole; what may not be read is one.
    unread = [(path, reason) for path, reason in taken.unread if not reason.startswith("No such file")]
    if unread:
        raise IncompleteError(
            T("{path} on {host} could not be read: {reason}.", path=unread[0][0], host=work.shell.name,
              reason=unread[0][1]),
            on=work.name,
            meaning=T("A backup with holes is none: what was made of it was removed again."),
            next_step=T("See to the files it names: rights, disk, paths in the plan."),
            detail={"unread": [f"{path}: {reason}" for path, reason in unread[: manifest.MENTIONED]]},
        )  # fmt: skip
    files = min(taken.numbers.files, summary.files)
    if files < work.common.minimum_files:
        raise SuspectError(
            T("Only {files} files were there: at least {minimum} must be.", files=files,
              minimum=work.common.minimum_files),
            on=work.name,
            meaning=T("The backup does not count, and no earlier one was touched."),
            next_step=T("See whether the filesystem is mounted and the data is there."),
        )  # fmt: skip
    if previous is None:
        return
    for now, then in ((files, previous.made.files), (taken.numbers.size, previous.made.size)):
        if now < work.common.shrink * then:
            raise SuspectError(
                T("Much less was there than last time: {files} files and {size} bytes, after {files_before} and "
                  "{size_before}.", files=files, size=taken.numbers.size, files_before=previous.made.files,
                  size_before=previous.made.size),
                on=work.name,
                meaning=T("The backup does not count, and no earlier one was touched."),
                next_step=T("If it is right that so much is gone, lower shrink in the plan for this backup."),
            )  # fmt: skip


def _warnings(work: Work, engine: version.Version, taken: manifest.Manifest, seen: source.Looked) -> tuple[Text, ...]:
    found = [] if engine.warning is None else [engine.warning]
    if taken.numbers.changed:
        found.append(T("{n} files changed while they were read.", n=taken.numbers.changed))
    if seen.offset is not None and abs(seen.offset) > source.CLOCK_TOLERANCE:
        found.append(T("The clock of {host} is off by {seconds} s.", host=work.shell.name, seconds=round(seen.offset)))
    return tuple(found)


def _hook(work: Work, words: tuple[str, ...]) -> None:
    done = work.shell.run(Program(words, timeout=work.common.timeout.total_seconds()))
    if done.status != 0:
        raise BackupFailedError(
            T("The command {command} on {host} ended with status {status}.", command=words[0], host=work.shell.name,
              status=done.status),
            on=work.name,
            detail={"said": (done.complaint or done.text)[-2000:]},
        )  # fmt: skip


def _after(work: Work, phases: Phases) -> Text | None:
    """Run the hook after; returns what was wrong with it."""
    if work.common.after is None:
        return None
    try:
        with phases.phase("after"):
            _hook(work, work.common.after)
    except DsiError as error:
        return T("After the backup: {failure}", failure=error.what)
    return None


def _say(work: Work, path: str) -> None:
    # The agent waits for this file; a connection that broke has ended it already.
    with suppress(DsiError):
        work.shell.run(Program(["sh", "-c", 'mkdir -p -m 700 -- "${1%/*}" && : >"$1"', "dsi", path], timeout=60.0))


def _drop(work: Work, summary: Summary, beside: Future[manifest.Manifest]) -> None:
    """Remove what was made of a backup that does not count; what cannot be removed is in no record all the same."""
    with suppress(DsiError):
        beside.result().path.unlink(missing_ok=True)
    with suppress(DsiError):
        work.reader.drop([summary.snapshot])


def _telling(progress: Progress) -> Told:
    return lambda done, total: progress(T("restic reads and sends"), done, total or None)
