"""The journal, read once and then only what is new: a scrape costs what happened since the last one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.engine.fold import Ledger
from dsi_automation.journal.chain import GENESIS
from dsi_automation.journal.errors import TamperedError
from dsi_automation.journal.model import Entry, Kind, Lease

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsi_automation.composition import Toolkit
    from dsi_automation.journal.store import SqlJournal

_UNUSED: Final = frozenset({Kind.ACTION_DONE, Kind.ACTION_FAILED, Kind.ACTION_UNKNOWN, Kind.EVIDENCE, Kind.PLAYBOOK})
"""Kinds that no metric is made of: they are checked as links of the chain and not kept."""


class Source(Protocol):
    """Where entries come from."""

    def since(self, seq: int) -> Sequence[Entry]:
        """Return the entries from number `seq` on, in order."""
        ...

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment."""
        ...


class Nothing:
    """The journal of a controller that has not begun one."""

    def since(self, seq: int) -> Sequence[Entry]:
        """Return no entries."""
        del seq
        return ()

    def holders(self) -> Sequence[Lease]:
        """Return no leases."""
        return ()


class Tail:
    """Entries of the journal in memory, prolonged at each `refresh`.

    Attributes:
        seq, head, at: number, hash and moment of the last entry read; 0, zeros and None before the first.
        version: grows when something new was read: for caches of what is folded from the entries.
    """

    def __init__(self, source: Source) -> None:
        """Read from `source`; nothing is read yet."""
        self._source = source
        self._entries: list[Entry] = []
        self._ledger: Ledger | None = None
        self.seq, self.head = 0, GENESIS
        self.at: datetime | None = None
        self.version = 0
        self.leases: Sequence[Lease] = ()

    def refresh(self) -> None:
        """Read what is new.

        Raises:
            StorageError: the journal cannot be read.
            TamperedError: it no longer holds what was read before, or what follows does not follow.
        """
        found = list(self._source.since(self.seq or 1))
        if self.seq:
            if not found or found[0].seq != self.seq or found[0].hash != self.head:
                raise _changed(self.seq)
            found = found[1:]
        for entry in found:
            if entry.seq != self.seq + 1 or entry.prev != self.head:
                raise _changed(self.seq + 1)
            self.seq, self.head, self.at = entry.seq, entry.hash, entry.at
            if entry.kind not in _UNUSED:
                self._entries.append(_light(entry))
        if found:
            self.version += 1
            self._ledger = None
        self.leases = self._source.holders()

    @property
    def ledger(self) -> Ledger:
        """Return the entries kept, found by subject."""
        if self._ledger is None:
            self._ledger = Ledger(self._entries)
        return self._ledger

    def of(self, kind: str) -> list[Entry]:
        """Return the entries of one kind, oldest first."""
        return [entry for entry in self._entries if entry.kind.value == kind]


def open_source(toolkit: Toolkit) -> Source:
    """Return the journal to read from, without making one, a key or a table.

    Raises:
        StorageError: there was a journal (its checkpoints are there) and there is none now.
    """
    from dsi_automation.journal.database import Database
    from dsi_automation.journal.migrate import is_empty

    if toolkit.journal_exists:
        database = Database(toolkit.settings.database_url.value)
        if not is_empty(database):
            return _journal(database)
    if toolkit.checkpoints.exists():
        raise StorageError(
            T("The journal is gone: its checkpoints are in {place}.", place=str(toolkit.settings.state_dir.value)),
            next_step=T("Restore the whole database, then run `dsi journal verify`."),
        )
    return Nothing()


def _journal(database: Any) -> SqlJournal:
    from dsi_automation.journal.store import SqlJournal

    return SqlJournal(database)


def _light(entry: Entry) -> Entry:
    """Return an entry without what no metric is made of: memory is held for as long as the exporter runs."""
    body: Mapping[str, Any] = entry.body
    if entry.kind is Kind.ABOUT_TO:
        body = {key: body[key] for key in ("request", "action", "target") if key in body}
    return dataclasses.replace(entry, line="", body=body)


def _changed(seq: int) -> TamperedError:
    return TamperedError(
        T("The entry {seq} of the journal is not the one that was read before.", seq=seq),
        meaning=T("The database was changed from outside or replaced while it was watched."),
        next_step=T("Run `dsi journal verify`; when the journal is right, start `dsi metrics serve` again."),
    )
