"""Copies of a set in a repository of their own, in a folder: for media, with a password of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.files.proving import ALL, NO_ERRORS, Findings, shown
from dsi_automation.connectors.backups.manifest import Manifest
from dsi_automation.connectors.backups.port import Copied, StoredSet
from dsi_automation.connectors.backups.restic.driver import Restic
from dsi_automation.connectors.backups.restic.model import Place
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T


def copy_set(reader: Restic, local: Shell, of: StoredSet, folder: str, password: Secret) -> Copied:
    """Copy a set, and all snapshots that belong to it, into a repository in `folder`, made there when missing.

    Raises:
        DamagedBackupError: the set is damaged: what was copied does not count.
        FullError, TransientError, WrongKeyError: see there.
    """
    wanted = (of.made.snapshot, *of.made.extra_snapshots)
    before = held(Path(folder))
    known = {item.id: item.tree for item in reader.snapshots(wanted)}
    there = Restic(Place(folder, password, reader.place.program), local, peers=reader.peers)
    there.initialise(like=reader)
    made = reader.copy(wanted, there)
    total = held(Path(folder))
    return Copied(
        snapshot=made[wanted[0]].id,
        size=max(0, total - before),
        total=total,
        extra_snapshots=tuple(made[item].id for item in wanted[1:]),
        details={
            "engine": str(there.version()),
            "trees": {made[item].id: known[item] for item in wanted},
            "restore": f"restic -r {folder} restore {made[wanted[0]].id} --target <folder>",
        },
    )


def verify_copy(
    local: Shell, program: str, target: str, of: StoredSet, copied: Copied, folder: str, password: Secret,
    manifest_file: Path,
) -> Sequence[Check]:  # fmt: skip
    """Read all data of a copy back, and hold it against the set.

    restic names everything by the SHA-256 of its content: with all data read and the same tree, the copy holds
    the same bytes, names and attributes as the set that was proven.

    Raises:
        TransientError: nothing can be said about it: locked.
    """
    findings, there = Findings(target), Restic(Place(folder, password, program), local)
    try:
        _hold(findings, there, copied, folder)
        kept = manifest.load(manifest_file, of.made.manifest)
        _names(findings, there, copied, kept, folder)
    except TransientError:
        raise
    except (BackupFailedError, DsiError) as error:
        findings.failed("copy", T("Copy on the medium"), error, folder)
    return tuple(findings.checks)


def _hold(findings: Findings, there: Restic, copied: Copied, folder: str) -> None:
    trees = copied.details.get("trees")
    wanted = trees if isinstance(trees, dict) else {copied.snapshot: None}
    found = {item.id: item.tree for item in there.snapshots(tuple(wanted))}
    for snapshot, tree in wanted.items():
        same = snapshot in found and tree in (None, found[snapshot])
        findings.add("copy_snapshot", T("The set is in the copy, with the same content"), str(tree or snapshot),
                     found.get(snapshot, "-"), ok=same, source=f"restic snapshots, {folder}")  # fmt: skip
    checked = there.check(ALL)
    findings.add("copy_data", T("All data of the copy, read back"), str(NO_ERRORS),
                 checked.complaint or str(NO_ERRORS),
                 ok=checked.ok, source=f"restic check --read-data, {folder}")  # fmt: skip


def _names(findings: Findings, there: Restic, copied: Copied, kept: Manifest, folder: str) -> None:
    sizes = {node.path: node.size for node in there.listing(copied.snapshot) if node.kind == "file"}
    wrong = [entry.path for entry in kept.files if not entry.changed and sizes.get(_listed(entry.path)) != entry.size]
    observed = ", ".join(shown(path) for path in wrong[: manifest.MENTIONED]) or str(len(kept.files))
    findings.add("copy_files", T("Files of the copy, by name and size"), str(len(kept.files)), observed, ok=not wrong,
                 source=f"restic ls, {folder}")  # fmt: skip


def _listed(path: str) -> str:
    """Return a path as restic's JSON shows it: every byte that is not UTF-8 as U+FFFD."""
    return "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in path)


def held(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(item.lstat().st_size for item in folder.rglob("*") if item.is_file()) if folder.exists() else 0
