"""A plan is data: the frozen, ordered list of what an operation would do, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dsi_automation.core.canonical import Json, digest
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import Text

FORMAT = "dsi.plan/1"


class Risk(StrEnum):
    """How much a wrong run could cost; policy may ask more of a higher risk."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Action:
    """One change to one target.

    Attributes:
        target: the name in the inventory.
        kind: what is done: `rename`, `join`, ...; unique per target within a plan.
        args: everything that decides what is done; a secret by its name only.
        title: what is done, for people.
        reason: why.
        reversal: how it can be undone, where it can.
    """

    target: str
    kind: str
    args: Mapping[str, Json]
    title: Text
    reason: Text
    reversal: Text | None = None

    @property
    def id(self) -> str:
        """Return the name of the action within its plan."""
        return f"{self.target}/{self.kind}"

    def identity(self) -> dict[str, Json]:
        """Return what makes this action the one that was approved: all but the words about it."""
        return {"target": self.target, "kind": self.kind, "args": dict(self.args)}

    def to_json(self) -> dict[str, Any]:
        """Return the action as data."""
        return {
            **self.identity(),
            "id": self.id,
            "title": self.title.to_json(),
            "reason": self.reason.to_json(),
            "reversal": None if self.reversal is None else self.reversal.to_json(),
        }


@dataclass(frozen=True, slots=True)
class NonAction:
    """Something already right, or not asked for, and why nothing is done about it."""

    target: str
    kind: str
    reason: Text

    def to_json(self) -> dict[str, Any]:
        """Return the non-action as data."""
        return {"target": self.target, "kind": self.kind, "reason": self.reason.to_json()}


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why no plan can be made for a target, and what to do about it.

    Attributes:
        exit_code: `NOT_COMPLIANT` when the target fails what the procedure asks, `UNREACHABLE` when it could
            not be looked at, `UNEXPECTED` when the equipment refused the look; at a run, `WORLD_CHANGED` when what
            was approved is no longer possible.
    """

    target: str
    reason: Text
    next_step: Text
    exit_code: ExitCode = ExitCode.NOT_COMPLIANT

    def to_json(self) -> dict[str, Any]:
        """Return the blocker as data."""
        return {
            "target": self.target,
            "reason": self.reason.to_json(),
            "next_step": self.next_step.to_json(),
            "exit_code": int(self.exit_code),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to the targets, what would not, and which targets are left out.

    The digest covers the operation and its version, the targets, the inputs and every action with its
    arguments. It does not cover the words, so that the reader's language changes nothing.

    Attributes:
        targets: the targets the plan covers, in the order asked; blocked targets are not among them.
        inputs: the validated inputs, as JSON.
    """

    operation: str
    version: int
    targets: tuple[str, ...]
    inputs: Mapping[str, Json]
    actions: tuple[Action, ...] = ()
    non_actions: tuple[NonAction, ...] = ()
    blockers: tuple[Blocker, ...] = field(default=())

    def __post_init__(self) -> None:
        ids = [action.id for action in self.actions]
        if len(set(ids)) != len(ids):
            raise ValueError(f"two actions of one plan share a name: {sorted(ids)}")

    @property
    def digest(self) -> str:
        """Return the SHA-256 that requests and approvals bind to, in hexadecimal."""
        return digest(self.identity())

    def identity(self) -> dict[str, Json]:
        """Return what the digest covers."""
        return {
            "format": FORMAT,
            "operation": self.operation,
            "version": self.version,
            "targets": list(self.targets),
            "inputs": dict(self.inputs),
            "actions": [action.identity() for action in self.actions],
        }

    def actions_for(self, target: str) -> tuple[Action, ...]:
        """Return the actions on one target, in order."""
        return tuple(action for action in self.actions if action.target == target)

    def to_json(self) -> dict[str, Any]:
        """Return the whole plan as data, words in every language included."""
        return {
            **self.identity(),
            "actions": [action.to_json() for action in self.actions],
            "non_actions": [item.to_json() for item in self.non_actions],
            "blockers": [item.to_json() for item in self.blockers],
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan a record holds.

        Raises:
            ValueError: the format is another one, or the digest written with the plan is not the plan's.
        """
        if data["format"] != FORMAT:
            raise ValueError(f"not a plan of the format {FORMAT}")
        plan = cls(
            operation=data["operation"],
            version=data["version"],
            targets=tuple(data["targets"]),
            inputs=data["inputs"],
            actions=tuple(action_from_json(item) for item in data["actions"]),
            non_actions=tuple(
                NonAction(item["target"], item["kind"], Text.from_json(item["reason"])) for item in data["non_actions"]
            ),
            blockers=tuple(_blockers(data["blockers"])),
        )
        if plan.digest != data["digest"]:
            raise ValueError("the plan and its digest do not agree")
        return plan


def action_from_json(item: Mapping[str, Any]) -> Action:
    """Return the action a record holds."""
    reversal = item["reversal"]
    return Action(
        target=item["target"],
        kind=item["kind"],
        args=item["args"],
        title=Text.from_json(item["title"]),
        reason=Text.from_json(item["reason"]),
        reversal=None if reversal is None else Text.from_json(reversal),
    )


def _blockers(items: Iterable[Mapping[str, Any]]) -> Iterable[Blocker]:
    for item in items:
        yield Blocker(
            item["target"],
            Text.from_json(item["reason"]),
            Text.from_json(item["next_step"]),
            ExitCode(item["exit_code"]),
        )
