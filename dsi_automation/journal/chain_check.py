"""Walks the chain row by row and says what is not as it was written; believes nothing but the bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.text import T, Text
from dsi_automation.journal.chain import GENESIS, line_hash
from dsi_automation.journal.findings import Fault, Problem
from dsi_automation.journal.model import Kind
from dsi_automation.journal.row import Row

TOLERANCE: Final = timedelta(seconds=5)
"""As far back as a writer's clock may stand; see `store.TOLERANCE`."""

_COLUMNS: Final = ("at", "kind", "subject", "actor", "prev")
_MEMBERS: Final = frozenset({"seq", "at", "kind", "subject", "actor", "body", "signed", "prev"})


class ChainCheck:
    """Takes the rows in order; remembers every hash, so that claims about any entry can be held against it.

    Attributes:
        hashes: the hash of each entry's actual bytes, from the first: 64 bytes an entry.
        journal: the identifier in the first entry.
        controllers: the public keys that entries `journal.opened` introduced.
    """

    def __init__(self) -> None:
        """Start before the first entry."""
        self.hashes: dict[int, str] = {}
        self.journal: str | None = None
        self.controllers: set[str] = set()
        self.problems: list[Problem] = []
        self._next = 1
        self._previous: tuple[str, ...] = (GENESIS,)
        self._doubtful = False
        self._last_at: datetime | None = None

    @property
    def last(self) -> int:
        """Return the number of the last entry."""
        return self._next - 1

    @property
    def head(self) -> str:
        """Return the hash of the last entry."""
        return self._previous[0]

    def take(self, row: Row) -> Mapping[str, Any] | None:
        """Look at the next row.

        Returns:
            What its line holds, or None when that cannot be read.
        """
        known = len(self.problems)
        seq = self._number(row)
        actual = line_hash(row.line) if isinstance(row.line, str) else ""
        self.hashes[seq] = actual
        if actual != row.hash:
            self._report(seq, Fault.EDITED, T("Entry {seq} was edited.", seq=seq), str(row.hash), actual)
        data = _read(row.line)
        if data is None:
            self._report(seq, Fault.EDITED, T("Entry {seq} cannot be read.", seq=seq))
        else:
            self._look_inside(seq, row, data, doubtful=self._doubtful or len(self.problems) > known)
        # An entry whose line was edited still links by the hash that was written with it.
        self._previous = (actual, str(row.hash))
        self._next = seq + 1
        self._doubtful = len(self.problems) > known
        return data

    def _number(self, row: Row) -> int:
        if row.seq == self._next:
            return self._next
        if isinstance(row.seq, int) and row.seq > self._next:
            first, last = self._next, row.seq - 1
            what = (
                T("Entry {first} was removed.", first=first)
                if first == last
                else T("Entries {first} to {last} were removed.", first=first, last=last)
            )
            self._report(first, Fault.REMOVED, what, str(first), str(row.seq))
            return row.seq
        what = T("After entry {before} comes one numbered {found}.", before=self._next - 1, found=str(row.seq))
        self._report(self._next, Fault.MOVED, what, str(self._next), str(row.seq))
        return self._next

    def _look_inside(self, seq: int, row: Row, data: Mapping[str, Any], *, doubtful: bool) -> None:
        if data["seq"] != seq:
            what = T(
                "In the place of entry {seq} stands the one that was entry {found}.", seq=seq, found=str(data["seq"])
            )
            self._report(seq, Fault.MOVED, what, str(seq), str(data["seq"]))
        elif data["prev"] not in self._previous and not doubtful:
            what = T(
                "Entry {seq} was not written after the entry {before} that stands there now: "
                "{before} or what comes before it was replaced.",
                seq=seq,
                before=seq - 1,
            )
            self._report(seq, Fault.BROKEN_LINK, what, str(data["prev"]), self._previous[0])
        for name in _COLUMNS:
            if data[name] != getattr(row, name):
                what = T("The column {name} of entry {seq} is not what its line says.", name=name, seq=seq)
                self._report(seq, Fault.COLUMN, what, str(data[name]), str(getattr(row, name)))
        self._look_at_time(seq, data)
        self._look_at_opening(seq, data)

    def _look_at_time(self, seq: int, data: Mapping[str, Any]) -> None:
        try:
            at = parse_iso(data["at"])
        except (ValueError, TypeError):
            self._report(seq, Fault.EDITED, T("Entry {seq} has no readable time.", seq=seq), None, str(data["at"]))
            return
        if self._last_at is not None and self._last_at - at > TOLERANCE:
            what = T("Entry {seq} is dated before the one it follows.", seq=seq)
            self._report(seq, Fault.CLOCK, what, self._last_at.isoformat(), at.isoformat())
        self._last_at = at

    def _look_at_opening(self, seq: int, data: Mapping[str, Any]) -> None:
        body = data["body"] if isinstance(data["body"], dict) else {}
        opening = data["kind"] == Kind.JOURNAL_OPENED
        if seq == 1:
            self.journal = str(body.get("journal")) if opening else None
        if seq == 1 and not opening:
            self._report(seq, Fault.NOT_A_JOURNAL, T("The first entry does not open a journal."))
        if not opening:
            return
        if str(body.get("journal")) != str(self.journal):
            what = T("Entry {seq} belongs to another journal.", seq=seq)
            self._report(seq, Fault.NOT_A_JOURNAL, what, str(self.journal), str(body.get("journal")))
        controller = body.get("controller")
        if isinstance(controller, dict):
            self.controllers.add(str(controller.get("public_key")))

    def _report(
        self, seq: int, fault: Fault, text: Text, expected: str | None = None, found: str | None = None
    ) -> None:
        self.problems.append(Problem(seq, fault, text, expected, found))


def check_rows(rows: Iterable[Row]) -> ChainCheck:
    """Return what a walk over all rows found."""
    chain = ChainCheck()
    for row in rows:
        chain.take(row)
    return chain


def _read(line: object) -> Mapping[str, Any] | None:
    if not isinstance(line, str):
        return None
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return data if isinstance(data, dict) and data.keys() == _MEMBERS else None
