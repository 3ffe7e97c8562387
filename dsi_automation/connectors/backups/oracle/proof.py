"""Proves a set: by the path of verification, never by the one it was written by, byte for byte.

What it proves: the repository is whole, and the pieces come back exactly as RMAN wrote and validated them. What it
does not: that Oracle opens a database from them; only a restore on another host shows that.
"""

from __future__ import annotations

import shutil
from secrets import randbelow

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import DamagedBackupError, TransientError
from dsi_automation.connectors.backups.manifest import Manifest, ManifestError
from dsi_automation.connectors.backups.oracle import details
from dsi_automation.connectors.backups.port import Depth, Progress, Proven, StoredSet
from dsi_automation.connectors.backups.restic import read
from dsi_automation.connectors.backups.restic.repository import ResticStore
from dsi_automation.connectors.backups.settings import JobSettings, RepositorySettings
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text


class Proof:
    """One verification of one set."""

    def __init__(
        self, of: StoredSet, store: ResticStore, repository: RepositorySettings, common: JobSettings, clock: Clock
    ) -> None:
        """Begin with nothing found."""
        self._of, self._store, self._common, self._clock = of, store, common, clock
        self._reader = read(repository, LocalShell())
        self._checks: list[Check] = []
        self._phases: dict[str, float] = {}
        self._scratch = common.scratch / "verify"

    def run(self, depth: Depth, progress: Progress) -> Proven:
        """Compare; a set that is bad is a failed check.

        Raises:
            TransientError: nothing could be said about the set.
        """
        self._clean()
        try:
            said = details.read(self._of)
            kept = self._kept()
            if kept is None or not self._there(said):
                return self._proven(depth, 0, 0, level=0)
            self._repository(depth, progress)
            self._validated(said)
            files, size = self._brought_back(kept, depth, progress)
        finally:
            self._clean()
        return self._proven(depth, files, size, level=3)

    def _kept(self) -> Manifest | None:
        made, title = self._of.made, T("The manifest is the one of the set")
        try:
            found = manifest.load(self._common.manifests / made.manifest_file, made.manifest)
        except ManifestError as error:
            self._add(
                "manifest", T("The manifest is the one of the set"), made.manifest[:16], str(error.what), ok=False
            )
            return None
        self._add("manifest", title, made.manifest[:16], found.sha256[:16], ok=True)
        return found

    def _there(self, said: details.Details) -> bool:
        facts = self._store.facts()
        there = {snapshot.id for snapshot in facts.snapshots}
        wanted = (self._of.made.snapshot, *self._of.made.extra_snapshots)
        seen = [name for name in wanted if name in there]
        same = facts.id == self._of.made.repository
        self._add("repository", T("The repository is the one the set is in"), self._of.made.repository[:16],
                  (facts.id or "-")[:16], ok=same)  # fmt: skip
        title = (
            T("The set is in the repository")
            if said.base is None
            else T("The set, and the level 0 it stands on, are in the repository")
        )
        found = len(seen) == len(wanted)
        self._add("snapshots", title, str(len(wanted)), str(len(seen)), ok=found)
        return same and found

    def _repository(self, depth: Depth, progress: Progress) -> None:
        progress(T("Checking the repository."), None, None)
        began = self._clock.monotonic()
        wrong = self._store.check(None if depth is Depth.FULL else self._common.sample)
        self._phases["check"] = self._clock.monotonic() - began
        self._add("data", T("The repository is whole"), "ok", wrong or "ok", ok=wrong is None)

    def _validated(self, said: details.Details) -> None:
        ok = {"validated", "crosscheck", "proof_log"} <= set(said.validated)
        title = T("RMAN validated the pieces when they were made")
        self._add("rman", title, "yes", "yes" if ok else "no", ok=ok, source=said.tag)

    def _brought_back(self, kept: Manifest, depth: Depth, progress: Progress) -> tuple[int, int]:
        chosen = None if depth is Depth.FULL else self._sample(kept)
        progress(T("Bringing the pieces back to compare them."), 0, kept.size)
        began = self._clock.monotonic()
        self._scratch.mkdir(parents=True, mode=0o700)
        try:
            self._reader.restore(
                self._of.made.snapshot,
                str(self._scratch),
                include=() if chosen is None else sorted(chosen),
                verify=False,  # every byte is compared below, with the manifest
                timeout=self._common.timeout.total_seconds(),
            )
        except TransientError:
            raise
        except DsiError as error:
            if not isinstance(error, DamagedBackupError):
                raise
            self._add("restored", T("The pieces can be brought back"), "yes", str(error.what), ok=False)
            return 0, 0
        middle = self._clock.monotonic()
        found = manifest.compare(kept, self._scratch, only=chosen)
        self._phases |= {"restore": middle - began, "compare": self._clock.monotonic() - middle}
        wrong = (*found.missing, *found.different, *found.unexpected)
        observed = "0" if not wrong else f"{len(wrong)}: {', '.join(wrong[:5])}"
        self._add("bytes", T("Pieces that are not, byte for byte, what RMAN wrote"), "0", observed, ok=found.ok)
        return found.files, found.size

    def _sample(self, kept: Manifest) -> set[str]:
        """Return the small files, and big ones by chance until the share is reached."""
        wanted, chosen, size = self._common.sample * kept.size, set[str](), 0
        left = sorted(kept.files, key=lambda entry: entry.size)
        while left and (size < wanted or not chosen):
            entry = left.pop(0) if not chosen else left.pop(randbelow(len(left)))
            chosen.add(entry.path)
            size += entry.size
        return chosen

    def _add(
        self,
        name: str,
        title: Text,
        expected: str,
        observed: str,
        *,
        ok: bool,
        source: str | None = None,
    ) -> None:
        where = source or self._of.made.snapshot[:16]
        self._checks.append(Check(self._of.job, name, title, expected, observed, ok, where))

    def _proven(self, depth: Depth, files: int, size: int, *, level: int) -> Proven:
        return Proven(level, depth, tuple(self._checks), files, size, dict(self._phases))

    def _clean(self) -> None:
        if self._scratch.exists():
            shutil.rmtree(self._scratch)
