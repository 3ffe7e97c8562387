"""The connections that prove an access: one that must pass, one that must not; chosen from facts alone, then tried."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.routers.intent import INTERNET, AccessRule
from dsi_automation.connectors.routers.probe import Probe, Tried
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.network_model import ProbeHost
from dsi_automation.operations.network.access_policy import covers

if TYPE_CHECKING:
    from dsi_automation.core.canonical import Json

MOST_BORROWED: Final = 3
"""Addresses a probe may try to borrow for one try before it gives up: each may be somebody's."""
TCP: Final = "tcp"


@dataclass(frozen=True, slots=True)
class Try:
    """One connection.

    Attributes:
        id: identifier of the access it is about.
        sources: addresses of the LAN it may come from: the first that is free to use.
        passes: whether it must pass, or must not.
        before: whether it passes before the change already, by the rules: where it must not and does, nothing would
            be proven afterwards.
    """

    id: str
    sources: tuple[str, ...]
    destination: str
    port: int
    passes: bool
    before: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return it as a plan holds it."""
        return {
            "id": self.id,
            "sources": list(self.sources),
            "destination": self.destination,
            "port": self.port,
            "passes": self.passes,
            "before": self.before,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Try:
        """Return the one a plan holds."""
        return cls(
            data["id"], tuple(data["sources"]), data["destination"], data["port"], data["passes"], data["before"]
        )

    def words(self) -> Text:
        """Return it in words."""
        words = {"source": self.sources[0], "destination": self.destination, "port": self.port}
        if self.passes:
            return T("{source} to {destination}, tcp/{port}, must pass", **words)
        return T("{source} to {destination}, tcp/{port}, must not pass", **words)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where tries are chosen: what the inventory says about the site, and what is let through.

    Attributes:
        lan: of the site.
        ranges: the department's networks.
        servers: addresses somebody answers at, by the inventory.
        before, after: accesses that are open on the router now, and that will be.
    """

    lan: IPv4Network
    ranges: tuple[IPv4Network, ...]
    probe: ProbeHost | None
    servers: tuple[IPv4Address, ...]
    before: Sequence[AccessRule]
    after: Sequence[AccessRule]

    def passes(self, rules: Sequence[AccessRule], source: str, destination: str, port: int) -> bool:
        """Tell whether some rules let a TCP connection through."""
        inside = any(ipaddress.IPv4Address(destination) in one for one in self.ranges)
        there = f"{destination}/32" if inside else INTERNET
        hosts = [AccessRule(None, f"{source}/32", f"{destination}/32", TCP, port, port)]
        hosts.append(AccessRule(None, f"{source}/32", there, TCP, port, port))
        return any(covers(rule, one) for rule in rules for one in hosts)

    def inside(self, source: IPv4Network, rules: Sequence[AccessRule], destination: str, port: int) -> tuple[str, ...]:
        """Return addresses within a source the probe may connect from; if possible, such as `rules` leave closed."""
        new = self._usable(
            source, lambda address: address in source and not self.passes(rules, str(address), destination, port)
        )
        return new or self._usable(source, lambda address: address in source)

    def outside(self, source: IPv4Network, destination: str, port: int) -> tuple[str, ...]:
        """Return addresses of the LAN outside a source from which nothing lets a connection through."""
        return self._usable(self.lan, lambda address: address not in source and self.closed(address, destination, port))

    def closed(self, address: IPv4Address | str, destination: str, port: int) -> bool:
        """Tell whether a connection is let through neither now nor then."""
        return not self.passes((*self.before, *self.after), str(address), destination, port)

    def _usable(self, network: IPv4Network, fits: Callable[[IPv4Address], bool]) -> tuple[str, ...]:
        """Return an address of the probe's own that fits, else some it may borrow."""
        if self.probe is None:
            return ()
        own = [one for one in map(IPv4Address, self.probe.addresses) if fits(one)]
        if own:
            return (str(own[0]),)
        free = (one for one in _hosts(network, self.lan) if fits(one)) if self.probe.borrow else iter(())
        return tuple(str(one) for one in islice(free, MOST_BORROWED))


