"""The engine: implements `api.Engine` over the parts it is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dsi_automation.core.errors import UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.text import T
from dsi_automation.engine import chain, documents, fold, registry
from dsi_automation.engine.acceptance import Acceptances, acceptances
from dsi_automation.engine.api import Engine
from dsi_automation.engine.closed import again_when_taken, closed, taken
from dsi_automation.engine.custody import Custody, handovers
from dsi_automation.engine.desk import Desk
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.gate import Gate
from dsi_automation.engine.identifiers import RUN, find_id, new_id
from dsi_automation.engine.media_custody import MediaCustody, moves
from dsi_automation.engine.model import (
    Acceptance,
    AcceptanceOrder,
    HandedItem,
    HandOver,
    MediumMove,
    MediumOrder,
    Request,
    RequestState,
    Run,
    StandingBounds,
    Window,
)
from dsi_automation.engine.observers import FanOut
from dsi_automation.engine.operation import Report
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.runner import Claim, Runner, announced
from dsi_automation.engine.turns import in_turn
from dsi_automation.inventory.model import Person
from dsi_automation.journal.model import Draft, Kind, Lease, Signed, Transaction


class GatedEngine(Engine):
    """Looks, plans, and lets nothing change that the gate did not let in. See `api.Engine` for each method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._gate = Gate(parts)
        self._desk = Desk(parts, self._gate)
        self._custody = Custody(parts, self._gate, self._desk)

    def check(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Report:
        """Run a read-only operation."""
        found = registry.looking(self._parts, operation)
        given = registry.validated(found, inputs)
        names = registry.known_targets(self._parts, found, targets, given)
        return found.check(names, given, self._parts.tools.look(), FanOut(observer))

    def plan(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Plan:
        """Look and decide; changes nothing and writes nothing."""
        found = registry.changing(self._parts, operation)
        given = registry.validated(found, inputs)
        names = registry.known_targets(self._parts, found, targets, given)
        found.validate(names, given)
        return registry.look_and_plan(self._parts, found, names, given, FanOut(observer))

    def request(self, plan: Plan, reason: str, window: Window, *, standing: StandingBounds | None = None) -> Request:
        """Put a plan forward, signed."""
        return self.request_by_id(again_when_taken(lambda: self._desk.put_forward(plan, reason, window, standing)))

    def requests(self, *, open_only: bool = False) -> Sequence[Request]:
        """Return the requests, newest first."""
        ledger, now = Ledger(self._parts.journal.read()), self._parts.clock.now()
        found = [self._folded(ledger, item, now) for item in reversed(ledger.subjects(Kind.REQUESTED))]
        waiting = {RequestState.PENDING, RequestState.APPROVED, RequestState.RATIFICATION_DUE}
        return [item for item in found if not open_only or item.state in waiting]

    def request_by_id(self, request_id: str) -> Request:
        """Return one request; an unambiguous beginning of the identifier is enough."""
        ledger = Ledger(self._parts.journal.read())
        found = find_id(request_id, ledger.subjects(Kind.REQUESTED))
        return self._folded(ledger, found, self._parts.clock.now())

    def open_emergencies(self) -> Sequence[Request]:
        """Return the emergencies nobody has ratified or refused yet, the most urgent first: for banners.

        One whose `ratify_before` has passed is overdue.
        """
        due = [item for item in self.requests() if item.state is RequestState.RATIFICATION_DUE]
        return sorted(due, key=lambda item: (item.ratify_before or item.made_at, item.id))

    def approve(self, request_id: str, comment: str) -> Request:
        """Sign a yes on exactly the plan of this request."""
        return self._decided(self._desk.approve, request_id, comment)

    def refuse(self, request_id: str, comment: str) -> Request:
        """Sign a no."""
        return self._decided(self._desk.refuse, request_id, comment)

    def revoke(self, request_id: str, comment: str) -> Request:
        """Take back a request or an approval; a run under way stops before its next action."""
        return self._decided(self._desk.revoke, request_id, comment)

    def ratify(self, request_id: str, comment: str) -> Request:
        """Approve an emergency after the fact; not one's own."""
        return self._decided(self._desk.ratify, request_id, comment)

    def run(self, request_id: str, observer: Observer, *, targets: Sequence[str] | None = None) -> Run:
        """Carry out an approved plan: gate, look anew, compare, act, verify, record."""
        wanted = self.request_by_id(request_id)
        patience = registry.changing(self._parts, wanted.plan.operation).turn
        claim = in_turn(self._parts, lambda: self._claim(wanted.id, targets), patience, observer)
        return self._carried_out(claim, observer)

    def _claim(self, request_id: str, targets: Sequence[str] | None) -> Claim:
        return again_when_taken(lambda: self._claimed(request_id, targets))

    def _claimed(self, request_id: str, targets: Sequence[str] | None) -> Claim:
        ledger = chain.survey(self._parts)
        found = find_id(request_id, ledger.subjects(Kind.REQUESTED))
        now = self._desk.now()
        person = self._desk.me(now)
        case = self._gate.start(ledger, found, now, person, targets, self._parts.journal.holders())
        run_id = self._new_run_id(ledger, now)
        signed = self._signed_run(ledger, run_id, case.request, person, now)
        with self._parts.journal.transaction() as change:
            again = chain.still(change, ledger, found)
            self._gate.start(again, found, change.now, person, targets, change.holders())
            leases = self._started(change, run_id, case.request, person, signed)
        return Claim(run_id, case.request, person.id, leases)

    def _carried_out(self, claim: Claim, observer: Observer) -> Run:
        self._tell(observer, "run.started", claim.run_id)
        Runner(self._parts, claim, FanOut(observer)).carry_out({})
        return self.run_by_id(claim.run_id)

    def emergency(self, plan: Plan, reason: str, observer: Observer) -> Run:
        """Run a plan now, to be ratified afterwards by somebody entitled, within policy's time."""
        patience = registry.changing(self._parts, plan.operation).turn
        claim = in_turn(self._parts, lambda: again_when_taken(lambda: self._declared(plan, reason)), patience, observer)
        return self._carried_out(claim, observer)

    def _declared(self, plan: Plan, reason: str) -> Claim:
        ledger, now = chain.survey(self._parts), self._desk.now()
        draft, person = self._desk.declare(ledger, plan, reason, now)
        run_id = self._new_run_id(ledger, now)
        signed = self._signed_run_of(ledger, run_id, draft.subject, plan, person, now)
        with self._parts.journal.transaction() as change:
            if change.entries(subject=draft.subject):
                raise taken(draft.subject)
            made = change.append(draft)
            case = self._gate.examine(Ledger([*ledger.entries, made]), draft.subject, change.now)
            leases = self._started(change, run_id, case.request, person, signed)
        return Claim(run_id, case.request, person.id, leases)

    def resume(self, run_id: str, observer: Observer) -> Run:
        """Finish an interrupted run: settle, look anew, do what remains of what was approved."""
        ledger = chain.survey(self._parts)
        found = find_id(run_id, ledger.subjects(Kind.RUN_STARTED))
        now = self._desk.now()
        person = self._desk.me(now)
        _to_resume(ledger, found)
        case = self._gate.resume(ledger, found, now, person)
        signed = self._signed_run(ledger, found, case.request, person, now)
        with self._parts.journal.transaction() as change:
            again = chain.still(change, ledger, case.request.id)
            # The leases come first: a live holder is named before anything else is said.
            leases = change.acquire(case.plan.targets, found, self._parts.owner, person.id, self._parts.lease_ttl)
            _to_resume(again, found)
            self._gate.resume(again, found, change.now, person)
            body = {"request": case.request.id, "owner": self._parts.owner, "fences": _fences(leases)}
            change.append(Draft(Kind.RUN_RESUMED, found, person.id, body, signed), fence=leases[0])
        self._tell(observer, "run.resumed", found)
        before = again.about(found)
        claim = Claim(found, case.request, person.id, leases, before)
        Runner(self._parts, claim, FanOut(observer)).carry_out(_unresolved(again, found))
        return self.run_by_id(found)

    def hand_over(self, operation: str, items: Sequence[HandedItem], *, to: str | None = None) -> HandOver:
        """Record, signed, that accounts are handed over: to be called before a password is revealed."""
        return again_when_taken(lambda: self._custody.hand_over(operation, items, to))

    def handovers(self, *, run: str | None = None) -> Sequence[HandOver]:
        """Return the hand-overs, or those of what a run made ready; oldest first."""
        found = handovers(self._parts.journal.read(kinds=[Kind.HANDED_OVER]))
        return [item for item in found if run is None or any(one.run == run for one in item.items)]

    def move_medium(self, order: MediumOrder) -> MediumMove:
        """Record, signed, that a medium changes hands or place."""
        return again_when_taken(lambda: MediaCustody(self._parts, self._desk).move(order))

    def medium_moves(self, *, medium: str | None = None) -> Sequence[MediumMove]:
        """Return the moves of all media, or of one; oldest first."""
        found = moves(self._parts.journal.read(kinds=[Kind.MEDIUM_MOVED]))
        return [item for item in found if medium is None or item.order.medium == medium]

    def accept_release(self, order: AcceptanceOrder) -> Acceptance:
        """Record, signed, that a release has passed a stage, or has not."""
        return again_when_taken(lambda: Acceptances(self._parts, self._desk).accept(order))

    def acceptances(self, source: str | None = None) -> Sequence[Acceptance]:
        """Return the words on releases of all lines of sources, or of one; oldest first."""
        found = acceptances(self._parts.journal.read(kinds=[Kind.ACCEPTANCE]))
        return [item for item in found if source is None or item.order.source == source]

    def runs(self) -> Sequence[Run]:
        """Return the runs, newest first."""
        ledger, leases = Ledger(self._parts.journal.read()), self._parts.journal.holders()
        return [fold.run(ledger, item, leases) for item in reversed(ledger.subjects(Kind.RUN_STARTED))]

    def run_by_id(self, run_id: str) -> Run:
        """Return one run; an unambiguous beginning of the identifier is enough."""
        journal = self._parts.journal
        started = journal.read(kinds=[Kind.RUN_STARTED])
        found = find_id(run_id, {entry.subject for entry in started})
        return fold.run(Ledger(journal.read(subject=found)), found, journal.holders())

    def _decided(self, decide: Callable[[str, str], None], request_id: str, comment: str) -> Request:
        found = self.request_by_id(request_id).id
        decide(found, comment)
        return self.request_by_id(found)

    def _folded(self, ledger: Ledger, request_id: str, now: datetime) -> Request:
        try:
            return fold.request(ledger, request_id, now)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise closed(
                "request",
                T("What the journal holds about {id} cannot be read.", id=request_id),
                T("Have the journal looked at: `dsi journal verify`."),
            ) from error

    def _new_run_id(self, ledger: Ledger, now: datetime) -> str:
        return new_id(RUN, now, set(ledger.subjects(Kind.RUN_STARTED)))

    def _signed_run(self, ledger: Ledger, run_id: str, request: Request, person: Person, now: datetime) -> Signed:
        return self._signed_run_of(ledger, run_id, request.id, request.plan, person, now)

    def _signed_run_of(
        self, ledger: Ledger, run_id: str, request_id: str, plan: Plan, person: Person, now: datetime
    ) -> Signed:
        document = documents.run_document(
            journal=ledger.journal_id,
            run=run_id,
            request=request_id,
            plan_digest=plan.digest,
            targets=plan.targets,
            person=person.id,
            at=now,
        )
        return self._desk.sign(document, documents.RUN)

    def _started(
        self, change: Transaction, run_id: str, request: Request, person: Person, signed: Signed
    ) -> Sequence[Lease]:
        """Claim: take every target's lease and write the start, in the transaction in which the gate opened."""
        if change.entries(subject=run_id):
            raise taken(run_id)
        plan, owner = request.plan, self._parts.owner
        leases = change.acquire(plan.targets, run_id, owner, person.id, self._parts.lease_ttl)
        body = {
            "request": request.id,
            "operation": plan.operation,
            "plan_digest": plan.digest,
            "targets": list(plan.targets),
            "owner": owner,
            "fences": _fences(leases),
        }
        change.append(Draft(Kind.RUN_STARTED, run_id, person.id, body, signed), fence=leases[0])
        return leases

    def _tell(self, observer: Observer, kind: str, run_id: str) -> None:
        text = T("{run} has started.", run=run_id)
        FanOut(observer).notify(Event(kind, text, data={"run": run_id}))


def _fences(leases: Sequence[Lease]) -> dict[str, int]:
    return {lease.target: lease.fence for lease in leases}


def _unresolved(ledger: Ledger, run_id: str) -> dict[str, Action]:
    actions = announced(ledger.about(run_id))
    return {name: actions[name] for name in fold.unresolved(ledger.about(run_id))}


def _to_resume(ledger: Ledger, run_id: str) -> None:
    """Make sure that there is something to finish.

    Raises:
        UsageError: the run succeeded, or ended before it did anything.
    """
    run = fold.run(ledger, run_id)
    if run.ended_at is None:
        return
    if run.exit_code == 0:
        raise UsageError(T("{run} is finished.", run=run_id), next_step=T("See it with `dsi show {run}`.", run=run_id))
    if not fold.spent(ledger, run_id):
        raise UsageError(
            T("{run} ended before it did anything, so there is nothing to resume.", run=run_id),
            next_step=T("Its approval was not used: `dsi run {id}`.", id=run.request_id),
        )
