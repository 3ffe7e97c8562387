"""The gate: the one place that decides whether a run may begin or go on. Default: it may not.

Each door is a function that raises a `GateClosedError` naming itself and what to do next; the order of the
doors is that of `Gate.start` and `Gate.resume`, and docs/explanation/gate.md lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import TN, T
from dsi_automation.engine import documents, fold, hours, registry
from dsi_automation.engine.closed import closed
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.model import Request, RequestKind
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.persons import distinct, has_role, read_people, same_person, signer_of
from dsi_automation.inventory.model import ApprovalPolicy, Environment, Person, Rule
from dsi_automation.inventory.policy import rule_for
from dsi_automation.journal.model import Entry, Kind, Lease, Signed
from dsi_automation.journal.owner import describe

SIGNING_TAKES: Final = timedelta(minutes=15)
"""How long somebody may take to sign (a passphrase, a hardware key): a document older than that is not recorded."""
RESUME_WITHIN: Final = timedelta(hours=24)
"""How long after its start an interrupted run may be finished under the same approval."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A request whose line, document, plan and signature hold together."""

    entry: Entry
    document: dict[str, Any]
    request: Request
    sha256: str
    requester: Person
    rule: Rule
    people: tuple[Person, ...]

    @property
    def plan(self) -> Plan:
        """Return the plan that was put forward."""
        return self.request.plan


