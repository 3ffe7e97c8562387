"""The database of an application in memory: sessions, one-value questions, and statements that are remembered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dsi_automation.connectors.databases.port import LockedSession, Parameters, Row, Value
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError, UnreachableError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T


class MemoryPermit(Protocol):
    """What every write asks first."""

    def check(self, target: str) -> None:
        """Make sure that the run may still write to `target`."""
        ...


@dataclass
class MemoryDatabase:
    """A database, and what goes wrong with it.

    Attributes:
        sessions: that hold locks now.
        answers: the value that each question (the statement, its spaces made one) returns.
        done: statements that were committed, with their parameters; a secret is masked.
        ended: sessions that were ended, by their process number.
        stubborn: sessions that this role may not end, by their process number: a superuser's.
        problem: why it does not answer; None when it does.
        point: is told the name of each step before and after it: where a test kills.
    """

    sessions: list[LockedSession] = field(default_factory=list)
    answers: dict[str, Value] = field(default_factory=dict)
    done: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    stubborn: set[int] = field(default_factory=set)
    problem: DsiError | None = None
    point: Callable[[str], None] = lambda _name: None


class MemoryDatabaseWriter:
    """`DatabaseWriter` on a `MemoryDatabase`; each write asks the permit first."""

    def __init__(self, store: MemoryDatabase, target: str, clock: Clock, permit: MemoryPermit | None = None) -> None:
        """Work in one database; without a permit to read only."""
        self._store, self._target, self._clock, self._permit = store, target, clock, permit

    def answers(self) -> bool:
        """Tell whether it answers."""
        return self._store.problem is None

    def now(self) -> datetime:
        """Return its clock."""
        self._reach()
        return self._clock.now()

    def locked(self, tables: Sequence[str] = ()) -> tuple[LockedSession, ...]:
        """Return the sessions that hold locks on these tables."""
        self._reach()
        return tuple(one for one in self._store.sessions if not tables or set(tables) & set(one.objects))

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the value that a question has; it is refused when it has none."""
        del parameters
        self._reach()
        known = " ".join(statement.split())
        if known not in self._store.answers:
            raise RefusedError(T("The database does not know “{statement}”.", statement=known), on=self._target)
        value = self._store.answers[known]
        return () if value is None else ({"value": value},)

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return no rows: tables are not kept here."""
        del table, columns, order
        self._reach()
        return ()

    def end_session(self, session: LockedSession) -> bool:
        """End a session, if it is still that very one."""
        self._write(f"end_session {session.pid}")
        same = [one for one in self._store.sessions if (one.pid, one.began_at) == (session.pid, session.began_at)]
        if same and session.pid in self._store.stubborn:
            raise RefusedError(T("The session {pid} may not be ended by this role.", pid=session.pid), on=self._target)
        for one in same:
            self._store.sessions.remove(one)
            self._store.ended.append(one.pid)
        self._store.point(f"after end_session {session.pid}")
        return bool(same)

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """Open a transaction; what it did is kept when the block ends well."""
        self._write("transaction")
        change = MemoryTransaction(self)
        yield change
        self._store.done.extend(change.done)
        self._store.point("after transaction")

    def _reach(self) -> None:
        if self._store.problem is not None:
            raise UnreachableError(self._store.problem.what, on=self._target)

    def _write(self, step: str) -> None:
        if self._permit is None:
            raise RefusedError(T("The database was opened to read only."), on=self._target)
        self._store.point(f"before {step}")
        self._permit.check(self._target)
        self._reach()


class MemoryTransaction:
    """`DatabaseTransaction` of a `MemoryDatabaseWriter`: statements are remembered, and change one row each."""

    def __init__(self, database: MemoryDatabaseWriter) -> None:
        """Write to one database."""
        self._database = database
        self.done: list[tuple[str, dict[str, Value]]] = []

    def lock(self, table: str) -> None:
        """Lock nothing: there is one writer."""
        del table

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """Remember a statement and the parameters it uses."""
        used = set(re.findall(r"(?<!:):([a-z_]+)", statement))
        given = {name: value for name, value in (parameters or {}).items() if name in used}
        self.done.append((statement, {n: str(v) if isinstance(v, Secret) else v for n, v in given.items()}))
        return 1

    def execute_many(self, statement: str, parameters: Iterable[Parameters]) -> int:
        """Remember a statement once for each."""
        return sum(self.execute(statement, one) for one in parameters)

    def ask(self, statement: str, parameters: Parameters | None = None) -> tuple[Row, ...]:
        """Return the value that a question has."""
        return self._database.ask(statement, parameters)

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
        """Return no rows: tables are not kept here."""
        return self._database.rows(table, columns, order)

    def script(self, text: str, timeout: float) -> None:
        """Remember a script."""
        del timeout
        self.execute(text)
