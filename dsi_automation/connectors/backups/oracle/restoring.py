"""Brings the pieces of a set back to a folder of the host, with a script for RMAN and words for a person.

No database is ever restored over by the toolkit: which instance, which folders and whether to open it are decisions of
the database administrator, on an instance of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.manifest import Manifest
from dsi_automation.connectors.backups.oracle import details, script
from dsi_automation.connectors.backups.port import (
    Progress,
    RepositoryFacts,
    Restored,
    RestoreOrder,
    Snapshot,
    StoredSet,
)
from dsi_automation.connectors.backups.restic import Restic
from dsi_automation.connectors.backups.settings import JobSettings, OracleSettings
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T

SCRIPT = "restore.rman"
README = "LISEZMOI.txt"


@dataclass(frozen=True, slots=True)
class Part:
    """A snapshot that is needed, and the manifest of what is in it."""

    snapshot: str
    manifest: Manifest


def restore(
    of: StoredSet,
    order: RestoreOrder,
    writer: Restic,
    facts: RepositoryFacts,
    oracle: OracleSettings,
    common: JobSettings,
    progress: Progress,
) -> Restored:
    """Put everything that a recovery needs into a folder, and compare it with the manifests.

    Raises:
        UsageError: it was asked for in place or in part, or the moment is outside what can be recovered.
        RefusedError: the folder holds something.
    """
    said, place = details.read(of), _destination(order, common.name)
    parts = _parts(of, said, order.until, facts, common)
    _empty(writer, place, common.name)
    script.restore(oracle, place + said.folder, None, said.autobackup)  # a folder RMAN cannot be told is found out now
    progress(T("Bringing the pieces back."), 0, of.made.size)
    timeout = common.timeout.total_seconds()
    for part in parts:
        writer.restore(part.snapshot, place, verify=False, timeout=timeout)
    checks, files, size = _compare(writer, parts, place, common)
    _explain(writer, said, order.until, place, oracle)
    return Restored(place, files, size, tuple(checks), {"script": f"{place}/{SCRIPT}", "readme": f"{place}/{README}"})


def _destination(order: RestoreOrder, name: str) -> str:
    if order.destination is None or order.overwrite:
        raise UsageError(
            T("An Oracle database is never restored over by the toolkit."),
            on=name,
            next_step=T("Name an empty folder of its host: the pieces and a script for RMAN are put there."),
        )
    if order.paths or order.database is not None:
        raise UsageError(T("The pieces of an Oracle backup are brought back together."), on=name)
    return order.destination.rstrip("/")


def _parts(
    of: StoredSet, said: details.Details, until: datetime | None, facts: RepositoryFacts, common: JobSettings
) -> Sequence[Part]:
    """Return the set, the level 0 it stands on, and the later sets whose logs lead to the moment."""
    parts = [Part(of.made.snapshot, manifest.load(common.manifests / of.made.manifest_file, of.made.manifest))]
    known = {snapshot.id: snapshot for snapshot in facts.snapshots}
    if said.base is not None:
        parts.append(_tagged(known.get(said.base), common))
    if until is None:
        return parts
    first, last = said.window
    reached = said.next_change
    for change, following, logs, snapshot in sorted(
        filter(None, map(_logs, known.values())), key=lambda each: each[:2]
    ):
        if last >= until:
            break
        if change <= reached < following:
            parts.append(_tagged(snapshot, common))
            reached, last = following, logs
    if not first <= until <= last:
        raise UsageError(
            T("{moment:%Y-%m-%d at %H:%M:%S} UTC cannot be recovered from {set}: its logs lead from "
              "{first:%Y-%m-%d at %H:%M:%S} to {last:%Y-%m-%d at %H:%M:%S}.", moment=until, set=of.id, first=first,
              last=last),
            on=common.name,
            next_step=T("Choose a moment in between, or another set."),
        )  # fmt: skip
    return parts


def _logs(snapshot: Snapshot) -> tuple[int, int, datetime, Snapshot] | None:
    """Return which logs a snapshot holds by its own marks; None when it has none."""
    marks = dict(tag.split("=", 1) for tag in snapshot.tags if "=" in tag)
    try:
        first, _, following = marks["scn"].partition("-")
        return int(first), int(following), parse_iso(marks["logs"]), snapshot
    except (LookupError, ValueError):
        return None


def _tagged(snapshot: Snapshot | None, common: JobSettings) -> Part:
    marks = {} if snapshot is None else dict(tag.split("=", 1) for tag in snapshot.tags if "=" in tag)
    if snapshot is None or not script.is_tag(marks.get("tag", "")):
        raise BackupFailedError(
            T("The level 0 that this set stands on is no longer in the repository."),
            on=common.name,
            next_step=T("Choose another set."),
        )
    return Part(snapshot.id, manifest.load(common.manifests / f"{marks['tag']}.jsonl.gz", None))


def _empty(writer: Restic, place: str, name: str) -> None:
    found = writer.shell.run(Program(["find", place, "-mindepth", "1", "-print", "-quit"], timeout=60.0))
    if found.stdout.strip():
        raise RefusedError(
            T("{folder} on {host} holds something already.", folder=place, host=writer.shell.name),
            on=name,
            next_step=T("Name an empty folder, or one that does not exist yet."),
        )


def _compare(writer: Restic, parts: Sequence[Part], place: str, common: JobSettings) -> tuple[list[Check], int, int]:
    """Hash what is on the host now, and hold it against the manifests."""
    with tempfile.TemporaryDirectory(dir=_made(common.scratch), prefix="restored-") as folder:
        timeout = common.timeout.total_seconds()
        found = manifest.take(writer.shell, manifest.Order((place,)), Path(folder) / "found.gz", timeout=timeout)
        here = {entry.path: entry.sha256 for entry in found.files}
    wanted = {place + entry.path: entry for part in parts for entry in part.manifest.files}
    wrong = sorted(path for path, entry in wanted.items() if here.get(path) != entry.sha256)
    extra = sorted(set(here) - set(wanted))
    source, host = "sha256", writer.shell.name
    observed = ", ".join([str(len(wrong)), *wrong[:5]])
    return (
        [
            Check(common.name, "bytes", T("Pieces that are not, byte for byte, what RMAN wrote"), "0", observed,
                  not wrong, f"{source} {host}"),
            Check(common.name, "extra", T("Files that no manifest names"), "0", str(len(extra)), not extra,
                  f"{source} {host}"),
        ],
        len(wanted),
        sum(entry.size for entry in wanted.values()),
    )  # fmt: skip


def _explain(writer: Restic, said: details.Details, until: datetime | None, place: str, oracle: OracleSettings) -> None:
    shell = writer.shell
    local = None
    if until is not None:
        # RMAN takes moments in the time zone of its host.
        words = ["date", "-d", f"@{int(until.timestamp())}", "+%Y-%m-%dT%H:%M:%S"]
        local = datetime.fromisoformat(shell.run(Program(words, timeout=60.0)).text.strip())
    commands = script.restore(oracle, place + said.folder, local, said.autobackup)
    text = T(
        "Database {name}, DBID {dbid}, Oracle {version}.\n\n"
        "The pieces in this folder are, byte for byte, those that RMAN wrote and validated on the day of the backup. "
        "They have not been restored: no database was touched.\n\n"
        "1. Prepare an EMPTY instance with Oracle {version} and this user: {user}.\n"
        "2. Read {script} whole, and adapt folders and names (SET NEWNAME) to that machine.\n"
        "3. Run: rman target / cmdfile={script} log=restore.log\n"
        "4. Read the log from the bottom up; “Recovery Manager complete.” stands under failures too.\n"
        "5. Open the database with RESETLOGS only when no error is in it, and ask it a question of the business.\n",
        name=said.database, dbid=str(said.dbid), version=said.version, user=oracle.user, script=f"{place}/{SCRIPT}",
    )  # fmt: skip
    shell.write(f"{place}/{SCRIPT}", commands.encode("ascii"), mode=0o644)
    shell.write(f"{place}/{README}", str(text).encode(), mode=0o644)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
