"""The inventory's network, each part held against the others: sites, routers, circuits, addresses."""

from __future__ import annotations

import ipaddress
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.application_parts import ApplicationParts
from dsi_automation.inventory.described import unknown
from dsi_automation.inventory.model import Site
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.network_model import Link, Links, NetworkSettings, RouterDescription, SiteNetwork
from dsi_automation.inventory.problems import InventoryError, Problem

GROUP: Final = "routers"
"""The group of the inventory whose hosts are the routers; each has `dsi_router`."""


@dataclass(frozen=True, slots=True)
class Router:
    """A router of the inventory.

    Attributes:
        name: the host's name.
        site: code of its site.
    """

    name: str
    site: str
    described: RouterDescription


@dataclass(frozen=True, slots=True)
class Network:
    """The whole network as the inventory describes it.

    Attributes:
        routers: by name, in the inventory's order.
        links: circuits by name.
    """

    settings: NetworkSettings
    routers: Mapping[str, Router]
    links: Mapping[str, Link]
    _uplinks: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find each router's way to headquarters once: the network does not change."""
        object.__setattr__(self, "_uplinks", self._find_uplinks())

    def router(self, name: str) -> Router:
        """Return one router.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.routers:
            raise UsageError(
                T("The inventory describes no router “{name}”.", name=name),
                on=name,
                next_step=did_you_mean(name, self.routers),
            )
        return self.routers[name]

    def of_site(self, code: str) -> tuple[Router, ...]:
        """Return a site's routers."""
        return tuple(router for router in self.routers.values() if router.site == code)

    def filtering(self) -> tuple[Router, ...]:
        """Return the routers that filter what comes from their LAN."""
        return tuple(router for router in self.routers.values() if router.described.filter)

    def site_of(self, router: str) -> SiteNetwork:
        """Return the network of a router's site."""
        return self.settings.sites[self.router(router).site]

    def links_of(self, router: str) -> Mapping[str, Link]:
        """Return the circuits of a router, by name."""
        return {name: link for name, link in self.links.items() if router in {end.router for end in link.ends}}

    def uplink(self, router: str) -> str | None:
        """Return the name of the circuit towards headquarters; None there, and where none leads there."""
        return self._uplinks.get(router)

    def path(self, router: str) -> tuple[str, ...]:
        """Return the routers on the way to headquarters, this one first."""
        found, name = [router], self.uplink(router)
        while name is not None:
            found.append(self.links[name].other(found[-1]).router)
            name = self.uplink(found[-1])
        return tuple(found)

    def _find_uplinks(self) -> dict[str, str]:
        """Return each router's circuit on its shortest way to headquarters (breadth first, by the circuits' names)."""
        reached = deque(router.name for router in self.of_site(self.settings.headquarters))
        known, uplinks = set(reached), dict[str, str]()
        while reached:
            here = reached.popleft()
            for name, link in sorted(self.links_of(here).items()):
                other = link.other(here).router
                if other not in known:
                    known.add(other)
                    uplinks[other] = name
                    reached.append(other)
        return uplinks


