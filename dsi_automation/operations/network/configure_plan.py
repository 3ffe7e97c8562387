"""What `router.configure` decides: for each router the exact lines, who changes with whom and when. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.network.change import Change
from dsi_automation.operations.network.configure_inputs import Terms
from dsi_automation.operations.network.drafting import Draft, RouterSeen, draft
from dsi_automation.operations.network.grouping import Place, places
from dsi_automation.operations.network.rollout import CANARY, CONFIGURE, SAVE

CIRCUIT: Final = "circuit."
"""Begins the kind of a non-action about a circuit that is left out; its name follows."""
UNSAVED: Final = "unsaved"
KEPT: Final = "kept"
TOGETHER: Final = "together"
NAMED: Final = 4
"""How many of the routers it changes together with an action names; `TOGETHER` says the rest once."""


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all routers together."""

    network: Network
    terms: Terms


def decide(
    seen: Mapping[str, RouterSeen], world: World, approved: Sequence[Action] = (), among: Collection[str] | None = None
) -> dict[str, Decided]:
    """Decide about all routers.

    Args:
        seen: what was found of each.
        world: what concerns all.
        approved: actions of the plan under which this is decided again; who changes with whom stays as approved.
        among: the routers of that plan; None where it is decided for the first time.
    """
    drafts, blocked = _drafts(seen, world.network, among)
    found = places(drafts, world.terms.canary, world.terms.wave)
    for action in approved:
        if action.kind == CONFIGURE and action.target in found:
            found[action.target] = _place_of(action)
    decided = {name: Decided(blockers=[blocker]) for name, blocker in blocked.items()}
    for name, one in drafts.items():
        decided[name] = _decided(name, one, seen[name], found.get(name), world.terms)
    for item in _crowd(found, drafts):
        decided[item.target].non_actions.append(item)
    return {name: decided[name] for name in seen}


def left_out(non_actions: Sequence[NonAction], router: str) -> set[str]:
    """Return the circuits of a router that a plan leaves as they are."""
    return {
        item.kind.removeprefix(CIRCUIT)
        for item in non_actions
        if item.target == router and item.kind.startswith(CIRCUIT)
    }


def _drafts(
    seen: Mapping[str, RouterSeen], network: Network, among: Collection[str] | None
) -> tuple[dict[str, Draft], dict[str, Blocker]]:
    """Return what would be done, and why it cannot; without a router its neighbours leave their circuit to it out."""
    blocked = {name: _blocker(name, one.problem) for name, one in seen.items() if one.problem is not None}
    while True:
        together = among if among is not None else [name for name in seen if name not in blocked]
        drafts: dict[str, Draft] = {}
        refused = False
        for name, one in seen.items():
            if name in blocked:
                continue
            try:
                drafts[name] = draft(network, name, one, together)
            except DsiError as error:
                blocked[name], refused = _blocker(name, error), True
        if not refused:
            return drafts, blocked


def _decided(name: str, one: Draft, seen: RouterSeen, place: Place | None, terms: Terms) -> Decided:
    decided = Decided()
    change = Change(
        name, one.difference.lines, one.difference.undo, seen.running.digest, one.after.digest, terms.timer, one.checks
    )
    if place is not None:
        decided.actions += [_configure(change, place, one.difference.removed), _save(change, None)]
    elif one.unsaved:
        decided.actions.append(_save(change, T("It is as the inventory wants it, but would start otherwise.")))
    else:
        as_wanted = T("Already as the inventory wants it.")
        why = T("What is left of it to change is left out.") if one.left_out else as_wanted
        decided.non_actions.append(NonAction(name, CONFIGURE, why))
    decided.non_actions += _non_actions(name, one)
    return decided


