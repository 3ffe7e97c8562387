"""What joins a new site to the network: one proposal, complete enough for the inventory and for an order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from dsi_automation.core.errors import NotCompliantError, UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.network_model import (
    Coordinates,
    Link,
    LinkEnd,
    LinkKind,
    ManagementAccess,
    RouterDescription,
    SiteNetwork,
)
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network.addressing import Addressing, addressing
from dsi_automation.operations.network.interconnect_inputs import InterconnectInputs
from dsi_automation.operations.network.siting import Candidate, candidates, chosen

_USUAL: Final[Mapping[str, tuple[str, str, str]]] = {
    "ios": ("GigabitEthernet0/0", "GigabitEthernet0/1", "Loopback0"),
    "frr": ("lan0", "wan0", "mgmt0"),
}
"""LAN, circuit and management, by platform: what most routers of it have."""
_NUMBERED: Final = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True, slots=True)
class Changed:
    """A static route that a router gets."""

    router: str
    prefix: str
    via: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a site is joined.

    Attributes:
        candidates: every existing site, nearest first.
        link: the circuit; its name is `link_name`. The new router's end comes first.
        peer: the router at its other end.
        guessed: names of inputs nobody gave, whose values are a guess: to be checked on the equipment.
        routes: what changes, on the new router first, then on the way to headquarters.
        network: the inventory's network with the site in it.
    """

    site: str
    place: Coordinates | None
    candidates: tuple[Candidate, ...]
    addresses: Addressing
    router: Router
    address: str
    peer: str
    link_name: str
    link: Link
    guessed: tuple[str, ...]
    routes: tuple[Changed, ...]
    network: Network

    @property
    def neighbour(self) -> Candidate | None:
        """Return the neighbour it hangs on; None for a leased line."""
        return chosen(self.candidates)

    @property
    def described(self) -> SiteNetwork:
        """Return the site's network as the inventory should have it."""
        return self.network.settings.sites[self.site]


def propose(network: Network, site: str, inputs: InterconnectInputs) -> Proposal:
    """Return how a site is best joined: to the nearest site that can carry it, else by a leased line.

    Raises:
        UsageError: it is joined already, or an input names what the inventory does not have.
        NotCompliantError: no addresses are left, or nobody to lease a line from.
    """
    _refuse_joined(network, site)
    known = network.settings.sites.get(site)
    place = inputs.place or (None if known is None else known.coordinates)
    found = candidates(network, site, place, inputs.bandwidth, inputs.max_distance_km, leased=inputs.leased)
    neighbour = chosen(found)
    peer = _headquarters(network, site) if neighbour is None else str(neighbour.router)
    addresses = addressing(network, site)
    name = _router_name(network, site, inputs.router)
    lan, wan, managed, there, guessed = _interfaces(network, name, peer, inputs)
    management = ManagementAccess(interface=managed, sources=network.router(peer).described.management.sources)
    described = RouterDescription(platform=inputs.platform, lan=lan, management=management)
    link = Link(
        kind=LinkKind.LEASED if neighbour is None else LinkKind.NEIGHBOUR,
        ends=(LinkEnd(router=name, interface=wan), LinkEnd(router=peer, interface=there)),
        prefix=addresses.link,
        operator=_operator(network, site, inputs.operator) if neighbour is None else None,
        bandwidth=inputs.bandwidth,
    )
    router = Router(name, site, network.routers[name].described if name in network.routers else described)
    link_name = re.sub(r"[^a-z0-9_-]", "-", f"{site}-{network.router(peer).site}".lower())
    grown = _with(network, site, place, addresses, router, link_name, link)
    return Proposal(
        site=site,
        place=place,
        candidates=found,
        addresses=addresses,
        router=router,
        address=inputs.address or addresses.management,
        peer=peer,
        link_name=link_name,
        link=link,
        guessed=guessed if inputs.address else (*guessed, "address"),
        routes=tuple(_routes(grown, name)),
        network=grown,
    )


def _refuse_joined(network: Network, site: str) -> None:
    for router in network.of_site(site):
        for name in network.links_of(router.name):
            raise UsageError(
                T("{site} has a circuit already: {link}.", site=site, link=name),
                on=site,
                next_step=T("Change it in dsi_links, then: dsi router configure"),
            )
    if site == network.settings.headquarters:
        raise UsageError(T("{site} is headquarters: the others are joined to it.", site=site), on=site)


def _router_name(network: Network, site: str, asked: str | None) -> str:
    """Return the name of the site's router: that of the inventory where it has one already."""
    known = [router.name for router in network.of_site(site)]
    name = asked or (known[0] if known else f"rtr-{site.lower()}")
    if name in network.routers and name not in known:
        raise UsageError(T("{router} is the router of another site.", router=name), on=site)
    return name


