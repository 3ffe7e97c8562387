"""Asks a restored cluster what proves it: its rows, the questions of the business, its indexes, its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.postgresql.client import Place, Programs, first_complaint
from dsi_automation.connectors.backups.postgresql.counting import recount
from dsi_automation.connectors.backups.postgresql.findings import Findings, judged
from dsi_automation.connectors.backups.settings import Question
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

SOURCE = "PostgreSQL, restored"


def counts(programs: Programs, place: Place, recorded: Mapping[str, Any], findings: Findings) -> None:
    """Hold the rows of a restored cluster against those counted at backup time.

    Args:
        programs: to ask with.
        place: the restored cluster.
        recorded: `{database: {"rows": {table: number}, "exact": bool}}`, as the set's details hold it.
        findings: where the comparisons go.
    """
    for database, taken in sorted(recorded.items()):
        try:
            seen = recount(programs, place, database, tuple(taken["rows"]))
        except (BackupFailedError, RefusedError, TransientError) as error:
            findings.fault(f"count.{database}", T("Tables of {database} can be counted", database=database),
                           str(error.what), SOURCE)  # fmt: skip
            continue
        for name, rows in taken["rows"].items():
            findings.counted(
                f"count.{database}.{name}",
                T("Rows of {table} in {database}", table=name, database=database),
                int(rows),
                seen.get(name),
                exact=bool(taken["exact"]),
                source=SOURCE,
            )


def questions(
    programs: Programs, place: Place, asked: Sequence[Question], moment: datetime, findings: Findings
) -> None:
    """Ask a restored cluster the questions of the inventory, relative to the moment of the backup."""
    for number, question in enumerate(asked, start=1):
        title = T("{title}", title=question.title)
        try:
            said = programs.ask(question_script(question), place, database=question.database)[0]
        except (BackupFailedError, RefusedError, TransientError) as error:
            findings.fault(f"question.{number}", title, str(error.what), SOURCE)
            continue
        value = None if said["value"] is None else str(said["value"])
        epoch = said.get("epoch")
        at = None if epoch is None else datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(epoch))
        expected, ok = judged(question, value, moment, at)
        findings.add(f"question.{number}", title, expected, value or "-", ok=ok, source=SOURCE)


def question_script(question: Question) -> str:
    """Return the script of one question: it may read, and must answer with one value."""
    query = question.query.strip().rstrip(";")
    moment = ", 'epoch', extract(epoch FROM v::timestamptz)" if question.newer_than is not None else ""
    return (
        "BEGIN READ ONLY;\n"
        f"SELECT json_build_object('value', v::text{moment}) FROM (SELECT (\n{query}\n) AS v) AS asked;\n"
        "COMMIT;\n"
    )


def indexes(programs: Programs, place: Place, databases: Sequence[str], findings: Findings) -> None:
    """Hold every index of a restored cluster against its table (amcheck)."""
    which = [word for name in databases for word in ("-d", name)] or ["--all"]
    done = programs.run("pg_amcheck", "--install-missing", "--heapallindexed", "-j", "2", *which, place=place)
    said = redact(done.text + done.complaint)
    findings.fault(
        "amcheck",
        T("Tables and indexes agree"),
        None if done.status == 0 else first_complaint(said),
        "pg_amcheck --heapallindexed",
    )


def pages(programs: Programs, data: Path, findings: Findings, *, enabled: bool) -> None:
    """Hold every page of a stopped cluster against its checksum."""
    title = T("Every page has its checksum")
    if not enabled:
        findings.add("pages", title, "ok", "off", ok=False, source="pg_controldata", warning=True)
        return
    done = programs.run("pg_checksums", "--check", "-D", str(data))
    findings.fault(
        "pages", title, None if done.status == 0 else first_complaint(redact(done.complaint)), "pg_checksums --check"
    )


def logs(programs: Programs, folder: Path, first: str, last: str) -> str | None:
    """Read all records of archived segments of one timeline; return what is wrong, None when nothing is."""
    done = programs.run("pg_waldump", "--quiet", "-p", str(folder), first, last)
    return None if done.status == 0 else first_complaint(redact(done.complaint))
