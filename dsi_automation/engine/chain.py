"""What the gate makes sure of about the journal before it believes a line of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsi_automation.core.errors import DsiError, GateClosedError
from dsi_automation.core.text import T
from dsi_automation.engine.closed import closed
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.parts import Parts
from dsi_automation.journal.chain import GENESIS, line_hash
from dsi_automation.journal.model import Entry, Kind, Transaction


def survey(parts: Parts) -> Ledger:
    """Read the whole journal, check its chain and its last checkpoint, and return it.

    Outside any transaction, so that the cost (linear in the journal) holds nobody up.

    Raises:
        GateClosedError: an entry was edited, removed, swapped or cut off.
    """
    entries = parts.journal.read()
    if not entries:
        raise broken(1)
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        if entry.seq != number or entry.prev != previous or line_hash(entry.line) != entry.hash:
            raise broken(number)
        previous = entry.hash
    try:
        parts.audit(entries)
    except GateClosedError:
        raise
    except DsiError as error:
        raise closed(
            "journal",
            T("The journal does not agree with its last checkpoint: {problem}", problem=error.what),
            error.next_step or T("Have the journal looked at: `dsi journal verify`."),
        ) from error
    return Ledger(entries)


def still(change: Transaction, surveyed: Ledger, request_id: str) -> Ledger:
    """Return what a decision about one request rests on, read again within the transaction that decides.

    Every line surveyed before must still be there, the same; a line newer than the survey counts too, and is
    checked by itself.

    Raises:
        GateClosedError: something changed that only ever grows.
    """
    entries = [*change.entries(subject=request_id)]
    started = [e for e in change.entries(kinds=[Kind.RUN_STARTED]) if e.body.get("request") == request_id]
    for run_id in dict.fromkeys(entry.subject for entry in started):
        entries += change.entries(subject=run_id)
    _grown(surveyed, request_id, entries)
    known = {entry.seq for entry in entries}
    first = [entry for entry in surveyed.entries if entry.seq not in known]
    return Ledger(sorted((*first, *entries), key=lambda entry: entry.seq))


def broken(seq: int) -> GateClosedError:
    """Return the error for a journal that is not as it was written."""
    return closed(
        "journal",
        T("The journal is not as it was written: line {seq} does not follow from the one before.", seq=seq),
        T("Run `dsi journal verify`, keep a copy of the database, and call the head of the department."),
    )


def _grown(surveyed: Ledger, request_id: str, entries: Sequence[Entry]) -> None:
    by_seq = {entry.seq: entry for entry in entries}
    for entry in surveyed.relied_on(request_id):
        if by_seq.get(entry.seq) != entry:
            raise broken(entry.seq)
    head = surveyed.head.seq
    for entry in _newer(entries, surveyed):
        if entry.seq <= head or line_hash(entry.line) != entry.hash:
            raise broken(entry.seq)


def _newer(entries: Iterable[Entry], surveyed: Ledger) -> list[Entry]:
    known = {entry.seq for entry in surveyed.entries}
    return [entry for entry in entries if entry.seq not in known]