def _headquarters(network: Network, site: str) -> str:
    routers = network.of_site(network.settings.headquarters)
    if not routers:
        raise NotCompliantError(
            T("Headquarters have no router in the inventory: a leased line would end nowhere."),
            on=site,
            next_step=T("Describe it in the group “routers”."),
        )
    return routers[0].name


def _operator(network: Network, site: str, asked: str | None) -> str:
    """Return the operator asked for, or the one that delivers soonest."""
    known = network.settings.operators
    if asked is not None:
        if asked not in known:
            raise UsageError(
                T("The inventory describes no operator “{name}”.", name=asked),
                on=site,
                next_step=did_you_mean(asked, known),
            )
        return asked
    if not known:
        raise NotCompliantError(
            T("No site near {site} can carry it, and the inventory names no operator to lease a line from.", site=site),
            on=site,
            next_step=T("Describe one in dsi_network.operators, or look farther: --max-distance."),
        )
    return min(known, key=lambda name: (known[name].delay_days is None, known[name].delay_days, name))


def _interfaces(
    network: Network, name: str, peer: str, inputs: InterconnectInputs
) -> tuple[str, str, str, str, tuple[str, ...]]:
    """Return the interfaces of LAN, circuit, management and of the other end, and which of them are a guess."""
    given = {"lan": inputs.lan, "wan": inputs.wan, "management": inputs.management, "peer": inputs.peer}
    usual = dict(zip(("lan", "wan", "management"), _USUAL[inputs.platform], strict=True))
    usual["peer"] = _next_interface(network, peer)
    known = network.routers.get(name)
    if known is not None:
        given |= {"lan": known.described.lan, "management": known.described.management.interface}
        usual["wan"] = _next_interface(network, name)
    guessed = tuple(key for key, value in given.items() if value is None)
    lan, wan, managed, there = (given[key] or usual[key] for key in given)
    _refuse_twice(network, peer, there)
    if wan in {lan, managed}:
        raise UsageError(T("The interface {interface} of {router} would serve twice.", interface=wan, router=name))
    return lan, wan, managed, there, guessed


def _refuse_twice(network: Network, router: str, interface: str) -> None:
    described = network.router(router).described
    circuits = {link.end(router).interface for link in network.links_of(router).values()}
    if interface in {described.lan, described.management.interface, *circuits}:
        raise UsageError(
            T("The interface {interface} of {router} would serve twice.", interface=interface, router=router)
        )


def _next_interface(network: Network, peer: str) -> str:
    """Return the name after the last one of the router's circuits; whether it exists, the router alone knows."""
    described = network.router(peer).described
    taken = {described.lan, described.management.interface}
    circuits = [link.end(peer).interface for link in network.links_of(peer).values()]
    last = max(circuits or [described.lan], key=_natural)
    name = last
    while name in {*taken, *circuits}:
        match = _NUMBERED.fullmatch(name)
        name = f"{name}1" if match is None else f"{match[1]}{int(match[2]) + 1}"
    return name


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _with(
    network: Network, site: str, place: Coordinates | None, addresses: Addressing, router: Router, name: str, link: Link
) -> Network:
    """Return the network with a site, its router and its circuit in it."""
    known = network.settings.sites.get(site)
    described = known or SiteNetwork(range=addresses.range, lan=addresses.lan, coordinates=place)
    if described.coordinates is None and place is not None:
        described = described.model_copy(update={"coordinates": place})
    settings = network.settings.model_copy(update={"sites": {**network.settings.sites, site: described}})
    return replace(
        network,
        settings=settings,
        routers={**network.routers, router.name: router},
        links={**network.links, name: link},
    )


def _routes(network: Network, new: str) -> Iterator[Changed]:
    """Yield the routes a new router brings: its own towards headquarters, and those back to it on the whole way."""
    path = network.path(new)
    for prefix in network.settings.ranges:
        yield Changed(new, prefix, _far_end(network, new))
    behind = network.site_of(new).range
    for below, above in pairwise(path):
        uplink = network.uplink(below)
        assert uplink is not None  # noqa: S101  # `above` is at its other end
        yield Changed(above, behind, network.links[uplink].address(below).partition("/")[0])


def _far_end(network: Network, router: str) -> str:
    uplink = network.uplink(router)
    assert uplink is not None  # noqa: S101  # the proposal gave it one
    link = network.links[uplink]
    return link.address(link.other(router).router).partition("/")[0]