def choose(rule: AccessRule, ground: Ground, at: str | None) -> tuple[tuple[Try, ...], Text | None]:
    """Return the try that must pass once a rule is there and the one that must not; else why there is none.

    Args:
        at: the address to connect to, where the destination is not one machine.
    """
    good, why = _through(rule, ground, at, ground.before)
    if good is None:
        return (), why
    already = ground.passes(ground.before, good.sources[0], good.destination, good.port)
    good = replace(good, before=already)
    outside = ground.outside(IPv4Network(rule.source), good.destination, good.port)
    if outside:
        return (good, replace(good, sources=outside, passes=False, before=False)), None
    port = _closed_port(rule, ground, good)
    if port is None:
        return (), T("no connection from its LAN would have to be refused")
    return (good, replace(good, port=port, passes=False, before=False)), None


def choose_closed(rule: AccessRule, ground: Ground, at: str | None) -> tuple[tuple[Try, ...], Text | None]:
    """Return the try that must not pass any more once a rule is gone; else why there is none."""
    good, why = _through(rule, ground, at, ground.after)
    if good is None:
        return (), why
    if ground.passes(ground.after, good.sources[0], good.destination, good.port):
        return (), T("another access lets the same connections through")
    already = ground.passes(ground.before, good.sources[0], good.destination, good.port)
    return (replace(good, passes=False, before=already),), None


def _through(
    rule: AccessRule, ground: Ground, at: str | None, rules: Sequence[AccessRule]
) -> tuple[Try | None, Text | None]:
    """Return a connection that a rule lets through, if possible one that `rules` do not."""
    if ground.probe is None:
        return None, T("the inventory names no probe in its LAN")
    if rule.protocol != TCP:
        return None, T("only TCP connections can be tried")
    destination = _machine(rule, ground, at)
    if destination is None:
        return None, T("nobody said at which address somebody answers ({destination})", destination=rule.destination)
    inside = ground.inside(IPv4Network(rule.source), rules, destination, rule.first_port)
    if not inside:
        return None, T("the probe has no address within {source}", source=rule.source)
    return Try(rule.id or "", inside, destination, rule.first_port, passes=True), None


def attempt(one: Try, probe: Probe) -> tuple[str, Tried]:
    """Make a try from the first of its addresses that may be used; return that address and how it ended.

    Raises:
        RefusedError: none may be used.
        UnreachableError: the probe does not answer.
    """
    refused: RefusedError | None = None
    for source in one.sources:
        try:
            return source, probe.connect(source, one.destination, one.port)
        except RefusedError as error:
            refused = error
    raise refused or RefusedError(T("The probe has no address to try from."))


def passed(found: Tried) -> bool:
    """Tell whether the way is open: a machine that answers that nobody listens was reached too."""
    return found is not Tried.BLOCKED


def _machine(rule: AccessRule, ground: Ground, at: str | None) -> str | None:
    if at is not None:
        return at
    if rule.destination == INTERNET:
        return None
    network = IPv4Network(rule.destination)
    if network.prefixlen == 32:
        return str(network.network_address)
    return next((str(one) for one in sorted(ground.servers) if one in network), None)


def _closed_port(rule: AccessRule, ground: Ground, good: Try) -> int | None:
    ports = chain(range(rule.last_port + 1, 65536), range(rule.first_port - 1, 0, -1))
    return next((port for port in ports if ground.closed(good.sources[0], good.destination, port)), None)


def _hosts(network: IPv4Network, lan: IPv4Network) -> Iterator[IPv4Address]:
    """Yield addresses of a network from the highest down: low ones are given to machines first."""
    kept = {lan.network_address, lan.broadcast_address, lan.network_address + 1}  # the router has the first one
    first, last = int(network.network_address), int(network.broadcast_address)
    for number in range(last, first - 1, -1):
        address = IPv4Address(number)
        if address not in kept:
            yield address
