"""What a planner decides about one target, and the plan that the decisions about all of them make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dsi_automation.core.plan import Action, Blocker, NonAction, Plan
from dsi_automation.engine.operation import AnyOperation, Inputs


@dataclass(slots=True)
class Decided:
    """The decisions about one target, in the order they are carried out."""

    actions: list[Action] = field(default_factory=list)
    non_actions: list[NonAction] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)


def plan_of(
    operation: AnyOperation,
    targets: Sequence[str],
    inputs: Inputs,
    decided: Mapping[str, Decided],
    unseen: Sequence[Blocker] = (),
) -> Plan:
    """Return the plan that these decisions make; a target with a blocker has no action.

    Args:
        unseen: blockers of targets that nothing was decided about.
    """
    known = [target for target in targets if target in decided]
    able = [target for target in known if not decided[target].blockers]
    return Plan(
        operation=operation.name,
        version=operation.version,
        targets=tuple(able),
        inputs=inputs.model_dump(mode="json"),
        actions=tuple(action for target in able for action in decided[target].actions),
        non_actions=tuple(item for target in able for item in decided[target].non_actions),
        blockers=(*(blocker for target in known for blocker in decided[target].blockers), *unseen),
    )
