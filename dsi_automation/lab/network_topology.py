"""The lab's network on paper: which routers there are, what joins them, and every address that is not a router's job.

::

                 controller x.y.0.1
                     │ the lab's network: mgmt0 of every router and of every LAN host
    lan-abj ─┐
    srv-siege┴ rtr-abj ─┬─ rtr-spy ── lan-spy
                        └─ rtr-bke ─┬─ lan-bke
                                    └─ rtr-man ── lan-man

LAN, circuits and routes are addressed by the toolkit, never by the lab: it gives addresses to the hosts behind the
routers and to the interfaces of the management alone.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dsi_automation.lab.layout import Layout
from dsi_automation.lab.network_sites import TOWNS, Town

RANGE: Final = ipaddress.IPv4Network("10.64.0.0/12")
"""All addresses of the department: within RFC 1918, and beside whatever the machine itself uses of it most often."""
NEW_SITES: Final = ipaddress.IPv4Network("10.72.0.0/16")
"""Where a new site gets its range from."""
LINKS: Final = ipaddress.IPv4Network("10.79.255.0/24")
SITE_PREFIX: Final = 23
MANAGEMENT: Final = "mgmt0"
LAN: Final = "lan0"
SERVER: Final = "srv-siege"
LAN_HOSTS: Final = (10, 11, 12)
"""Numbers of the addresses a LAN host has in its LAN."""
SERVER_NUMBER: Final = 20
PREFIX_OF_LAN: Final = 24

# Behind the 500 workstations, and within the smallest network a lab can have (/22).
FIRST_ROUTER: Final = 3 * 256 + 1
FIRST_HOST: Final = 3 * 256 + 101
SERVER_INDEX: Final = 3 * 256 + 201


@dataclass(frozen=True, slots=True)
class Place:
    """One router of the lab and what is behind it.

    Attributes:
        number: 0 for headquarters.
        town: its site.
        parent: number of the router its uplink leads to; None at headquarters.
    """

    number: int
    town: Town
    parent: int | None

    @property
    def router(self) -> str:
        """Its name in the inventory."""
        return f"rtr-{self.town.code.lower()}"

    @property
    def host(self) -> str:
        """The name of the LAN host behind it."""
        return f"lan-{self.town.code.lower()}"

    @property
    def range(self) -> ipaddress.IPv4Network:
        """All addresses of its site."""
        return ipaddress.IPv4Network((int(RANGE.network_address) + (self.number << (32 - SITE_PREFIX)), SITE_PREFIX))

    @property
    def lan(self) -> ipaddress.IPv4Network:
        """Its LAN: the first half of the range."""
        return next(self.range.subnets(new_prefix=PREFIX_OF_LAN))

    @property
    def gateway(self) -> str:
        """The address the router is to have in the LAN."""
        return str(self.lan[1])

    @property
    def host_addresses(self) -> tuple[str, ...]:
        """The addresses of the LAN host."""
        return tuple(str(self.lan[number]) for number in LAN_HOSTS)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit between two routers.

    Attributes:
        name: key in `dsi_links`.
        number: of the router farther from headquarters.
        far, near: both routers; `near` is the one towards headquarters.
        far_interface, near_interface: theirs.
    """

    name: str
    number: int
    far: Place
    near: Place
    far_interface: str
    near_interface: str

    def end_at(self, place: Place) -> str:
        """Return the interface at one of both routers."""
        return self.far_interface if place == self.far else self.near_interface

    @property
    def leased(self) -> bool:
        """Whether it leads to headquarters: these are an operator's, the others are the department's own."""
        return self.near.parent is None

    @property
    def prefix(self) -> ipaddress.IPv4Network:
        """The addresses it is to have: the first of the second half of the farther site's range."""
        second = list(self.far.range.subnets(new_prefix=PREFIX_OF_LAN))[1]
        return next(second.subnets(new_prefix=30))


@dataclass(frozen=True)
class Topology:
    """The routers of a lab, as many as it was asked to have.

    Attributes:
        count: from 0 to `MOST_ROUTERS`.
    """

    layout: Layout
    count: int

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every router, headquarters first."""
        return tuple(Place(number, town, _parent(number)) for number, town in enumerate(TOWNS[: self.count]))

    @cached_property
    def circuits(self) -> tuple[Circuit, ...]:
        """Every circuit: the uplink of each router but that of headquarters."""
        found = []
        # `wan0` is a router's uplink; headquarters has none.
        used = dict.fromkeys(range(self.count), 1) | {0: 0}
        for place in self.places:
            if place.parent is None:
                continue
            near = self.places[place.parent]
            name = f"{place.town.code}-{near.town.code}".lower()
            found.append(Circuit(name, place.number, place, near, "wan0", f"wan{used[near.number]}"))
            used[near.number] += 1
        return tuple(found)

    def circuits_of(self, place: Place) -> tuple[Circuit, ...]:
        """Return the circuits of a router."""
        return tuple(one for one in self.circuits if place in (one.far, one.near))

    def management_address(self, place: Place) -> str:
        """Return where a router is managed."""
        return self.layout.address(FIRST_ROUTER + place.number)

    def host_address(self, place: Place) -> str:
        """Return where the controller reaches a LAN host."""
        return self.layout.address(FIRST_HOST + place.number)

    @property
    def server_management_address(self) -> str:
        """Where the controller reaches the server at headquarters."""
        return self.layout.address(SERVER_INDEX)

    @property
    def server_address(self) -> str:
        """The server's address in the LAN of headquarters: what accesses are opened to."""
        return str(self.places[0].lan[SERVER_NUMBER])

    def router_namespace(self, place: Place) -> str:
        """Return the namespace of a router."""
        return f"{self.layout.name}-r{place.number + 1}"

    def host_namespace(self, place: Place) -> str:
        """Return the namespace of a LAN host; that of headquarters has the switch of the LAN too."""
        return f"{self.layout.name}-l{place.number + 1}"

    @property
    def server_namespace(self) -> str:
        """The namespace of the server."""
        return f"{self.layout.name}-srv"

    @property
    def operator_namespace(self) -> str:
        """The namespace between the routers, in which circuits are cut."""
        return f"{self.layout.name}-op"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace, in the order they are made."""
        if not self.count:
            return ()
        return (
            self.operator_namespace,
            self.server_namespace,
            *(self.router_namespace(place) for place in self.places),
            *(self.host_namespace(place) for place in self.places),
        )


def _parent(number: int) -> int | None:
    """Return what a router hangs on: headquarters, and every third one its predecessor."""
    if number == 0:
        return None
    return number - 1 if number % 3 == 0 else 0
