"""What both dialects do alike: which lines of a router are ours, what they should be, and the way there and back."""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dsi_automation.connectors.routers import masking
from dsi_automation.connectors.routers.config import Config, Difference
from dsi_automation.connectors.routers.endpoints import (
    StaticRoute,
    address,
    addresses,
    interfaces,
    overlapping,
    plain,
    static_route,
    static_routes,
    table,
    within,
)
from dsi_automation.connectors.routers.intent import AccessRule, InterfaceIntent, RouteIntent, RouterIntent, Scope
from dsi_automation.connectors.routers.lines import Taking
from dsi_automation.connectors.routers.refusals import managed_through
from dsi_automation.connectors.routers.tree import read
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

type Sections = dict[str, tuple[str, ...]]


class CommonDialect(ABC):
    """Base of the dialects of routers whose command line is like that of IOS."""

    taking: type[Taking]

    def interface_name(self, name: str) -> str:
        """Return an interface's name as the device prints it."""
        return self.heading(f"interface {name}").removeprefix("interface ")

    def parse(self, text: str) -> Config:
        """Return a configuration as the device prints it, canonical."""
        found = {name: list(lines) for name, lines in read(text, self.heading).items()}
        return self.canonical({name: [self.line(name, line) for line in lines] for name, lines in found.items()})

    def apply(self, running: Config, lines: Sequence[str]) -> Config:
        """Return what would run once `lines` were taken; the error has what was taken before."""
        taking = self.taking(running)
        taking.take(lines)
        return self.canonical(taking.sections)

    def render(self, intent: RouterIntent, rules: Sequence[AccessRule] = ()) -> Config:
        """Return what is wanted, in the canonical form that `parse` would give it."""
        found: dict[str, Sequence[str]] = {"": [self.route(one) for one in intent.routes]}
        for one in intent.interfaces:
            found[self.heading(f"interface {one.name}")] = self.interface(one)
        self.render_filter(found, intent, rules)
        return self.canonical(found)

    def difference(
        self, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> Difference:
        """Return what leads from what runs to what is wanted, and back."""
        ignored = {self.heading(one) for one in intent.ignored}
        target: Sections = dict(running.sections)
        kept, removed = list[str](), list[str]()
        if scope is not Scope.RULES:
            removed += self._interfaces(target, intent, ignored)
            kept += self._routes(target, intent, ignored)
        if intent.filter is not None and not ignored & self.filter_headings(intent):
            removed += self.target_filter(target, running, intent, rules, scope)
        wanted = self.canonical(target)
        there, back = self.transition(running, wanted), self.transition(wanted, running)
        return Difference(tuple(there), tuple(back), tuple(kept), tuple(removed))

    def masked(self, text: str) -> str:
        """Return a configuration as printed, with every secret in it replaced."""
        return masking.masked(text)

    # What a platform says.

    @abstractmethod
    def heading(self, text: str) -> str:
        """Return a heading in its canonical form."""

    @abstractmethod
    def line(self, heading: str, text: str) -> str:
        """Return a line in its canonical form; empty when it says nothing."""

    @abstractmethod
    def canonical(self, sections: Mapping[str, Sequence[str]]) -> Config:
        """Return canonical lines as a configuration, sorted where order means nothing."""

    @abstractmethod
    def interface(self, intent: InterfaceIntent) -> list[str]:
        """Return the lines of an interface."""

    @abstractmethod
    def route(self, intent: RouteIntent) -> str:
        """Return the line of a static route."""

    @abstractmethod
    def render_filter(self, found: dict[str, Sequence[str]], intent: RouterIntent, rules: Sequence[AccessRule]) -> None:
        """Add the packet filter."""

    @abstractmethod
    def filter_headings(self, intent: RouterIntent) -> set[str]:
        """Return the headings of the packet filter."""

    @abstractmethod
    def target_filter(
        self, target: Sections, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> Sequence[str]:
        """Change the sections of the packet filter into what they should be; return somebody's lines that go."""

    @abstractmethod
    def transition(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines that lead from one configuration to another, in an order that opens nothing."""

    @abstractmethod
    def satisfied(self, route: StaticRoute) -> bool:
        """Tell whether a route of the right prefix and next hop is as wanted, by its options."""

    def owned_line(self, line: str) -> bool:
        """Tell whether a line of an interface of ours is ours."""
        first = ("description ", "ip address ", "ip unnumbered ")
        return line.startswith(first) or line in {"shutdown", "ip address dhcp"}

    # What is wanted.

    def _interfaces(self, target: Sections, intent: RouterIntent, ignored: set[str]) -> list[str]:
        protected = self.heading(f"interface {intent.protected}")
        known = {protected, *ignored, *(self.heading(f"interface {one.name}") for one in intent.interfaces)}
        removed = _abandoned(target, known, (*intent.owned, *intent.circuits))
        for one in intent.interfaces:
            heading = self.heading(f"interface {one.name}")
            if heading == protected:
                raise protected_error(intent)
            if heading in ignored:
                continue
            self.exists(target, heading, intent)
            _no_overlap(target, protected, one, intent)
            stays = [line for line in target.get(heading, ()) if not self.owned_line(line)]
            target[heading] = (*stays, *self.interface(one))
        self._fit(target, intent, ignored)
        return removed

    def _fit(self, target: Sections, intent: RouterIntent, ignored: set[str]) -> None:
        """Make sure that no network is at two interfaces: IOS refuses the second one, Linux routes to either.

        Raises:
            RefusedError: one is.
        """
        for one in intent.interfaces:
            heading = self.heading(f"interface {one.name}")
            other = overlapping(ipaddress.IPv4Interface(one.address).network, heading, target)
            if other is not None and heading not in ignored:
                raise RefusedError(
                    T("{router} has addresses of {address} at {interface} already.",
                      router=intent.name, address=one.address, interface=other.removeprefix("interface ")),
                    on=intent.name,
                    next_step=T("Take them away there by hand, or correct the addresses in the inventory."),
                )  # fmt: skip

    def exists(self, target: Sections, heading: str, intent: RouterIntent) -> None:  # noqa: B027  # most need not
        """Make sure that there is such an interface, where the configuration tells.

        Raises:
            RefusedError: there is none.
        """

    def _routes(self, target: Sections, intent: RouterIntent, ignored: set[str]) -> list[str]:
        wanted = {(one.prefix, one.via): self.route(one) for one in intent.routes if one.prefix not in ignored}
        protected = target.get(self.heading(f"interface {intent.protected}"), ())
        networks = [one.network for one in addresses(protected)]
        stays, kept, there = [], list[str](), set[tuple[str, str]]()
        for line in target.get("", ()):
            route = static_route(line)
            if route is None or route.prefix in ignored or not self._ours(route, intent, wanted):
                stays.append(line)
            elif (route.prefix, route.via) in wanted and self.satisfied(route):
                there.add((route.prefix, route.via))
                stays.append(line)
            elif _towards(route, networks, self.heading(f"interface {intent.protected}")):
                stays.append(line)
                kept.append(line)
        target[""] = (*stays, *(line for key, line in wanted.items() if key not in there))
        return kept

    def _ours(self, route: StaticRoute, intent: RouterIntent, wanted: Iterable[tuple[str, str]]) -> bool:
        return within(route.prefix, intent.owned) or route.prefix in {prefix for prefix, _ in wanted}

    # The way there.

    def route_lines(self, have: Config, want: Config) -> Iterator[str]:
        """Yield the lines for static routes: new ones first, so that none is missing meanwhile."""
        before, after = static_routes(have), static_routes(want)
        gone = [one for one in before if one not in after]
        come = [one for one in after if one not in before]
        replaced = {(one.prefix, one.via) for one in come}
        yield from (f"no {one.line}" for one in gone if (one.prefix, one.via) in replaced)
        yield from (one.line for one in come)
        yield from (f"no {one.line}" for one in gone if (one.prefix, one.via) not in replaced)

    def changed_interfaces(self, have: Config, want: Config) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yield each interface that changes: its heading, the lines that go, the lines that come."""
        for name in {**interfaces(have), **interfaces(want)}:
            heading = f"interface {name}"
            before, after = have.sections.get(heading, ()), want.sections.get(heading, ())
            if before != after:
                gone = [line for line in before if line not in after]
                yield heading, gone, [line for line in after if line not in before]


def protected_error(intent: RouterIntent) -> RefusedError:
    """Return the error of a change that would touch the interface of the management."""
    return managed_through(intent.name, intent.protected)


def missing_filter(intent: RouterIntent) -> RefusedError:
    """Return the error of an access on a router whose filter does not stand yet."""
    return RefusedError(
        T("The packet filter of {router} is not in place: no access can be changed in it.", router=intent.name),
        on=intent.name,
        next_step=T("Put it in place first: dsi router configure {router}.", router=intent.name),
    )


def description(text: str) -> list[str]:
    """Return the line of a description, if there is any."""
    folded = plain(text)
    return [f"description {folded}"] if folded else []


def _towards(route: StaticRoute, networks: Sequence[ipaddress.IPv4Network], heading: str) -> bool:
    if heading == f"interface {route.via}" or any(heading == f"interface {option}" for option in route.options):
        return True
    try:
        via = ipaddress.IPv4Address(route.via)
    except ValueError:
        return False
    return any(via in network for network in networks)


def _abandoned(target: Sections, known: Collection[str], ranges: Sequence[str]) -> list[str]:
    """Take addresses of our ranges from interfaces that are not to have any, and return their lines.

    Not from those of another routing table (VRF): the same addresses mean somebody else there.
    """
    removed: list[str] = []
    for heading, lines in list(target.items()):
        if not heading.startswith("interface ") or heading in known or table(lines):
            continue
        gone = [line for line in lines if (one := address(line)) is not None and within(str(one.network), ranges)]
        stays = [line for line in lines if line not in gone]
        left = [line for line in stays if line.startswith("ip address ")]
        if left and all(line.endswith(" secondary") for line in left):
            # IOS has no secondary address without a primary one.
            stays[stays.index(left[0])] = left[0].removesuffix(" secondary")
        if gone:
            target[heading] = tuple(stays)
            removed += [f"{heading}: {line}" for line in gone]
    return removed


def _no_overlap(target: Sections, protected: str, one: InterfaceIntent, intent: RouterIntent) -> None:
    wanted = ipaddress.IPv4Interface(one.address).network
    taken = (address(line) for line in target.get(protected, ()))
    if any(other is not None and other.network.overlaps(wanted) for other in taken):
        raise protected_error(intent)
