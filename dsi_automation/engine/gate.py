"""The gate: the one place that decides whether a run may begin or go on. Default: it may not.

Each door raises a `GateClosedError` naming itself and what to do next; their order is that of `Gate.start` and
`Gate.resume`, and docs/explanation/gate.md lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dsi_automation.core.errors import DsiError
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import TN, T
from dsi_automation.engine import documents, doors, fold, registry
from dsi_automation.engine.closed import closed, reason
from dsi_automation.engine.doors import Examined
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.model import RequestKind
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.persons import distinct, read_people, same_person, signer_of
from dsi_automation.inventory.model import ApprovalPolicy, Environment, Person, Rule
from dsi_automation.inventory.policy import rule_for
from dsi_automation.journal.model import Entry, Kind, Lease, Signed


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
        doors.believed(request, targets)
        self._as_approved(case)
        doors.not_taken_back(ledger, request)
        doors.not_used(ledger, request, now, holders)
        approvals = self._approvals(ledger, case, [runner], now)
        doors.not_expired(case, approvals, now)
        doors.in_time(request, now)
        doors.may_run(case, runner)
        return case

    def resume(self, ledger: Ledger, run_id: str, now: datetime, runner: Person) -> Examined:
        """Return the request, when `runner` may finish this run of it now.

        As `start`, but the approval is the one the run used: it need not be unused, and it must have been good
        when the run started; from then on `doors.RESUME_WITHIN` counts.

        Raises:
            GateClosedError: any door is closed.
        """
        started = ledger.about(run_id, Kind.RUN_STARTED)[0]
        case = self.examine(ledger, started.body["request"], now)
        starter = self._starter(started, case, ledger)
        self._as_approved(case)
        doors.not_taken_back(ledger, case.request)
        if case.request.kind is RequestKind.EMERGENCY:
            doors.ratified_in_time(case.request, now)
        else:
            approvals = self._approvals(ledger, case, [runner, starter], started.at, before=started.seq)
            doors.not_expired(case, approvals, started.at)
        doors.soon_enough(started, now)
        doors.in_time(case.request, now)
        doors.may_run(case, runner)
        return case

    def examine(self, ledger: Ledger, request_id: str, now: datetime) -> Examined:
        """Return a request, once everything about it holds together, whatever was decided on it.

        Raises:
            GateClosedError: its line, document, plan, signature, requester, policy or people do not hold.
        """
        people = read_people(self._parts.people)
        made = ledger.about(request_id, Kind.REQUESTED)
        if len(made) != 1:
            raise doors.inconsistent(request_id)
        document = documents.read(made[0], documents.REQUEST)
        try:
            request = fold.request(ledger, request_id, now)
            whole = doors.agree(document, request, ledger.journal_id)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise doors.inconsistent(request_id) from error
        if not whole:
            raise doors.inconsistent(request_id)
        requester = self._author(made[0], people, document)
        rule = self.rule(request.plan.operation, request.environment)
        roles = rule.requesters if request.kind is not RequestKind.EMERGENCY else doors.emergency_roles(rule)
        doors.role(requester, roles, "requester_role")
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
                T("Repair approval_policy.yml in the inventory, then check with: dsi doctor"),
                meaning=reason(error),
            ) from error
        if rule is None:
            raise closed(
                "not_listed",
                T("Policy does not list {operation} in {environment}.", operation=operation, environment=environment),
                T("Whoever owns approval_policy.yml decides whether to list it."),
            )
        return rule

    def environment_of(self, plan: Plan) -> str:
        """Return the one environment the targets of a plan belong to.

        Raises:
            GateClosedError: they belong to several, one is not in the inventory, or the operation is unknown.
        """
        return self.environment_for(plan.operation, plan.targets)

    def environment_for(self, operation: str, targets: Sequence[str]) -> str:
        """Return the one environment these targets of an operation belong to.

        Raises:
            GateClosedError: as `environment_of`.
        """
        named = self._parts.operations.get(operation)
        known = {} if named is None else self._parts.targets[named.target_kind]
        found = sorted({str(known.get(target, "-")) for target in targets})
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
        doors.written_when_signed(entry, document)
        return person

    def _verified(self, signed: Signed | None, seq: int) -> None:
        try:
            if signed is not None:
                self._parts.verify(signed)
                return
        except (DsiError, ValueError) as error:
            raise doors.bad_signature(seq) from error
        raise doors.bad_signature(seq)

    def _as_approved(self, case: Examined) -> None:
        """Make sure that operation, version and environment are still those that were approved."""
        operation = registry.changing(self._parts, case.plan.operation)
        if operation.version != case.plan.version:
            raise closed(
                "version",
                T("{operation} changed since {id} was made.", operation=operation.name, id=case.request.id),
                T("Make a new plan and a new request."),
            )
        if self.environment_of(case.plan) != case.request.environment:
            raise closed(
                "environment",
                T("The targets of {id} have changed environment since.", id=case.request.id),
                T("Make a new plan and a new request."),
            )
        if case.request.bounds is not None:
            doors.check_standing(case.rule, case.request.bounds.until - case.request.made_at.date())

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
            raise doors.inconsistent(started.subject)
        starter = self._author(started, case.people, document)
        doors.may_run(case, starter)
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
            doors.role(person, case.rule.approvers, "approver_role")
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
