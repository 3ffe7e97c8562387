"""What the lab's routers, circuits and LAN hosts are at this moment."""

from __future__ import annotations

from typing import Any

from dsi_automation.lab.lab import Lab
from dsi_automation.lab.network_topology import SERVER, Circuit
from dsi_automation.lab.routed_network import SERVICES, RoutedNetwork
from dsi_automation.lab.router_files import ADMINISTRATOR
from dsi_automation.lab.routers import LabRouter
from dsi_automation.lab.servers import CONTROLLER


def network_status(lab: Lab) -> dict[str, Any]:
    """Return the network as data: each router, circuit and host, and how they are reached."""
    routed = lab.routed
    topology = routed.topology
    is_wired = routed.wiring.is_complete()
    cut = routed.wiring.cut_circuits() if is_wired else []
    return {
        "routers": [_router(routed, router, is_wired=is_wired) for router in routed.routers],
        "circuits": [_circuit(circuit, cut) for circuit in topology.circuits],
        "hosts": [
            {
                "name": place.host,
                "address": topology.host_address(place),
                "lan_addresses": list(place.host_addresses),
                "running": host.daemon.pid() is not None,
            }
            for place, host in zip(topology.places, routed.hosts, strict=False)
        ],
        "server": {"name": SERVER, "address": topology.server_address, "services": list(SERVICES)},
        "ssh": {
            "user": ADMINISTRATOR,
            "key": str(lab.layout.ssh_dir / CONTROLLER),
            "known_hosts": str(routed.known_hosts),
        },
    }


def network_examples(lab: Lab) -> dict[str, str]:
    """Return commands to paste that look at the network without the toolkit, by what they show."""
    router = lab.routed.routers[0]
    folder = lab.layout.ssh_dir
    return {
        "router": f"ssh -F none -i {folder / CONTROLLER} -o UserKnownHostsFile={lab.routed.known_hosts} "
        f"{ADMINISTRATOR}@{router.address} 'show ip route'",
    }


def _router(routed: RoutedNetwork, router: LabRouter, *, is_wired: bool) -> dict[str, Any]:
    interfaces = routed.wiring.interfaces(router.place) if is_wired else {}
    return {
        "name": router.name,
        "site": router.place.town.code,
        "address": router.address,
        "running": router.daemon.pid() is not None,
        "interfaces": [
            {
                "name": name,
                "up": "UP" in link["flags"],
                "line": "LOWER_UP" in link["flags"],
                "addresses": [f"{info['local']}/{info['prefixlen']}" for info in link["addr_info"]],
            }
            for name, link in sorted(interfaces.items())
        ],
        "log": str(router.daemon.log),
    }


def _circuit(circuit: Circuit, cut: list[Circuit]) -> dict[str, Any]:
    return {
        "name": circuit.name,
        "ends": [
            {"router": circuit.far.router, "interface": circuit.far_interface},
            {"router": circuit.near.router, "interface": circuit.near_interface},
        ],
        "leased": circuit.leased,
        "cut": circuit in cut,
    }
