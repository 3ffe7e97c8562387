"""A plan or a run on many targets as a table: a row per target, with what the plan knows of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.plan import Action, Blocker, NonAction, Plan

if TYPE_CHECKING:
    from dsi_automation.core.text import Text

FEW_HOSTS: Final = 20
"""Targets that an approver reads one by one."""
FEW_PEOPLE: Final = 1
"""The same for people, of whom each takes up to seven actions: two are a table already, --details tells them all."""

PEOPLE: Final = frozenset({"mailbox", "account", "licence"})
"""The operations whose targets are people: the part of their names before the point."""


@dataclass(frozen=True, slots=True)
class Row:
    """One target of a plan.

    Attributes:
        lines: where it stands in the file it comes from; none when it was typed.
        state: `to_do`, `as_wanted` or `blocked`.
        actions: the kinds of what is done, in order.
        remarks: why it is blocked, or why nothing is done.
    """

    target: str
    lines: tuple[int, ...]
    person: str
    address: str
    licence: str
    state: str
    actions: tuple[str, ...]
    remarks: tuple[Text, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the row as `--json` prints it."""
        return {
            "target": self.target,
            "lines": list(self.lines),
            "person": self.person or None,
            "address": self.address or None,
            "licence": self.licence or None,
            "state": self.state,
            "actions": list(self.actions),
            "remarks": [str(remark) for remark in self.remarks],
        }


def rows_of(plan: Plan, people: Sequence[Mapping[str, Any]] = ()) -> list[Row]:
    """Return a row per target, in the order of the file where that is known; else those without a plan last.

    Args:
        plan: whose targets.
        people: the rows of the file, where it is at hand: a plan does not keep on which line somebody stands.
    """
    actions: dict[str, list[Action]] = {}
    for action in plan.actions:
        actions.setdefault(action.target, []).append(action)
    left: dict[str, list[NonAction]] = {}
    for item in plan.non_actions:
        left.setdefault(item.target, []).append(item)
    blocked: dict[str, list[Blocker]] = {}
    for blocker in plan.blockers:
        blocked.setdefault(blocker.target, []).append(blocker)
    asked = _asked({**plan.inputs, "people": people} if people else plan.inputs)
    rows = [
        _row(target, asked.get(target, []), actions.get(target, []), left.get(target, []), blocked.get(target, []))
        for target in dict.fromkeys([*plan.targets, *blocked])
    ]
    return sorted(rows, key=lambda row: row.lines[:1])


def is_batch(plan: Plan) -> bool:
    """Tell whether a plan is better read as a table."""
    return len({*plan.targets, *(blocker.target for blocker in plan.blockers)}) > few(plan.operation)


def few(operation: str) -> int:
    """Return how many targets of an operation are read one by one."""
    return FEW_PEOPLE if operation.partition(".")[0] in PEOPLE else FEW_HOSTS


def _row(
    target: str,
    asked: Sequence[Mapping[str, Any]],
    actions: Sequence[Action],
    left: Sequence[NonAction],
    blocked: Sequence[Blocker],
) -> Row:
    args: dict[str, Any] = {}
    for action in reversed(actions):
        args |= action.args
    typed = asked[0] if asked else {}
    name = " ".join(str(typed[key]) for key in ("last_name", "first_names") if typed.get(key))
    return Row(
        target=target,
        lines=tuple(row["line"] for row in asked if row.get("line")),
        person=str(args.get("display_name") or name),
        address=str(args.get("address") or args.get("upn") or typed.get("address") or ""),
        licence=str(args.get("licence") or typed.get("licence") or ""),
        state="blocked" if blocked else "to_do" if actions else "as_wanted",
        actions=tuple(action.kind for action in actions),
        remarks=tuple(item.reason for item in (blocked or ([] if actions else left))),
    )


def _asked(inputs: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of the inputs by target, where they have any."""
    people = inputs.get("people")
    if not people and not inputs.get("matricule"):
        return {}
    from dsi_automation.operations.accounts.people import FIELDS, PersonRow, target_of

    fields = {*FIELDS, "line", "problem"}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in people or [{key: value for key, value in inputs.items() if key in fields}]:
        found.setdefault(target_of(PersonRow(**row)), []).append(row)
    return found
