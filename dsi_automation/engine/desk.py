"""Where requests are put forward and decided on: everything that is signed before a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.plan import Plan
from dsi_automation.core.secrets import redact_json
from dsi_automation.core.text import T, Text
from dsi_automation.engine import chain, documents, fold, hours, registry
from dsi_automation.engine.closed import closed, taken
from dsi_automation.engine.doors import SIGNING_TAKES, Examined, check_standing, emergency_role
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.gate import Gate
from dsi_automation.engine.identifiers import REQUEST, new_id
from dsi_automation.engine.model import Request, RequestKind, RequestState, StandingBounds, Window
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.persons import has_role, read_people, same_person, signer_of
from dsi_automation.inventory.model import Person, Rule
from dsi_automation.journal.model import Draft, Kind, Signed, Transaction

_STATES: Final = {
    RequestState.PENDING: T("waiting for approval"),
    RequestState.APPROVED: T("approved"),
    RequestState.REFUSED: T("refused"),
    RequestState.REVOKED: T("revoked"),
    RequestState.EXPIRED: T("expired"),
    RequestState.USED: T("used"),
    RequestState.RATIFICATION_DUE: T("waiting for ratification"),
    RequestState.RATIFIED: T("ratified"),
}


class Desk:
    """Takes requests and decisions, each from the person whose key signs it."""

    def __init__(self, parts: Parts, gate: Gate) -> None:
        self._parts = parts
        self._gate = gate

    def put_forward(self, plan: Plan, reason: str, window: Window, bounds: StandingBounds | None) -> str:
        """Record a request; return its identifier.

        Raises:
            UsageError: an empty plan or reason, times in the past or the wrong way round.
            GateClosedError: policy or the signer's roles do not allow it.
        """
        now = self.now()
        check_plan(self._parts, plan, reason, standing=bounds is not None)
        check_window(window, now)
        if bounds is not None:
            hours.check_bounds(bounds, now)
        kind = RequestKind.SINGLE if bounds is None else RequestKind.STANDING
        ledger = chain.survey(self._parts)
        person = self.me(now)
        rule = self._gate.rule(plan.operation, self._gate.environment_of(plan))
        entitled(person, rule.requesters)
        if bounds is not None:
            check_standing(rule, bounds.until - now.date())
        draft = self.request_draft(ledger, plan, kind, reason, window, bounds, person, rule, now)
        with self._parts.journal.transaction() as change:
            _free(change, draft.subject)
            in_good_time(change.now, now)
            change.append(draft)
        return draft.subject

    def request_draft(
        self,
        ledger: Ledger,
        plan: Plan,
        kind: RequestKind,
        reason: str,
        window: Window,
        bounds: StandingBounds | None,
        person: Person,
        rule: Rule,
        now: datetime,
    ) -> Draft:
        """Return the signed entry of a request."""
        request_id = new_id(REQUEST, now, set(ledger.subjects(Kind.REQUESTED)))
        document = documents.request_document(
            journal=ledger.journal_id,
            request=request_id,
            plan=plan,
            environment=self._gate.environment_of(plan),
            kind=kind,
            reason=reason.strip(),
            window=window,
            bounds=bounds,
            person=person.id,
            made_at=now,
        )
        body = {
            "plan": plan.to_json(),
            "approvals_needed": rule.approvals if kind is not RequestKind.EMERGENCY else 1,
            "valid_for_seconds": int(rule.valid_for.total_seconds()),
        }
        if kind is RequestKind.EMERGENCY and rule.emergency is not None:
            body["ratify_before"] = iso(now + rule.emergency.ratify_within)
        return Draft(Kind.REQUESTED, request_id, person.id, body, self.sign(document, documents.REQUEST))

    def approve(self, request_id: str, comment: str) -> None:
        """Sign a yes on exactly the plan of a request.

        Raises:
            GateClosedError: own request, wrong role, said already, no longer to be decided.
        """

        def allowed(case: Examined, person: Person) -> None:
            _not_own(case, person)
            if case.request.state is not RequestState.PENDING:
                raise _already(case.request)
            _once(case, person, "approve")
            entitled(person, case.rule.approvers)

        self._decide(request_id, Kind.APPROVED, comment, allowed)

    def refuse(self, request_id: str, comment: str) -> None:
        """Sign a no: on a request nobody decided yet, or instead of ratifying an emergency.

        Raises:
            GateClosedError: wrong role, or no longer to be decided.
        """

        def allowed(case: Examined, person: Person) -> None:
            _not_own(case, person)
            due = case.request.state is RequestState.RATIFICATION_DUE
            if not due and case.request.state is not RequestState.PENDING:
                raise _already(case.request)
            entitled(person, _ratifiers(case.rule) if due else case.rule.approvers)

        self._decide(request_id, Kind.REFUSED, comment, allowed)

    def revoke(self, request_id: str, comment: str) -> None:
        """Take back a request or an approval; one that is running stops before its next action.

        Raises:
            GateClosedError: neither one's own request nor one's role, or nothing is left to take back.
        """

        def allowed(case: Examined, person: Person) -> None:
            roles = (*case.rule.approvers, *(_ratifiers(case.rule) if case.rule.emergency else ()))
            if not same_person(person, case.requester):
                entitled(person, roles)
            taken_back = any(item.decision in {"revoke", "refuse"} for item in case.request.decisions)
            if taken_back or case.request.state is RequestState.EXPIRED or self._finished(case.request):
                raise _already(case.request)

        self._decide(request_id, Kind.REVOKED, comment, allowed)

    def ratify(self, request_id: str, comment: str) -> None:
        """Approve an emergency after the fact; late is recorded as late, and better than never.

        Raises:
            GateClosedError: one's own, wrong role, or not an emergency that waits for it.
        """

        def allowed(case: Examined, person: Person) -> None:
            _not_own(case, person)
            if case.request.state is not RequestState.RATIFICATION_DUE:
                raise _already(case.request)
            entitled(person, _ratifiers(case.rule))

        self._decide(request_id, Kind.RATIFIED, comment, allowed)

    def declare(self, ledger: Ledger, plan: Plan, reason: str, now: datetime) -> tuple[Draft, Person]:
        """Return the signed entry that declares an emergency, and who declares it.

        Raises:
            UsageError, GateClosedError: as `put_forward`; policy's emergency rule names the roles.
        """
        check_plan(self._parts, plan, reason)
        person = self.me(now)
        rule = self._gate.rule(plan.operation, self._gate.environment_of(plan))
        emergency_role(person, rule)
        kind = RequestKind.EMERGENCY
        return self.request_draft(ledger, plan, kind, reason, Window(), None, person, rule, now), person

    def now(self) -> datetime:
        """Return the journal's time, which all controllers share.

        Raises:
            GateClosedError: it went back.
        """
        with self._parts.journal.transaction() as change:
            return change.now

    def me(self, now: datetime) -> Person:
        """Return the person at the keyboard, found by the key that signs.

        Raises:
            GateClosedError: nobody has that key.
        """
        return signer_of(read_people(self._parts.people), self._parts.signer.public_key, now)

    def sign(self, document: str, namespace: str) -> Signed:
        """Return a document signed by the person at the keyboard, the signature checked at once.

        Raises:
            DsiError: the key cannot be used, or what came back is no signature of it.
        """
        signed = self._parts.signer.sign(document, namespace)
        self._parts.verify(signed)
        if signed.document != document or signed.namespace != namespace:
            raise closed("signature", T("The signer signed something else."), T("Check the key or the agent."))
        return signed

    def _decide(self, request_id: str, kind: Kind, comment: str, allowed: Callable[[Examined, Person], None]) -> None:
        if not comment.strip():
            raise UsageError(T("A decision needs a comment."), next_step=T("Say why: --comment TEXT."))
        now = self.now()
        ledger = chain.survey(self._parts)
        case = self._gate.examine(ledger, request_id, now)
        person = self.me(now)
        allowed(case, person)
        document = documents.decision_document(
            journal=ledger.journal_id,
            request=request_id,
            decision=fold.DECISIONS[kind],
            plan_digest=case.plan.digest,
            request_sha256=case.sha256,
            comment=comment.strip(),
            person=person.id,
            at=now,
            head=ledger.head,
        )
        draft = Draft(kind, request_id, person.id, {}, self.sign(document, documents.DECISION))
        with self._parts.journal.transaction() as change:
            again = self._gate.examine(chain.still(change, ledger, request_id), request_id, change.now)
            allowed(again, person)
            in_good_time(change.now, now)
            change.append(draft)

    def _finished(self, request: Request) -> bool:
        if request.kind is RequestKind.STANDING or not request.runs:
            return False
        ended = fold.run(Ledger(self._parts.journal.read(subject=request.runs[-1])), request.runs[-1])
        return ended.exit_code == 0


def check_plan(parts: Parts, plan: Plan, reason: str, *, standing: bool = False) -> None:
    """Make sure that a plan can be put forward.

    Args:
        standing: for again and again: that there is nothing to do today says nothing about tomorrow, unless the
            approval binds the actions.

    Raises:
        UsageError: unknown operation or targets, nothing to do, no reason, or the value of a secret in it.
    """
    operation = registry.changing(parts, plan.operation)
    if plan.version != operation.version:
        raise UsageError(
            T("The plan was made by another version of {name}.", name=plan.operation),
            next_step=T("Make the plan again."),
        )
    if not plan.actions and (not standing or operation.standing_binds_actions):
        raise UsageError(
            T("The plan has nothing to do, so there is nothing to approve."),
            next_step=T("See why with `dsi plan {name}`.", name=plan.operation),
        )
    registry.known_targets(parts, operation, plan.targets, registry.validated(operation, plan.inputs))
    if not reason.strip():
        raise UsageError(T("A request needs a reason."), next_step=T("Say why: --reason TEXT."))
    whole = plan.to_json()
    if redact_json(whole) != whole:
        raise UsageError(
            T("The plan holds the value of a secret; plans name secrets, they never hold them."),
            next_step=T("Give the secret by its name; nothing was written."),
        )


def check_window(window: Window, now: datetime) -> None:
    """Make sure that a window lies ahead and has a beginning before its end.

    Raises:
        UsageError: it does not, or a time has no zone.
    """
    for moment in (window.not_before, window.not_after):
        if moment is not None and moment.tzinfo is None:
            raise UsageError(T("A time needs its time zone."), next_step=T("Write 2026-11-21T19:30+00:00."))
        if moment is not None and moment <= now:
            raise UsageError(T("{at} is in the past.", at=iso(moment)), next_step=T("Give a time to come."))
    if window.not_before and window.not_after and window.not_before >= window.not_after:
        raise UsageError(T("The window ends before it begins."), next_step=T("Exchange the two times."))


def _free(change: Transaction, request_id: str) -> None:
    if change.entries(subject=request_id):
        raise taken(request_id)


def in_good_time(now: datetime, began: datetime) -> None:
    """Make sure that what was signed at `began` is recorded soon after.

    Raises:
        GateClosedError: it was not.
    """
    if now - began > SIGNING_TAKES:
        raise closed(
            "slow", T("The signature took more than 15 minutes, so it was not recorded."), T("Run the command again.")
        )


def _not_own(case: Examined, person: Person) -> None:
    if same_person(person, case.requester):
        raise closed(
            "self_approval",
            T("{id} is {person}'s own request.", id=case.request.id, person=case.requester.id),
            T("Somebody else must decide on it."),
        )


def entitled(person: Person, roles: Sequence[str]) -> None:
    """Make sure that a person holds one of the roles.

    Raises:
        GateClosedError: none of them.
    """
    if not has_role(person, roles):
        raise closed(
            "role",
            T("{person} has none of the roles this needs: {roles}.", person=person.id, roles=", ".join(roles)),
            T("Somebody with one of these roles must do it."),
        )


def _ratifiers(rule: Rule) -> tuple[str, ...]:
    return rule.emergency.ratifiers if rule.emergency is not None else ()


def _once(case: Examined, person: Person, decision: str) -> None:
    said = {item.person for item in case.request.decisions if item.decision == decision}
    if any(same_person(person, other) for other in case.people if other.id in said):
        raise closed(
            "twice",
            T("{person} has already approved {id}.", person=person.id, id=case.request.id),
            T("Another person must approve it as well."),
        )


def _already(request: Request) -> Exception:
    return closed(
        "decided",
        T("{id} is no longer open to this: it is {state}.", id=request.id, state=state_text(request.state)),
        T("See it with `dsi show {id}`.", id=request.id),
    )


def state_text(state: RequestState) -> Text:
    """Return a state as people read it."""
    return _STATES[state]
