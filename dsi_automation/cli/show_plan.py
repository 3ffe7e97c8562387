"""A plan on the terminal: per target what is done, what is not, why, and what stands in the way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsi_automation.cli import labels
from dsi_automation.cli.batch import is_batch
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_batch import show_plan_rows
from dsi_automation.cli.show_definition import DEFINITION, definition_lines
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan
from dsi_automation.core.text import TN, T, Text

ONE_LINE: Final = 140
"""Characters of an action's arguments that are read in one line; of more, each has its own."""
LINES: Final = frozenset({"lines", "undo"})
"""Arguments that are commands of a device: an approver reads each on its own line, exactly."""
NOT_READ: Final = ("running", "after", "checks")
"""Arguments that bind an approval to a router's configuration, and that nobody reads but with `--details`."""
_SAID: Final = {"allow": ("rule", "tries"), "revoke": ("rules", "tries")}
"""By kind of action, arguments that its title and its reason say in words."""
_PROOF: Final = ("kind", "name", "prefix", "address", "via")
"""What is said of a thing that must be true afterwards, in this order."""
_NOT_GIVEN: Final[tuple[Any, ...]] = (None, "", [], {}, ())
"""Inputs and arguments that say nothing beyond their default; false is another."""


def show_plan(out: Output, plan: Plan, *, details: bool = False, people: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write the plan: `+` is done, `=` stays, `!` blocks; a batch as a table, unless its details are asked for.

    Args:
        out: where to.
        plan: the plan.
        details: every action with its reason.
        people: the rows of the file, where it is at hand: they know on which line somebody stands.
    """
    out.line(T("Plan of {operation} (version {version})", operation=plan.operation, version=plan.version), bold=True)
    given = {key: _shortened(value) for key, value in plan.inputs.items() if _given(value)}
    if given:
        out.line(T("Inputs: {inputs}", inputs=arguments(given)))
    as_table = is_batch(plan) and not details
    if as_table:
        out.line()
        show_plan_rows(out, plan, people)
    else:
        show_plan_details(out, plan, details=details)
    out.line()
    count, blocked = len(plan.actions), len({blocker.target for blocker in plan.blockers})
    out.line(TN("{n} action", "{n} actions", count) if count else T("Nothing to do."))
    if blocked:
        out.line(TN("{n} target without a plan", "{n} targets without a plan", blocked), fg="yellow")
    out.line(T("Digest: {digest}", digest=plan.digest))
    if as_table:
        out.note(T("Each action of each row, with its reason: the same command with --details."))


def show_plan_details(out: Output, plan: Plan, *, details: bool = False) -> None:
    """Write target by target what is done and why, what is not, and what stands in the way.

    Args:
        out: where to.
        plan: the plan.
        details: what an action is told to the last word; else what is long and common to all is said once, in short.
    """
    parts: dict[str, list[Action | NonAction | Blocker]] = {}
    everything: tuple[Action | NonAction | Blocker, ...] = (*plan.actions, *plan.non_actions, *plan.blockers)
    for item in everything:
        parts.setdefault(item.target, []).append(item)
    for target in dict.fromkeys([*plan.targets, *(blocker.target for blocker in plan.blockers)]):
        out.line()
        out.line(labels.target(target), bold=True)
        if not details:
            _show_definition(out, plan.actions_for(target))
        for item in parts.get(target, []):
            if isinstance(item, Action):
                _show_action(out, item, details=details)
            elif isinstance(item, NonAction):
                _show_non_action(out, item)
            else:
                _show_blocker(out, item)


def _given(value: Any) -> bool:
    return value is not False and value not in _NOT_GIVEN


def _shortened(value: Any) -> Any:
    """Return an input for one line: of a list of rows, how many."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return TN("{n} row", "{n} rows", len(value))
    return value


def arguments(values: Mapping[str, Any]) -> str:
    """Return arguments as `key=value key=value`; what is not a plain word as JSON."""
    return " ".join(_words(values))


def _words(values: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_value(value)}" for key, value in values.items()]


def _value(value: Any) -> str:
    if isinstance(value, Text):
        return f"({value})"
    plain = isinstance(value, str) and value.replace("-", "").replace(".", "").replace("_", "").isalnum()
    return value if plain else json.dumps(value, ensure_ascii=False)


def _show_definition(out: Output, actions: Sequence[Action]) -> None:
    definition = next((action.args[DEFINITION] for action in actions if DEFINITION in action.args), None)
    if isinstance(definition, Mapping):
        for line in definition_lines(definition):
            out.line(line, indent=2)


def _show_action(out: Output, action: Action, *, details: bool) -> None:
    out.line(f"+ {action.title}", indent=2, fg="green")
    _show_arguments(out, action, details=details)
    out.line(T("why: {reason}", reason=action.reason), indent=6)
    if action.reversal is not None:
        out.line(T("to undo: {how}", how=action.reversal), indent=6)


def _show_arguments(out: Output, action: Action, *, details: bool) -> None:
    """Write what the action is told, without what is empty; with `details`, exactly."""
    hidden: tuple[str, ...] = () if details else (DEFINITION, *NOT_READ, *_SAID.get(action.kind, ()))
    if action.args.keys() >= LINES:
        hidden = (*hidden, *LINES)
        _show_lines(out, action.args)
    words = _words({k: value for k, value in action.args.items() if value not in _NOT_GIVEN and k not in hidden})
    line = " ".join([action.kind, *words])
    if len(line) <= ONE_LINE:
        out.line(line, indent=6, dim=True)
        return
    out.line(action.kind, indent=6, dim=True)
    for word in words:
        out.line(word, indent=8, dim=True)


def _show_lines(out: Output, args: Mapping[str, Any]) -> None:
    """Write the commands of a device as they are sent, those that undo them, and what must be true afterwards."""
    for title, lines in ((T("Lines:"), args["lines"]), (T("Lines to undo:"), args["undo"])):
        out.line(title, indent=6)
        for line in lines:
            out.line(str(line), indent=8)
    # By name: what was read from the record has its keys in another order than what was just planned.
    proofs = [" ".join(str(one[key]) for key in _PROOF if key in one) for one in args.get("checks", ())]
    if proofs:
        out.line(T("Proven before it is confirmed: {proofs}", proofs="; ".join(proofs)), indent=6)


def _show_non_action(out: Output, item: NonAction) -> None:
    said = T("{title}: {value}", title=labels.action(item.kind), value=item.reason)
    out.line(Text("= {said}", {"said": said}), indent=2, dim=True)


def _show_blocker(out: Output, blocker: Blocker) -> None:
    out.line(Text("! {reason}", {"reason": blocker.reason}), indent=2, fg="red")
    out.line(T("What to do: {step}", step=blocker.next_step), indent=6)
