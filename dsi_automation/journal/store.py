"""The journal in SQL: one code for SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select

from dsi_automation.core.clock import Clock, iso, parse_iso
from dsi_automation.core.text import T
from dsi_automation.journal import leases as lease_table
from dsi_automation.journal.chain import GENESIS, line_hash, parse, seal
from dsi_automation.journal.errors import ClockError, NewerDatabaseError, TamperedError
from dsi_automation.journal.model import Draft, Entry, Kind, Lease
from dsi_automation.journal.row import Row
from dsi_automation.journal.schema import entries as table

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from dsi_automation.journal.database import Database

TOLERANCE: Final = timedelta(seconds=5)
"""How far the clock may stand before the last entry: two controllers' clocks are never quite alike."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: its number, hash and time."""

    seq: int
    hash: str
    at: datetime | None


EMPTY: Final = Head(0, GENESIS, None)

# Statements are built once: SQLAlchemy takes four times as long to build one as to execute it.
_INSERT: Final = insert(table)
_LAST: Final = select(table.c.seq, table.c.hash, table.c.at).order_by(table.c.seq.desc()).limit(1)


class SqlTransaction:
    """One serialised change: implements `model.Transaction`."""

    def __init__(self, connection: Connection, moment: datetime) -> None:
        """Read where the chain ends; `moment` is the time of the whole transaction."""
        self._connection = connection
        self._moment = moment
        self.head = read_head(connection)
        self.appended: list[Entry] = []

    @property
    def now(self) -> datetime:
        """Return the time of this transaction.

        Raises:
            ClockError: the clock stands more than `TOLERANCE` before the last entry.
        """
        last = self.head.at
        if last is not None and last - self._moment > TOLERANCE:
            raise ClockError(
                T(
                    "The clock stands at {now}, {seconds} s before the journal's last entry ({last}).",
                    now=iso(self._moment),
                    seconds=round((last - self._moment).total_seconds()),
                    last=iso(last),
                ),
                meaning=T("Expiries and time windows cannot be judged, so the gate stays closed."),
                next_step=T("Set the clock right (timedatectl), then try again."),
            )
        return self._moment

    def append(self, draft: Draft, *, fence: Lease | None = None) -> Entry:
        """Chain an entry; with `fence`, only while that lease is held.

        Raises:
            LeaseLostError: it is not.
            ClockError: the clock went back.
            UsageError: the entry cannot be written exactly.
        """
        if fence is not None:
            lease_table.ensure(self._connection, fence)
        entry = seal(draft, self.head.seq + 1, self.now, self.head.hash)
        self._connection.execute(_INSERT, columns(entry))
        self.head = Head(entry.seq, entry.hash, entry.at)
        self.appended.append(entry)
        return entry

    def entries(self, *, subject: str | None = None, kinds: Iterable[Kind] | None = None) -> Sequence[Entry]:
        """Return entries in order, all of them or those of a subject, or of some kinds."""
        return read_entries(self._connection, subject, kinds)

    def acquire(self, targets: Sequence[str], run_id: str, owner: str, person: str, ttl: timedelta) -> Sequence[Lease]:
        """Take the leases of all targets, or none; see `model.Transaction`.

        Raises:
            LeaseHeldError: somebody else holds one of them.
        """
        return lease_table.acquire(self._connection, self.now, targets, run_id, owner, person, ttl)

    def renew(self, leases: Sequence[Lease], ttl: timedelta) -> Sequence[Lease]:
        """Prolong leases.

        Raises:
            LeaseLostError: one of them was lost.
        """
        return lease_table.renew(self._connection, self.now, leases, ttl)

    def release(self, leases: Sequence[Lease]) -> None:
        """Give back leases; one already lost is passed over."""
        lease_table.release(self._connection, leases)

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment."""
        return lease_table.holders(self._connection, self._moment)


class SqlJournal:
    """The record in a database: implements `model.Journal`. Make one with `opening.open_journal`."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """Use `database`; its tables must be there (`migrate`).

        Args:
            clock: tests hand one in; else the database's own clock is the truth.
        """
        self.database = database
        self._clock = clock
        # Threads of one process queue here, in turn; the database's own waiting is by polling.
        self._turn = threading.RLock()
        self.before: list[Callable[[SqlTransaction], None]] = []
        self.after: list[Callable[[Sequence[Entry], Head], None]] = []
        self.on_checkpoint: Callable[[Head], None] | None = None

    @contextmanager
    def transaction(self) -> Generator[SqlTransaction]:
        """Open a serialised transaction: commits on leaving, rolls back on an exception.

        Raises:
            StorageError: the database is locked, full, read-only or absent.
        """
        with self._turn, self.database.write() as connection:
            transaction = SqlTransaction(connection, self._now(connection))
            for hook in self.before:
                hook(transaction)
            yield transaction
        for committed in self.after:
            committed(transaction.appended, transaction.head)

    def read(self, *, subject: str | None = None, kinds: Iterable[Kind] | None = None) -> Sequence[Entry]:
        """Return entries without holding writers up."""
        with self.database.read() as connection:
            return read_entries(connection, subject, kinds)

    def since(self, seq: int) -> Sequence[Entry]:
        """Return the entries from number `seq` on, in order: for those who have read what is before."""
        with self.database.read() as connection:
            return read_entries(connection, None, None, since=seq)

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment, without holding writers up."""
        with self.database.read() as connection:
            return lease_table.holders(connection, self._now(connection))

    def head(self) -> Head:
        """Return where the chain ends."""
        with self.database.read() as connection:
            return read_head(connection)

    def hash_at(self, seq: int) -> str | None:
        """Return the hash written for an entry, or None where there is none."""
        with self.database.read() as connection:
            found = connection.execute(select(table.c.hash).where(table.c.seq == seq)).scalar_one_or_none()
            return None if found is None else str(found)

    @contextmanager
    def rows(self) -> Generator[Iterator[Row]]:
        """Stream every row as it stands, unchecked, of one moment: for `verify` and `export`."""
        with self.database.read() as connection:
            result = connection.execution_options(yield_per=500).execute(select(table).order_by(table.c.seq))
            yield (Row(*row) for row in result)

    def checkpoint(self) -> None:
        """Have a checkpoint of the journal's present end written, besides those written after each decision.

        Raises:
            StorageError: it cannot be written.
            TamperedError: the journal is shorter than its last checkpoint, or another one.
        """
        with self.transaction() as transaction:
            head = transaction.head
        if self.on_checkpoint is not None and head.seq:
            self.on_checkpoint(head)

    def close(self) -> None:
        """Let go of every connection."""
        self.database.close()

    def _now(self, connection: Connection) -> datetime:
        return self._clock.now() if self._clock is not None else self.database.now(connection)


