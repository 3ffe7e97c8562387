"""`licence.assign` and `licence.remove`: one licence, of people who have their account already."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.operations.accounts import known_look, licence_act, licence_plan
from dsi_automation.operations.accounts.known_look import Known, World
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.tools import Hands, Look


class LicenceInputs(Inputs):
    """Inputs of the operations on licences."""

    licence: str = Field(min_length=1, description=T("The licence: a name of dsi_accounts.licences.").template)


class _LicenceOperation(Operation[LicenceInputs, Known, World | None, Look, Hands]):
    """What both have in common: the look, the acts, and who is asked."""

    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "E"
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = LicenceInputs
    target_kind: ClassVar[TargetKind] = TargetKind.ACCOUNT

    @abstractmethod
    def decide(
        self, targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World
    ) -> Mapping[str, Decided]:
        """Return the decisions about each target."""

    def observe(
        self,
        targets: Sequence[str],
        inputs: LicenceInputs,  # noqa: ARG002  # the same look whatever is asked
        look: Look,
        observer: Observer,  # noqa: ARG002  # a handful of exchanges for all targets
    ) -> Observed[Known, World | None]:
        """Read both directories for all targets together."""
        return known_look.observe(targets, look)

    def plan(self, targets: Sequence[str], inputs: LicenceInputs, observed: Observed[Known, World | None]) -> Plan:
        """Decide for all targets together: seats are counted before the first write."""
        decided: Mapping[str, Decided] = {}
        if observed.shared is not None:
            decided = self.decide(targets, inputs.licence, observed.facts, observed.shared)
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: LicenceInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Carry out one action of a plan and wait for its effect."""
        licence_act.ACTS[action.kind](action, hands, observer)

    def settle(self, action: Action, inputs: LicenceInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the effect of an interrupted action shows, or it can no longer be under way."""
        licence_act.settle(action, look, observer)


class LicenceAssign(_LicenceOperation):
    """Gives people a licence, with a usage location where they have none."""

    name: ClassVar[str] = "licence.assign"
    summary: ClassVar[Text] = T("Assign a licence of Microsoft 365 to people who have an account")

    def decide(
        self, targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World
    ) -> Mapping[str, Decided]:
        """Return what each takes."""
        return licence_plan.assign(targets, licence, facts, world)

    def verify(self, plan: Plan, inputs: LicenceInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read the tenant anew: the licence must be active."""
        return licence_act.verify(plan, inputs.licence, look, wanted=True)


class LicenceRemove(_LicenceOperation):
    """Takes a licence from people; Microsoft keeps their mailbox for 30 days."""

    name: ClassVar[str] = "licence.remove"
    summary: ClassVar[Text] = T("Remove a licence of Microsoft 365 from people")

    def decide(
        self, targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World
    ) -> Mapping[str, Decided]:
        """Return what each takes."""
        return licence_plan.remove(targets, licence, facts, world)

    def verify(self, plan: Plan, inputs: LicenceInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read the tenant anew: the licence must be gone."""
        return licence_act.verify(plan, inputs.licence, look, wanted=False)
