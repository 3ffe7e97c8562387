"""Opening a journal: its folder, its key, its tables, its first entry, and what the last checkpoint says of it."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T
from dsi_automation.journal.checkpoints import NAME, Checkpoint, CheckpointFile
from dsi_automation.journal.controller_key import ControllerKey
from dsi_automation.journal.database_errors import translated
from dsi_automation.journal.errors import TamperedError
from dsi_automation.journal.model import Draft, Entry, Kind

if TYPE_CHECKING:
    from dsi_automation.journal.store import Head, SqlJournal, SqlTransaction

DATABASE: Final = "journal.db"
FORMAT: Final = "dsi.journal/1"
ACTOR: Final = "controller"
SUBJECT: Final = "journal"

CHECKPOINTED: Final = frozenset(Kind) - {Kind.ABOUT_TO, Kind.ACTION_DONE, Kind.PLAYBOOK}
"""What is followed by a checkpoint: all that decides something or ends something."""


def open_journal(
    url: str | None, state_dir: Path, clock: Clock | None = None, *, wait: timedelta | None = None
) -> SqlJournal:
    """Open the journal; make its folder, key, tables and first entry the first time.

    Args:
        url: the database, `sqlite:////...` or `postgresql://...`; None for `journal.db` in the state folder.
        state_dir: where the controller's key and its checkpoints are.
        clock: for tests; else the database's clock.
        wait: how long a writer waits for its turn; 10 s by default.

    Raises:
        StorageError: the database or the folder is locked, full, read-only, absent or newer than this program.
        TamperedError: the journal is shorter than its last checkpoint, or another one.
        SigningError: the controller's key is no key, or others can read it.
    """
    from dsi_automation.journal.database import WAIT, Database
    from dsi_automation.journal.migrate import migrate
    from dsi_automation.journal.store import SqlJournal

    with translated(str(state_dir)):
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ControllerKey.load_or_make(state_dir)
    database = Database(url or f"sqlite:///{(state_dir / DATABASE).absolute()}", wait=wait or WAIT)
    journal = SqlJournal(database, clock)
    try:
        migrate(database)
        _Keeper(CheckpointFile(state_dir / NAME, key)).attach(journal, key)
    except BaseException:
        journal.close()
        raise
    return journal


@dataclass
class _Keeper:
    """Writes checkpoints after transactions, and holds every transaction against the last one."""

    file: CheckpointFile
    last: Checkpoint | None = None
    journal_id: str = ""
    owed: list[tuple[int, str, datetime]] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, journal: SqlJournal, key: ControllerKey) -> None:
        """Introduce this controller to the journal, and from now on watch it."""
        self.last = self.file.latest()
        journal.before.append(self.before)
        journal.after.append(self.after)
        journal.on_checkpoint = self.now
        opened = journal.read(kinds=[Kind.JOURNAL_OPENED])
        if opened:
            self.journal_id = str(opened[0].body["journal"])
            self._compare(journal)
        if not _knows(opened, key):
            with journal.transaction() as transaction:
                opened = transaction.entries(kinds=[Kind.JOURNAL_OPENED])
                self.journal_id = str(opened[0].body["journal"]) if opened else secrets.token_hex(16)
                # Another process of this controller may have been first since.
                if not _knows(opened, key):
                    transaction.append(_introduction(self.journal_id, key))

    def before(self, transaction: SqlTransaction) -> None:
        """Refuse a journal that ends before the last checkpoint; write a checkpoint that is still owed."""
        last = self.last
        if last is not None and transaction.head.seq < last.seq:
            raise _cut(last, transaction.head.seq)
        if last is not None and transaction.head.seq == last.seq and transaction.head.hash != last.hash:
            raise _other(last)
        if self.owed:
            self._settle()

    def now(self, head: Head) -> None:
        """Write a checkpoint of the end of the journal, unless there is one."""
        if head.at is not None and (self.last is None or self.last.seq < head.seq):
            self._settle((head.seq, head.hash, head.at))

    def after(self, appended: Sequence[Entry], head: Head) -> None:
        """Write a checkpoint when something of weight was recorded.

        The entry is in the journal by now, so a full disk here is no failure of the transaction: the checkpoint
        is owed, and the next transaction does not start before it is written.
        """
        if head.at is not None and any(entry.kind in CHECKPOINTED for entry in appended):
            from dsi_automation.core.errors import StorageError

            try:
                self._settle((head.seq, head.hash, head.at))
            except StorageError:
                return

    def _settle(self, *more: tuple[int, str, datetime]) -> None:
        """Write the checkpoint of the longest journal among those owed; it covers the shorter ones."""
        with self.turn:
            self.owed = sorted([*self.owed, *more])[-1:]
            for seq, last_hash, at in self.owed:
                if self.last is None or self.last.seq < seq:
                    self.last = self.file.write(self.journal_id, seq, last_hash, at)
            self.owed = []

    def _compare(self, journal: SqlJournal) -> None:
        last = self.last
        if last is None:
            return
        if last.journal != self.journal_id:
            raise _other(last)
        found = journal.hash_at(last.seq)
        if found is None:
            raise _cut(last, journal.head().seq)
        if found != last.hash:
            raise _other(last)


def _knows(opened: Sequence[Entry], key: ControllerKey) -> bool:
    return any(entry.body.get("controller", {}).get("public_key") == key.public_key for entry in opened)


def _introduction(journal_id: str, key: ControllerKey) -> Draft:
    body = {
        "format": FORMAT,
        "journal": journal_id,
        "controller": {"host": socket.gethostname(), "public_key": key.public_key},
    }
    return Draft(Kind.JOURNAL_OPENED, SUBJECT, ACTOR, body)


def _cut(last: Checkpoint, seq: int) -> TamperedError:
    return TamperedError(
        T("The journal ends at entry {seq}, but a checkpoint shows it had {last}.", seq=seq, last=last.seq),
        meaning=T("Its end was cut off, or an older copy was put in its place; the gate stays closed."),
        next_step=T(
            "Restore the whole database; keep this one and the checkpoints' file for the inquiry. "
            "A journal begun anew on purpose needs a state folder of its own."
        ),
        detail={"journal": last.journal, "checkpoint": last.seq, "hash": last.hash},
    )


def _other(last: Checkpoint) -> TamperedError:
    return TamperedError(
        T("The journal is not the one its checkpoints describe (entry {seq}).", seq=last.seq),
        meaning=T("It was rewritten, or another journal was put in its place; the gate stays closed."),
        next_step=T(
            "Run `dsi journal verify`; keep the database and the checkpoints' file for the inquiry. "
            "A journal begun anew on purpose needs a state folder of its own."
        ),
        detail={"journal": last.journal, "checkpoint": last.seq, "hash": last.hash},
    )
