"""Brings a cluster back to stay: to another folder, to a moment; or one database of it as a dump."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.port import Progress, Restored, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.postgresql import questioning
from dsi_automation.connectors.backups.postgresql.client import Place, failure
from dsi_automation.connectors.backups.postgresql.configuration import Target
from dsi_automation.connectors.backups.postgresql.details import LOGS_TAG, Details
from dsi_automation.connectors.backups.postgresql.findings import Findings
from dsi_automation.connectors.backups.postgresql.proof import (
    Brought,
    Tools,
    bring,
    compare,
    control_of,
    running,
    same_cluster,
)
from dsi_automation.connectors.backups.postgresql.scratch import cannot_write, clear
from dsi_automation.connectors.backups.postgresql.server import DidNotStartError
from dsi_automation.connectors.backups.postgresql.wal import Segment
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.text import T, Text

_README = T(
    """This folder holds a PostgreSQL {version} cluster brought back by dsi.

Backup:           {job}, set {id}
Recovered to:     {moment}
System:           {system}
Data folder:      {data}

It is stopped. Its archiving is switched off (archive_mode in postgresql.auto.conf): two clusters must never write to
one archive. To start it beside the original, on another port and for this machine only:

    {start}

To put it in the place of the original: stop the original, keep its data folder, move this one there with the same
owner and mode, remove the line archive_mode from postgresql.auto.conf, start it, and make a backup at once: its log
goes on under a new timeline.
"""
)
_AUTO = "\n# Set by the restore: two clusters must never write to one archive.\narchive_mode = 'off'\n"
_PARTIAL = ".dsi-partial"


def fitting(order: RestoreOrder, details: Details) -> None:
    """Make sure that a set can give what is ordered, wherever it goes.

    Raises:
        UsageError: it cannot, with what to ask for instead.
    """
    if order.paths:
        raise UsageError(
            T("Of a database cluster no single files are brought back."),
            next_step=T("Ask for one database instead, or for all of the cluster."),
        )
    if order.database is not None and order.database not in details.databases:
        raise UsageError(
            T("The set holds no database {name}.", name=order.database),
            next_step=T("It holds: {names}.", names=", ".join(sorted(details.databases))),
        )
    if order.until is not None and order.until < details.moment:
        raise UsageError(
            T("This set brings nothing back to before {moment}.", moment=iso(details.moment)),
            next_step=T("Choose an older set for that moment."),
        )


def checked(order: RestoreOrder, details: Details, folder: str) -> Path:
    """Make sure that an order for a folder can be carried out; return it.

    Raises:
        UsageError: it cannot, with what to ask for instead.
        RefusedError: the destination holds something.
    """
    fitting(order, details)
    destination = Path(folder)
    if not destination.is_absolute():
        raise UsageError(T("{folder} is not a whole path.", folder=destination))
    try:
        held = [] if not destination.exists() else [entry.name for entry in destination.iterdir()]
    except OSError as error:
        raise cannot_write(destination, error) from error
    if set(held) - {_PARTIAL}:
        raise RefusedError(
            T("{folder} holds something already.", folder=destination),
            next_step=T("Name an empty folder, or one that does not exist yet."),
        )
    return destination


def restore(
    tools: Tools, stored: StoredSet, details: Details, order: RestoreOrder, progress: Progress, work: Path, folder: str
) -> Restored:
    """Bring back what is ordered to a folder.

    Raises:
        UsageError: the moment is outside of what the logs hold.
        BackupFailedError: what was brought back does not start.
    """
    destination = checked(order, details, folder)
    partial = destination / _PARTIAL
    clear(partial, tools.clock)
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise cannot_write(destination, error) from error
    try:
        # A cluster that stays is recovered where it stays: nothing of its size is copied twice.
        place = partial if order.database is None else work
        findings = Findings(tools.common.name)
        there = set_brought_back(tools, stored, details, progress, place, findings)
        dump = None if order.database is None else destination / f"{order.database}.dump"
        with recovered(tools, details, order, progress, there, place, findings) as (server, reached):
            if dump is not None and order.database is not None:
                _dump(tools, server, order.database, dump, findings)
        told = {"system_identifier": details.system_identifier, "recovered_to": reached}
        if dump is not None:
            return Restored(str(dump), 1, dump.stat().st_size, tuple(findings.checks), told)
        _settle(tools, stored, details, there, destination, reached or iso(details.moment))
        return Restored(str(destination), there.files, there.size, tuple(findings.checks), told)
    finally:
        clear(partial, tools.clock)


def set_brought_back(
    tools: Tools, stored: StoredSet, details: Details, progress: Progress, place: Path, findings: Findings
) -> Brought:
    """Bring the files and logs of a set back, and hold them against their manifest.

    Raises:
        BackupFailedError: they are not what was backed up.
    """
    there = bring(tools, stored, details, place, progress)
    compare(tools, details, there, findings)
    if not findings.ok:
        raise BackupFailedError(
            T("What the repository gave back is not what was backed up; nothing of it is left in {folder}.",
              folder=place),
            next_step=T("Verify the set, and choose an older one that is verified."),
            detail={"failed": [check.observed for check in findings.checks if not check.ok]},
        )  # fmt: skip
    return there


@contextmanager
def recovered(
    tools: Tools, details: Details, order: RestoreOrder, progress: Progress, there: Brought, place: Path,
    findings: Findings,
) -> Iterator[tuple[Place, str | None]]:  # fmt: skip
    """Have the cluster run as it was at the moment ordered; give where it answers, and what was the last it replayed.

    Raises:
        UsageError: the moment is outside of what the logs hold.
        DidNotStartError: it does not start.
    """
    logs = [there.logs]
    target = Target(position=details.position, timeline=details.timeline)
    if order.until is not None:
        target = Target(until=order.until)
        logs = [tools.settings.wal_archive, *_later_logs(tools, details, there, work=place, progress=progress)]
    control = control_of(tools, there.data)
    progress(T("Recovering."), None, None)
    try:
        with running(tools, details, there, place, target, logs, control, durable=True) as server:
            same_cluster(tools, details, server, findings)
            reached = _reached(tools, server, order.until, findings)
            if order.until is None:
                questioning.counts(tools.programs, server, details.counts, findings)
            yield server, reached
    except DidNotStartError as error:
        if order.until is not None and "recovery ended before configured recovery target" in str(error):
            raise _outside(order.until) from error
        raise


def _later_logs(tools: Tools, details: Details, there: Brought, *, work: Path, progress: Progress) -> list[Path]:
    """Return where the logs of later sets are, brought back as far as the archive no longer holds them."""
    folders = [there.logs]
    for snapshot in tools.store.facts().snapshots:
        tag = next((each for each in snapshot.tags if each.startswith(LOGS_TAG)), None)
        last = None if tag is None else Segment.parse(tag.rpartition("-")[2], details.segment_size)
        first = None if tag is None else Segment.parse(tag[len(LOGS_TAG) :].partition("-")[0], details.segment_size)
        if first is None or last is None or last.number <= details.last_segment.number:
            continue
        wanted = (Segment(last.timeline, number) for number in range(first.number, last.number + 1))
        if all((tools.settings.wal_archive / each.name(details.segment_size)).exists() for each in wanted):
            continue
        progress(T("Bringing the archived logs back."), None, None)
        target = work / "later" / snapshot.id
        tools.store.bring(snapshot.id, target, progress)
        folders += sorted({path.parent for path in target.rglob("*") if path.is_file()})
    if (work / "later").exists():
        tools.worker.own(work / "later")
    return folders


def _reached(tools: Tools, server: Place, until: datetime | None, findings: Findings) -> str | None:
    said = tools.programs.ask(
        "SELECT json_build_object('at', to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC',"
        ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'));',
        server,
    )[0]["at"]
    if until is not None:
        findings.add(
            "until",
            T("Nothing later than the moment asked for"),
            f"< {iso(until)}",
            "-" if said is None else str(said),
            ok=said is None or parse_iso(said) < until,
            source=questioning.SOURCE,
        )
    return None if said is None else str(said)


def _dump(tools: Tools, server: Place, database: str, dump: Path, findings: Findings) -> None:
    part = dump.parent / _PARTIAL / dump.name
    done = tools.programs.run("pg_dump", "-Fc", "-f", str(part), "-d", database, place=server)
    if done.status != 0:
        raise failure("pg_dump", done)
    # The list of a dump says nothing of its data: reading it to its end does.
    listed = tools.programs.run("pg_restore", "-f", "/dev/null", str(part))
    findings.fault(
        "dump",
        T("The dump can be read to its end"),
        None if listed.status == 0 else listed.complaint[:500],
        "pg_restore",
    )
    part.chmod(0o600)
    part.rename(dump)


def _settle(tools: Tools, stored: StoredSet, details: Details, there: Brought, destination: Path, moment: str) -> None:
    data = destination / "data"
    with (there.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write(_AUTO)
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        # Debian keeps them outside of the cluster: what a server cannot start without is given, closed to others.
        if not (there.data / name).exists():
            (there.data / name).write_text("local all all peer\n" if name == "pg_hba.conf" else "")
    tools.worker.own(there.data)
    there.data.rename(data)
    (destination / "README.txt").write_text(str(_readme(tools, stored, details, data, moment)) + "\n", encoding="utf-8")


def _readme(tools: Tools, stored: StoredSet, details: Details, data: Path, moment: str) -> Text:
    user = "" if tools.worker.user is None else f"runuser -u {tools.worker.user} -- "
    options = "-p 5433 -c listen_addresses='' -k /tmp"
    start = f'{user}{tools.settings.bin_dir / "pg_ctl"} -D {data} -o "{options}" -w start'
    params = {
        "version": details.server_version, "job": stored.job, "id": stored.id, "moment": moment,
        "system": details.system_identifier, "data": str(data), "start": start,
    }  # fmt: skip
    return Text(_README.template, params)


def _outside(until: datetime) -> UsageError:
    return UsageError(
        T("The archived logs do not reach {moment}.", moment=iso(until)),
        next_step=T("Ask for an earlier moment: `dsi backup show` tells which can be recovered."),
    )
