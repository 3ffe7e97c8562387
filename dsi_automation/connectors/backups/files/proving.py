"""Proving a set: read the repository by the controller's own way, bring files back, compare them with the manifest."""

from __future__ import annotations

import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.manifest import Comparison, Manifest
from dsi_automation.connectors.backups.port import Depth, Progress, Proven, StoredSet
from dsi_automation.connectors.backups.restic.driver import Restic
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text

SAMPLE_MOST: Final = 200
"""Files a sample brings back at most: restic holds every name of the snapshot against each of them."""

PREFIX: Final = "verify-"
ALL: Final = "all"
"""What `restic check` calls all of the data."""
NO_ERRORS: Final = T("no errors")


class Findings:
    """The checks of one proof, as they are made."""

    def __init__(self, target: str) -> None:
        """Collect checks about `target`."""
        self._target = target
        self.checks: list[Check] = []

    def add(self, name: str, title: Text, expected: str, observed: str, *, ok: bool, source: str) -> bool:
        """Add a check; returns whether it is good."""
        self.checks.append(Check(self._target, name, title, expected, observed, ok, source))
        return ok

    def failed(self, name: str, title: Text, error: DsiError, source: str) -> None:
        """Add a check that failed with an error."""
        words = str(error.detail.get("restic", ""))[-500:]
        self.add(name, title, "", f"{error.what} {words}".strip(), ok=False, source=source)


def prove(
    target: str, reader: Restic, of: StoredSet, snapshot: str, manifest_file: Path, scratch: Path, depth: Depth,
    sample: float, rotation: Path, progress: Progress,
) -> Proven:  # fmt: skip
    """Prove one snapshot against its manifest.

    Raises:
        TransientError: nothing could be said: locked, not reached, scratch full.
    """
    findings, phases, start = Findings(target), dict[str, float](), time.monotonic()
    restored, size, level = 0, 0, 2
    try:
        kept = manifest.load(manifest_file, of.made.manifest)
        findings.add("manifest", T("Manifest of the set"), of.made.manifest, kept.sha256, ok=True,
                     source=str(manifest_file))  # fmt: skip
    except DsiError as error:
        kept = None
        findings.failed("manifest", T("Manifest of the set"), error, str(manifest_file))
    if not repository(findings, reader, of, snapshot):
        return Proven(level, depth, tuple(findings.checks), 0, 0, phases)
    progress(T("The repository is read back"), None, None)
    sound = _read_data(findings, reader, depth, sample, rotation)
    phases["check"], start = time.monotonic() - start, time.monotonic()
    # From a damaged repository nothing is brought back for a proof: restic would try each file again for minutes.
    if kept is not None and sound:
        progress(T("Files are brought back and compared"), None, None)
        level = 3
        comparison = _bring_back(findings, reader, snapshot, kept, scratch, depth, sample)
        restored, size = (0, 0) if comparison is None else (comparison.files, comparison.size)
        phases["restore"] = time.monotonic() - start
    return Proven(level, depth, tuple(findings.checks), restored, size, phases)


def repository(findings: Findings, reader: Restic, of: StoredSet, snapshot: str) -> bool:
    """Check that the repository is the one the set was written to, and still lists it.

    Raises:
        TransientError: it cannot be reached.
    """
    try:
        identity = reader.identity()
        if not findings.add("repository", T("Repository"), of.made.repository, identity or "-",
                            ok=identity == of.made.repository, source="restic cat config"):  # fmt: skip
            return False
        listed = [item.id for item in reader.snapshots([snapshot])]
    except TransientError:
        raise
    except BackupFailedError as error:
        findings.failed("repository", T("Repository"), error, "restic")
        return False
    return findings.add("snapshot", T("The set is still in the repository"), snapshot, ", ".join(listed) or "-",
                        ok=bool(listed), source="restic snapshots")  # fmt: skip