class Gate:
    """Decides, from the journal, the people and the policy as they are at this moment."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def start(
        self,
        ledger: Ledger,
        request_id: str,
        now: datetime,
        runner: Person,
        targets: Sequence[str] | None,
        holders: Sequence[Lease] = (),
    ) -> Examined:
        """Return the request, when `runner` may start a run of it now; `holders` are the leases held now.

        Raises:
            GateClosedError: any door is closed.
        """
        case = self.examine(ledger, request_id, now)
        request = case.request
        if request.kind is RequestKind.EMERGENCY:
            raise closed(
                "used",
                T("{id} is an emergency: it ran when it was declared.", id=request_id),
                T("Resume its run if it is not finished: `dsi resume {run}`.", run=(request.runs or ("RUN",))[-1]),
            )
        _believed(request, targets)
        self._as_approved(case)
        _not_taken_back(ledger, request)
        _not_used(ledger, request, now, holders)
        approvals = self._approvals(ledger, case, [runner], now)
        _not_expired(case, approvals, now)
        _in_time(request, now)
        _may_run(case, runner)
        return case

    def resume(self, ledger: Ledger, run_id: str, now: datetime, runner: Person) -> Examined:
        """Return the request, when `runner` may finish this run of it now.

        As `start`, but the approval is the one the run used: it need not be unused, and it must have been good
        when the run started; from then on `RESUME_WITHIN` counts.

        Raises:
            GateClosedError: any door is closed.
        """
        started = ledger.about(run_id, Kind.RUN_STARTED)[0]
        case = self.examine(ledger, started.body["request"], now)
        starter = self._starter(started, case, ledger)
        self._as_approved(case)
        _not_taken_back(ledger, case.request)
        if case.request.kind is RequestKind.EMERGENCY:
            _ratified_in_time(case.request, now)
        else:
            approvals = self._approvals(ledger, case, [runner, starter], started.at, before=started.seq)
            _not_expired(case, approvals, started.at)
        if now > started.at + RESUME_WITHIN or now < started.at - timedelta(minutes=1):
            raise closed(
                "resume_too_late",
                T("{run} began at {at}, more than {hours} hours ago.", run=run_id, at=iso(started.at), hours=24),
                T("Make a new plan and ask for a new approval; what was done already will not be done again."),
            )
        _in_time(case.request, now)
        _may_run(case, runner)
        return case

    def examine(self, ledger: Ledger, request_id: str, now: datetime) -> Examined:
        """Return a request, once everything about it holds together, whatever was decided on it.

        Raises:
            GateClosedError: its line, document, plan, signature, requester, policy or people do not hold.
        """
        people = read_people(self._parts.people)
        made = ledger.about(request_id, Kind.REQUESTED)
        if len(made) != 1:
            raise _inconsistent(request_id)
        document = documents.read(made[0], documents.REQUEST)
        try:
            request = fold.request(ledger, request_id, now)
            whole = _agree(document, request, ledger.journal_id)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise _inconsistent(request_id) from error
        if not whole:
            raise _inconsistent(request_id)
        requester = self._author(made[0], people, document)
        rule = self.rule(request.plan.operation, request.environment)
        roles = rule.requesters if request.kind is not RequestKind.EMERGENCY else _emergency_roles(rule)
        _role(requester, roles, "requester_role")
        signed = made[0].signed
        sha256 = documents.sha256(signed.document if signed else "")
        return Examined(made[0], document, request, sha256, requester, rule, people)

    def rule(self, operation: str, environment: str) -> Rule:
        """Return what policy asks for an operation in an environment.

        Raises:
            GateClosedError: policy cannot be read, or does not list them: default deny.
        """
        try:
            policy: ApprovalPolicy = self._parts.policy()
            rule = rule_for(policy, operation, Environment(environment))
        except Exception as error:
            raise closed(
                "policy",
                T("The approval policy cannot be read, so nothing is allowed."),
                T("Repair approval_policy.yml in the inventory: {problem}", problem=str(error)),
            ) from error
        if rule is None:
            raise closed(
                "not_listed",
                T("Policy does not list {operation} in {environment}.", operation=operation, environment=environment),
                T("Whoever owns approval_policy.yml decides whether to list it."),
            )
        return rule

    def environment_of(self, targets: Sequence[str]) -> str:
        """Return the one environment these targets belong to.

        Raises:
            GateClosedError: they belong to several, or one is not in the inventory.
        """
        found = sorted({str(self._parts.targets.get(target, "-")) for target in targets})
        if len(found) != 1 or found == ["-"]:
            raise closed(
                "environment",
                T("The targets are not of one environment: {found}.", found=", ".join(found)),
                T("Make one request per environment; policy differs between them."),
            )
        return found[0]

    def decision_author(self, entry: Entry, case: Examined, ledger: Ledger) -> Person:
        """Return who signed a decision, once the decision is for exactly this request.

        Raises:
            GateClosedError: the signature, the signer or what was signed does not hold.
        """
        document = documents.read(entry, documents.DECISION)
        seen = document.get("head") or {}
        seq = int(seen.get("seq", 0))
        exact = (
            document.get("journal") == ledger.journal_id
            and document.get("request") == case.request.id
            and document.get("decision") == fold.DECISIONS.get(entry.kind)
            and document.get("plan_digest") == case.plan.digest
            and document.get("request_sha256") == case.sha256
            and 0 < seq < entry.seq
            and ledger.hash_at(seq) == seen.get("hash")
        )
        if not exact:
            raise closed(
                "decision",
                T(
                    "The decision on line {seq} was signed for something else than {id}.",
                    seq=entry.seq,
                    id=case.request.id,
                ),
                T("Ask for a new approval, and have the journal looked at: `dsi journal verify`."),
            )
        return self._author(entry, case.people, document)

    def _author(self, entry: Entry, people: Sequence[Person], document: dict[str, Any]) -> Person:
        """Return who signed an entry: the signature holds, and the key was that person's at the time."""
        self._verified(entry.signed, entry.seq)
        person = signer_of(people, entry.signed.public_key if entry.signed else "", entry.at)
        if not person.id == entry.actor == document.get("person"):
            raise closed(
                "signer",
                T(
                    "Line {seq} names {named}, but {person} signed it.",
                    seq=entry.seq,
                    named=entry.actor,
                    person=person.id,
                ),
                T("Ask anew, and have the journal looked at: `dsi journal verify`."),
            )
        if abs(entry.at - signed_at(document)) > SIGNING_TAKES:
            raise closed(
                "clock",
                T("Line {seq} was not written at the time its document was signed.", seq=entry.seq),
                T("Ask anew, and have the journal looked at: `dsi journal verify`."),
            )
        return person

    def _verified(self, signed: Signed | None, seq: int) -> None:
        try:
            if signed is not None:
                self._parts.verify(signed)
                return
        except (DsiError, ValueError) as error:
            raise _bad_signature(seq) from error
        raise _bad_signature(seq)

    def _as_approved(self, case: Examined) -> None:
        """Make sure that operation, version and environment are still those that were approved."""
        operation = registry.changing(self._parts, case.plan.operation)
        if operation.version != case.plan.version:
            raise closed(
                "version",
                T("{operation} changed since {id} was made.", operation=operation.name, id=case.request.id),
                T("Make a new plan and a new request."),
            )
        if self.environment_of(case.plan.targets) != case.request.environment:
            raise closed(
                "environment",
                T("The targets of {id} have changed environment since.", id=case.request.id),
                T("Make a new plan and a new request."),
            )
        if case.request.bounds is not None:
            check_standing(case.rule, case.request.bounds.until - case.request.made_at.date())

    def _starter(self, started: Entry, case: Examined, ledger: Ledger) -> Person:
        """Return who started a run, once its first line is what that person signed."""
        document = documents.read(started, documents.RUN)
        exact = (
            document.get("journal") == ledger.journal_id
            and document.get("run") == started.subject
            and document.get("request") == case.request.id
            and document.get("plan_digest") == case.plan.digest
        )
        if not exact:
            raise _inconsistent(started.subject)
        starter = self._author(started, case.people, document)
        _may_run(case, starter)
        return starter

    def _approvals(
        self, ledger: Ledger, case: Examined, acting: Sequence[Person], now: datetime, before: int | None = None
    ) -> list[Entry]:
        """Return the approvals that count: by enough different persons, none of them asking or `acting`.

        Args:
            before: number of the line before which they must stand: the start of the run that used them.
        """
        counted: list[tuple[Person, Entry]] = []
        for entry in ledger.about(case.request.id, Kind.APPROVED):
            person = self.decision_author(entry, case, ledger)
            if same_person(person, case.requester):
                raise closed(
                    "self_approval",
                    T("{person} asked for {id} and approved it too.", person=person.id, id=case.request.id),
                    T("Somebody else must ask or approve."),
                )
            _role(person, case.rule.approvers, "approver_role")
            if entry.at > now + timedelta(minutes=1):
                raise closed(
                    "clock",
                    T("The clock stands before the approval of {id}.", id=case.request.id),
                    T("Set the clock right, then try again."),
                )
            in_time = before is None or entry.seq < before
            if in_time and not any(same_person(person, other) for other in acting):
                counted.append((person, entry))
        missing = max(case.rule.approvals, case.request.approvals_needed) - len(distinct([p for p, _ in counted]))
        if missing > 0:
            raise closed(
                "approvals",
                TN("{id} lacks {n} approval.", "{id} lacks {n} approvals.", missing, id=case.request.id),
                T("Ask one of these roles: {roles}.", roles=", ".join(case.rule.approvers)),
                meaning=T("An approval by the person who asks or runs does not count."),
            )
        return [entry for _, entry in counted]


