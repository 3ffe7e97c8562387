"""`access.revoke`: take accesses away, those that are named or all whose end is over (procedure F)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.operations.applications.inputs import several
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.network.access_act import AccessActs
from dsi_automation.operations.network.access_evidence import evidence
from dsi_automation.operations.network.access_look import AccessFacts, World, look_at
from dsi_automation.operations.network.access_plan import blocker, changed_running
from dsi_automation.operations.network.notes import REVOKED
from dsi_automation.operations.network.record import EXPIRED, rule_from_json
from dsi_automation.operations.network.returning import settled
from dsi_automation.operations.network.revoke_plan import DRIFT, Ending, decide, nowhere
from dsi_automation.operations.tools import Hands, Look


class RevokeInputs(Inputs):
    """Inputs of `access.revoke`."""

    ids: tuple[str, ...] = Field(
        default=(), description=T("Identifiers of accesses, as ac-k7m2qx: “dsi access list” shows them.").template
    )
    expired: bool = Field(default=False, description=T("All whose end is over, on these routers.").template)

    @field_validator("ids", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> object:
        return several(value)

    @field_validator("ids")
    @classmethod
    def _once(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.lower() for one in ids))

    @model_validator(mode="after")
    def _one_of_both(self) -> RevokeInputs:
        if bool(self.ids) == self.expired:
            raise WrongValueError(T("give either identifiers, or expired."), "ids")
        return self


class AccessRevoke(Operation[RevokeInputs, AccessFacts, World, Look, Hands]):
    """Takes accesses away on their routers, under the routers' own rollback timer."""

    name: ClassVar[str] = "access.revoke"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "F"
    summary: ClassVar[Text] = T("Take accesses away: those that are named, or all whose end is over")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = RevokeInputs
    turn: ClassVar[float] = 600.0

    def observe(
        self, targets: Sequence[str], inputs: RevokeInputs, look: Look, observer: Observer
    ) -> Observed[AccessFacts, World]:
        """Read what runs on the routers, what they start with, and the record."""
        del inputs
        return look_at(targets, look, observer)

    def plan(self, targets: Sequence[str], inputs: RevokeInputs, observed: Observed[AccessFacts, World]) -> Plan:
        """Decide: what is closed already is left as it is."""
        return self._plan(targets, inputs, observed, None)

    def replan(
        self, targets: Sequence[str], inputs: RevokeInputs, observed: Observed[AccessFacts, World], approved: Plan
    ) -> Plan:
        """Decide again: what a run that was killed did on the device, and did not tell, is told by the same action."""
        return self._plan(targets, inputs, observed, approved)

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return which router runs something else than when the plan was made."""
        return changed_running(approved, fresh)

    def act(self, action: Action, inputs: RevokeInputs, hands: Hands, observer: Observer) -> None:
        """Take the lines away under the router's own timer, try that nothing passes, then tell the record, then save.

        Raises:
            WorldChangedError: the router runs something else than was approved; nothing was sent.
            VerificationFailedError: a connection passes still; the router is as it was before.
        """
        acts = AccessActs(action, hands, observer)
        if acts.saves():
            return
        acts.make()
        args: Mapping[str, Any] = action.args
        standing = {one.rule.id for one in hands.look.access_record().standing(action.target)}
        for data in args["rules"]:
            rule = rule_from_json(data)
            why = DRIFT if rule.id in args["drift"] else EXPIRED if inputs.expired else "asked"
            if rule.id in standing or why == DRIFT:  # a run that was killed told some of them already
                hands.note(action.target, REVOKED, {"id": rule.id, "why": why, "key": list(rule.key)})

    def settle(self, action: Action, inputs: RevokeInputs, look: Look, observer: Observer) -> None:
        """Wait until the router answers and no timer is armed on it: what a killed run did, it takes back."""
        del inputs
        settled(action.target, look, observer, look.network.settings.rollout.timer.total_seconds())

    def verify(self, plan: Plan, inputs: RevokeInputs, look: Look, observer: Observer) -> Sequence[Check]:
        """Read the routers anew, and make the tries once more."""
        del inputs
        return evidence(plan, look, observer)

    def _plan(
        self,
        targets: Sequence[str],
        inputs: RevokeInputs,
        observed: Observed[AccessFacts, World],
        approved: Plan | None,
    ) -> Plan:
        world = observed.shared
        ending = Ending(inputs.ids, observed.run)
        unseen = [blocker(name, error) for name, error in observed.failures.items()]
        unknown = nowhere(inputs.ids, observed) if observed.run is None and not unseen else []
        decided: dict[str, Decided] = {}
        for name, facts in observed.facts.items():
            if unknown:
                decided[name] = Decided(blockers=[blocker(name, error) for error in unknown])
                continue
            before = () if approved is None else approved.actions_for(name)
            decided[name] = decide(name, ending, facts.as_approved(name, world, before), world, before)
        return plan_of(self, targets, inputs, decided, unseen)
