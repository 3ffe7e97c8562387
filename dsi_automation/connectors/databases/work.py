"""What is done within a transaction of PostgreSQL, whoever opened it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from psycopg import errors, sql
from psycopg.rows import dict_row

from dsi_automation.connectors.databases.connecting import Link
from dsi_automation.connectors.databases.errors import DatabaseBusyError, ScriptError
from dsi_automation.connectors.databases.parameters import Statement, translated
from dsi_automation.connectors.databases.port import Parameters, Row, Value
from dsi_automation.connectors.databases.scripts import ScriptStatement, refused, statements
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

LOCK_WAIT: Final = 30.0
"""Seconds that a table's lock is waited for."""
_AT_ONCE: Final = 5000
"""Rows that are fetched at once."""


class Reading:
    """Questions within an open transaction."""

    def __init__(self, link: Link) -> None:
        """Ask over a connection whose transaction somebody else begins and ends."""
        self._link = link

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the rows of one statement."""
        prepared = translated(statement)
        values = self._values(prepared, parameters)
        with self._link.translated(), self._link.current.cursor(row_factory=dict_row) as cursor:
            cursor.execute(prepared.text.encode(), values)
            return tuple(cursor.fetchall()) if cursor.description is not None else ()

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return a table's rows as text, in the order of `order`, byte by byte."""
        query = sql.SQL("SELECT {columns} FROM {table}{order}").format(
            columns=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(one)) for one in columns),
            table=identifier(table),
            order=sql.SQL(" ORDER BY ") + sql.SQL(", ").join(map(_bytewise, order)) if order else sql.SQL(""),
        )
        found: list[tuple[str | None, ...]] = []
        # A cursor of the server's: the answer is not held twice, and the deadline is that of each portion.
        with self._link.translated() as watch, self._link.current.cursor(name="dsi_rows") as cursor:
            cursor.execute(query)
            while portion := cursor.fetchmany(_AT_ONCE):
                found.extend(portion)
                watch.touch()
        return tuple(found)

    def _values(self, prepared: Statement, parameters: Parameters | None) -> Mapping[str, Value] | None:
        given = parameters or {}
        used = (given[name] for name in prepared.names if name in given)
        self._link.told.remember(one.reveal() for one in used if isinstance(one, Secret))
        return prepared.values(parameters)


class Writing(Reading):
    """A transaction that writes: what is done between BEGIN and COMMIT."""

    def __init__(self, link: Link, clock: Clock, wait: float = LOCK_WAIT) -> None:
        """Work over a connection of the transaction's own.

        Args:
            clock: measures scripts.
            wait: seconds that a table's lock is waited for.
        """
        super().__init__(link)
        self._clock, self._wait = clock, wait

    def lock(self, table: str) -> None:
        """Keep others from writing to a table until the end; waits 30 s at most.

        Raises:
            DatabaseBusyError: somebody else has held it for that long.
        """
        query = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(identifier(table))
        usual = self._link.settings.timeout
        # The lock's own limit is to be met first: it says what is the matter.
        with self._link.translated(self._wait), self._link.current.cursor() as cursor:
            self._limit(self._wait + 2, lock=self._wait)
            try:
                cursor.execute(query)
            except errors.LockNotAvailable as error:
                raise DatabaseBusyError(
                    T(
                        "The table {table} has been locked by another session for more than {seconds:.0f} s.",
                        table=table,
                        seconds=self._wait,
                    ),
                    next_step=T("See who holds it, and try again later."),
                    detail={"sqlstate": error.sqlstate},
                ) from error
            self._limit(usual, lock=usual)

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """Run one statement; return how many rows it changed."""
        prepared = translated(statement)
        values = self._values(prepared, parameters)
        with self._link.translated(), self._link.current.cursor() as cursor:
            cursor.execute(prepared.text.encode(), values)
            return max(0, cursor.rowcount)

    def execute_many(self, statement: str, parameters: Iterable[Parameters]) -> int:
        """Run one statement once for each; return how many rows changed in all."""
        prepared = translated(statement)
        with self._link.translated() as watch, self._link.current.cursor() as cursor:

            def each() -> Iterator[Mapping[str, Value]]:
                for one in parameters:
                    watch.touch()
                    yield self._values(prepared, one) or {}

            cursor.executemany(prepared.text.encode(), each())
            return max(0, cursor.rowcount)

    def script(self, text: str, timeout: float) -> None:
        """Run a script of several statements, `timeout` seconds in all.

        Raises:
            ScriptError: it holds what it must not, or the database refuses it.
        """
        wanted = statements(text)
        end = self._clock.monotonic() + timeout
        for one in wanted:
            left = end - self._clock.monotonic()
            if left <= 0:
                raise _too_late(one.line)
            self._run(one, left)
        # What it set for its session is no longer for what follows: a search path, another role.
        with self._link.translated(), self._link.current.cursor() as cursor:
            cursor.execute("RESET SESSION AUTHORIZATION")
            cursor.execute("RESET ROLE")
            cursor.execute("RESET ALL")

    def _run(self, one: ScriptStatement, left: float) -> None:
        connection = self._link.current
        try:
            with self._link.translated(left), connection.cursor() as cursor:
                self._limit(left, lock=left)
                # Without values psycopg speaks the simple protocol: what stands in it is not looked at.
                cursor.execute(one.text.encode())
        except UnreachableError as error:
            if error.detail.get("sqlstate") == "57014":
                raise _too_late(one.line) from error
            raise
        except RefusedError as error:
            raise _failed(error, one) from error
        if connection.info.transaction_status.name != "INTRANS":
            raise ScriptError(
                T("Line {line} of the script ended the transaction.", line=one.line),
                meaning=T("What came before it may be kept in the database."),
                next_step=T("Look at the database before anything is done again, and correct the script."),
                detail={"line": one.line},
            )

    def _limit(self, seconds: float, *, lock: float) -> None:
        milliseconds = max(1, round(seconds * 1000))
        with self._link.current.cursor() as cursor:
            cursor.execute(
                sql.SQL("SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}").format(
                    sql.Literal(milliseconds), sql.Literal(max(1, round(lock * 1000)))
                )
            )


def identifier(table: str) -> sql.Composable:
    """Return `schema.table` as SQL takes it, each part quoted."""
    return sql.Identifier(*table.split(".", 1))


def _bytewise(column: str) -> sql.Composable:
    return sql.SQL('{}::text COLLATE "C"').format(sql.Identifier(column))


def _failed(error: RefusedError, one: ScriptStatement) -> ScriptError:
    """Return the error of a statement that was refused, with its line in the script."""
    position = int(error.detail.get("position", 1))
    line = one.line + one.text[: position - 1].count("\n")
    made = refused(error.what, line)
    return ScriptError(made.what, next_step=made.next_step, detail={**error.detail, "line": line})


def _too_late(line: int) -> ScriptError:
    return refused(T("the script's time is over."), line)
