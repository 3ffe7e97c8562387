"""A database's repository, kept by restic: written by its `url`, read back by its `read_url`, copied onto media."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from secrets import randbelow
from typing import Final

from dsi_automation.connectors.backups.port import Copied, Progress, RepositoryFacts, Snapshot, StoredSet
from dsi_automation.connectors.backups.restic import Restic, Wanted, looking, read, written
from dsi_automation.connectors.backups.restic.store import Stored
from dsi_automation.connectors.backups.settings import JobSettings, RepositorySettings
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

_PARTS: Final = 1000
"""A share of the data is read as one of so many parts at least: another one each time."""


class ResticStore:
    """`Store` on restic; the controller writes and reads."""

    def __init__(self, common: JobSettings, repository: RepositorySettings, shell: Shell) -> None:
        """Open nothing yet."""
        self._common = common
        cache = str(common.manifests / "restic-cache")
        self._writer = written(repository, shell, repository.restic, upload_kib=common.bandwidth_kib, cache=cache)
        self._reader = read(repository, shell)
        self._shell = shell
        self._written_to: str | None = None

    def facts(self) -> RepositoryFacts:
        """Look at the repository by the path of verification."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(self._reader.version)
            found = looking.look(self._reader, tags=(f"job={self._common.name}",))
            version = str(asked.result())
        if found is None:
            return RepositoryFacts(exists=False, engine=version)
        held = found.locks
        return RepositoryFacts(
            exists=True,
            id=found.identity,
            engine=version,
            snapshots=tuple(Snapshot(s.id, s.at, s.host, s.tags, s.paths) for s in found.snapshots),
            locked=None if not held else f"{held[0].host}, {held[0].pid}, {held[0].at:%Y-%m-%d %H:%M} UTC",
        )

    def initialise(self) -> str:
        """Make the repository; one that is there is left as it is."""
        return self._writer.initialise()

    def identity(self) -> str:
        """Return the repository's identifier, as it was when something was last written to it."""
        return self._written_to or self._writer.identity() or ""

    def save(self, paths: Sequence[Path], tags: Sequence[str], progress: Progress) -> Stored:
        """Make a snapshot of files and folders of the controller."""
        wanted = Wanted(
            paths=tuple(str(path) for path in paths),
            tags=tuple(tags),
            host=self._common.name,
            timeout=self._common.timeout.total_seconds(),
        )
        made = self._writer.back_up(wanted, lambda done, total: progress(T("Writing to the repository."), done, total))
        self._written_to = made.repository
        return Stored(made.snapshot, made.files, made.size, made.added)

    def bring(self, snapshot: str, target: Path, progress: Progress) -> None:
        """Bring back all of a snapshot; what it holds is compared by who asked, byte for byte."""
        progress(T("Reading from the repository."), None, None)
        self._reader.restore(snapshot, str(target), verify=False, timeout=self._common.timeout.total_seconds())

    def check(self, share: float | None) -> str | None:
        """Check the repository, and read that share of its data or all; return what is wrong, None for nothing."""
        part = "all" if share is None else _part(share)
        done = self._reader.check(part, timeout=self._common.timeout.total_seconds())
        return None if done.ok else done.complaint.strip()[:1000]

    def forget(self, snapshots: Sequence[str]) -> int:
        """Remove these snapshots; return the bytes freed."""
        return self._writer.forget(snapshots, timeout=self._common.timeout.total_seconds())

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove those of these snapshots that are this backup's; return the bytes freed."""
        return self._writer.forget_of(self._common.name, snapshots, self._common.timeout.total_seconds())

    def copy(self, of: StoredSet, folder: str, password: Secret) -> Copied:
        """Copy the snapshots of a set into a repository in a folder of the controller."""
        target = self._at(folder, password)
        target.initialise(like=self._reader)
        before = _size(Path(folder))
        wanted = (of.made.snapshot, *of.made.extra_snapshots)
        made = self._reader.copy(wanted, target, timeout=self._common.timeout.total_seconds())
        total = _size(Path(folder))
        first, *others = (made[each] for each in wanted)
        return Copied(
            snapshot=first.id,
            size=total - before,
            total=total,
            extra_snapshots=tuple(each.id for each in others),
            details={"engine": "restic", "version": str(self._reader.version()), "tree": first.tree},
        )

    def verify_copy(self, of: StoredSet, copied: Copied, folder: str, password: Secret, target: str) -> list[Check]:
        """Read all data of a copy back; its snapshots must hold the same content as those of the set."""
        there = self._at(folder, password)
        done = there.check("all", timeout=self._common.timeout.total_seconds())
        title = T("All data of the copy can be read")
        said = "ok" if done.ok else done.complaint.strip()[:500]
        checks = [Check(target, "copy.data", title, "ok", said, done.ok, "restic check --read-data")]
        wanted = {s.id: s.tree for s in self._reader.snapshots((of.made.snapshot, *of.made.extra_snapshots))}
        found = {s.id: s.tree for s in there.snapshots((copied.snapshot, *copied.extra_snapshots))}
        pairs = zip(
            (of.made.snapshot, *of.made.extra_snapshots), (copied.snapshot, *copied.extra_snapshots), strict=True
        )
        for number, (ours, theirs) in enumerate(pairs):
            # What a tree is called is the hash of all it holds.
            expected, seen = wanted.get(ours, "-"), found.get(theirs, "-")
            title = T("The copy holds the same content")
            same = expected == seen and seen not in ("", "-")
            checks.append(Check(target, f"copy.tree.{number}", title, expected, seen, same, "restic snapshots"))
        return checks

    def _at(self, folder: str, password: Secret) -> Restic:
        place = replace(self._reader.place, url=folder, password=password, sftp_command=None, ca_file=None)
        return Restic(place, self._shell)


def _part(share: float) -> str:
    if share >= 1:
        return "all"
    total = max(2, round(1 / share)) if share > 1 / _PARTS else _PARTS
    # Chance has no memory to lose: every part comes up sooner or later, on any controller.
    return f"{randbelow(total) + 1}/{total}"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
