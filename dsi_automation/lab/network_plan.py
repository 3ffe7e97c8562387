"""The lab's network in its inventory: routers, probes, addresses, circuits, policy and schedules."""

from __future__ import annotations

from typing import Any, Final

from dsi_automation.lab.layout import Layout
from dsi_automation.lab.network_sites import NEW
from dsi_automation.lab.network_topology import (
    LAN,
    LINKS,
    MANAGEMENT,
    NEW_SITES,
    RANGE,
    SERVER,
    SITE_PREFIX,
    Circuit,
    Place,
    Topology,
)
from dsi_automation.lab.router_files import ADMINISTRATOR, HELPER
from dsi_automation.lab.servers import CONTROLLER

LONGEST_STANDING: Final = "92d"
OPERATOR: Final = "telecom-lab"
CONFIGURE: Final = "router.configure"
BACKUP: Final = "router.backup"
ALLOW: Final = "access.allow"
REVOKE: Final = "access.revoke"
SECURITY: Final = "rssi"
"""The role that decides on accesses (procedure F)."""


def known_hosts(layout: Layout) -> str:
    """Return the file with the keys of routers and probes."""
    return str(layout.ssh_dir / "known_hosts_network")


def routers(topology: Topology) -> dict[str, Any]:
    """Return the group of the routers."""
    return {
        "hosts": {place.router: _router(topology, place) for place in topology.places},
        "vars": _login(topology.layout, ADMINISTRATOR),
    }


def probes(topology: Topology) -> dict[str, Any]:
    """Return the group of the LAN hosts."""
    return {
        "hosts": {
            place.host: {"ansible_host": topology.host_address(place), "dsi_site": place.town.code}
            for place in topology.places
        },
        "vars": _login(topology.layout, "root"),
    }


def sites(topology: Topology) -> dict[str, str]:
    """Return the names of the sites the network needs, by code: those of its routers, and the new one."""
    return {town.code: town.name for town in (*(place.town for place in topology.places), NEW)}


def variables(topology: Topology) -> dict[str, Any]:
    """Return what the inventory says to all hosts about the network."""
    return {
        "dsi_network": {
            "headquarters": topology.places[0].town.code,
            "ranges": [str(RANGE)],
            "lan_ranges": [str(NEW_SITES)],
            "site_prefix": SITE_PREFIX,
            "link_ranges": [str(LINKS)],
            "sites": {place.town.code: _site(topology, place) for place in topology.places},
            "operators": {
                OPERATOR: {
                    "name": "Télécom du laboratoire, service des liaisons louées",
                    "address": ["1, rue des Essais", "Abidjan"],
                    "mail": "commandes@telecom.lab",
                    "contract": "LAB-2026-014",
                    "delay_days": 45,
                }
            },
            "services": {
                "sydam": "tcp/8443",
                "sydam-formation": "tcp/8080",
                "https": "tcp/443",
                "oracle": "tcp/1521",
                "dns": "udp/53",
            },
            "servers": {SERVER: topology.server_address},
            "access": {
                "widest_source": 24,
                "widest_destination": 29,
                "most_ports": 16,
                "longest": "366d",
                "internet": ["tcp/443"],
                "denied": [
                    {"service": "tcp/23", "why": "Telnet envoie les mots de passe en clair : utilisez SSH."},
                ],
                "warn_before": "7d",
            },
            # What a production network is given five minutes for is done here in half of one.
            "rollout": {"wave": 10, "stop_after": 1, "timer": "30s", "verify_within": "10s"},
        },
        "dsi_links": {circuit.name: _link(circuit) for circuit in topology.circuits},
    }


def schedules(topology: Topology) -> dict[str, Any]:
    """Return the schedules of the network, by name."""
    names = [place.router for place in topology.places]
    return {
        "routeurs-nuit": {
            "title": "Configurations des routeurs, chaque nuit",
            "steps": [{"operation": BACKUP, "targets": names}],
            "cron": "0 2 * * *",
            "too_late_after": "12h",
        },
        "acces-echus": {
            "title": "Accès arrivés à échéance, chaque heure",
            "steps": [{"operation": REVOKE, "targets": names, "inputs": {"expired": True}}],
            "cron": "5 * * * *",
            "too_late_after": "1h",
        },
    }


def policy() -> dict[str, Any]:
    """Return the rules of approval: the network is the sections', accesses are the security officer's alone."""
    deciders = ["section_head", "director"]
    asked: dict[str, Any] = {"requesters": ["technician", "section_head"], "approvals": 1, "valid_for": "7d"}
    scheduled: dict[str, Any] = {
        "requesters": ["technician", CONTROLLER],
        "approvals": 1,
        "valid_for": "7d",
        "standing": {"allowed": True, "longest": LONGEST_STANDING},
    }
    emergency = {"roles": ["technician"], "ratify_within": "24h"}
    rules = {
        CONFIGURE: {**asked, "approvers": deciders, "emergency": {**emergency, "ratifiers": deciders}},
        BACKUP: {**scheduled, "approvers": deciders},
        ALLOW: {**asked, "approvers": [SECURITY]},
        # To close in haste is no harm that cannot be mended; to open in haste would be.
        REVOKE: {**scheduled, "approvers": [SECURITY], "emergency": {**emergency, "ratifiers": [SECURITY]}},
    }
    return {operation: {"training": rule} for operation, rule in rules.items()}


def _login(layout: Layout, user: str) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(layout.ssh_dir / CONTROLLER),
        # For ansible's own ssh; the toolkit reads the file directly.
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={known_hosts(layout)} -o StrictHostKeyChecking=yes",
        "dsi_ssh_known_hosts": known_hosts(layout),
    }


def _router(topology: Topology, place: Place) -> dict[str, Any]:
    return {
        "ansible_host": topology.management_address(place),
        "dsi_site": place.town.code,
        "dsi_router": {
            "platform": "frr",
            "lan": LAN,
            "management": {
                "interface": MANAGEMENT,
                "sources": [f"{topology.layout.controller_address}/32"],
            },
            "filter": True,
            "helper": HELPER,
        },
    }


def _site(topology: Topology, place: Place) -> dict[str, Any]:
    leaf = not any(circuit.near == place for circuit in topology.circuits)
    return {
        "range": str(place.range),
        "lan": str(place.lan),
        "coordinates": {"latitude": place.town.latitude, "longitude": place.town.longitude},
        # Headquarters takes leased lines; a site with a line of its own carries a neighbour, one at the end does not.
        "capacity": 500 if place.parent is None else 0 if place.parent and leaf else 100,
        "probe": {"host": place.host, "interface": LAN, "addresses": list(place.host_addresses), "borrow": True},
    }


def _link(circuit: Circuit) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "leased" if circuit.leased else "neighbour",
        "ends": [
            {"router": circuit.far.router, "interface": circuit.far_interface},
            {"router": circuit.near.router, "interface": circuit.near_interface},
        ],
        "prefix": str(circuit.prefix),
        "bandwidth": 10 if circuit.leased else 50,
    }
    if circuit.leased:
        found |= {"operator": OPERATOR, "circuit": f"LS-{circuit.far.town.code}-{circuit.number:03}"}
    return found
