"""Bringing files back: to another place on the controller, or in place on the server."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.files import source
from dsi_automation.connectors.backups.files.proving import Findings, add_comparison
from dsi_automation.connectors.backups.files.work import Work
from dsi_automation.connectors.backups.manifest import Comparison, Entry, Manifest
from dsi_automation.connectors.backups.port import Progress, Restored, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.restic.driver import at
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.text import T


def restore(work: Work, of: StoredSet, order: RestoreOrder, progress: Progress) -> Restored:
    """Bring back what is ordered, and compare it with the manifest.

    Raises:
        UsageError: the set does not hold it. RefusedError: the destination holds something.
    """
    work.may_write()
    if order.until is not None or order.database is not None:
        raise UsageError(T("A set of files knows neither a moment nor a database."), on=work.name)
    kept = manifest.load(work.manifest_of(of), of.made.manifest)
    paths = tuple(path.rstrip("/") or "/" for path in order.paths)
    absent = [path for path in paths if path not in kept.by_path]
    if absent:
        raise UsageError(
            T("The set {set} does not hold {path}.", set=of.id, path=absent[0]),
            on=work.name,
            next_step=T("See what it holds with: dsi backup contents {name}", name=work.name),
        )
    progress(T("Files are brought back"), None, None)
    if order.destination is None:
        comparison, place = _in_place(work, of, kept, paths, order), work.shell.name
    else:
        place = order.destination
        _refuse_full(Path(place), work.name)
        work.reader.restore(of.made.snapshot, place, include=paths, verify=False)
        comparison = manifest.compare(kept, Path(place), below=paths or None)
    findings = Findings(work.name)
    add_comparison(findings, comparison)
    return Restored(place, comparison.files, comparison.size, tuple(findings.checks))


def _refuse_full(place: Path, name: str) -> None:
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise RefusedError(
            T("{path} holds something already.", path=str(place)),
            on=name,
            next_step=T("Name an empty folder, or one that is not there yet."),
        )


def _in_place(work: Work, of: StoredSet, kept: Manifest, paths: Sequence[str], order: RestoreOrder) -> Comparison:
    tops = tuple(paths) or tuple(str(path) for path in _saved(of))
    if not order.overwrite:
        script = 'for p do [ -e "$p" ] && { printf %s "$p"; exit 1; }; done; exit 0'
        done = work.shell.run(Program(["sh", "-c", script, "dsi", *tops]))
        if done.status != 0:
            raise RefusedError(
                T("{path} is there on {host}, and may not be replaced.", path=done.text, host=work.shell.name),
                on=work.name,
                next_step=T("Restore to another place, or have the replacement approved (in place)."),
            )
    seen = source.look(work)
    at(work.writer, cache=f"{seen.cache}/restic").restore(of.made.snapshot, "/", include=tops, verify=False)
    with tempfile.TemporaryDirectory(prefix="dsi-") as folder:
        # No cache of hashes: what is on the server's disk now is read.
        found = manifest.take(work.shell, manifest.Order(tops), Path(folder) / "now.jsonl.gz")
        return against(kept, found, tops)


def _saved(of: StoredSet) -> Sequence[object]:
    paths = of.made.details.get("paths")
    return paths if isinstance(paths, list) else ()


def against(kept: Manifest, found: Manifest, tops: Sequence[str]) -> Comparison:
    """Hold one manifest against another, below some paths; what is there besides is no difference."""
    now = found.by_path
    wanted = [
        entry
        for entry in kept.entries
        if any(entry.path == top or entry.path.startswith(top.rstrip("/") + "/") for top in tops)
    ]
    missing = [entry.path for entry in wanted if entry.path not in now and not entry.changed]
    different = [
        entry.path
        for entry in wanted
        if entry.path in now and not entry.changed and _told(entry) != _told(now[entry.path])
    ]
    read = [entry for entry in wanted if entry.type == "file"]
    return Comparison(len(read), sum(entry.size for entry in read), tuple(missing), tuple(different))


def _told(entry: Entry) -> tuple[object, ...]:
    return entry.type, entry.size, entry.sha256, entry.target
