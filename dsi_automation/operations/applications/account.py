"""`application.account`: create, change or disable a login of an application (procedure L)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.operations.applications.account_act import carry_out, look_at
from dsi_automation.operations.applications.account_inputs import AccountInputs, Case, parts_of
from dsi_automation.operations.applications.account_plan import FIELDS, LoginFacts, decide
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class ApplicationAccount(Operation[AccountInputs, LoginFacts, None, Look, Hands]):
    """Checks the documents, makes the login with a default password nobody reads in any record, and looks again."""

    name: ClassVar[str] = "application.account"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "L"
    summary: ClassVar[Text] = T("Create, change or disable a login of an application, by the documents of the request")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = AccountInputs
    target_kind: ClassVar[TargetKind] = TargetKind.LOGIN
    events: ClassVar[bool] = True
    turn: ClassVar[float] = 600.0

    def validate(self, targets: Sequence[str], inputs: AccountInputs) -> None:
        """Refuse several logins at once where the inputs describe one person.

        Raises:
            UsageError: they do.
        """
        if len(targets) > 1 and inputs.case is not Case.DISABLE:
            raise UsageError(
                T("One login is created or changed at a time: the inputs describe one person."),
                next_step=T("Ask for each of them."),
            )

    def observe(
        self,
        targets: Sequence[str],
        inputs: AccountInputs,  # noqa: ARG002
        look: Look,
        observer: Observer,
    ) -> Observed[LoginFacts, None]:
        """Read each login; one that cannot be looked at is a failure in the result."""
        seen = fan_out(
            targets,
            lambda target: look_at(target, look),
            workers=look.workers,
            deadline=look.deadline,
            observer=observer,
        )
        return Observed(seen.results, seen.failures, None)

    def plan(self, targets: Sequence[str], inputs: AccountInputs, observed: Observed[LoginFacts, None]) -> Plan:
        """Decide for each login: admissible or not, and what is done."""
        decided = {name: decide(name, inputs, facts, None) for name, facts in observed.facts.items()}
        return plan_of(self, targets, inputs, decided)

    def replan(
        self, targets: Sequence[str], inputs: AccountInputs, observed: Observed[LoginFacts, None], approved: Plan
    ) -> Plan:
        """Decide again; what this run may have done before it was interrupted stays an action, to be completed."""
        decided = {
            name: decide(name, inputs, facts, next(iter(approved.actions_for(name)), None))
            for name, facts in observed.facts.items()
        }
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: AccountInputs, hands: Hands, observer: Observer) -> None:
        """Carry out one action."""
        carry_out(action, inputs, hands)
        observer.notify(Event("account.done", T("{login} is done.", login=action.target), target=action.target))

    def settle(self, action: Action, inputs: AccountInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the database, or the directory, answers.

        Raises:
            UnreachableError: it does not.
        """
        if look_at(action.target, look).in_directory:
            return  # it was just asked, and answered
        application = parts_of(action.target)[1]
        with look.database(application) as database:
            if not database.answers():
                raise UnreachableError(
                    T("The database of {application} does not answer.", application=application),
                    on=action.target,
                    next_step=T("See to it, then resume the run."),
                )

    def verify(self, plan: Plan, inputs: AccountInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read each login anew, over another connection."""
        return [check for target in plan.targets for check in _checks(target, plan.actions_for(target), inputs, look)]


def _checks(target: str, actions: Sequence[Action], inputs: AccountInputs, look: Look) -> Iterator[Check]:
    facts = look_at(target, look)
    found = facts.found
    source = str(T("directory")) if facts.in_directory else f"{parts_of(target)[1]}: find"
    state = T("none") if found is None else T("active") if found.active else T("disabled")
    wanted = inputs.case is not Case.DISABLE
    expected = T("active") if wanted else T("disabled")
    good = found is not None and found.active == wanted
    yield Check(target, "state", T("State of the login"), str(expected), str(state), ok=good, source=source)
    if found is None or inputs.case is Case.DISABLE:
        return
    for name, title in zip(FIELDS, (T("Name"), T("Profile"), T("Office")), strict=True):
        asked = str(next((action.args[name] for action in actions), None) or "-")
        there = getattr(found, name) or "-"
        yield Check(target, name, title, asked, there, ok=there == asked, source=source)
    if facts.in_directory:
        return
    envelope = look.envelopes().find(target)
    yield Check(
        target,
        "must_change",
        T("Default password, to be changed at first use"),
        str(T("yes")),
        str(T("yes") if found.must_change else T("no")),
        ok=found.must_change,
        source=source,
        # Handed over before we looked, it may have been changed already, as it should be.
        warning=envelope is not None and envelope.opened_at is not None,
    )
    sealed = envelope is not None and (envelope.sealed or envelope.opened_at is not None)
    kept = T("sealed") if sealed else T("none")
    yield Check(target, "envelope", T("Envelope of the password"), str(T("sealed")), str(kept), ok=sealed, source="-")
