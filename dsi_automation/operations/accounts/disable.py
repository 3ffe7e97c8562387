"""`account.disable`: somebody leaves; both directories close their account (procedure L)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.inventory.account_model import LeaverLicence
from dsi_automation.operations.accounts import disable_act, disable_plan, disable_verify, known_look
from dsi_automation.operations.accounts.known_look import Known, World
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class DisableInputs(Inputs):
    """Inputs of `account.disable`."""

    licence: LeaverLicence | None = Field(
        default=None,
        description=T("keep or free: what becomes of the licence; by default what dsi_accounts says.").template,
    )


class AccountDisable(Operation[DisableInputs, Known, World | None, Look, Hands]):
    """Disables in both directories, ends sessions, frees licences, moves to the leavers; deletes nothing."""

    name: ClassVar[str] = "account.disable"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "L"
    summary: ClassVar[Text] = T("Disable the accounts of people who leave: directory, Microsoft 365, sessions, licence")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = DisableInputs
    target_kind: ClassVar[TargetKind] = TargetKind.ACCOUNT
    all_at_once: ClassVar[bool] = True

    def observe(
        self,
        targets: Sequence[str],
        inputs: DisableInputs,  # noqa: ARG002  # the same look whatever is asked
        look: Look,
        observer: Observer,  # noqa: ARG002  # a handful of exchanges for all targets
    ) -> Observed[Known, World | None]:
        """Read both directories for all targets together; the only one, on a site without a tenant."""
        return known_look.observe(targets, look, tenant_needed=False)

    def plan(self, targets: Sequence[str], inputs: DisableInputs, observed: Observed[Known, World | None]) -> Plan:
        """Decide for each account, from what the directories say."""
        return plan_of(self, targets, inputs, disable_plan.decide_all(targets, inputs.licence, observed))

    def act(self, action: Action, inputs: DisableInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Carry out one action of a plan and wait for its effect."""
        disable_act.ACTS[action.kind](action, hands, observer)

    def settle(self, action: Action, inputs: DisableInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the effect of an interrupted action shows, or it can no longer be under way."""
        disable_act.settle(action, look, observer)

    def verify(self, plan: Plan, inputs: DisableInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read both directories anew and compare with what was wanted."""
        return disable_verify.verify(plan, inputs.licence, look)