def _read_data(findings: Findings, reader: Restic, depth: Depth, sample: float, rotation: Path) -> bool:
    part = ALL if depth is Depth.FULL else next_part(rotation, sample)
    try:
        checked = reader.check(part)
    except TransientError:
        raise
    except BackupFailedError as error:
        findings.failed("data", T("Data of the repository"), error, "restic check")
        return False
    return findings.add(
        "data",
        T("Data of the repository, all of it") if part == ALL else T("Data of the repository, part {part}", part=part),
        str(NO_ERRORS),
        checked.complaint or str(NO_ERRORS),
        ok=checked.ok,
        source="restic check",
    )


def next_part(rotation: Path, sample: float) -> str:
    """Return which part of the data is due, `3/20`: one after the other, so that all of it is read in turn."""
    parts = max(1, math.ceil(1 / sample)) if sample > 0 else 1
    try:
        last = int(rotation.read_text())
    except (OSError, ValueError):
        last = 0
    due = last % parts + 1
    rotation.parent.mkdir(parents=True, exist_ok=True)
    rotation.write_text(str(due))
    return f"{due}/{parts}"


def _bring_back(
    findings: Findings, reader: Restic, snapshot: str, kept: Manifest, scratch: Path, depth: Depth, sample: float
) -> Comparison | None:
    chosen = None if depth is Depth.FULL else choose(kept, sample)
    title = T("Files brought back")
    if chosen is not None and not chosen:
        findings.add("restore", title, "0", "0", ok=True, source="restic restore")
        return None
    with room(scratch) as place:
        try:
            # Every byte is compared with our own hashes below: restic's own second reading would prove less.
            reader.restore(snapshot, str(place), include=chosen or (), verify=False)
        except TransientError:
            raise
        except BackupFailedError as error:
            findings.failed("restore", title, error, "restic restore")
            return None
        comparison = manifest.compare(kept, place, only=None if chosen is None else set(chosen))
    add_comparison(findings, comparison)
    return comparison


def add_comparison(findings: Findings, comparison: Comparison) -> None:
    """Add what a comparison found, byte by byte."""
    found = [
        (T("missing"), comparison.missing),
        (T("different"), comparison.different),
        (T("unexpected"), comparison.unexpected),
    ]
    observed = "; ".join(
        f"{word}: {len(names)} ({', '.join(shown(name) for name in names[: manifest.MENTIONED])})"
        for word, names in found
        if names
    )
    whole = str(T("{files} files, {size} bytes", files=comparison.files, size=comparison.size))
    title = T("Files brought back, compared byte by byte with the manifest")
    findings.add("content", title, whole, observed or whole, ok=comparison.ok, source="SHA-256")


def shown(path: str) -> str:
    """Return a path that can be printed: bytes that are not UTF-8 show as such."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def choose(kept: Manifest, sample: float) -> list[str]:
    """Choose files of a sample: others each time."""
    steady = [entry.path for entry in kept.files if not entry.changed]
    count = min(len(steady), SAMPLE_MOST, max(1, math.ceil(sample * len(steady))))
    return random.SystemRandom().sample(steady, count)


@contextmanager
def room(scratch: Path) -> Iterator[Path]:
    """Make an empty folder for one proof, and remove it after; what killed proofs left is removed first.

    Raises:
        TransientError: there is no room, or no right.
    """
    try:
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(scratch)
        place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch))
    except OSError as error:
        raise TransientError(
            T("The scratch folder {path} cannot be used: {reason}.", path=str(scratch),
              reason=error.strerror or str(error)),
            next_step=T("See scratch_dir in dsi_backup."),
        ) from error  # fmt: skip
    try:
        yield place
    finally:
        shutil.rmtree(os.fsencode(place), ignore_errors=True)


def sweep(scratch: Path) -> Sequence[str]:
    """Remove what killed proofs left behind; returns the names."""
    left = [item for item in scratch.glob(f"{PREFIX}*") if item.is_dir()]
    for item in left:
        shutil.rmtree(os.fsencode(item), ignore_errors=True)
    return [item.name for item in left]