def signed_at(document: dict[str, Any]) -> datetime:
    """Return when a document says it was signed.

    Raises:
        GateClosedError: it does not say.
    """
    try:
        return parse_iso(document.get("at") or document["made_at"])
    except (KeyError, ValueError, TypeError) as error:
        raise closed(
            "document", T("A signed document does not say when it was signed."), T("Ask for a new approval.")
        ) from error


def check_standing(rule: Rule, length: timedelta) -> None:
    """Make sure that policy allows a standing approval of that length.

    Raises:
        GateClosedError: it does not.
    """
    if not rule.standing.allowed:
        raise closed(
            "standing", T("Policy allows no standing approval for this."), T("Ask for a single run each time.")
        )
    if length > rule.standing.longest:
        raise closed(
            "standing",
            T("Policy allows standing approvals of {days} days at most.", days=rule.standing.longest.days),
            T("Choose an earlier last day."),
        )


def _agree(document: dict[str, Any], request: Request, journal: str) -> bool:
    plan = request.plan
    return bool(
        document["journal"] == journal
        and document["request"] == request.id
        and document["plan_digest"] == plan.digest
        and document["plan_sha256"] == documents.plan_sha256(plan)
        and document["operation"] == plan.operation
        and document["version"] == plan.version
        and document["targets"] == list(plan.targets)
        and plan.targets
    )


def _emergency_roles(rule: Rule) -> tuple[str, ...]:
    if rule.emergency is None:
        raise closed("emergency", T("Policy knows no emergency for this."), T("Ask for an approval: `dsi request`."))
    return rule.emergency.roles


def emergency_role(person: Person, rule: Rule) -> None:
    """Make sure that this person may act first and be ratified afterwards.

    Raises:
        GateClosedError: policy has no emergency here, or not for this person's roles.
    """
    _role(person, _emergency_roles(rule), "emergency")


def _role(person: Person, roles: Sequence[str], door: str) -> None:
    if not has_role(person, roles):
        raise closed(
            door,
            T("{person} has none of the roles this needs: {roles}.", person=person.id, roles=", ".join(roles)),
            T("Somebody with one of these roles must do it."),
        )


