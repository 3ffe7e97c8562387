"""Taking up an occurrence: decided and recorded in one transaction, so that two controllers never both start it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dsi_automation.core.clock import iso
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.text import T
from dsi_automation.schedules.decide import Decision, Missed, decide
from dsi_automation.schedules.occurrences import Occurrence
from dsi_automation.schedules.record import Word, draft, fold, rule_of, subject

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.inventory.schedule_model import Schedule
    from dsi_automation.journal.model import Lease, Transaction


@dataclass(frozen=True, slots=True)
class Claim:
    """An occurrence that this process has begun; it holds the schedule's lease.

    Attributes:
        by_hand: somebody asked for it now: no occurrence of the cron expression is settled by it.
    """

    name: str
    occurrence: Occurrence
    person: str
    leases: Sequence[Lease]
    by_hand: bool = False


def person_of(toolkit: Toolkit) -> str:
    """Return whose key this is: the one in whose name the schedules run.

    Raises:
        UsageError: there is no key. GateClosedError: it is nobody's.
    """
    person = toolkit.inventory.people.by_key(toolkit.signer.public_key, toolkit.clock.now())
    if person is None:
        raise GateClosedError(
            T("The key of the schedules belongs to nobody in people.yml, or its period is over."),
            next_step=T("Have its public half put there by whoever keeps the inventory."),
            detail={"door": "signer"},
        )
    return person.id


def look(toolkit: Toolkit, name: str, schedule: Schedule, *, fresh: timedelta = timedelta(0)) -> Decision:
    """Return what is to be done now, by the journal as it is; records nothing."""
    journal = toolkit.journal
    record = fold(journal.read(subject=subject(name)))
    held = any(lease.target == subject(name) for lease in journal.holders())
    return decide(name, schedule, record, toolkit.clock.now(), held=held, fresh=fresh)


def take(
    toolkit: Toolkit, name: str, schedule: Schedule, *, fresh: timedelta = timedelta(0), begin: bool = True
) -> tuple[Claim | None, tuple[Missed, ...]]:
    """Begin the occurrence that is to begin now, if there is one, and record what was missed.

    Args:
        fresh: see `decide`.
        begin: false to record what was missed only.

    Raises:
        GateClosedError: the clock stands before the journal's last entry, or the key is nobody's.
        StorageError: the journal refuses.
    """
    person = person_of(toolkit)
    with toolkit.journal.transaction() as change:
        record = fold(change.entries(subject=subject(name)))
        held = any(lease.target == subject(name) for lease in change.holders())
        now = change.now
        decision = decide(name, schedule, record, now, held=held, fresh=fresh)
        if decision.known:
            since = now if decision.begin is None else decision.begin.due - timedelta(seconds=1)
            change.append(draft(name, person, Word.KNOWN, since, rule=rule_of(schedule)))
        for item in decision.missed:
            change.append(missed_draft(name, person, item))
        if decision.begin is None or not begin:
            return None, decision.missed
        return _begun(toolkit, change, name, person, decision.begin), decision.missed


def take_by_hand(toolkit: Toolkit, name: str) -> Claim:
    """Begin a schedule now because somebody asks for it.

    Raises:
        LeaseHeldError: it is running already.
    """
    person = person_of(toolkit)
    with toolkit.journal.transaction() as change:
        now = change.now.replace(microsecond=0)
        return _begun(toolkit, change, name, person, Occurrence(now, now), by_hand=True)


def ended(toolkit: Toolkit, claim: Claim, word: Word, **more: Any) -> None:
    """Record how an occurrence that this process began has ended."""
    with toolkit.journal.transaction() as change:
        facts = {**more, **({"by_hand": True} if claim.by_hand else {})}
        change.append(draft(claim.name, claim.person, word, claim.occurrence.due, **facts), fence=claim.leases[0])


def missed_draft(name: str, person: str, missed: Missed, error: dict[str, Any] | None = None) -> Any:
    """Return the entry for occurrences that were missed."""
    facts = {"first": iso(missed.first), "count": missed.count, "reason": missed.reason, "error": error}
    return draft(name, person, Word.MISSED, missed.last, **facts)


def busy_until(toolkit: Toolkit, name: str) -> datetime | None:
    """Return until when somebody else's lease of this schedule holds; None when nobody has one."""
    found = [lease for lease in toolkit.journal.holders() if lease.target == subject(name)]
    return found[0].expires_at if found else None


def _begun(
    toolkit: Toolkit, change: Transaction, name: str, person: str, occurrence: Occurrence, *, by_hand: bool = False
) -> Claim:
    parts = toolkit.parts
    run = f"{name}@{iso(occurrence.due)}"
    leases = change.acquire([subject(name)], run, parts.owner, person, parts.lease_ttl)
    more = {"owner": parts.owner, **({"by_hand": True} if by_hand else {})}
    change.append(draft(name, person, Word.STARTED, occurrence.due, **more), fence=leases[0])
    return Claim(name, occurrence, person, leases, by_hand)
