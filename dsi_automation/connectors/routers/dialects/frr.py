"""The words of FRRouting (vtysh), and of the packet filter of a Linux router in a small language of ours.

The filter is a section of the configuration like any other; the driver turns it into nftables and reads it back::

    filter DSI-LAN-IN
     inside lan0
     lan 10.64.8.0/24
     management 198.18.0.1/32
     internal 10.64.0.0/12
     deny any tcp/23
     rule ac-k7m2qx 10.64.8.8/29 10.64.0.5/32 tcp/8443 until 2026-12-31T23:59:59Z

What else is in the table comes back as a line `unexpected ...`; it can be taken away, and never be put there.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.routers import acl
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.common import (
    CommonDialect,
    Sections,
    description,
    missing_filter,
    protected_error,
)
from dsi_automation.connectors.routers.endpoints import StaticRoute, address, route_order, static_route
from dsi_automation.connectors.routers.intent import (
    INTERNET,
    AccessRule,
    FilterIntent,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
    Scope,
)
from dsi_automation.connectors.routers.lines import INVALID, RefusedLineError, Taking

_KEYWORDS: Final = ("inside", "lan", "management", "internal", "deny", "rule", "unexpected")
"""Lines of a filter, in the order they are written."""
_RULE: Final = re.compile(
    r"rule (?P<id>ac-[a-z2-7]{6}) (?P<source>\S+/\d+) (?P<destination>internet|\S+/\d+) (?P<protocol>tcp|udp)"
    r"/(?P<first>\d+)(?:-(?P<last>\d+))?(?: until (?P<until>\S+Z))?"
)
_DENY: Final = re.compile(r"deny (?P<destination>any|\S+/\d+) (?P<protocol>tcp|udp)/(?P<first>\d+)(?:-(?P<last>\d+))?")


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
            raise RefusedLineError(text, INVALID)

    def under(self, text: str) -> None:
        """Take a line of an interface, a filter or anything else."""
        lines = self.sections[self.heading]
        if self.heading.startswith("filter "):
            self._filter(lines, text)
        elif text.split(maxsplit=1)[0] == "description" or text.startswith("no description"):
            self.single(lines, "description", None if text.startswith("no ") else text)
        elif re.match(r"(?:no )?ip address ", text):
            self._address(lines, text)
        elif text in {"shutdown", "no shutdown"}:
            self.single(lines, "shutdown", None if text.startswith("no ") else text)
        elif re.match(r"(?:no )?(?:ip|ipv6|bandwidth|link-detect|mpls|multicast) ?", text):
            self.switch(lines, text)
        else:
            raise RefusedLineError(text, "% Unknown command: " + text)

    def top(self, text: str) -> None:
        """Take a line of the top level."""
        if re.match(r"(?:no )?ip route ", text):
            route = static_route(text.removeprefix("no "))
            if route is None:
                raise RefusedLineError(text, "% Unknown command: " + text)
            line = " ".join(("ip route", route.prefix, route.via, *route.options))
            text = f"no {line}" if text.startswith("no ") else line
        super().top(text)

    def _address(self, lines: list[str], text: str) -> None:
        given = address(text.removeprefix("no "))
        if given is None:
            raise RefusedLineError(text, "% Unknown command: " + text)
        prefix = "no " if text.startswith("no ") else ""
        self.switch(lines, f"{prefix}ip address {given}")

    def _filter(self, lines: list[str], text: str) -> None:
        keyword, _, rest = text.removeprefix("no ").partition(" ")
        if keyword not in _KEYWORDS or not rest:
            raise RefusedLineError(text, INVALID)
        if text.startswith("no rule "):
            gone = [line for line in lines if line.startswith(f"rule {rest.split()[0]} ")]
            if not gone:
                raise RefusedLineError(text, "% no such rule")
            lines.remove(gone[0])
        elif text.startswith("no "):
            self.switch(lines, text)
        elif keyword in {"inside", "lan"}:
            self.single(lines, keyword, text)
        elif keyword == "unexpected" or not _valid(text) or _same_rule(lines, text):
            raise RefusedLineError(text, INVALID)
        else:
            self.switch(lines, text)


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
        if not heading:
            route = static_route(text)
            return text if route is None else " ".join(("ip route", route.prefix, route.via, *route.options))
        return text

    def canonical(self, sections: Mapping[str, Sequence[str]]) -> Config:
        """Return canonical lines as a configuration: an interface without lines says nothing."""
        found: dict[str, tuple[str, ...]] = {}
        for name, lines in sections.items():
            if name.startswith("interface "):
                lines = sorted(dict.fromkeys(lines))
            elif name.startswith("filter "):
                lines = sorted(dict.fromkeys(lines), key=_filter_order)
            elif not name:
                routes = [line for line in lines if static_route(line) is not None]
                lines = [line for line in lines if line not in routes] + sorted(set(routes), key=route_order)
            if lines or name.startswith("filter "):
                found[name] = tuple(lines)
        return Config(found)

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
            found[f"filter {intent.filter.name}"] = [*_base(intent.filter), *map(rule_line, rules)]

    def target_filter(
        self, target: Sections, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> None:
        """Change the section of the filter into what it should be."""
        if intent.filter is None:
            return
        if intent.filter.inside == intent.protected:
            raise protected_error(intent)
        name = f"filter {intent.filter.name}"
        there = running.sections.get(name)
        if there is None and scope is Scope.RULES:
            raise missing_filter(intent)
        standing = [line for line in there or () if line.startswith("rule ")]
        base = [line for line in there or () if not line.startswith("rule ")]
        if scope is not Scope.RULES:
            base = _base(intent.filter)
        if scope is not Scope.BASE:
            standing = [_kept(one, standing) for one in rules]
        target[name] = (*base, *standing)

    def transition(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines: a filter that comes, comes first; one that goes, goes last."""
        names = [name for name in {**have.sections, **want.sections} if name.startswith("filter ")]
        for name in names:
            if name in want.sections:
                yield from _filter_lines(name, have.sections.get(name), want.sections[name])
        for heading, gone, come in self.changed_interfaces(have, want):
            yield heading
            yield from (f" {line}" for line in _interface_lines(gone, come))
            yield "exit"
        yield from self.route_lines(have, want)
        yield from (f"no {name}" for name in names if name not in want.sections)

    def rules(self, running: Config) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on a device."""
        found = (rule(line) for line in _filter(running))
        return tuple(one for one in found if one is not None)

    def shadowing(self, running: Config, rule: AccessRule) -> str | None:
        """Return the line that denies first all or a part of what a rule would let through."""
        wanted = _match(rule.source, rule.destination, rule.protocol, rule.first_port, rule.last_port)
        for line in _filter(running):
            denied = _DENY.fullmatch(line)
            if denied and wanted.overlaps(_match("any", denied["destination"], denied["protocol"], *_ports(denied))):
                return line
            if line.startswith("unexpected ") and re.search(r"\b(?:drop|reject)\b", line):
                return line
        return None

    def place(self, running: Config, rule: AccessRule) -> AccessRule:  # noqa: ARG002  # rules have no order here
        """Return the rule as it is: nothing has a number."""
        return replace(rule, sequence=None)


def rule_line(rule: AccessRule) -> str:
    """Return the line of an access."""
    identifier = (
        rule.id or f"ac-{base64.b32encode(hashlib.sha256(repr(rule.key).encode()).digest())[:6].decode().lower()}"
    )
    until = "" if rule.until is None else f" until {rule.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"rule {identifier} {rule.source} {rule.destination} {rule.service}{until}"


def rule(line: str) -> AccessRule | None:
    """Return the access a line of a filter opens; None when it is no such line."""
    found = _RULE.fullmatch(line)
    if found is None:
        return None
    until = None if found["until"] is None else datetime.fromisoformat(found["until"])
    return AccessRule(found["id"], found["source"], found["destination"], found["protocol"], *_ports(found), until)


def _base(wanted: FilterIntent) -> list[str]:
    return [
        f"inside {wanted.inside}",
        f"lan {wanted.lan}",
        *(f"management {one}" for one in wanted.management),
        *(f"internal {one}" for one in wanted.internal),
        *(
            f"deny {one.destination} {AccessRule(None, '', '', one.protocol, one.first_port, one.last_port).service}"
            for one in wanted.denied
        ),
    ]


def _kept(wanted: AccessRule, standing: Sequence[str]) -> str:
    """Return the line that stands for a rule already, where the rule itself does not say more than it does."""
    if wanted.id is None:
        for line in standing:
            there = rule(line)
            if there is not None and there.key == wanted.key and wanted.until in {None, there.until}:
                return line
    return rule_line(wanted)


def _filter(running: Config) -> tuple[str, ...]:
    return next((lines for name, lines in running.sections.items() if name.startswith("filter ")), ())


def _filter_order(line: str) -> tuple[int, str]:
    keyword = line.partition(" ")[0]
    return (_KEYWORDS.index(keyword) if keyword in _KEYWORDS else len(_KEYWORDS), line)


def _filter_lines(name: str, have: Sequence[str] | None, want: Sequence[str]) -> Iterator[str]:
    if have is not None and tuple(have) == tuple(want):
        return
    yield name
    for line in have or ():
        if line not in want and not line.startswith(("inside ", "lan ")):
            gone = " ".join(line.split()[:2]) if line.startswith("rule ") else line
            yield f" no {gone}"
    yield from (f" {line}" for line in want if line not in (have or ()) and not line.startswith("unexpected "))
    yield "exit"


def _interface_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    replaced = any(line.startswith("description ") for line in come)
    for line in gone:
        if line.startswith("description "):
            yield from () if replaced else ("no description",)
        else:
            yield f"no {line}"
    yield from come


def _match(source: str, destination: str, protocol: str, first: int, last: int) -> acl.Match:
    where = acl.ANY if destination == INTERNET else acl.addresses(destination)
    return acl.Match(protocol, acl.addresses(source), None, where, acl.Ports("range", (first, last)), ())


def _ports(found: re.Match[str]) -> tuple[int, int]:
    return int(found["first"]), int(found["last"] or found["first"])


def _valid(line: str) -> bool:
    if line.startswith("rule "):
        return rule(line) is not None
    if line.startswith("deny "):
        return _DENY.fullmatch(line) is not None
    try:
        return bool(ipaddress.IPv4Network(line.split()[1]))
    except ValueError:
        return False


def _same_rule(lines: Sequence[str], text: str) -> bool:
    """Tell whether another rule has this one's id: each has its own."""
    return text.startswith("rule ") and any(line.split()[:2] == text.split()[:2] and line != text for line in lines)