def columns(entry: Entry) -> dict[str, Any]:
    """Return the row of an entry."""
    return {
        "seq": entry.seq,
        "at": iso(entry.at),
        "kind": entry.kind.value,
        "subject": entry.subject,
        "actor": entry.actor,
        "prev": entry.prev,
        "hash": entry.hash,
        "line": entry.line,
    }


def read_head(connection: Connection) -> Head:
    """Return where the chain ends."""
    row = connection.execute(_LAST).one_or_none()
    if row is None:
        return EMPTY
    try:
        return Head(row.seq, row.hash, parse_iso(row.at))
    except (ValueError, TypeError) as error:
        raise _tampered(row.seq) from error


def read_entries(
    connection: Connection, subject: str | None, kinds: Iterable[Kind] | None, *, since: int = 1
) -> list[Entry]:
    """Return the entries asked for; each one's hash and columns are compared with its line."""
    asked: dict[str, Any] = {}
    if since > 1:
        asked["first"] = since
    if subject is not None:
        asked["asked_subject"] = subject
    if kinds is not None:
        asked["asked_kinds"] = [kind.value for kind in kinds]
    return [_believed(Row(*row)) for row in connection.execute(_query(frozenset(asked)), asked)]


@cache
def _query(asked: frozenset[str]) -> Select[Any]:
    """Return the statement for entries chosen by these parameters: one of eight."""
    query = select(table).order_by(table.c.seq)
    if "first" in asked:
        query = query.where(table.c.seq >= bindparam("first"))
    if "asked_subject" in asked:
        query = query.where(table.c.subject == bindparam("asked_subject"))
    if "asked_kinds" in asked:
        query = query.where(table.c.kind.in_(bindparam("asked_kinds", expanding=True)))
    return query


def _believed(row: Row) -> Entry:
    try:
        if line_hash(row.line) != row.hash:
            raise _tampered(row.seq)
        entry = parse(row.line)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(row.kind, str) and row.kind not in set(Kind):
            raise NewerDatabaseError(
                T(
                    "The entry {seq} of the journal is of a kind this version does not know: {kind}.",
                    seq=row.seq,
                    kind=row.kind,
                ),
                next_step=T("Install the newer version on this machine; nothing was read or changed."),
            ) from error
        raise _tampered(row.seq) from error
    if columns(entry) != {name: getattr(row, name) for name in Row.__slots__}:
        raise _tampered(row.seq)
    return entry


def _tampered(seq: object) -> TamperedError:
    return TamperedError(
        T("The entry {seq} of the journal is not what was written.", seq=str(seq)),
        meaning=T("Somebody changed the database from outside, so the gate stays closed."),
        next_step=T("Run `dsi journal verify` and keep a copy of the database as it is."),
    )
