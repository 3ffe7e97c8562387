"""`versions_schema`: which scripts of releases an application's database has; a line for each, made with its script.

    CREATE TABLE versions_schema (source text, release text, file text, sha256 text, applied_at timestamptz, run text)

A script is known by the line of sources and its file: releases are cumulative, so that one which a former release
brought is there already. `release` is the one that brought it.

A script and its line are one transaction, so that whoever finds a run that was killed knows for sure which scripts
were applied: those that have a line. An undo script takes the line away again, in one transaction as well. The table
is made with the first script where the database has none, in the schema the user of `database` writes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.connectors.databases.port import DatabaseReader, DatabaseTransaction, DatabaseWriter, Row
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

TABLE: Final = "versions_schema"
EXISTS: Final = f"SELECT to_regclass('{TABLE}')::text AS name"
CREATE: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    source text NOT NULL,
    release text NOT NULL,
    file text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    run text NOT NULL
)
"""
READ: Final = (
    f"SELECT source, release, file, sha256, applied_at, run FROM {TABLE} "  # noqa: S608  # the name is ours
    "WHERE source = :source ORDER BY applied_at, file"
)
INSERT: Final = (
    f"INSERT INTO {TABLE} (source, release, file, sha256, applied_at, run) "  # noqa: S608  # the name is ours
    "VALUES (:source, :release, :file, :sha256, clock_timestamp(), :run)"
)
DELETE: Final = f"DELETE FROM {TABLE} WHERE source = :source AND file = :file"  # noqa: S608  # the name is ours


@dataclass(frozen=True, slots=True)
class Applied:
    """A script that a database has, by its own record."""

    source: str
    release: str
    file: str
    sha256: str
    applied_at: datetime | None
    run: str


@dataclass(frozen=True, slots=True)
class ScriptOrder:
    """A script to apply or to undo.

    Attributes:
        text: what is run: the script, or its undo script.
        sha256: of the script itself, in both cases.
        timeout: seconds.
    """

    source: str
    release: str
    file: str
    sha256: str
    text: str
    timeout: float
    run: str


def read(database: DatabaseReader | DatabaseTransaction, source: str) -> tuple[Applied, ...]:
    """Return the scripts of a line of sources that a database has; none where it has no table of them."""
    if not _exists(database):
        return ()
    return tuple(_applied(row) for row in database.ask(READ, {"source": source}))


def apply(order: ScriptOrder, database: DatabaseWriter) -> bool:
    """Run a script together with its line, unless the database has it.

    Returns:
        Whether it was run now.

    Raises:
        RefusedError: the database refuses it, or has another script under this name; nothing of it was done.
        UnknownOutcomeError: the connection broke while it was committed.
    """
    with database.transaction() as change:
        if not _exists(change):
            change.execute(CREATE)
        # A transaction of before whose end was not seen is over once this is granted.
        change.lock(TABLE)
        before = _find(change, order)
        if before is not None:
            if before.sha256 != order.sha256:
                raise RefusedError(
                    T("The database has another script {file} of release {release}.", file=order.file,
                      release=before.release),
                    next_step=T("Compare them; a script that was applied once is never changed."),
                )  # fmt: skip
            return False
        change.script(order.text, order.timeout)
        change.execute(
            INSERT,
            {
                "source": order.source,
                "release": order.release,
                "file": order.file,
                "sha256": order.sha256,
                "run": order.run,
            },
        )
    return True


def undo(order: ScriptOrder, database: DatabaseWriter) -> bool:
    """Run an undo script and take the script's line away, unless the database has it no more.

    Returns:
        Whether it was undone now.

    Raises:
        RefusedError: the database refuses it; nothing of it was done.
        UnknownOutcomeError: the connection broke while it was committed.
    """
    with database.transaction() as change:
        if not _exists(change):
            return False
        change.lock(TABLE)
        if _find(change, order) is None:
            return False
        change.script(order.text, order.timeout)
        change.execute(DELETE, {"source": order.source, "file": order.file})
    return True


def forget(source: str, file: str) -> str:
    """Return the statement by which a person takes the line of a script away, once it was undone by hand."""
    source, file = (one.replace("'", "''") for one in (source, file))
    return f"DELETE FROM {TABLE} WHERE source = '{source}' AND file = '{file}';"  # noqa: S608  # for a person to read


def of_release(applied: Sequence[Applied], release: str) -> tuple[Applied, ...]:
    """Return the scripts of one release."""
    return tuple(one for one in applied if one.release == release)


def _find(change: DatabaseTransaction, order: ScriptOrder) -> Applied | None:
    return next((one for one in read(change, order.source) if one.file == order.file), None)


def _exists(database: DatabaseReader | DatabaseTransaction) -> bool:
    rows = database.ask(EXISTS)
    return bool(rows) and rows[0]["name"] is not None


def _applied(row: Row) -> Applied:
    moment = row["applied_at"]
    at = moment if isinstance(moment, datetime) else None if moment is None else parse_iso(str(moment))
    return Applied(str(row["source"]), str(row["release"]), str(row["file"]), str(row["sha256"]), at, str(row["run"]))