def _believed(request: Request, targets: Sequence[str] | None) -> None:
    if targets is not None and (set(targets) != set(request.plan.targets)):
        raise closed(
            "targets",
            T("{id} is approved for {targets}, nothing more and nothing less.", id=request.id,
              targets=", ".join(request.plan.targets)),
            T("Run it for exactly these targets, or ask for the others."),
        )  # fmt: skip


def _not_taken_back(ledger: Ledger, request: Request) -> None:
    for kind, what in ((Kind.REVOKED, T("revoked")), (Kind.REFUSED, T("refused"))):
        for entry in ledger.about(request.id, kind):
            raise closed(
                str(kind).removeprefix("request."),
                T("{id} was {what} by {person}.", id=request.id, what=what, person=entry.actor),
                T("Speak with that person, then make a new request."),
            )


def _not_used(ledger: Ledger, request: Request, now: datetime, holders: Sequence[Lease]) -> None:
    for lease in holders:
        if lease.run_id in request.runs:
            raise closed(
                "held",
                T("{id} is being run by {person}: {run}, on {where}.", id=request.id, person=lease.person,
                  run=lease.run_id, where=describe(lease.owner)),
                T("Wait for that run to end; nothing was done here."),
            )  # fmt: skip
    if request.kind is RequestKind.SINGLE and fold.used(ledger, request.id):
        run_id = next(run for run in reversed(request.runs) if fold.spent(ledger, run))
        raise closed(
            "used",
            T("{id} was used by {run}; an approval is good for one run.", id=request.id, run=run_id),
            T("If that run is not finished: `dsi resume {run}`. Else make a new request.", run=run_id),
        )
    if request.kind is RequestKind.STANDING:
        for run_id in request.runs:
            run = fold.run(ledger, run_id)
            if run.ended_at is None and now < run.started_at + RESUME_WITHIN:
                raise closed(
                    "unfinished",
                    T("{run} of {id} is not finished.", run=run_id, id=request.id),
                    T("Wait for it, or finish it: `dsi resume {run}`.", run=run_id),
                )


def _not_expired(case: Examined, approvals: Sequence[Entry], now: datetime) -> None:
    if case.request.kind is not RequestKind.SINGLE:
        return
    recorded = timedelta(seconds=case.entry.body["valid_for_seconds"])
    until = max(entry.at for entry in approvals) + min(case.rule.valid_for, recorded)
    if now > until:
        raise closed(
            "expired",
            T("The approval of {id} was good until {until}.", id=case.request.id, until=iso(until)),
            T("Make a new plan and a new request."),
        )


def _in_time(request: Request, now: datetime) -> None:
    window = request.window
    if window.not_before is not None and now < window.not_before:
        raise closed(
            "window",
            T("{id} may not run before {at}.", id=request.id, at=iso(window.not_before)),
            T("Wait until then."),
        )
    if window.not_after is not None and now > window.not_after:
        raise closed(
            "window",
            T("{id} was not to run after {at}.", id=request.id, at=iso(window.not_after)),
            T("Make a new request with a later window."),
        )
    why = hours.outside(request.bounds, now) if request.bounds is not None else None
    if why is not None:
        raise closed("hours", why, T("Run it within its hours, or ask for a single approval."))


def _may_run(case: Examined, runner: Person) -> None:
    emergency = case.request.kind is RequestKind.EMERGENCY
    roles = (*case.rule.requesters, *(_emergency_roles(case.rule) if emergency else ()))
    _role(runner, roles, "runner_role")


def _ratified_in_time(request: Request, now: datetime) -> None:
    ratified = any(item.decision == "ratify" for item in request.decisions)
    if not ratified and request.ratify_before is not None and now > request.ratify_before:
        raise closed(
            "ratification_overdue",
            T("{id} was to be ratified before {at}.", id=request.id, at=iso(request.ratify_before)),
            T("Have it ratified first: `dsi ratify {id}`.", id=request.id),
        )


def _inconsistent(request_id: str) -> DsiError:
    return closed(
        "request",
        T("What the journal holds about {id} does not agree with what was signed.", id=request_id),
        T("Make a new request, and have the journal looked at: `dsi journal verify`."),
    )


def _bad_signature(seq: int) -> DsiError:
    return closed(
        "signature",
        T("The signature on line {seq} of the journal is not good.", seq=seq),
        T("Have the journal looked at: `dsi journal verify`."),
    )
