"""Addresses for a new site and its circuit, out of the ranges of the inventory. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.text import T
from dsi_automation.inventory.network_parts import Network

LINK_PREFIX: Final = 30
"""A /31 (RFC 3021) would do as well; every operator's equipment takes a /30."""

type Net = ipaddress.IPv4Network


@dataclass(frozen=True, slots=True)
class Addressing:
    """What a new site gets.

    Attributes:
        range: all its addresses.
        lan: its LAN; its router has the first address.
        link: of its circuit; the new router has the lower address, the other end the higher one.
        management: the last address of its range, free for the interface the controller reaches its router at.
    """

    range: str
    lan: str
    link: str
    management: str

    @property
    def router(self) -> str:
        """Return the address of the router in its LAN, with its prefix length."""
        lan = ipaddress.IPv4Network(self.lan)
        return f"{lan.network_address + 1}/{lan.prefixlen}"

    @property
    def ends(self) -> tuple[str, str]:
        """Return the addresses of the circuit: of the new router, and of the other end, with the prefix length."""
        hosts = list(ipaddress.IPv4Network(self.link).hosts())
        return f"{hosts[0]}/{LINK_PREFIX}", f"{hosts[1]}/{LINK_PREFIX}"


def addressing(network: Network, site: str) -> Addressing:
    """Return the addresses for a site: those the inventory gives it already, or the next free ones.

    Raises:
        NotCompliantError: no range is left, or none for its circuit.
    """
    described = network.settings.sites.get(site)
    if described is not None:
        whole, lan = ipaddress.IPv4Network(described.range), ipaddress.IPv4Network(described.lan)
    else:
        whole = _next_range(network, site)
        lan = next(whole.subnets(prefixlen_diff=1))
    return Addressing(str(whole), str(lan), str(_link(network, site, whole, lan)), str(whole.broadcast_address - 1))


def _next_range(network: Network, site: str) -> Net:
    settings = network.settings
    taken = [*_nets(one.range for one in settings.sites.values()), *_nets(settings.link_ranges)]
    taken += _nets(link.prefix for link in network.links.values())
    found = _first_free(settings.lan_ranges, settings.site_prefix, taken)
    if found is None:
        raise NotCompliantError(
            T("No range /{prefix} is left for {site}.", prefix=settings.site_prefix, site=site),
            on=site,
            next_step=T("Add a network to dsi_network.lan_ranges, or give the site its range in dsi_network.sites."),
        )
    return found


def _link(network: Network, site: str, whole: Net, lan: Net) -> Net:
    """Return the first free prefix of the second half of the site's range, then of all of it, then of `link_ranges`."""
    taken = [lan, *_nets(link.prefix for link in network.links.values())]
    # The last four addresses stay free: the router's management has one of them.
    management = ipaddress.IPv4Network((whole.broadcast_address - 3, LINK_PREFIX))
    halves = list(whole.subnets(prefixlen_diff=1)) if whole.prefixlen < LINK_PREFIX else []
    places = [str(half) for half in reversed(halves)]
    found = _first_free(places, LINK_PREFIX, [*taken, management])
    if found is None:
        found = _first_free(network.settings.link_ranges, LINK_PREFIX, taken)
    if found is None:
        raise NotCompliantError(
            T("No addresses are left for the circuit of {site}.", site=site),
            on=site,
            next_step=T("Add a network to dsi_network.link_ranges."),
        )
    return found


def _first_free(ranges: Iterable[str], prefix: int, taken: Iterable[Net]) -> Net | None:
    """Return the first network of this length that overlaps nothing taken; passes over what is taken, not one by one.

    A /8 has more than a million /28s.
    """
    held = sorted(taken)
    for one in ranges:
        place = ipaddress.IPv4Network(one)
        if place.prefixlen > prefix:
            continue
        start, size = int(place.network_address), 1 << (32 - prefix)
        while start <= int(place.broadcast_address):
            tried = ipaddress.IPv4Network((start, prefix))
            clash = next((net for net in held if net.overlaps(tried)), None)
            if clash is None:
                return tried
            beyond = int(clash.broadcast_address) + 1
            start = max(start + size, -(-beyond // size) * size)
    return None


def _nets(prefixes: Iterable[str]) -> Iterator[Net]:
    return map(ipaddress.IPv4Network, prefixes)
