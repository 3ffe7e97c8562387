"""The doors of the gate: each a function that returns when it is open, and raises when it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import T
from dsi_automation.engine import documents, fold, hours
from dsi_automation.engine.closed import closed
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.model import Request, RequestKind
from dsi_automation.engine.persons import has_role
from dsi_automation.inventory.model import Person, Rule
from dsi_automation.journal.model import Entry, Kind, Lease
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


def written_when_signed(entry: Entry, document: dict[str, Any]) -> None:
    """Closed when a line and its document are of different times."""
    if abs(entry.at - signed_at(document)) > SIGNING_TAKES:
        raise closed(
            "clock",
            T("Line {seq} was not written at the time its document was signed.", seq=entry.seq),
            T("Ask anew, and have the journal looked at: `dsi journal verify`."),
        )


def soon_enough(started: Entry, now: datetime) -> None:
    """Closed when a run began too long ago to be resumed."""
    if now > started.at + RESUME_WITHIN or now < started.at - timedelta(minutes=1):
        hours_allowed = RESUME_WITHIN // timedelta(hours=1)
        raise closed(
            "resume_too_late",
            T(
                "{run} began at {at}, more than {hours} hours ago.",
                run=started.subject,
                at=iso(started.at),
                hours=hours_allowed,
            ),
            T("Make a new plan and ask for a new approval; what was done already will not be done again."),
        )


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


def agree(document: dict[str, Any], request: Request, journal: str) -> bool:
    """Tell whether a request's signed document and its plan are of one another, and of this journal."""
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


def emergency_roles(rule: Rule) -> tuple[str, ...]:
    """Return the roles that may act first; closed when policy knows no emergency here."""
    if rule.emergency is None:
        raise closed("emergency", T("Policy knows no emergency for this."), T("Ask for an approval: `dsi request`."))
    return rule.emergency.roles


def emergency_role(person: Person, rule: Rule) -> None:
    """Make sure that this person may act first and be ratified afterwards.

    Raises:
        GateClosedError: policy has no emergency here, or not for this person's roles.
    """
    role(person, emergency_roles(rule), "emergency")


def role(person: Person, roles: Sequence[str], door: str) -> None:
    """Closed when a person holds none of the roles; `door` says in what capacity."""
    if not has_role(person, roles):
        raise closed(
            door,
            T("{person} has none of the roles this needs: {roles}.", person=person.id, roles=", ".join(roles)),
            T("Somebody with one of these roles must do it."),
        )


def believed(request: Request, targets: Sequence[str] | None) -> None:
    """Closed when the caller believes the run covers other targets than it does."""
    if targets is not None and (set(targets) != set(request.plan.targets)):
        raise closed(
            "targets",
            T("{id} is approved for {targets}, nothing more and nothing less.", id=request.id,
              targets=", ".join(request.plan.targets)),
            T("Run it for exactly these targets, or ask for the others."),
        )  # fmt: skip


def not_taken_back(ledger: Ledger, request: Request) -> None:
    """Closed when somebody revoked or refused; a line that says so counts even if nobody may have written it."""
    for kind, what in ((Kind.REVOKED, T("revoked")), (Kind.REFUSED, T("refused"))):
        for entry in ledger.about(request.id, kind):
            raise closed(
                str(kind).removeprefix("request."),
                T("{id} was {what} by {person}.", id=request.id, what=what, person=entry.actor),
                T("Speak with that person, then make a new request."),
            )


def not_used(ledger: Ledger, request: Request, now: datetime, holders: Sequence[Lease]) -> None:
    """Closed when a request is being run, was used, or has a standing run that is not finished."""
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


def not_expired(case: Examined, approvals: Sequence[Entry], now: datetime) -> None:
    """Closed when the last approval is older than policy allows, the stricter of then and now."""
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


def in_time(request: Request, now: datetime) -> None:
    """Closed before and after the window, and outside a standing approval's hours."""
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


def may_run(case: Examined, runner: Person) -> None:
    """Closed when a person has no role that may run this."""
    emergency = case.request.kind is RequestKind.EMERGENCY
    roles = (*case.rule.requesters, *(emergency_roles(case.rule) if emergency else ()))
    role(runner, roles, "runner_role")


def ratified_in_time(request: Request, now: datetime) -> None:
    """Closed when an emergency should have been ratified by now, and was not."""
    ratified = any(item.decision == "ratify" for item in request.decisions)
    if not ratified and request.ratify_before is not None and now > request.ratify_before:
        raise closed(
            "ratification_overdue",
            T("{id} was to be ratified before {at}.", id=request.id, at=iso(request.ratify_before)),
            T("Have it ratified first: `dsi ratify {id}`.", id=request.id),
        )


def inconsistent(request_id: str) -> DsiError:
    """Return the error for lines that are not what was signed."""
    return closed(
        "request",
        T("What the journal holds about {id} does not agree with what was signed.", id=request_id),
        T("Make a new request, and have the journal looked at: `dsi journal verify`."),
    )


def bad_signature(seq: int) -> DsiError:
    """Return the error for a signature that does not hold."""
    return closed(
        "signature",
        T("The signature on line {seq} of the journal is not good.", seq=seq),
        T("Have the journal looked at: `dsi journal verify`."),
    )
