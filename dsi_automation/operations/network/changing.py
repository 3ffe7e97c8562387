"""What is no longer as it was approved, in the words of `router.configure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.text import T, Text
from dsi_automation.operations.network.configure_plan import UNSAVED
from dsi_automation.operations.network.rollout import CONFIGURE


def changed(approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
    """Return which router is no longer as it was when the plan was approved, and what to do about it."""
    step = T("Make a new plan and ask for a new approval: dsi router configure {routers}",
             routers=" ".join(approved.targets))  # fmt: skip
    before = {action.id: action for action in approved.actions}
    for action in fresh.actions:
        known = before.get(action.id)
        if known is None or known.identity() != action.identity():
            return _said(action, known, approved, fresh), step
    return None


def _said(action: Action, known: Action | None, approved: Plan, fresh: Plan) -> Text:
    router = action.target
    if action.kind != CONFIGURE:
        return T("{router} was changed since the approval: what would be saved is not what was approved.",
                 router=router)  # fmt: skip
    if known is None:
        return T("{router} was right when the plan was approved, and is no longer; now it would need: {lines}.",
                 router=router, lines=_listed(_lines(action)))  # fmt: skip
    more = [line for line in _lines(action) if line not in _lines(known)]
    less = [line for line in _lines(known) if line not in _lines(action)]
    if more or less:
        return T("{router} or the inventory was changed since the approval: now it would need {more}, and no longer "
                 "{less}.", router=router, more=_listed(more), less=_listed(less))  # fmt: skip
    if action.args["running"] != known.args["running"]:
        return _elsewhere(router, approved, fresh)
    return T("{router} would be changed in another way than was approved: {what}.", router=router,
             what=", ".join(key for key, value in action.args.items() if value != known.args.get(key)))  # fmt: skip


def _elsewhere(router: str, approved: Plan, fresh: Plan) -> Text:
    """Return the sentence for a router that was changed where the plan changes nothing."""
    now, then = _unsaved(fresh, router), _unsaved(approved, router)
    if now is not None and now != then:
        return T("{router} was changed by hand since the approval, in lines the plan does not concern. {lines}",
                 router=router, lines=now)  # fmt: skip
    return T("{router} was changed by hand since the approval, in lines the plan does not concern.", router=router)


def _unsaved(plan: Plan, router: str) -> Text | None:
    return next((item.reason for item in plan.non_actions if (item.target, item.kind) == (router, UNSAVED)), None)


def _lines(action: Action) -> Sequence[str]:
    """Return the lines of an action, each with its heading."""
    found: list[str] = []
    heading = ""
    args: Mapping[str, Any] = action.args
    for line in args["lines"]:
        if line.startswith(" "):
            found.append(f"{heading}: {line.strip()}" if heading else line.strip())
        elif line != "exit":
            heading = line
            found.append(line)
        else:
            heading = ""
    return found


def _listed(lines: Sequence[str]) -> Text | str:
    return "; ".join(f"“{line}”" for line in lines) if lines else T("nothing")
