"""Writes into the journal what several threads have to record: whoever waits for a turn is written with the others.

A transaction waits for the disk, and only one is open at a time. With a transaction for each entry, fifty targets
would wait for each other's; here the entries that came while one was being written share the next. Nothing is weaker
for it: `write` returns when the entry is on the disk, and not before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from dsi_automation.core.errors import DsiError, StorageError
from dsi_automation.journal.model import Journal, Transaction


@dataclass(slots=True, eq=False)
class _Slip:
    """One entry to be written: `entry` checks what it has to, then appends it as its last act."""

    entry: Callable[[Transaction], None]
    settled: bool = False
    error: BaseException | None = None


class Clerk:
    """Writes entries for any number of threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # One writer at a time anyway: threads that queue here do not poll the database's lock.
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Slip] = []

    def write(self, entry: Callable[[Transaction], None]) -> None:
        """Have an entry written, and wait until it stands.

        Args:
            entry: appends one entry, after checks that may refuse it; a refusal is this entry's alone.

        Raises:
            StorageError: nothing was written. DsiError: what `entry` refused with.
        """
        slip = _Slip(entry)
        with self._guard:
            self._waiting.append(slip)
        with self._turn:
            if not slip.settled:
                self._write_waiting()
        if slip.error is not None:
            raise slip.error

    def _write_waiting(self) -> None:
        with self._guard:
            slips, self._waiting = self._waiting, []
        try:
            with self._journal.transaction() as change:
                for slip in slips:
                    try:
                        slip.entry(change)
                    except StorageError:
                        raise
                    except DsiError as error:
                        slip.error = error
        except BaseException as error:  # noqa: BLE001  # each thread hears of it: nothing of the transaction stands
            for slip in slips:
                slip.error = slip.error or error
        finally:
            for slip in slips:
                slip.settled = True
