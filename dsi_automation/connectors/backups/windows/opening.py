"""Opens a backup of files of a Windows server, behind the port of all backup engines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups import manifest, restic
from dsi_automation.connectors.backups.errors import BackupFailedError, NoRepositoryError
from dsi_automation.connectors.backups.files.opening import FilesEngine
from dsi_automation.connectors.backups.files.work import Work
from dsi_automation.connectors.backups.port import (
    BackupWriter,
    Listed,
    MadeSet,
    Progress,
    Restored,
    RestoreOrder,
    SourceFacts,
    StoredSet,
)
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.backups.windows.server import Looked, Saved, WindowsServer
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.windows.port import WindowsEndpoint
from dsi_automation.connectors.windows.transport import Channel
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T, Text

_DRIVE: Final = re.compile(r"([A-Za-z]):[\\/]?(.*)", re.DOTALL)
_OFF: Final = 60.0
"""Seconds a clock may be off before it is told."""


def open_windows_files(
    common: JobSettings,
    files: FilesSettings,
    endpoint: WindowsEndpoint,
    repository: RepositorySettings,
    clock: Clock,
    permit: WritePermit | None,
    *,
    channel: Channel | None = None,
) -> BackupWriter:
    """Return the engine of one backup of a Windows server; without a permit it is used to look only."""
    server = WindowsServer(endpoint, common, files, repository, clock, permit, channel=channel)
    local = LocalShell()
    reader = restic.read(repository, local)
    # Everything but the making itself happens on the controller, by the path of verification.
    return WindowsFiles(server, Work(common, files, repository, local, local, reader, reader, clock, permit))


class WindowsFiles(FilesEngine):
    """Files of one Windows server; what is made is proven and brought back as files of Linux servers are."""

    def __init__(self, server: WindowsServer, work: Work) -> None:
        """Work with these."""
        super().__init__(work)
        self._server = server

    def source(self) -> SourceFacts:
        """Look at the server."""
        before = self._work.clock.now().timestamp()
        seen = self._server.look()
        offset = seen.clock - before
        warnings = [] if seen.version.warning is None else [seen.version.warning]
        if abs(offset) > _OFF:
            warnings.append(
                T("The clock of {host} is off by {seconds} s.", host=self._server.name, seconds=round(offset))
            )
        return SourceFacts(
            str(seen.version), offset, tuple(self._problems(seen)), tuple(warnings), {"host": self._server.name}
        )

    def contents(self, of: StoredSet, path: str = "/") -> Sequence[Listed]:
        """List what a set holds directly under a folder, named as on Windows or as in the repository."""
        return super().contents(of, in_repository(path))

    def initialise(self) -> str:
        """Have the server make the repository, unless it is there; return its identifier as the controller sees it."""
        self._work.may_write()
        found = self._work.reader.identity()
        if found is None:
            self._server.initialise()
            found = self._work.reader.identity()
        if found is None:
            raise NoRepositoryError(
                T("What {host} made is not where the controller reads.", host=self._server.name),
                on=self._work.name,
                next_step=T("Compare url and read_url of the repository in the inventory."),
            )
        return found

    def back_up(self, run: str, previous: StoredSet | None, progress: Progress) -> MadeSet:
        """Have the server make one set; it counts when the controller finds it, and enough is in it."""
        work = self._work
        work.may_write()
        if work.common.before is not None or work.common.after is not None:
            raise UsageError(T("Commands before and after are not run on Windows servers."), on=work.name)
        started, clock = work.clock.now(), work.clock.monotonic()
        problems = self._problems(self._server.look())
        if problems:
            raise BackupFailedError(
                problems[0], on=work.name, next_step=T("See to it on the server, or change the plan.")
            )
        progress(T("restic reads and sends"), None, None)
        saved = self._server.back_up(("dsi", f"job={work.name}", f"run={run}"))
        listed = [item for item in work.reader.snapshots([saved.snapshot]) if f"job={work.name}" in item.tags]
        if len(listed) != 1:
            raise BackupFailedError(
                T("The snapshot {snapshot} that restic named is not in the repository.", snapshot=saved.snapshot),
                on=work.name,
                next_step=T("Compare url and read_url of the repository in the inventory."),
            )
        kept = self._kept(run, saved)
        try:
            self._hold(kept, saved, previous)
        except BackupFailedError:
            kept.path.unlink(missing_ok=True)
            work.reader.forget([listed[0].id])
            raise
        unhashed = [entry.path for entry in kept.files if entry.sha256 is None]
        told = [T("{n} files changed while they were read.", n=kept.changed)] if kept.changed else []
        return MadeSet(
            snapshot=listed[0].id,
            repository=work.reader.identity() or "",
            engine="restic",
            started_at=started,
            ended_at=work.clock.now(),
            files=len(kept.files),
            size=kept.size,
            added=saved.added,
            manifest=kept.sha256,
            manifest_file=kept.path.name,
            changed=kept.changed,
            phases={"backup": work.clock.monotonic() - clock},
            details={"paths": list(work.files.paths), "host": self._server.name, "unhashed": len(unhashed)},
            warnings=tuple(told),
        )

    def restore(self, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
        """Bring back to a folder of the controller; drive C: is the folder C in it.

        Raises:
            UsageError: it was asked for in place.
        """
        if order.destination is None:
            raise UsageError(
                T("Files of a Windows server are not brought back in place."),
                on=self._work.name,
                next_step=T("Bring them back to a folder of the controller, and copy them from there."),
            )
        paths = tuple(in_repository(path) for path in order.paths)
        return super().restore(of, replace(order, paths=paths), progress)

    def close(self) -> None:
        """End the session with the server."""
        self._server.close()

    def _problems(self, seen: Looked) -> list[Text]:
        states = zip(self._work.files.paths, seen.paths, strict=True)
        return [
            T("{path} on {host} is missing or empty.", path=path, host=self._server.name)
            for path, state in states
            if state != "ok"
        ]

    def _kept(self, run: str, saved: Saved) -> manifest.Manifest:
        name = f"{run}-{hashlib.sha256(saved.manifest).hexdigest()[:8]}.jsonl.gz"
        place: Path = self._work.common.manifests / name
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{name}.part")
        draft.write_bytes(saved.manifest)
        draft.replace(place)
        try:
            return manifest.load(place, None)
        except DsiError:
            # The snapshot that nothing proves is no set: a later run removes it, as what a killed one left.
            place.unlink(missing_ok=True)
            raise

    def _hold(self, kept: manifest.Manifest, saved: Saved, previous: StoredSet | None) -> None:
        common = self._work.common
        files = min(len(kept.files), saved.files)
        least = (0, 0) if previous is None else (previous.made.files, previous.made.size)
        if files < common.minimum_files or files < common.shrink * least[0] or kept.size < common.shrink * least[1]:
            raise BackupFailedError(
                T(
                    "Much less was there than must be: {files} files and {size} bytes.",
                    files=files,
                    size=kept.size,
                ),
                on=self._work.name,
                meaning=T("The backup does not count, and no earlier one was touched."),
                next_step=T("If it is right that so much is gone, lower shrink in the plan for this backup."),
            )


def in_repository(path: str) -> str:
    r"""Return a Windows path as restic names it: `C:\Donnees\a` is `/C/Donnees/a`; any other is left as it is."""
    found = _DRIVE.fullmatch(path)
    if found is None:
        return path
    rest = found[2].replace("\\", "/").strip("/")
    return f"/{found[1].upper()}/{rest}".rstrip("/")
