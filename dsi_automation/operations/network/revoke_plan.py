"""What taking accesses away from one router takes, decided from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.errors import DsiError, NotCompliantError, RefusedError
from dsi_automation.core.plan import Action, NonAction
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.network.access_look import AccessFacts, World, has_begun
from dsi_automation.operations.network.access_plan import (
    Steps,
    action_args,
    blocker,
    change_to,
    tries_text,
    unsaved,
    with_save,
    without,
)
from dsi_automation.operations.network.access_tries import Try, choose_closed
from dsi_automation.operations.network.access_words import identifier
from dsi_automation.operations.network.record import Access, rule_to_json

REVOKE: Final = "revoke"
NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""When something was opened that no request opened."""
DRIFT: Final = "drift"
"""Why something is taken away that no request opened."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is asked.

    Attributes:
        ids: of the accesses to take away; empty for all whose end is over.
        run: the run this look is part of.
    """

    ids: tuple[str, ...]
    run: str | None


def nowhere(ids: Sequence[str], observed: Observed[AccessFacts, World]) -> list[DsiError]:
    """Return what is wrong with identifiers: that nobody knows one, or that another router has it."""
    wrong: list[DsiError] = []
    strange = {one.rule.id for name, facts in observed.facts.items() for one in unknown_of(name, facts)}
    for one in ids:
        found = observed.shared.record.find(one)
        if found is None and one not in strange:
            step = T("See them: dsi access list --all")
            wrong.append(NotCompliantError(T("No access is called {id}.", id=one), next_step=step))
        elif found is not None and found.router not in observed.facts:
            why = T("{id} is on {router}, which was not named.", id=one, router=found.router)
            wrong.append(NotCompliantError(why, next_step=T("Run: dsi access revoke {id}", id=one)))
    return wrong


def unknown_of(router: str, facts: AccessFacts) -> tuple[Access, ...]:
    """Return what a router lets through without any record, each with the identifier it would have."""
    known = {one.rule.key for one in facts.standing}
    return tuple(
        Access(replace(rule, id=identifier(router, rule)), router, "", "", "-", "", "", (), NEVER)
        for rule in facts.rules
        if rule.key not in known
    )


def decide(router: str, ending: Ending, facts: AccessFacts, world: World, approved: Sequence[Action]) -> Decided:
    """Return what is done on one router.

    Args:
        approved: in a run, the actions that were approved for it.
    """
    strange = [one for one in unknown_of(router, facts) if one.rule.id in ending.ids]
    chosen = [*(one for one in facts.standing if _meant(one, ending, world)), *strange]
    if not chosen:
        why = T("Closed already.") if ending.ids else T("No access is over.")
        return Decided(actions=unsaved(router, facts), non_actions=[NonAction(router, REVOKE, why)])
    rules = [_as_it_is(one, facts) for one in chosen]
    if _only_to_tell(ending, facts, chosen, approved, world):
        return Decided(actions=list(approved))
    try:
        change = change_to(router, facts, without(facts.rules, rules), world)
    except RefusedError as error:
        return Decided(blockers=[blocker(router, error)])
    steps = _proven(router, chosen, rules, facts, world, Steps(change, (), None))
    action = Action(
        router,
        REVOKE,
        action_args(steps, facts, rules=[rule_to_json(rule) for rule in rules], drift=[one.rule.id for one in strange]),
        _title(chosen),
        tries_text(_reason(chosen, facts), steps),
        T("Ask for it again: dsi access allow"),
    )
    return Decided(actions=with_save(router, action, facts))


def _meant(one: Access, ending: Ending, world: World) -> bool:
    return one.rule.id in ending.ids if ending.ids else one.expired(world.now)


def _as_it_is(one: Access, facts: AccessFacts) -> AccessRule:
    """Return the rule of an access at the place the device has it now: that line alone is taken away."""
    there = facts.open_now(one.rule)
    sequence = one.rule.sequence if there is None else there.sequence
    return AccessRule(one.rule.id, *one.rule.key, until=one.rule.until, sequence=sequence)


def _only_to_tell(
    ending: Ending, facts: AccessFacts, chosen: Sequence[Access], approved: Sequence[Action], world: World
) -> bool:
    """Tell whether only the record lacks it: this run closed them and was killed, or they ended since the approval."""
    if not approved or approved[0].kind != REVOKE:
        return False
    closed = all(facts.open_now(one.rule) is None for one in chosen)
    return closed and (has_begun(facts, ending.run) or all(one.expired(world.now) for one in chosen))


def _proven(
    router: str,
    chosen: Sequence[Access],
    rules: Sequence[AccessRule],
    facts: AccessFacts,
    world: World,
    steps: Steps,
) -> Steps:
    """Return the steps with a try for each access that nothing else lets through."""
    if steps.change is None:
        return steps
    ground = world.ground(router, facts.rules, without(facts.rules, rules))
    tries: list[Try] = []
    unproven: Text | None = None
    for one, rule in zip(chosen, rules, strict=True):
        if facts.open_now(rule) is None:
            continue
        found, why = choose_closed(rule, ground, one.at)
        tries += found
        unproven = unproven or (None if why is None else T("{id}: {why}", id=rule.id, why=why))
    return Steps(steps.change, tuple(tries), unproven if not tries else None)


def _title(chosen: Sequence[Access]) -> Text:
    ids = ", ".join(str(one.rule.id) for one in chosen)
    return TN("Close {ids}", "Close {n} accesses: {ids}", len(chosen), ids=ids)


def _reason(chosen: Sequence[Access], facts: AccessFacts) -> Text:
    text = T("What they let through:")
    for one in chosen:
        words = {"before": text, "id": one.rule.id, "source": one.rule.source, "service": one.rule.service,
                 "destination": one.rule.destination, "until": one.rule.until}  # fmt: skip
        if one.rule.until is None:
            text = T("{before}\n{id}: {source} to {destination}, {service}, opened by no request", **words)
        else:
            text = T("{before}\n{id}: {source} to {destination}, {service}, until {until:%Y-%m-%d %H:%M} UTC", **words)
        if facts.open_now(one.rule) is None:
            text = T("{before}; the router took it away itself", before=text)
    return text
