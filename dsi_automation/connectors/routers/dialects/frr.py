"""The words of FRRouting (vtysh); of the packet filter beside it: `frr_filter`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects import frr_filter
from dsi_automation.connectors.routers.dialects.common import (
    CommonDialect,
    Sections,
    description,
    missing_filter,
    protected_error,
)
from dsi_automation.connectors.routers.endpoints import StaticRoute, address, route_order, static_route
from dsi_automation.connectors.routers.intent import AccessRule, InterfaceIntent, RouteIntent, RouterIntent, Scope
from dsi_automation.connectors.routers.lines import RefusedLineError, Taking, single, switch

_OTHERS = re.compile(
    r"(?:no )?(?:ip (?:ospf|rip|pim|igmp|nhrp|router|mroute)|ipv6|bandwidth|link-detect|mpls|multicast|link-params)\b"
)
"""Other lines an interface takes, which are nobody's business here."""


class FrrTaking(Taking):
    """A Linux router that takes lines as vtysh does; those of the filter as our driver does."""

    def enter(self, text: str) -> None:
        """Enter an interface or a filter; take a filter away."""
        if text.startswith("no filter "):
            if self.sections.pop(text.removeprefix("no "), None) is None:
                raise RefusedLineError(text, "% no such filter")
            self.heading = ""
        elif re.fullmatch(r"(?:interface|filter) \S+", text):
            self.heading = text
            self.sections.setdefault(text, [])
        else:
            raise RefusedLineError(text, f"% Unknown command: {text}")

    def under(self, text: str) -> None:
        """Take a line of an interface, a filter or anything else."""
        lines = self.sections[self.heading]
        if self.heading.startswith("filter "):
            frr_filter.take(lines, text)
        elif re.match(r"(?:no )?description\b", text):
            single(lines, "description", None if text.startswith("no ") else text)
        elif re.match(r"(?:no )?ip address ", text):
            self._address(lines, text)
        elif text in {"shutdown", "no shutdown"}:
            single(lines, "shutdown", None if text.startswith("no ") else text)
        elif _OTHERS.match(text):
            switch(lines, text)
        else:
            raise RefusedLineError(text, f"% Unknown command: {text}")

    def top(self, text: str) -> None:
        """Take a line of the top level."""
        if re.match(r"(?:no )?ip route ", text):
            route = static_route(text.removeprefix("no "))
            if route is None:
                raise RefusedLineError(text, f"% Unknown command: {text}")
            negated = "no " if text.startswith("no ") else ""
            text = negated + _route_line(route)
        super().top(text)

    def _address(self, lines: list[str], text: str) -> None:
        given = address(text.removeprefix("no "))
        if given is None:
            raise RefusedLineError(text, f"% Unknown command: {text}")
        switch(lines, f"{'no ' if text.startswith('no ') else ''}ip address {given}")


class FrrDialect(CommonDialect):
    """FRRouting, as vtysh prints and takes it."""

    taking = FrrTaking

    def heading(self, text: str) -> str:
        """Return a heading; interfaces of Linux are written as they are."""
        return text

    def line(self, heading: str, text: str) -> str:
        """Return a line in its canonical form."""
        if heading.startswith("interface "):
            given = address(text)
            return text if given is None else f"ip address {given}"
        route = None if heading else static_route(text)
        return text if route is None else _route_line(route)

    def canonical(self, sections: Mapping[str, Sequence[str]]) -> Config:
        """Return canonical lines as a configuration: an interface without lines says nothing."""
        found: dict[str, tuple[str, ...]] = {}
        for name, lines in sections.items():
            if name.startswith("interface "):
                found[name] = tuple(sorted(set(lines)))
            elif name.startswith("filter "):
                found[name] = tuple(sorted(set(lines), key=frr_filter.order))
            elif not name:
                routes = {line for line in lines if static_route(line) is not None}
                found[name] = (*(line for line in lines if line not in routes), *sorted(routes, key=route_order))
            else:
                found[name] = tuple(lines)
        return Config({name: lines for name, lines in found.items() if lines or name.startswith("filter ")})

    def interface(self, intent: InterfaceIntent) -> list[str]:
        """Return the lines of an interface."""
        return [*description(intent.description), f"ip address {ipaddress.IPv4Interface(intent.address)}"]

    def route(self, intent: RouteIntent) -> str:
        """Return the line of a static route."""
        return f"ip route {intent.prefix} {intent.via}"

    def satisfied(self, route: StaticRoute) -> bool:
        """Tell whether a route has no option: distance, tag, interface."""
        return not route.options

    def filter_headings(self, intent: RouterIntent) -> set[str]:
        """Return the heading of the filter."""
        return set() if intent.filter is None else {f"filter {intent.filter.name}"}

    def render_filter(self, found: dict[str, Sequence[str]], intent: RouterIntent, rules: Sequence[AccessRule]) -> None:
        """Add the section of the filter."""
        if intent.filter is not None:
            lines = [*frr_filter.base(intent.filter), *map(frr_filter.rule_line, rules)]
            found[f"filter {intent.filter.name}"] = lines

    def target_filter(
        self, target: Sections, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> Sequence[str]:
        """Change the section of the filter into what it should be; return somebody's lines that go."""
        if intent.filter is None:
            return ()
        if intent.filter.inside == intent.protected:
            raise protected_error(intent)
        name = f"filter {intent.filter.name}"
        there = running.sections.get(name)
        if there is None and scope is Scope.RULES:
            raise missing_filter(intent)
        standing = [line for line in there or () if line.startswith("rule ")]
        base = [line for line in there or () if not line.startswith("rule ")]
        if scope is not Scope.RULES:
            base = frr_filter.base(intent.filter)
        if scope is not Scope.BASE:
            standing = [frr_filter.standing(one, standing) for one in rules]
        target[name] = (*base, *standing)
        return [f"{name}: {line}" for line in there or () if line.startswith("unexpected ") and line not in base]

    def transition(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines: a filter that comes, comes first; one that goes, goes last."""
        names = [name for name in {**have.sections, **want.sections} if name.startswith("filter ")]
        for name in names:
            if name in want.sections:
                yield from frr_filter.lines(name, have.sections.get(name), want.sections[name])
        for heading, gone, come in self.changed_interfaces(have, want):
            yield heading
            yield from (f" {line}" for line in _interface_lines(gone, come))
            yield "exit"
        yield from self.route_lines(have, want)
        yield from (f"no {name}" for name in names if name not in want.sections)

    def rules(self, running: Config) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on a device."""
        found = map(frr_filter.rule, frr_filter.section(running))
        return tuple(one for one in found if one is not None)

    def shadowing(self, running: Config, rule: AccessRule) -> str | None:
        """Return the line that denies first all or a part of what a rule would let through."""
        return next((line for line in frr_filter.section(running) if frr_filter.denies(line, rule)), None)

    def place(self, running: Config, rule: AccessRule) -> AccessRule:  # noqa: ARG002  # rules have no order here
        """Return the rule as it is: nothing has a number."""
        return replace(rule, sequence=None)


def _route_line(route: StaticRoute) -> str:
    return " ".join(("ip route", route.prefix, route.via, *route.options))


def _interface_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an interface: FRRouting adds an address beside those there are, so the old one goes first."""
    replaced = any(line.startswith("description ") for line in come)
    for line in gone:
        if line.startswith("description "):
            yield from () if replaced else ("no description",)
        else:
            yield f"no {line}"
    yield from come
