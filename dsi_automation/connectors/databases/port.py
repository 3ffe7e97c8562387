"""What is asked of the database behind an application, and what may be done in it (procedures S, Q, J and L)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dsi_automation.core.secrets import Secret

type Value = str | int | float | bool | datetime | bytes | None
"""What a parameter or a column may hold; exact numbers come back as text."""
type Row = Mapping[str, Value]
type Parameters = Mapping[str, Value | Secret]


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where an application's database answers.

    Attributes:
        name: the application's, for messages.
        ca_file: the server's certificate is then verified; None for none.
        application_user: who the application connects as; its own sessions are told apart from others'.
        timeout: seconds, to connect and for each question.
    """

    name: str
    server: str
    port: int
    database: str
    user: str
    password: Secret | None
    ca_file: str | None
    application_user: str | None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class LockedSession:
    """A session that holds locks on tables.

    Attributes:
        pid, began_at: what it is known by: numbers are used again. `began_at` is the connection's beginning.
        user, client, program: who it is; `client` its address.
        working: a statement is under way now (`active`); else it sits in an open transaction.
        objects: the tables it holds locks on (`schema.table`), sorted.
        since: when it did last something: its last statement began (working) or its state changed (idle).
        transaction_since: when its transaction began.
        waiting: how many others wait for it.
        own: whether it is the application's.
    """

    pid: int
    began_at: datetime
    user: str
    client: str
    program: str
    working: bool
    objects: tuple[str, ...]
    since: datetime
    transaction_since: datetime
    waiting: int
    own: bool


class DatabaseReader(Protocol):
    """The read half: everything in read-only transactions. Safe to use from one thread at a time."""

    def answers(self) -> bool:
        """Tell whether it takes connections now; a refused login is an error."""
        ...

    def now(self) -> datetime:
        """Return its clock, UTC."""
        ...

    def locked(self, tables: Sequence[str] = ()) -> tuple[LockedSession, ...]:
        """Return the sessions that hold locks a user would meet (stronger than reading) on tables of the database.

        Rows held by SELECT ... FOR UPDATE count: see `connectors.databases.locks`. The role must be a member of
        pg_monitor to see others' sessions, and of pg_signal_backend to end them.

        Args:
            tables: `schema.table`; empty for all but the system's.
        """
        ...

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the rows of one statement, with named parameters (`:name`), in a read-only transaction.

        Raises:
            RefusedError: the database refuses it: with its words, never with a secret's value; its DETAIL, which
                quotes values, is in `detail` only where no parameter was a secret.
            UnreachableError: it does not answer, or not in time.
        """
        ...

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return a table's rows in the order of `order` (COLLATE "C"), each value as the database writes it as text."""
        ...


class DatabaseTransaction(Protocol):
    """One transaction that writes: all of it or nothing."""

    def lock(self, table: str) -> None:
        """Keep others from writing to a table until the end (SHARE ROW EXCLUSIVE); waits 30 s at most."""
        ...

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """Run one statement; return how many rows it changed."""
        ...

    def execute_many(self, statement: str, parameters: Iterable[Parameters]) -> int:
        """Run one statement once for each; return how many rows changed in all."""
        ...

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the rows of one statement, within this transaction."""
        ...

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return a table's rows, within this transaction; as `DatabaseReader.rows`."""
        ...

    def script(self, text: str, timeout: float) -> None:
        """Run a script of several statements; it must not hold BEGIN, COMMIT or anything that ends a transaction.

        Raises:
            RefusedError: the database refuses it; its words and the line, in `detail`.
        """
        ...


class DatabaseWriter(DatabaseReader, Protocol):
    """The write half; every method asks the permit first."""

    def end_session(self, session: LockedSession) -> bool:
        """End a session, if it is still that very one (pid and beginning); return once it is gone.

        Returns:
            Whether it was there.

        Raises:
            RefusedError: this role may not, or the session does not end within 30 s.
        """
        ...

    def transaction(self) -> AbstractContextManager[DatabaseTransaction]:
        """Open a transaction that writes; committed when the block ends well, rolled back else.

        Raises:
            UnknownOutcomeError: the connection broke while it was committed.
        """
        ...