def _configure(change: Change, place: Place, removed: Sequence[str]) -> Action:
    others = [other for other in place.unit if other != change.router]
    reason = T("What runs is not what the inventory wants: {parts}.", parts=", ".join(parts_of(change.lines)))
    if removed:
        lines = "; ".join(removed)
        reason = T(
            "{reason} Attention: these lines go, which somebody else wrote or the inventory no longer knows: {lines}.",
            reason=reason, lines=lines,
        )  # fmt: skip
    if others:
        named = ", ".join(others) if len(others) <= NAMED else TN("{n} other router", "{n} other routers", len(others))
        reason = T(
            "{reason} It changes together with {others}: all of them are confirmed, or all go back.",
            reason=reason, others=named,
        )  # fmt: skip
    first = T("canary, it goes first") if len(others) < 2 else T("first, {n} together", n=len(place.unit))
    when = first if place.wave == CANARY else T("wave {n}", n=place.wave)
    title = TN("Configure {router}: {n} line ({when})", "Configure {router}: {n} lines ({when})", len(change.lines),
               router=change.router, when=when)  # fmt: skip
    return Action(
        change.router,
        CONFIGURE,
        change.args(unit=list(place.unit), wave=place.wave),
        title,
        reason,
        T("by itself after {time} unless it is confirmed; afterwards by the lines to undo, or from the snapshot "
          "that the router keeps", time=Seconds(change.timer)),
    )  # fmt: skip


def _save(change: Change, reason: Text | None) -> Action:
    return Action(
        change.router,
        SAVE,
        change.save_args(),
        T("Save the configuration of {router}", router=change.router),
        reason or T("Once it is confirmed, it must also start with it."),
    )


def _crowd(found: Mapping[str, Place], drafts: Mapping[str, Draft]) -> Iterator[NonAction]:
    """Yield that no router goes first, where circuits tie more than both ends of one to each other: a new star."""
    unit = next((place.unit for place in found.values() if place.wave == CANARY), ())
    tied: dict[str, set[str]] = {name: set() for name in unit if name in drafts}
    for name, others in tied.items():
        for way in drafts[name].changed:
            if way.other in tied:
                others.add(way.other)
                tied[way.other].add(name)
    hub = max(tied, key=lambda name: len(tied[name]), default="")
    if len(tied.get(hub, ())) < 2:
        return
    site = next(name for name in tied if name in tied[hub])
    why = T(
        "No canary goes first alone: {n} routers change together, because a circuit is changed at both ends or at "
        "none, and {hub} has one to several of them. To try it out on one site first: dsi router configure {site} "
        "{hub} --only",
        n=len(unit), hub=hub, site=site,
    )  # fmt: skip
    yield NonAction(hub, TOGETHER, why)


def _non_actions(name: str, one: Draft) -> Iterator[NonAction]:
    for way in one.left_out:
        why = T(
            "The circuit {circuit} should change too, but {other} at its other end is not part of this change: it is "
            "left as it is, with the routes through it.",
            circuit=way.name, other=way.other,
        )  # fmt: skip
        yield NonAction(name, f"{CIRCUIT}{way.name}", why)
    if one.foreign:
        lines = "; ".join(one.foreign)
        if one.unsaved or one.difference:
            why = T("What somebody else left unsaved is saved with it: {lines}", lines=lines)
        else:
            why = T("Somebody else left something unsaved; it is not ours and is left so: {lines}", lines=lines)
        yield NonAction(name, UNSAVED, why)
    if one.difference.kept:
        yield NonAction(name, KEPT, T("Not ours, left as it is: {lines}", lines="; ".join(one.difference.kept)))


def parts_of(lines: Sequence[str]) -> tuple[str, ...]:
    """Return what lines are about, each once: headings, and commands of the top level by their first two words."""
    found: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith(" ") or line.strip() == "exit":
            continue
        heads = number + 1 < len(lines) and lines[number + 1].startswith(" ")
        words = line.removeprefix("no ").split()
        found.append(line if heads else " ".join(words[:2] if words[:2] == ["ip", "route"] else words))
    return tuple(dict.fromkeys(found))


def _place_of(action: Action) -> Place:
    unit, wave = action.args["unit"], action.args["wave"]
    assert isinstance(unit, list | tuple) and isinstance(wave, int)  # noqa: S101, PT018  # `_configure` made it
    return Place(tuple(map(str, unit)), wave)


def _blocker(name: str, error: DsiError) -> Blocker:
    step = error.next_step or T("Look at {router}, then try again.", router=name)
    return Blocker(name, error.what, step)
