"""What a router should be, without a platform's words; a dialect renders it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

INTERNET: Final = "internet"
"""The destination that is everything outside the department's ranges."""
FILTER: Final = "DSI-LAN-IN"
"""The name of the packet filter on what comes in from a site's LAN."""


class Band(StrEnum):
    """Where an entry of a filter has its place, in this order; see `BANDS`."""

    MANAGEMENT = "management"
    DENIED = "denied"
    INTERNAL = "internal"
    FENCE = "fence"
    INTERNET = "internet"
    FINAL = "final"


BANDS: Final = {
    Band.MANAGEMENT: range(100, 900),
    Band.DENIED: range(900, 1000),
    Band.INTERNAL: range(1000, 6900),
    Band.FENCE: range(6900, 7000),
    Band.INTERNET: range(7000, 9000),
    Band.FINAL: range(9000, 10000),
}
"""Sequence numbers of each band, on platforms that number entries.

A request for an access writes in INTERNAL and INTERNET only. FENCE denies the department's own ranges before the
Internet is let through, so that an access to the Internet never opens a server of ours.
"""


@dataclass(frozen=True, slots=True)
class InterfaceIntent:
    """An interface.

    Attributes:
        address: with its prefix length: `10.255.0.1/30`.
        description: what it is for; one line.
    """

    name: str
    address: str
    description: str


@dataclass(frozen=True, slots=True)
class RouteIntent:
    """A static route."""

    prefix: str
    via: str


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who is let through to what.

    Attributes:
        id: `ac-k7m2qx`; None where the device does not tell (Cisco IOS keeps no name beside an entry).
        source: a network, `10.64.8.8/29`.
        destination: a network, or `INTERNET`.
        protocol: `tcp` or `udp`.
        first_port, last_port: destination ports, both included.
        until: when it ends, UTC; None where the device does not tell.
        sequence: its number within the filter; None on platforms without numbers.
    """

    id: str | None
    source: str
    destination: str
    protocol: str
    first_port: int
    last_port: int
    until: datetime | None = None
    sequence: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Return what it lets through: two rules with one key are the same access."""
        return (self.source, self.destination, self.protocol, self.first_port, self.last_port)

    @property
    def service(self) -> str:
        """Return its service as people write it: `tcp/8443`, `tcp/8000-8010`."""
        last = "" if self.last_port == self.first_port else f"-{self.last_port}"
        return f"{self.protocol}/{self.first_port}{last}"


@dataclass(frozen=True, slots=True)
class Denial:
    """What nobody is let through to.

    Attributes:
        destination: a network, or `any`.
    """

    destination: str
    protocol: str
    first_port: int
    last_port: int


@dataclass(frozen=True, slots=True)
class FilterIntent:
    """The packet filter on what comes in from the site's LAN; all that is not let through is dropped and counted.

    Attributes:
        inside: the interface of the LAN.
        lan: the LAN's network: nothing else may come from there.
        management: networks of the controllers; they always reach the router over SSH.
        internal: the department's ranges.
        denied: comes before all rules.
    """

    inside: str
    lan: str
    management: tuple[str, ...]
    internal: tuple[str, ...]
    denied: tuple[Denial, ...] = ()
    name: str = FILTER


@dataclass(frozen=True, slots=True)
class RouterIntent:
    """What the inventory wants of one router. What it does not mention is not ours and stays as it is.

    But for what is in the department's own ranges: static routes to them, and addresses of them at interfaces that are
    not mentioned, as a circuit leaves them that the inventory no longer has.

    Attributes:
        interfaces: those of the LAN and of its circuits, never the one of the management.
        routes: the static routes to the department's networks.
        owned: the department's ranges: a static route into them that is not intended is ours to remove.
        protected: the interface of the management, which no line may touch.
        filter: None where the router does not filter.
        ignored: headings that are left as they run (a circuit whose other end is not part of the change), and
            prefixes of routes that go with them.
        circuits: the ranges circuits get their addresses from, besides `owned`.
    """

    name: str
    interfaces: tuple[InterfaceIntent, ...]
    routes: tuple[RouteIntent, ...]
    owned: tuple[str, ...]
    protected: str
    filter: FilterIntent | None = None
    ignored: tuple[str, ...] = ()
    circuits: tuple[str, ...] = ()


class Scope(StrEnum):
    """Which part of a router a difference is about."""

    BASE = "base"
    """All that `RouterIntent` says; the accesses that requests opened stay as they are."""
    RULES = "rules"
    """The accesses alone."""
    ALL = "all"
    """Both: what `router.check` compares."""
