"""What opening and closing accesses on one router takes: decided from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.routers.intent import AccessRule, Scope
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.plan import Action, Blocker, Plan
from dsi_automation.core.text import T, Text
from dsi_automation.operations.network.access_look import AccessFacts, World
from dsi_automation.operations.network.access_tries import Try
from dsi_automation.operations.network.change import Change

SAVE: Final = "save"


@dataclass(frozen=True, slots=True)
class Steps:
    """How the accesses of a router become others.

    Attributes:
        change: what is sent; None where the device is so already, and the record alone lacks it.
        tries: connections that must pass, or must not, once it is done.
        unproven: why nothing can be tried; None where something is.
    """

    change: Change | None
    tries: tuple[Try, ...]
    unproven: Text | None


def filter_missing(router: str, facts: AccessFacts) -> Blocker | None:
    """Return why a router cannot be given accesses now: its filter is not what the inventory says."""
    try:
        difference = facts.dialect.difference(facts.running, facts.intent, (), Scope.BASE)
    except RefusedError as error:
        return blocker(router, error)
    if not difference:
        return None
    return Blocker(
        router,
        T("The filter of {router} is not as the inventory says: {line}, ...", router=router,
          line=next((one.strip() for one in difference.lines if one.startswith(" ")), difference.lines[0])),
        T("Run first: dsi router configure {router}", router=router),
    )  # fmt: skip


def change_to(router: str, facts: AccessFacts, rules: Sequence[AccessRule], world: World) -> Change | None:
    """Return what leads to exactly these accesses; None where they are open already, and no others.

    Raises:
        RefusedError: the router cannot be brought there, or not back from there.
    """
    found = facts.dialect.difference(facts.running, facts.intent, rules, Scope.RULES)
    if not found:
        return None
    if facts.unready is not None:
        raise facts.unready
    after = facts.dialect.apply(facts.running, found.lines)
    timer = world.network.settings.rollout.timer.total_seconds()
    return Change(router, found.lines, found.undo, facts.running.digest, after.digest, timer)


def tries_text(before: Text, steps: Steps) -> Text:
    """Return a sentence with the tries under it, or with why there are none."""
    if steps.unproven is not None:
        return T("{before}\nNOT PROVEN by a connection: {why}", before=before, why=steps.unproven)
    text = before
    for one in steps.tries:
        text = T("{before}\nTo be tried: {what}", before=text, what=one.words())
    return text


def action_args(steps: Steps, facts: AccessFacts, **more: Any) -> dict[str, Any]:
    """Return the arguments of the action that changes a router, or its record alone."""
    tries = [one.to_json() for one in steps.tries]
    if steps.change is None:
        return {"running": facts.running.digest, "tries": tries, "unproven": steps.unproven is not None, **more}
    return steps.change.args(tries=tries, unproven=steps.unproven is not None, **more)


def save_action(router: str, after: str, facts: AccessFacts) -> Action:
    """Return the action that makes a router start with its accesses; what else it saves is said."""
    reason = T("It would start without the change otherwise.")
    for line in facts.others_unsaved():
        reason = T("{before}\nSaved with it, although no request is about it: {line}", before=reason, line=line)
    return Action(router, SAVE, {"after": after}, T("Save the configuration of {router}", router=router), reason)


def unsaved(router: str, facts: AccessFacts, now: datetime | None = None) -> list[Action]:
    """Return what is left to do where all is open as wanted: to save it, if it is not; see `AccessFacts.unsaved`.

    Not where anything else was left unsaved: whoever changed that by hand has to decide about it.
    """
    if not facts.unsaved(now) or facts.others_unsaved():
        return []
    return [save_action(router, facts.running.digest, facts)]


def with_save(router: str, action: Action, facts: AccessFacts, now: datetime | None = None) -> list[Action]:
    """Return an action, and the one that saves after it where it sends anything or something is not saved."""
    if "after" in action.args:
        return [action, save_action(router, str(action.args["after"]), facts)]
    return [action, *unsaved(router, facts, now)]


def without(rules: Sequence[AccessRule], gone: Sequence[AccessRule]) -> tuple[AccessRule, ...]:
    """Return rules but for those that let the same through as others."""
    keys = {one.key for one in gone}
    return tuple(one for one in rules if one.key not in keys)


def blocker(router: str, error: DsiError) -> Blocker:
    """Return an error as why no plan can be made for a router."""
    return Blocker(router, error.what, error.next_step or T("Correct it, then make the plan again."), error.exit_code)


def changed_running(approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
    """Return which router runs something else than when a plan was made, and what to do about it."""
    for target in fresh.targets:
        before, now = approved.actions_for(target), fresh.actions_for(target)
        if not before or not now or "running" not in before[0].args or "running" not in now[0].args:
            continue
        if before[0].args["running"] != now[0].args["running"]:
            return (
                T("{router} was changed since the approval: what runs there is not what the plan was made from.",
                  router=target),
                T("Make a new plan and ask for a new approval."),
            )  # fmt: skip
    return None
