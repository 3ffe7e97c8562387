"""Addresses, masks, routes and interfaces as lines of a configuration say them, on any platform."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.routers.config import Config

_ADDRESS: Final = re.compile(r"^ip address (\d[\d.]+)(?:/(\d+)| (\d[\d.]+))( secondary)?$")
_KINDS: Final = (
    "GigabitEthernet", "FastEthernet", "Ethernet", "TenGigabitEthernet", "TwoGigabitEthernet", "FortyGigabitEthernet",
    "HundredGigE", "Serial", "Loopback", "Tunnel", "Vlan", "Port-channel", "Dialer", "Null", "Cellular", "ATM",
    "Multilink", "Virtual-Template", "Virtual-Access", "Async", "BVI", "BDI", "Wlan-GigabitEthernet", "Group-Async",
)  # fmt: skip
"""Kinds of interfaces of IOS; of several that begin alike, the first is meant."""


@dataclass(frozen=True, slots=True)
class StaticRoute:
    """A static route.

    Attributes:
        line: as it is configured.
        prefix: `10.64.8.0/24`.
        via: the first word after the prefix: a next hop, an interface, `Null0`.
        options: the words after it: distance, `name`, `tag`.
    """

    line: str
    prefix: str
    via: str
    options: tuple[str, ...]


def plain(text: str) -> str:
    """Return a description in ASCII, without accents: neither IOS nor a terminal of 1990 has others."""
    folded = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").replace("ß", "ss"))
    return " ".join(folded.encode("ascii", "ignore").decode().split())


def interface_name(name: str) -> str:
    """Return the full name of an IOS interface: `gi0/1` is `GigabitEthernet0/1`; an unknown kind stays."""
    parted = re.fullmatch(r"([A-Za-z-]+) ?(\d[\d/.:]*)?", name.strip())
    if parted is None:
        return name.strip()
    kind = next((one for one in _KINDS if one.lower().startswith(parted[1].lower())), parted[1])
    return kind + (parted[2] or "")


def mask(length: int) -> str:
    """Return the netmask of a prefix length: `255.255.255.0`."""
    return str(ipaddress.IPv4Network((0, length)).netmask)


def length(netmask: str) -> int | None:
    """Return the prefix length of a netmask; None when it is none."""
    try:
        return ipaddress.IPv4Network(f"0.0.0.0/{netmask}").prefixlen
    except ValueError:
        return None


def address(line: str) -> ipaddress.IPv4Interface | None:
    """Return the address a line of an interface gives it, however it is written; None when it gives none."""
    found = _ADDRESS.match(line)
    if found is None:
        return None
    try:
        return ipaddress.IPv4Interface(f"{found[1]}/{found[2] or found[3]}")
    except ValueError:
        return None


def addresses(lines: Iterable[str]) -> tuple[ipaddress.IPv4Interface, ...]:
    """Return the addresses of an interface."""
    return tuple(one for one in map(address, lines) if one is not None)


def table(lines: Iterable[str]) -> str:
    """Return the routing table (VRF) of an interface; empty for the usual one."""
    found = (line.rpartition("vrf forwarding ") for line in lines)
    return next((name for _, said, name in found if said), "")


def overlapping(network: ipaddress.IPv4Network, own: str, sections: Mapping[str, Iterable[str]]) -> str | None:
    """Return the heading of another interface of the same table that has addresses of a network."""
    mine = table(sections.get(own, ()))
    others = (name for name in sections if name.startswith("interface ") and name != own)
    for heading in others:
        lines = sections[heading]
        if table(lines) == mine and any(one.network.overlaps(network) for one in addresses(lines)):
            return heading
    return None


def interfaces(config: Config) -> Mapping[str, tuple[str, ...]]:
    """Return the interfaces of a configuration, their lines by name."""
    start = "interface "
    return {name.removeprefix(start): lines for name, lines in config.sections.items() if name.startswith(start)}


def static_route(line: str) -> StaticRoute | None:
    """Return the static route of the usual table that a line is, with a mask or a prefix length."""
    parts = line.split()
    if parts[:2] != ["ip", "route"] or len(parts) < 4 or not parts[2][0].isdigit():
        return None
    dashed = "/" in parts[2]
    prefix, rest = (parts[2], parts[3:]) if dashed else (f"{parts[2]}/{parts[3]}", parts[4:])
    try:
        return StaticRoute(line, str(ipaddress.IPv4Network(prefix)), rest[0], tuple(rest[1:]))
    except (ValueError, IndexError):
        return None


def static_routes(config: Config) -> tuple[StaticRoute, ...]:
    """Return the static routes of the usual table."""
    return tuple(one for one in map(static_route, config.sections.get("", ())) if one is not None)


def within(prefix: str, ranges: Iterable[str]) -> bool:
    """Tell whether a network is part of one of several."""
    network = ipaddress.IPv4Network(prefix)
    return any(network.subnet_of(ipaddress.IPv4Network(one)) for one in ranges)


def route_order(line: str) -> tuple[int, int, str]:
    """Return what static routes are sorted by: network, length, the rest."""
    route = static_route(line)
    if route is None:
        return (0, 0, line)
    network = ipaddress.IPv4Network(route.prefix)
    return (int(network.network_address), network.prefixlen, line)
