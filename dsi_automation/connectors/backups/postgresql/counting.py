"""Rows counted in one snapshot of a database, and the position of the log that this snapshot stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.backups.postgresql.client import Place, Programs, literal, table
from dsi_automation.connectors.backups.postgresql.wal import parse_lsn

ATTEMPTS: Final = 20
PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows the tables of a database had, at one moment.

    Attributes:
        position: of the log, right after what the snapshot sees.
        exact: whether nothing was being committed at that moment: recovery to `position` then shows these very rows.
    """

    database: str
    rows: Mapping[str, int]
    position: int
    exact: bool


def count_script(tables: Sequence[str]) -> str:
    """Return psql's script that counts in one snapshot, taken at a quiet moment where there is one.

    What is committed is written to the log first and shown to others a moment later. A snapshot is therefore what
    recovery to a position shows only when, from before the snapshot was taken, nobody who had changed anything was
    still at work, and nothing was written to the log until the position was read. That is tried some times, then
    the snapshot is taken as it comes, and said to be inexact.
    """
    attempt = f"""\\if :quiet
\\else
SELECT pg_sleep({PAUSE}) IS NULL AS ignored \\gset
SELECT pg_current_wal_insert_lsn() AS position \\gset
SELECT count(*) AS busy FROM pg_stat_activity WHERE backend_xid IS NOT NULL \\gset
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT p = :'position'::pg_lsn AND :busy = 0 AS quiet, p AS position FROM pg_current_wal_insert_lsn() AS p \\gset
\\endif
"""  # noqa: S608  # psql's own variables, and our number
    rows = "".join(
        f"SELECT json_build_object('table', {literal(name)}::text, 'rows', count(*)) FROM {table(name)};\n"  # noqa: S608
        for name in tables
    )
    return (
        "SET client_min_messages = error;\n\\set quiet false\n"
        + attempt * ATTEMPTS
        + "SELECT json_build_object('position', :'position', 'exact', :'quiet'::boolean);\n"
        + rows
        + "COMMIT;\n"
    )


def count(programs: Programs, place: Place, database: str, tables: Sequence[str]) -> Counted:
    """Count the rows of tables in one snapshot of a database.

    Raises:
        TransientError, RefusedError: the server does not answer, or lets us not read.
        BackupFailedError: a table is not there.
    """
    said = programs.ask(count_script(tables), place, database=database)
    head: dict[str, Any] = said[0]
    rows = {str(each["table"]): int(each["rows"]) for each in said[1:]}
    return Counted(database, rows, parse_lsn(head["position"]), bool(head["exact"]))


def recount(programs: Programs, place: Place, database: str, tables: Sequence[str]) -> dict[str, int]:
    """Count the same rows of a database that nobody changes."""
    counts = (
        f"SELECT json_build_object('table', {literal(name)}::text, 'rows', count(*)) FROM {table(name)};"  # noqa: S608
        for name in tables
    )
    return {str(each["table"]): int(each["rows"]) for each in programs.ask("\n".join(counts), place, database=database)}
