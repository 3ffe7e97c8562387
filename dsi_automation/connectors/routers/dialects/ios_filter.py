"""The packet filter of a Cisco router: two lists that take turns, which one is in force, what it is to have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dsi_automation.connectors.routers import acl, bands
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.ios_lines import LIST
from dsi_automation.connectors.routers.endpoints import interfaces
from dsi_automation.connectors.routers.intent import BANDS, FILTER, AccessRule, Band, RouterIntent, Scope
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

SECOND: Final = "-B"
"""What is added to the name of the list that takes turns with the first one, where it cannot be edited safely."""


def names(name: str) -> tuple[str, str]:
    """Return the names of both lists that take turns."""
    return (name, name + SECOND)


def bound_in(lines: Sequence[str]) -> str | None:
    """Return the list that filters what comes in through an interface."""
    found = (re.fullmatch(r"ip access-group (\S+) in", line) for line in lines)
    return next((one[1] for one in found if one), None)


def bound(config: Config, name: str, besides: str | None = None) -> bool:
    """Tell whether a list is in force anywhere: at an interface, or for logins."""
    bare = name.removeprefix(LIST)
    binding = re.compile(rf"(?:ip access-group|access-class) {re.escape(bare)}(?: .*)?")
    return any(
        binding.fullmatch(line) for heading, lines in config.sections.items() if heading != besides for line in lines
    )


def in_force(running: Config) -> tuple[acl.Entry, ...]:
    """Return the entries of the filter: of the list that is bound, of those two that may be."""
    ours = names(FILTER)
    found = next((one for lines in interfaces(running).values() if (one := bound_in(lines)) in ours), None)
    name = found or next((one for one in ours if LIST + one in running.sections), FILTER)
    return acl.entries(running.sections.get(LIST + name, ()))


def wanted(
    here: Sequence[acl.Entry], intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
) -> tuple[acl.Entry, ...]:
    """Return the entries the list is to have; outside of the scope, those it has."""
    parts = dict(bands.banded(here))
    strangers = bands.outside(here) if scope is Scope.RULES else ()
    if scope is not Scope.RULES and intent.filter is not None:
        # What is no access there was asked for by nobody, and would be found by nobody: `rules` does not see it.
        parts |= {band: tuple(one for one in parts[band] if bands.written(one, band)) for band in bands.RULES}
        parts |= {band: part for band, part in bands.base(intent.filter).items() if band not in bands.RULES}
    if scope is not Scope.BASE:
        parts = dict(with_rules(parts, {band: parts[band] for band in bands.RULES}, rules))
    return bands.once((*strangers, *bands.flat(parts)))


def with_rules(parts: bands.Banded, standing: bands.Banded, rules: Sequence[AccessRule]) -> bands.Banded:
    """Return the bands with the accesses wanted: those that stand keep their number, others get theirs or the next."""
    found = {**parts, Band.INTERNAL: (), Band.INTERNET: ()}
    left: list[AccessRule] = []
    for rule in rules:
        band = bands.band_of(rule)
        text = bands.rule_entry(rule, 0).text
        there = next((one for one in standing.get(band, ()) if one.text == text), None)
        if there is None:
            left.append(rule)
        else:
            found[band] = (*found[band], there)
    # Those that come with a number first: nobody else gets it.
    for rule in sorted(left, key=lambda one: one.sequence is None):
        band = bands.band_of(rule)
        entry = bands.rule_entry(rule, rule.sequence or 0)
        if entry.text in {one.text for one in found[band]}:
            continue
        taken = (*found[band], *standing.get(band, ()))
        if entry.number not in BANDS[band] or entry.number in {one.number for one in taken}:
            entry = replace(entry, number=bands.free(taken, band))
        found[band] = (*found[band], entry)
    return found


def same(here: Sequence[acl.Entry], wanted: Sequence[acl.Entry]) -> bool:
    """Tell whether a list says what is wanted, in the same order; the numbers are those of a restart."""
    return bands.restarted(here) and [one.text for one in here] == [one.text for one in wanted]


def name(
    running: Config, now: str | None, ours: Sequence[str], here: Sequence[acl.Entry], wanted: Sequence[acl.Entry]
) -> str | None:
    """Return the list that is to be in force: the one that is, if it can be edited as it is; otherwise the other."""
    if now in ours and (tuple(here) == tuple(wanted) or acl.edits(here, wanted, BANDS[Band.MANAGEMENT]) is not None):
        return now
    return next((one for one in ours if one != now and not bound(running, one)), None)


def removed(ours: Sequence[str], running: Config, target: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the entries of lists of ours that go and that the toolkit does not write."""
    stays = {one.bare for name in ours for one in acl.entries(target.get(LIST + name, ()))}
    for name in ours:
        listed = acl.entries(running.sections.get(LIST + name, ()))
        yield from (f"{LIST}{name}: {one}" for one in bands.strangers(listed) if one.bare not in stays)


def list_lines(heading: str, have: Config, want: Config) -> Iterator[str]:
    """Yield the lines that make a list what it is to be: one in force step by step, another one as it comes."""
    before, after = have.sections.get(heading), want.sections.get(heading)
    if before == after:
        return
    if after is None:
        yield f"no {heading}"
        return
    old, new = acl.entries(before or ()), acl.entries(after)
    standing = bound(have, heading) and bound(want, heading)
    lines = acl.edits(old, new, BANDS[Band.MANAGEMENT]) if standing else acl.rebuilt(old, new)
    if lines is None:
        raise RefusedError(
            T("The access list {name} cannot be changed as long as it is in force.", name=heading.removeprefix(LIST)),
            next_step=T("Bind it nowhere but at the interface of the LAN, then make a new plan."),
        )
    yield heading
    yield from (f" {line}" for line in lines)
    yield "exit"
