"""The words of Cisco IOS and IOS-XE."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dsi_automation.connectors.routers import acl, bands
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects import ios_filter, ios_interfaces
from dsi_automation.connectors.routers.dialects.common import (
    CommonDialect,
    Sections,
    description,
    missing_filter,
    protected_error,
)
from dsi_automation.connectors.routers.dialects.ios_lines import LIST, IosTaking
from dsi_automation.connectors.routers.endpoints import (
    StaticRoute,
    interface_name,
    interfaces,
    mask,
    route_order,
    static_route,
)
from dsi_automation.connectors.routers.intent import (
    BANDS,
    AccessRule,
    Band,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
    Scope,
)
from dsi_automation.connectors.routers.refusals import no_interface
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

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
            return ios_interfaces.interface_line(text)
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
        return [*description(intent.description), ios_interfaces.interface_line(f"ip address {intent.address}")]

    def route(self, intent: RouteIntent) -> str:
        """Return the line of a static route."""
        return route_line(f"ip route {intent.prefix} {intent.via}")

    def satisfied(self, route: StaticRoute) -> bool:
        """Tell whether a route has no option but a name."""
        return not route.options or (len(route.options) == 2 and route.options[0] == "name")

    def exists(self, target: Sections, heading: str, intent: RouterIntent) -> None:
        """Make sure that there is such an interface: IOS prints all it has."""
        if heading not in target:
            raise no_interface(intent.name, heading.removeprefix("interface "), interfaces(Config(target)))

    def filter_headings(self, intent: RouterIntent) -> set[str]:
        """Return the headings of both lists that may be the filter."""
        return set() if intent.filter is None else {LIST + name for name in ios_filter.names(intent.filter.name)}

    def render_filter(self, found: dict[str, Sequence[str]], intent: RouterIntent, rules: Sequence[AccessRule]) -> None:
        """Add the access list, and what binds it to the interface of the LAN."""
        if intent.filter is None:
            return
        parts = ios_filter.with_rules(bands.base(intent.filter), {}, rules)
        found[LIST + intent.filter.name] = [str(one) for one in bands.flat(parts)]
        inside = self.heading(f"interface {intent.filter.inside}")
        found[inside] = [*found.get(inside, ()), f"ip access-group {intent.filter.name} in"]

    def target_filter(
        self, target: Sections, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> Sequence[str]:
        """Change the access list in force into what it should be, or bind another one in its place.

        Returns:
            Somebody's lines that go: entries the toolkit does not write, and another list that was bound there.
        """
        if intent.filter is None:
            return ()
        inside = self.heading(f"interface {intent.filter.inside}")
        if inside == self.heading(f"interface {intent.protected}"):
            raise protected_error(intent)
        self.exists(target, inside, intent)
        names = ios_filter.names(intent.filter.name)
        now = ios_filter.bound_in(target[inside])
        here = acl.entries(running.sections.get(f"{LIST}{now}", ())) if now in names else ()
        if scope is Scope.RULES and not any(one.counts for one in here):
            raise missing_filter(intent)
        # A list of ours that somebody took from the interface still says which accesses are open.
        wanted = ios_filter.wanted(here or ios_filter.in_force(running), intent, rules, scope)
        if here and ios_filter.same(here, wanted):
            wanted = here
        name = ios_filter.name(running, now, names, here, wanted)
        if name is None:
            raise RefusedError(
                T("Both access lists of the toolkit are in use on {router}.", router=intent.name), on=intent.name,
                next_step=T("Look at {first} and {second} on the router: one of them must be bound nowhere.",
                            first=names[0], second=names[1]),
            )  # fmt: skip
        for other in names:
            if other != name and not ios_filter.bound(running, other, besides=inside):
                target.pop(LIST + other, None)
        target[LIST + name] = tuple(map(str, wanted))
        stays = [line for line in target[inside] if not re.fullmatch(r"ip access-group \S+ in", line)]
        target[inside] = (*stays, f"ip access-group {name} in")
        theirs = [] if now is None or now in names else [f"{inside}: ip access-group {now} in"]
        return [*theirs, *ios_filter.removed(names, running, target)]

    def transition(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines: lists before what binds them, what is bound no longer after it."""
        lists = [name for name in {**have.sections, **want.sections} if name.startswith(LIST)]
        after = [name for name in lists if ios_filter.bound(have, name) and not ios_filter.bound(want, name)]
        for name in lists:
            if name not in after:
                yield from ios_filter.list_lines(name, have, want)
        cleared = ios_interfaces.clashing(have, want)
        for heading in cleared:
            yield from (heading, " no ip address", "exit")
        for heading, gone, come in self.changed_interfaces(have, want):
            left = [line for line in gone if heading not in cleared or not ios_interfaces.is_address(line)]
            lines = list(ios_interfaces.interface_lines(left, ios_interfaces.again(heading, cleared, want, come)))
            if lines:
                yield heading
                yield from (f" {line}" for line in lines)
                yield "exit"
        yield from self.route_lines(have, want)
        for name in after:
            yield from ios_filter.list_lines(name, have, want)

    def rules(self, running: Config) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on a device, in order."""
        parts = bands.banded(ios_filter.in_force(running))
        found = (bands.rule_of(one, band) for band in bands.RULES for one in parts[band])
        return tuple(one for one in found if one is not None)

    def shadowing(self, running: Config, rule: AccessRule) -> str | None:
        """Return the line that denies first all or a part of what a rule would let through."""
        band = bands.band_of(rule)
        number = rule.sequence if rule.sequence is not None and rule.sequence in BANDS[band] else BANDS[band][-1]
        wanted = bands.rule_match(rule)
        # The fence is what an access to the Internet is meant to stop at.
        fence = BANDS[Band.FENCE] if band is Band.INTERNET else range(0)
        for one in bands.settled(ios_filter.in_force(running)):
            earlier = one.number < number and one.number not in fence
            if earlier and not one.permit and (one.match is None or one.match.overlaps(wanted)):
                return str(one)
        return None

    def place(self, running: Config, rule: AccessRule) -> AccessRule:
        """Return the rule with the next free number of its band."""
        listed = ios_filter.in_force(running)
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
            if name.startswith(LIST) and bands.restarted(mine) and [a.text for a in mine] == [b.text for b in others]:
                found[name] = tuple(map(str, others))
        return self.canonical(found)


def route_line(text: str) -> str:
    """Return a line of the top level in its canonical form: masks of static routes in full, names of interfaces too."""
    route = static_route(text)
    if route is None:
        return text
    network = ipaddress.IPv4Network(route.prefix)
    via = route.via if route.via[0].isdigit() else interface_name(route.via)
    return " ".join(("ip route", str(network.network_address), mask(network.prefixlen), via, *route.options))
