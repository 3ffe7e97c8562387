"""What opening one access on one router takes, decided from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.network.access_look import AccessFacts, World, has_begun
from dsi_automation.operations.network.access_plan import (
    Steps,
    action_args,
    blocker,
    change_to,
    filter_missing,
    tries_text,
    unsaved,
    with_save,
    without,
)
from dsi_automation.operations.network.access_policy import covering, same_access
from dsi_automation.operations.network.access_tries import choose
from dsi_automation.operations.network.access_words import Asked
from dsi_automation.operations.network.notes import ALLOWED
from dsi_automation.operations.network.record import Access, rule_to_json

ALLOW: Final = "allow"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What is asked.

    Attributes:
        unproven: whether it may be opened although nothing can prove it.
        try_at: the address its tries connect to, where the destination is not one machine.
        run: the run this look is part of.
    """

    asked: Asked
    unproven: bool
    try_at: str | None
    run: str | None


def decide(router: str, purpose: Purpose, facts: AccessFacts, world: World, approved: Sequence[Action]) -> Decided:
    """Return what is done on one router.

    Args:
        approved: in a run, the actions that were approved for it.
    """
    rule = purpose.asked.rule(router)
    if _only_to_tell(rule, purpose, facts, approved):
        return Decided(actions=list(approved))
    standing = same_access(facts.standing, rule, world.now)
    if standing is not None and standing.rule.until == rule.until and facts.open_now(rule) is not None:
        why = T("{id} is open until {until:%Y-%m-%d %H:%M} UTC already.", id=rule.id, until=rule.until)
        return Decided(actions=unsaved(router, facts, world.now), non_actions=[NonAction(router, ALLOW, why)])
    covered = covering(facts.standing, rule, world.now)
    wrong = _shadowed(router, rule, facts) or filter_missing(router, facts)
    if covered is not None or wrong is not None:
        return Decided(blockers=[blocker(router, covered)] if covered is not None else [wrong] if wrong else [])
    try:
        return _open(router, rule, standing, purpose, facts, world)
    except RefusedError as error:
        return Decided(blockers=[blocker(router, error)])


def _only_to_tell(rule: AccessRule, purpose: Purpose, facts: AccessFacts, approved: Sequence[Action]) -> bool:
    """Tell whether this run opened it, was killed, and did not tell the record: then it does the rest alone."""
    there = facts.open_now(rule)
    if there is None or not approved or approved[0].kind != ALLOW or there.until not in {None, rule.until}:
        return False
    return has_begun(facts, purpose.run) and (purpose.run, ALLOWED) not in facts.told


def _open(
    router: str,
    rule: AccessRule,
    standing: Access | None,
    purpose: Purpose,
    facts: AccessFacts,
    world: World,
) -> Decided:
    there = facts.open_now(rule)
    placed = rule if there is None else _at(rule, there)
    if there is None:
        placed = facts.dialect.place(facts.running, rule)
    after = (*without(facts.rules, [rule]), placed)
    change = change_to(router, facts, after, world)
    tries, why_none = choose(placed, world.ground(router, facts.rules, after), purpose.try_at)
    if why_none is not None and not purpose.unproven:
        return Decided(blockers=[_unprovable(router, why_none, purpose)])
    steps = Steps(change, tries, why_none)
    action = Action(
        router,
        ALLOW,
        action_args(steps, facts, rule=rule_to_json(placed)),
        _title(placed, standing),
        tries_text(_reason(router, standing, there), steps),
        T("Take it away: dsi access revoke {id}", id=rule.id),
    )
    return Decided(actions=with_save(router, action, facts, world.now))


def _shadowed(router: str, rule: AccessRule, facts: AccessFacts) -> Blocker | None:
    """Return why a rule would let nothing through: a line of the router denies it first."""
    shadow = facts.dialect.shadowing(facts.running, rule)
    if shadow is None:
        return None
    if (missing := filter_missing(router, facts)) is not None:
        next_step = T("It is not in the inventory. {step}", step=missing.next_step)
    else:
        next_step = T("Ask for another service or destination; what is denied is in the inventory.")
    return Blocker(router, T("It would let nothing through: “{line}” denies it first.", line=shadow), next_step)


def _at(rule: AccessRule, there: AccessRule) -> AccessRule:
    """Return a rule at the place the device has it."""
    return AccessRule(rule.id, *rule.key, until=rule.until, sequence=there.sequence)


def _title(rule: AccessRule, standing: Access | None) -> Text:
    words = {
        "id": rule.id,
        "source": rule.source,
        "destination": rule.destination,
        "service": rule.service,
        "until": rule.until,
    }
    if standing is not None:
        return T("Prolong {id}: {source} to {destination}, {service}, until {until:%Y-%m-%d %H:%M} UTC", **words)
    return T("Open {id}: {source} to {destination}, {service}, until {until:%Y-%m-%d %H:%M} UTC", **words)


def _reason(router: str, standing: Access | None, there: AccessRule | None) -> Text:
    if standing is not None and there is not None:
        return T("It ends on {until:%Y-%m-%d %H:%M} UTC, asked for by {person} in {run}.",
                 until=standing.rule.until, person=standing.requester, run=standing.run)  # fmt: skip
    if standing is not None:
        return T("The record says it is open, and {router} does not have it.", router=router)
    if there is not None:
        return T("{router} has it, and no request opened it: it is given its record and its end.", router=router)
    return T("Nothing lets it through now.")


def _unprovable(router: str, why: Text, purpose: Purpose) -> Blocker:
    if purpose.try_at is None and purpose.asked.protocol == "tcp":
        next_step = T("Say where to try it (--try-at ADDRESS), or accept it unproven: --unproven")
    else:
        next_step = T("Accept that it is opened unproven: --unproven")
    return Blocker(router, T("Nothing could prove it: {why}.", why=why), next_step)
