"""`mailbox.create`: from a staff number to a mailbox with its licence (procedure E)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dsi_automation.core.errors import UsageError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.operations.accounts import create_act, create_look, create_plan, create_settle, create_verify
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class MailboxCreate(Operation[MailboxInputs, PersonFacts, AccountsWorld | None, Look, Hands]):
    """Makes the account, waits for the tenant to know it, gives the licence, and hands over what is proven to work."""

    name: ClassVar[str] = "mailbox.create"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "E"
    summary: ClassVar[Text] = T("Create professional mail accounts: directory, Microsoft 365, licence, hand-over")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = MailboxInputs
    target_kind: ClassVar[TargetKind] = TargetKind.ACCOUNT
    all_at_once: ClassVar[bool] = True

    def validate(self, targets: Sequence[str], inputs: MailboxInputs) -> None:
        """Refuse targets that the inputs have no row for.

        Raises:
            UsageError: there are some.
        """
        rows = inputs.rows()
        unknown = [target for target in targets if target not in rows]
        if unknown:
            raise UsageError(
                T("The request has no references for {names}.", names=", ".join(unknown)),
                next_step=T("Give a row for each staff number named, or name none: the rows say who it is for."),
            )

    def observe(
        self, targets: Sequence[str], inputs: MailboxInputs, look: Look, observer: Observer
    ) -> Observed[PersonFacts, AccountsWorld | None]:
        """Read both directories for all targets together; when one of them fails, each target fails with its reason."""
        return create_look.observe(targets, inputs, look, observer)

    def plan(
        self, targets: Sequence[str], inputs: MailboxInputs, observed: Observed[PersonFacts, AccountsWorld | None]
    ) -> Plan:
        """Decide for each person; no two of them get one address, nobody an account without a seat."""
        return self._plan(targets, inputs, observed, None)

    def replan(
        self,
        targets: Sequence[str],
        inputs: MailboxInputs,
        observed: Observed[PersonFacts, AccountsWorld | None],
        approved: Plan,
    ) -> Plan:
        """Decide again; an approved address stays while nobody else has it, and who was to go without a seat does."""
        return self._plan(targets, inputs, observed, approved)

    def act(self, action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:
        """Carry out one action of a plan and wait for its effect."""
        create_act.ACTS[action.kind](action, inputs, hands, observer)

    def settle(self, action: Action, inputs: MailboxInputs, look: Look, observer: Observer) -> None:
        """Wait until the effect of an interrupted action shows, or it can no longer be under way."""
        create_settle.settle(action, inputs, look, observer)

    def verify(self, plan: Plan, inputs: MailboxInputs, look: Look, observer: Observer) -> Sequence[Check]:
        """Read both directories anew and compare with what was wanted."""
        return create_verify.verify(plan, inputs, look, observer)

    def _plan(
        self,
        targets: Sequence[str],
        inputs: MailboxInputs,
        observed: Observed[PersonFacts, AccountsWorld | None],
        approved: Plan | None,
    ) -> Plan:
        decided = create_plan.decide(targets, inputs, observed, approved)
        return plan_of(self, targets, inputs, decided)
