"""The database behind an application, on PostgreSQL: looked at in read-only transactions, written to under a permit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import Final, Protocol

import psycopg

from dsi_automation.connectors.databases import locks
from dsi_automation.connectors.databases.connecting import Link
from dsi_automation.connectors.databases.failures import commit_failure
from dsi_automation.connectors.databases.port import (
    DatabaseSettings,
    DatabaseTransaction,
    DatabaseWriter,
    LockedSession,
    Parameters,
    Row,
)
from dsi_automation.connectors.databases.work import LOCK_WAIT, Reading, Writing
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import GateClosedError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T

_GONE_WITHIN: Final = 30.0
_LOOK_EVERY: Final = 0.1


class WritePermit(Protocol):
    """What every write asks first; the engine's permit does."""

    def check(self, target: str) -> None:
        """Raise `GateClosedError` when this run may not write on behalf of `target`, or no longer."""
        ...


class PostgresDatabase:
    """One database, for one thread at a time; a `DatabaseWriter`. Nothing is connected before it is needed."""

    def __init__(
        self,
        settings: DatabaseSettings,
        clock: Clock,
        permit: WritePermit | None,
        target: str,
        lock_wait: float = LOCK_WAIT,
    ) -> None:
        """Take note of where it is.

        Args:
            settings: see there.
            clock: for deadlines.
            permit: None to look only.
            target: in whose name the permit is asked.
            lock_wait: seconds that a table's lock is waited for.
        """
        self._settings, self._clock, self._permit, self._target = settings, clock, permit, target
        self._link = Link(settings, writes=False)
        self._lock_wait = lock_wait

    def close(self) -> None:
        """End the connection, if there is one."""
        self._link.close()

    def answers(self) -> bool:
        """Tell whether it takes connections now; a refused login is an error."""
        # A connection that is open already would not tell.
        self._link.close()
        try:
            self.ask("SELECT 1 AS one")
        except UnreachableError:
            return False
        return True

    def now(self) -> datetime:
        """Return its clock, UTC."""
        (row,) = self.ask("SELECT pg_catalog.clock_timestamp() AS now")
        moment = row["now"]
        assert isinstance(moment, datetime)  # noqa: S101  # the function's type
        return moment

    def locked(self, tables: Sequence[str] = ()) -> tuple[LockedSession, ...]:
        """Return the sessions that hold locks a user would meet: see `locks`; those that waited longest first.

        Raises:
            RefusedError: the role may not see other sessions.
        """
        found = []
        for row in self.ask(locks.LOCKED):
            if row["began_at"] is None:
                raise locks.hidden(self._settings.name)
            objects = tuple(sorted(json.loads(str(row["objects"]))))
            if not tables or set(tables) & set(objects):
                found.append(locks.session(row, objects, self._settings.application_user))
        return tuple(found)

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the rows of one statement, in a read-only transaction."""
        return self._read(lambda reading: reading.ask(statement, parameters))

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return a table's rows as text, in the order of `order`."""
        return self._read(lambda reading: reading.rows(table, columns, order))

    def end_session(self, session: LockedSession) -> bool:
        """End a session, if it is still that very one; return once it is gone.

        Raises:
            GateClosedError: no permit.
            RefusedError: this role may not, or the session does not end within 30 s.
            UnknownOutcomeError: the connection broke while it was asked for.
        """
        self._allowed()
        known: Parameters = {"pid": session.pid, "began_at": session.began_at}
        # Whether it can be reached at all is asked apart: nothing is unknown before anything was sent.
        self.ask("SELECT 1 AS one")
        try:
            found = self.ask(locks.END, known)
        except UnreachableError as error:
            raise UnknownOutcomeError(
                T("The connection broke while session {pid} was ended.", pid=session.pid),
                next_step=T("Look at the sessions again."),
                detail=error.detail,
            ) from error
        if any(row["hidden"] for row in found):
            raise locks.hidden(self._settings.name)
        if not any(row["ended"] for row in found):
            return False
        self._wait_until_gone(session, known)
        return True

    @contextlib.contextmanager
    def transaction(self) -> Generator[DatabaseTransaction]:
        """Open a transaction that writes, over a connection of its own.

        The permit is asked before it begins and again before it is committed.

        Raises:
            GateClosedError: no permit, or no longer.
            UnknownOutcomeError: the connection broke while it was committed.
        """
        self._allowed()
        link = Link(self._settings, writes=True)
        try:
            link.begin("READ WRITE")
            # Left by an error, it is closed: the server rolls back what is not committed.
            yield Writing(link, self._clock, self._lock_wait)
            self._allowed()
            _commit(link)
        finally:
            link.close()

    def _read[Found](self, question: Callable[[Reading], Found]) -> Found:
        self._link.begin("READ ONLY")
        try:
            return question(Reading(self._link))
        finally:
            self._link.rollback()

    def _wait_until_gone(self, session: LockedSession, known: Parameters) -> None:
        end = self._clock.monotonic() + _GONE_WITHIN
        while self.ask(locks.STILL_THERE, known):
            if self._clock.monotonic() >= end:
                raise RefusedError(
                    T("Session {pid} was told to end and is still there.", pid=session.pid),
                    meaning=T("It may be rolling back a long transaction."),
                    next_step=T("Wait, and look at it again; the database's administrator can see what it does."),
                )
            self._clock.sleep(_LOOK_EVERY)

    def _allowed(self) -> None:
        if self._permit is None:
            raise GateClosedError(
                T("The database of {name} was opened to look at it only.", name=self._settings.name), on=self._target
            )
        self._permit.check(self._target)


@contextlib.contextmanager
def open_postgresql(
    settings: DatabaseSettings, clock: Clock, permit: WritePermit | None, target: str
) -> Generator[DatabaseWriter]:
    """Open a database; closed on leaving. It connects when it is first asked.

    Args:
        settings: where it is.
        clock: for deadlines.
        permit: what every write asks first; None to look only: every write then raises GateClosedError.
        target: in whose name the permit is asked.
    """
    database = PostgresDatabase(settings, clock, permit, target)
    try:
        yield database
    finally:
        database.close()


def _commit(link: Link) -> None:
    """Commit.

    Raises:
        UnknownOutcomeError: the connection broke meanwhile.
        RefusedError: a statement had failed, or a constraint that is checked now: nothing is kept.
    """
    try:
        with link.watched():
            done = link.current.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        raise commit_failure(error, link.told) from (error if link.told.may_quote(error) else None)
    if done != "COMMIT":
        raise RefusedError(
            T("Nothing was written to the database of {name}: a statement had failed before.", name=link.told.name)
        )
