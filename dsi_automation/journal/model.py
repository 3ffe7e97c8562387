"""The journal as the engine sees it: entries, signed documents, leases, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Kind(StrEnum):
    """What an entry records."""

    JOURNAL_OPENED = "journal.opened"
    REQUESTED = "request.made"
    APPROVED = "request.approved"
    REFUSED = "request.refused"
    REVOKED = "request.revoked"
    RUN_STARTED = "run.started"
    RUN_RESUMED = "run.resumed"
    ABOUT_TO = "action.about_to"
    ACTION_DONE = "action.done"
    ACTION_FAILED = "action.failed"
    ACTION_UNKNOWN = "action.unknown"
    NOTED = "run.noted"
    """What a run found worth keeping of what it did: a backup set, a try, a copy on a medium."""
    EVIDENCE = "run.evidence"
    RUN_ENDED = "run.ended"
    RATIFIED = "emergency.ratified"
    PLAYBOOK = "playbook.event"
    HANDED_OVER = "custody.handed_over"
    MEDIUM_MOVED = "custody.medium"
    ACCEPTANCE = "acceptance.signed"
    """Somebody judged a release at a stage: it passed, or it did not."""
    SCHEDULED = "schedule.occurrence"
    """A schedule is looked after from now on, or one of its occurrences began, ended or was missed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A document and the SSH signature over its exact bytes (`ssh-keygen -Y sign`).

    Attributes:
        document: the signed bytes: canonical JSON.
        signature: the armoured SSH signature.
        namespace: what the signature is for: `dsi-request`, `dsi-approval`, ...
        public_key: the key that signed, `ssh-ed25519 AAAA...`, without a comment.
    """

    document: str
    signature: str
    namespace: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before the journal numbers, dates and chains it.

    Attributes:
        subject: what it is about: a request's, a run's or a hand-over's identifier, or `schedule:NAME`.
        actor: the person's identifier, or `controller`.
        body: the facts, JSON; redacted before it is written.
        signed: the person's signed document, where one is required.
    """

    kind: Kind
    subject: str
    actor: str
    body: Mapping[str, Any]
    signed: Signed | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal, as it was written.

    Attributes:
        line: the canonical JSON that is hashed; it holds `prev`, the hash of the line before.
        hash: SHA-256 of `line`, hexadecimal.
    """

    seq: int
    at: datetime
    kind: Kind
    subject: str
    actor: str
    body: Mapping[str, Any]
    signed: Signed | None
    prev: str
    hash: str
    line: str


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a target, until when, and the fencing number that each of the holder's writes carries.

    Attributes:
        owner: `host/pid/start time of the process`, so that a dead owner on the same machine is recognised.
        person: who started the run, for the message others see.
    """

    target: str
    run_id: str
    owner: str
    person: str
    fence: int
    expires_at: datetime


class Transaction(Protocol):
    """One atomic, serialised change of the journal: what is read in it stays true until it commits."""

    @property
    def now(self) -> datetime:
        """Return the time of this transaction: the database's clock, or the injected one in tests.

        Raises:
            GateClosedError: the clock stands before the last entry, beyond a small tolerance.
        """
        ...

    def append(self, draft: Draft, *, fence: Lease | None = None) -> Entry:
        """Chain an entry. With `fence`, refuse unless that lease is still held with that number.

        Raises:
            GateClosedError: the lease was lost to another owner.
        """
        ...

    def entries(self, *, subject: str | None = None, kinds: Iterable[Kind] | None = None) -> Sequence[Entry]:
        """Return entries in order, all of them or those of a subject, or of some kinds."""
        ...

    def acquire(self, targets: Sequence[str], run_id: str, owner: str, person: str, ttl: timedelta) -> Sequence[Lease]:
        """Take the leases of all targets, or none; each with a fencing number above any before it.

        A lease that expired, or whose owner is a dead process of this machine, is taken over.

        Raises:
            GateClosedError: somebody holds one of them; the message names who, which run and until when.
        """
        ...

    def renew(self, leases: Sequence[Lease], ttl: timedelta) -> Sequence[Lease]:
        """Prolong leases still held with their numbers.

        Raises:
            GateClosedError: one of them was lost.
        """
        ...

    def release(self, leases: Sequence[Lease]) -> None:
        """Give back leases; one already lost is passed over."""
        ...

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment."""
        ...


class Journal(Protocol):
    """Where the record is kept: SQLite or PostgreSQL."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a serialised transaction: commits on leaving, rolls back on an exception.

        Raises:
            StorageError: the database is locked, full, read-only or absent.
        """
        ...

    def read(self, *, subject: str | None = None, kinds: Iterable[Kind] | None = None) -> Sequence[Entry]:
        """Return entries without holding writers up."""
        ...

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment, without holding writers up."""
        ...
