"""Who handed an account over to whom, and how: recorded and signed before a password is revealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.engine import chain, documents, registry
from dsi_automation.engine.closed import taken
from dsi_automation.engine.desk import Desk, entitled, in_good_time
from dsi_automation.engine.gate import Gate
from dsi_automation.engine.identifiers import HANDOVER, new_id
from dsi_automation.engine.model import HandedBy, HandedItem, HandOver
from dsi_automation.engine.parts import Parts
from dsi_automation.journal.model import Draft, Entry, Kind


class Custody:
    """Records hand-overs, each in the name of the person whose key signs it."""

    def __init__(self, parts: Parts, gate: Gate, desk: Desk) -> None:
        self._parts = parts
        self._gate = gate
        self._desk = desk

    def hand_over(self, operation: str, items: Sequence[HandedItem], to: str | None) -> HandOver:
        """Record one hand-over of one or many accounts with one signature; it is in the journal on return.

        Args:
            operation: the operation whose requesters may hand over what it makes.

        Raises:
            UsageError: unknown operation, nothing to hand over, or one account twice.
            GateClosedError: the journal, the policy or the signer's roles do not allow it.
        """
        registry.changing(self._parts, operation)
        _check(items)
        now = self._desk.now()
        ledger = chain.survey(self._parts)
        person = self._desk.me(now)
        targets = tuple(item.target for item in items)
        entitled(person, self._gate.rule(operation, self._gate.environment_for(operation, targets)).requesters)
        handover = new_id(HANDOVER, now, set(ledger.subjects(Kind.HANDED_OVER)))
        document = documents.custody_document(
            journal=ledger.journal_id,
            handover=handover,
            operation=operation,
            items=items,
            to=(to or "").strip() or None,
            person=person.id,
            at=now,
            head=ledger.head,
        )
        body = {"operation": operation, "targets": list(targets)}
        draft = Draft(Kind.HANDED_OVER, handover, person.id, body, self._desk.sign(document, documents.CUSTODY))
        with self._parts.journal.transaction() as change:
            if change.entries(subject=handover):
                raise taken(handover)
            in_good_time(change.now, now)
            made = change.append(draft)
        return handovers([made])[0]


def handovers(entries: Iterable[Entry]) -> list[HandOver]:
    """Return the hand-overs that entries tell of, oldest first.

    Raises:
        GateClosedError: a line does not hold what it should.
    """
    return [_folded(entry) for entry in entries if entry.kind is Kind.HANDED_OVER]


def _folded(entry: Entry) -> HandOver:
    document = documents.read(entry, documents.CUSTODY)
    return HandOver(
        id=entry.subject,
        operation=document["operation"],
        person=entry.actor,
        at=entry.at,
        items=tuple(
            HandedItem(item["target"], item["address"], HandedBy(item["how"]), item["run"])
            for item in document["items"]
        ),
        to=document["to"],
    )


def _check(items: Sequence[HandedItem]) -> None:
    if not items:
        raise UsageError(T("Nothing is handed over."), next_step=T("Name an account or a run."))
    names = [item.target for item in items]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(T("Named twice: {names}.", names=", ".join(twice)), next_step=T("Name each target once."))