class NetworkParts(ApplicationParts):
    """An inventory, as far as the network is concerned; part of `Inventory`."""

    @property
    @abstractmethod
    def sites(self) -> Mapping[str, Site]:
        """Return the sites by their codes."""

    @cached_property
    def network(self) -> Network:
        """Return the network.

        Raises:
            InventoryError: it is not described, or its parts do not fit together.
        """
        self._must_have("dsi_network", T("the variable dsi_network describes the network; it is missing."))
        settings: NetworkSettings = self._validated(NetworkSettings, "dsi_network", self._globals["dsi_network"])
        if settings.configurations is not None:
            settings = settings.model_copy(update={"configurations": self._absolute(settings.configurations)})
        links: Links = self._validated(Links.__value__, "dsi_links", self._globals.get("dsi_links", {}))
        network = Network(settings, self._routers(settings), links)
        wrong = [*self._wrong_sites(settings), *self._wrong_links(network), *self._overlaps(network)]
        if wrong:
            raise InventoryError(wrong)
        return network

    def has_network(self) -> bool:
        """Tell whether a network is described.

        Raises:
            InventoryError: no, but a variable's name is so near that it was meant to be.
        """
        return self._described("dsi_network", T("the variable dsi_network describes the network; it is missing."))

    def _routers(self, settings: NetworkSettings) -> dict[str, Router]:
        found: dict[str, Router] = {}
        wrong: list[Problem] = []
        for name in self.ansible.groups.get(GROUP, ()):
            raw = self.ansible.values(name, ("dsi_router", "dsi_site"))
            try:
                described = self._validated_of(name, RouterDescription, "dsi_router", raw.get("dsi_router", {}))
            except InventoryError as error:
                wrong += error.problems
                continue
            site = raw.get("dsi_site")
            if site not in settings.sites:
                wrong.append(self._problem(name, ("dsi_site",), unknown(str(site), "dsi_network.sites")))
                continue
            found[name] = Router(name, str(site), described)
        if wrong:
            raise InventoryError(wrong)
        return found

    def _wrong_sites(self, settings: NetworkSettings) -> Iterator[Problem]:
        if settings.headquarters not in settings.sites:
            yield self._problem(None, ("dsi_network", "headquarters"), unknown(settings.headquarters, "sites"))
        for code, site in settings.sites.items():
            path = ("dsi_network", "sites", code)
            if code not in self.sites:
                yield self._problem(None, path, unknown(code, "dsi_sites"))
            if not _within(site.lan, (site.range,)):
                yield self._problem(None, (*path, "lan"), T("the LAN is not within the site's range."))
            if not _within(site.range, settings.ranges):
                yield self._problem(None, (*path, "range"), T("the site's range is not within the network's ranges."))
            if site.probe is not None:
                if site.probe.host not in self.ansible.hosts:
                    yield self._problem(None, (*path, "probe", "host"), unknown(site.probe.host, "hosts.yml"))
                if not all(_within(f"{one}/32", (site.lan,)) for one in site.probe.addresses):
                    yield self._problem(None, (*path, "probe", "addresses"), T("an address is not in the site's LAN."))

    def _wrong_links(self, network: Network) -> Iterator[Problem]:
        taken: dict[tuple[str, str], str] = {}
        for name, link in network.links.items():
            path = ("dsi_links", name)
            if link.operator is not None and link.operator not in network.settings.operators:
                yield self._problem(None, (*path, "operator"), unknown(link.operator, "dsi_network.operators"))
            for number, end in enumerate(link.ends):
                if end.router not in network.routers:
                    yield self._problem(None, (*path, "ends", number, "router"), unknown(end.router, "routers"))
                    continue
                described = network.routers[end.router].described
                used = taken.setdefault((end.router, end.interface), name)
                if used != name or end.interface in {described.lan, described.management.interface}:
                    text = T("the interface {interface} of {router} serves something else already.",
                             interface=end.interface, router=end.router)  # fmt: skip
                    yield self._problem(None, (*path, "ends", number, "interface"), text)
            sites = [network.site_of(end.router).range for end in link.ends if end.router in network.routers]
            if not _within(link.prefix, (*sites, *network.settings.link_ranges)):
                text = T("the prefix is in the range of neither site, nor in link_ranges.")
                yield self._problem(None, (*path, "prefix"), text)

    def _overlaps(self, network: Network) -> Iterator[Problem]:
        sites = network.settings.sites
        ranges: dict[tuple[str, ...], str] = {
            ("dsi_network", "sites", code, "range"): site.range for code, site in sites.items()
        }
        places: dict[tuple[str, ...], str] = {
            ("dsi_network", "sites", code, "lan"): site.lan for code, site in sites.items()
        }
        places |= {("dsi_links", name, "prefix"): link.prefix for name, link in network.links.items()}
        yield from self._clashes(ranges)
        yield from self._clashes(places)

    def _clashes(self, prefixes: Mapping[tuple[str, ...], str]) -> Iterator[Problem]:
        seen: list[tuple[str, str]] = []
        for path, prefix in prefixes.items():
            clash = next((other for other, taken in seen if _overlap(prefix, taken)), None)
            if clash is not None:
                yield self._problem(None, path, T("these addresses are those of {other} too.", other=clash))
            seen.append((".".join(path[:-1]), prefix))


def _within(prefix: str, ranges: tuple[str, ...]) -> bool:
    network = ipaddress.IPv4Network(prefix)
    return any(network.subnet_of(ipaddress.IPv4Network(one)) for one in ranges)


def _overlap(one: str, other: str) -> bool:
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))
