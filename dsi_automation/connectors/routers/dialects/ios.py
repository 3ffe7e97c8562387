"""The words of Cisco IOS and IOS-XE."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dsi_automation.connectors.routers import acl, bands
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.common import (
    CommonDialect,
    Sections,
    description,
    missing_filter,
    protected_error,
)
from dsi_automation.connectors.routers.dialects.ios_lines import LIST, IosTaking, ace
from dsi_automation.connectors.routers.endpoints import (
    StaticRoute,
    address,
    interface_name,
    interfaces,
    mask,
    route_order,
    static_route,
)
from dsi_automation.connectors.routers.intent import (
    BANDS,
    FILTER,
    AccessRule,
    Band,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
    Scope,
)
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

SECOND: Final = "-B"
"""What is added to the name of the list that takes turns with the first one, where it cannot be edited safely."""
_SILENT: Final = frozenset({"no ip address", "no shutdown", "no description"})


class IosDialect(CommonDialect):
    """Cisco IOS and IOS-XE, as they print and take a configuration."""

    taking = IosTaking

    def heading(self, text: str) -> str:
        """Return a heading, the interface's name in full."""
        if text.lower().startswith("interface "):
            return f"interface {interface_name(text.split(' ', 1)[1])}"
        return text

    def line(self, heading: str, text: str) -> str:
        """Return a line in its canonical form."""
        if heading.startswith("interface "):
            return interface_line(text)
        return route_line(text) if not heading else text

    def canonical(self, sections: Mapping[str, Sequence[str]]) -> Config:
        """Return canonical lines as a configuration."""
        found: dict[str, tuple[str, ...]] = {}
        for name, lines in sections.items():
            if name.startswith("interface "):
                found[name] = tuple(sorted(line for line in dict.fromkeys(lines) if line not in _SILENT))
            elif name.startswith(LIST):
                found[name] = tuple(map(str, acl.entries(lines)))
            elif not name:
                routes = [line for line in lines if static_route(line) is not None]
                others = [line for line in lines if line not in routes]
                if lines:
                    found[name] = (*others, *sorted(set(routes), key=route_order))
            elif lines:
                found[name] = tuple(lines)
        return Config(found)

    def interface(self, intent: InterfaceIntent) -> list[str]:
        """Return the lines of an interface."""
        return [*description(intent.description), interface_line(f"ip address {intent.address}")]

    def route(self, intent: RouteIntent) -> str:
        """Return the line of a static route."""
        return route_line(f"ip route {intent.prefix} {intent.via}")

    def satisfied(self, route: StaticRoute) -> bool:
        """Tell whether a route has no option but a name."""
        return not route.options or (len(route.options) == 2 and route.options[0] == "name")

    def exists(self, target: Sections, heading: str, intent: RouterIntent) -> None:
        """Make sure that there is such an interface: IOS prints all it has."""
        if heading not in target:
            raise RefusedError(
                T("{router} has no interface {interface}.", router=intent.name, interface=heading.split()[1]),
                on=intent.name,
                next_step=T("Correct the name in the inventory; make a subinterface or a VLAN by hand first."),
            )

    def filter_headings(self, intent: RouterIntent) -> set[str]:
        """Return the headings of both lists that may be the filter."""
        return set() if intent.filter is None else {LIST + name for name in _names(intent.filter.name)}

    def render_filter(self, found: dict[str, Sequence[str]], intent: RouterIntent, rules: Sequence[AccessRule]) -> None:
        """Add the access list, and what binds it to the interface of the LAN."""
        if intent.filter is None:
            return
        parts = _with_rules(bands.base(intent.filter), {}, rules)
        found[LIST + intent.filter.name] = [str(one) for one in bands.flat(parts)]
        inside = self.heading(f"interface {intent.filter.inside}")
        found[inside] = [*found.get(inside, ()), f"ip access-group {intent.filter.name} in"]

    def target_filter(
        self, target: Sections, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> None:
        """Change the access list in force into what it should be, or bind another one in its place."""
        if intent.filter is None:
            return
        inside = self.heading(f"interface {intent.filter.inside}")
        if inside == self.heading(f"interface {intent.protected}"):
            raise protected_error(intent)
        self.exists(target, inside, intent)
        names = _names(intent.filter.name)
        now = _bound_in(target[inside])
        here = acl.entries(running.sections.get(f"{LIST}{now}", ())) if now in names else ()
        if scope is Scope.RULES and not here:
            raise missing_filter(intent)
        wanted = _wanted(here, intent, rules, scope)
        if here and _same(here, wanted):
            wanted = here
        name = _name(running, inside, now, names, here, wanted)
        if name is None:
            raise RefusedError(
                T("Both access lists of the toolkit are in use on {router}.", router=intent.name), on=intent.name,
                next_step=T("Look at {first} and {second} on the router: one of them must be bound nowhere.",
                            first=names[0], second=names[1]),
            )  # fmt: skip
        for other in names:
            if other != name and not _bound(running, other, besides=inside):
                target.pop(LIST + other, None)
        target[LIST + name] = tuple(map(str, wanted))
        stays = [line for line in target[inside] if not re.fullmatch(r"ip access-group \S+ in", line)]
        target[inside] = (*stays, f"ip access-group {name} in")

    def transition(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines: lists before what binds them, what is bound no longer after it."""
        lists = [name for name in {**have.sections, **want.sections} if name.startswith(LIST)]
        after = [name for name in lists if _bound(have, name) and not _bound(want, name)]
        for name in lists:
            if name not in after:
                yield from _list_lines(name, have, want)
        cleared = _clashing(have, want)
        for heading in cleared:
            yield from (heading, " no ip address", "exit")
        for heading, gone, come in self.changed_interfaces(have, want):
            left = [line for line in gone if heading not in cleared or not _is_address(line)]
            lines = list(_interface_lines(left, _again(heading, cleared, want, come)))
            if lines:
                yield heading
                yield from (f" {line}" for line in lines)
                yield "exit"
        yield from self.route_lines(have, want)
        for name in after:
            yield from _list_lines(name, have, want)

    def rules(self, running: Config) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on a device, in order."""
        parts = bands.banded(_in_force(running))
        found = (bands.rule_of(one, band) for band in bands.RULES for one in parts[band])
        return tuple(one for one in found if one is not None)

    def shadowing(self, running: Config, rule: AccessRule) -> str | None:
        """Return the line that denies first all or a part of what a rule would let through."""
        listed = bands.flat(bands.banded(_in_force(running))) or _in_force(running)
        band = bands.band_of(rule)
        number = rule.sequence if rule.sequence in BANDS[band] else BANDS[band][-1]
        wanted = bands.rule_entry(rule, number or 0).match
        for one in listed:
            fence = band is Band.INTERNET and one.text.startswith("deny ip any ") and one.number in BANDS[Band.FENCE]
            if one.number >= (number or 0) or one.permit or fence:
                continue
            if one.match is None or (wanted is not None and one.match.overlaps(wanted)):
                return str(one)
        return None

    def place(self, running: Config, rule: AccessRule) -> AccessRule:
        """Return the rule with the next free number of its band."""
        listed = _in_force(running)
        parts = bands.banded(listed)
        band = bands.band_of(rule)
        return replace(rule, sequence=bands.free(parts[band], band))

    def with_numbers(self, config: Config, shown: str) -> Config:
        """Return a configuration whose lists have the numbers that `show ip access-lists` prints.

        Classic IOS prints no numbers in its configuration; the lists in memory have theirs all the same.
        """
        found = dict(config.sections)
        for name, listed in acl.numbered(shown):
            if LIST + name in found:
                found[LIST + name] = tuple(map(str, listed))
        return self.canonical(found)

    def numbered_as(self, config: Config, other: Config) -> Config:
        """Return a configuration (the one a router starts with) with the numbers of another one.

        For lists of the same entries in the same order that have 10, 20, ...: classic IOS keeps no others.
        """
        found = dict(config.sections)
        for name, lines in config.sections.items():
            mine, others = acl.entries(lines), acl.entries(other.sections.get(name, ()))
            if name.startswith(LIST) and _plainly(mine) and [a.text for a in mine] == [b.text for b in others]:
                found[name] = tuple(map(str, others))
        return self.canonical(found)


def interface_line(text: str) -> str:
    """Return a line of an interface in its canonical form: masks in full."""
    given = address(text)
    if given is None:
        return text
    secondary = " secondary" if text.endswith(" secondary") else ""
    return f"ip address {given.ip} {mask(given.network.prefixlen)}{secondary}"


def route_line(text: str) -> str:
    """Return a line of the top level in its canonical form: masks of static routes in full, names of interfaces too."""
    route = static_route(text)
    if route is None:
        return text
    network = ipaddress.IPv4Network(route.prefix)
    via = route.via if route.via[0].isdigit() else interface_name(route.via)
    return " ".join(("ip route", str(network.network_address), mask(network.prefixlen), via, *route.options))


def _names(name: str) -> tuple[str, str]:
    return (name, name + SECOND)


def _bound_in(lines: Sequence[str]) -> str | None:
    found = (re.fullmatch(r"ip access-group (\S+) in", line) for line in lines)
    return next((one[1] for one in found if one), None)


def _bound(config: Config, name: str, besides: str | None = None) -> bool:
    """Tell whether a list is in force anywhere: at an interface, or for logins."""
    bare = name.removeprefix(LIST)
    binding = re.compile(rf"(?:ip access-group|access-class) {re.escape(bare)}(?: .*)?")
    return any(
        binding.fullmatch(line) for heading, lines in config.sections.items() if heading != besides for line in lines
    )


def _in_force(running: Config) -> tuple[acl.Entry, ...]:
    """Return the entries of the filter: of the list that is bound, of those two that may be."""
    names = _names(FILTER)
    bound = next((name for lines in interfaces(running).values() if (name := _bound_in(lines)) in names), None)
    name = bound or next((name for name in names if LIST + name in running.sections), FILTER)
    return acl.entries(running.sections.get(LIST + name, ()))


def _wanted(
    here: Sequence[acl.Entry], intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
) -> tuple[acl.Entry, ...]:
    parts = dict(bands.banded(here))
    strangers = bands.outside(here) if scope is Scope.RULES else ()
    if scope is not Scope.RULES and intent.filter is not None:
        parts |= {band: part for band, part in bands.base(intent.filter).items() if band not in bands.RULES}
    if scope is not Scope.BASE:
        parts = dict(_with_rules(parts, {band: parts[band] for band in bands.RULES}, rules))
    found = {one.number: one for one in (*strangers, *bands.flat(parts))}
    return tuple(found[number] for number in sorted(found))


def _with_rules(parts: bands.Banded, standing: bands.Banded, rules: Sequence[AccessRule]) -> bands.Banded:
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
    for rule in left:
        band = bands.band_of(rule)
        entry = bands.rule_entry(rule, rule.sequence or 0)
        if entry.text in {one.text for one in found[band]}:
            continue
        if entry.number not in BANDS[band] or entry.number in {one.number for one in found[band]}:
            entry = replace(entry, number=bands.free((*found[band], *standing.get(band, ())), band))
        found[band] = (*found[band], entry)
    return found


def _same(here: Sequence[acl.Entry], wanted: Sequence[acl.Entry]) -> bool:
    """Tell whether a list says what is wanted, in the same order; the numbers are those of a restart."""
    return _plainly(here) and [one.text for one in here] == [one.text for one in wanted]


def _plainly(listed: Sequence[acl.Entry]) -> bool:
    return [one.number for one in listed] == list(range(10, 10 * len(listed) + 1, 10))


def _name(
    running: Config, inside: str, now: str | None, names: tuple[str, str], here: Sequence[acl.Entry],
    wanted: Sequence[acl.Entry],
) -> str | None:  # fmt: skip
    """Return the list that is to be in force: the one that is, if it can be edited as it is; otherwise the other."""
    if now in names:
        if tuple(here) == tuple(wanted) or acl.edits(here, wanted, BANDS[Band.MANAGEMENT]) is not None:
            return now
        names = tuple(name for name in names if name != now)  # type: ignore[assignment]
    return next((name for name in names if not _bound(running, name)), None)


def _list_lines(name: str, have: Config, want: Config) -> Iterator[str]:
    before, after = have.sections.get(name), want.sections.get(name)
    if before == after:
        return
    if after is None:
        yield f"no {name}"
        return
    old, new = acl.entries(before or ()), acl.entries(after)
    lines = acl.edits(old, new, BANDS[Band.MANAGEMENT]) if _bound(have, name) and _bound(want, name) else None
    yield name
    yield from (f" {line}" for line in (acl.rebuilt(old, new) if lines is None else lines))
    yield "exit"


def _is_address(line: str) -> bool:
    return line.startswith(("ip address ", "ip unnumbered "))


def _clashing(have: Config, want: Config) -> tuple[str, ...]:
    """Return the interfaces whose address must go before another one gets one of the same network."""
    before, after = interfaces(have), interfaces(want)
    found = []
    for name, lines in before.items():
        mine = [one for one in map(address, lines) if one is not None]
        changes = [line for line in lines if _is_address(line)] != [
            line for line in after.get(name, ()) if _is_address(line)
        ]
        others = [
            one for other, said in after.items() if other != name for one in map(address, said) if one is not None
        ]
        if changes and any(a.network.overlaps(b.network) for a in mine for b in others):
            found.append(f"interface {name}")
    return tuple(found)


def _again(heading: str, cleared: Sequence[str], want: Config, come: Sequence[str]) -> list[str]:
    """Return the lines that come, with the addresses that were taken away for a while."""
    if heading not in cleared:
        return list(come)
    stays = [line for line in want.sections.get(heading, ()) if _is_address(line) and line not in come]
    return [*come, *stays]


def _interface_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an interface: what filters first, addresses then, what brings it up last."""
    yield from (ace(line) for line in come if line.startswith("ip access-group "))
    if "shutdown" in come:
        yield "shutdown"
    if any(line.startswith("description ") for line in come):
        yield from (line for line in come if line.startswith("description "))
    elif any(line.startswith("description ") for line in gone):
        yield "no description"
    yield from _address_lines(gone, come)
    bound = {line.split()[-1] for line in come if line.startswith("ip access-group ")}
    yield from (f"no {line}" for line in gone if line.startswith("ip access-group ") and line.split()[-1] not in bound)
    if "shutdown" in gone:
        yield "no shutdown"


def _address_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    old, new = [line for line in gone if _is_address(line)], [line for line in come if _is_address(line)]
    yield from (f"no {line}" for line in old if line.endswith(" secondary"))
    first = [line for line in new if not line.endswith(" secondary")]
    primary = [line for line in old if not line.endswith(" secondary")]
    if primary and (not first or any(line.startswith("ip unnumbered ") for line in (*primary, *first))):
        yield "no ip unnumbered" if primary[0].startswith("ip unnumbered ") else "no ip address"
    yield from first
    yield from (line for line in new if line.endswith(" secondary"))
