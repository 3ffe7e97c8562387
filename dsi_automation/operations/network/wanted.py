"""What the inventory wants of a router: interfaces, routes by the tree towards headquarters, the filter. Pure.

Each router has a static route to the ranges of every site behind each of its downlinks through that circuit, and one
to the department's ranges through its uplink; headquarters has no uplink.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from dsi_automation.connectors.routers.intent import (
    Denial,
    FilterIntent,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
)
from dsi_automation.inventory.network_model import DeniedAccess, Link, service_parts
from dsi_automation.inventory.network_parts import Network


@dataclass(frozen=True, slots=True)
class Through:
    """A circuit of a router, with the routes that lead through it.

    Attributes:
        other: the router at its other end.
        prefixes: what is reached through it.
    """

    name: str
    link: Link
    interface: InterfaceIntent
    other: str
    prefixes: tuple[str, ...]

    @property
    def via(self) -> str:
        """Return the address of the other end."""
        return self.link.address(self.other).partition("/")[0]


def router_intent(network: Network, router: str, left_out: Collection[str] = ()) -> RouterIntent:
    """Return what the inventory wants of a router.

    Args:
        network: the network.
        router: its name.
        left_out: circuits that are left as they run, with the routes through them.
    """
    described = network.router(router).described
    ways = through(network, router)
    chosen = [one for name, one in ways.items() if name not in left_out]
    ignored = [one for name, one in ways.items() if name in left_out]
    return RouterIntent(
        name=router,
        interfaces=(lan_interface(network, router), *(one.interface for one in chosen)),
        routes=tuple(RouteIntent(prefix, one.via) for one in chosen for prefix in one.prefixes),
        owned=network.settings.ranges,
        protected=described.management.interface,
        filter=_filter(network, router) if described.filter else None,
        ignored=tuple(part for one in ignored for part in (f"interface {one.interface.name}", *one.prefixes)),
        circuits=network.settings.link_ranges,
    )


def filter_intent(network: Network, router: str) -> RouterIntent:
    """Return what the inventory wants of a router's filter alone; nothing else of it is ours then."""
    described = network.router(router).described
    return RouterIntent(
        name=router,
        interfaces=(),
        routes=(),
        owned=(),
        protected=described.management.interface,
        filter=_filter(network, router) if described.filter else None,
    )


def lan_interface(network: Network, router: str) -> InterfaceIntent:
    """Return the interface of a router in its LAN: the first address of it."""
    found = network.router(router)
    lan = IPv4Network(network.site_of(router).lan)
    return InterfaceIntent(found.described.lan, f"{next(lan.hosts())}/{lan.prefixlen}", f"LAN {found.site}")


def through(network: Network, router: str) -> Mapping[str, Through]:
    """Return the circuits of a router and what is reached through each, by the circuits' names."""
    reached = _reached(network, router)
    return {
        name: Through(
            name,
            link,
            InterfaceIntent(
                link.end(router).interface, link.address(router), _description(network, router, name, link)
            ),
            link.other(router).router,
            reached.get(name, ()),
        )
        for name, link in network.links_of(router).items()
    }


def _reached(network: Network, router: str) -> dict[str, tuple[str, ...]]:
    """Return what is reached through each circuit: the ranges of the sites behind it, or all of the department's."""
    own = network.router(router).site
    behind: dict[str, list[str]] = {}
    for other in network.routers:
        way = network.path(other)
        if router not in way or other == router or network.router(other).site == own:
            continue
        before = way[way.index(router) - 1]
        name = network.uplink(before)
        assert name is not None  # noqa: S101  # it is on the way of another one
        prefix = network.site_of(other).range
        if prefix not in behind.setdefault(name, []):
            behind[name].append(prefix)
    uplink = network.uplink(router)
    found = {name: tuple(sorted(prefixes, key=IPv4Network)) for name, prefixes in behind.items()}
    if uplink is not None:
        found[uplink] = network.settings.ranges
    return found


def _filter(network: Network, router: str) -> FilterIntent:
    described, settings = network.router(router).described, network.settings
    return FilterIntent(
        inside=described.lan,
        lan=network.site_of(router).lan,
        management=described.management.sources,
        internal=settings.ranges,
        denied=tuple(_denials(settings.access.denied)),
    )


def _denials(denied: Collection[DeniedAccess]) -> Iterator[Denial]:
    for one in denied:
        yield Denial(one.destination, *service_parts(one.service))


def _description(network: Network, router: str, name: str, link: Link) -> str:
    """Return what a circuit's interface says: `lnk-spy to rtr-abj (ABJ), operator oci, circuit LL-2041`."""
    other = link.other(router).router
    said = f"{name} to {other} ({network.router(other).site})"
    if link.operator is not None:
        said += f", operator {link.operator}"
    if link.circuit is not None:
        said += f", circuit {link.circuit}"
    return said
