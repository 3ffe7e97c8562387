"""The wires of the lab's routers: namespaces, LANs, and circuits that go through an operator who can cut them.

A circuit is two pairs of virtual Ethernet interfaces with a switch between them, in a namespace of its own: when the
operator's side goes down, the line goes down at both routers and neither of them was touched, as with a real one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsi_automation.lab import network
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.network_topology import LAN, MANAGEMENT, PREFIX_OF_LAN, Circuit, Place, Topology
from dsi_automation.lab.processes import end_all
from dsi_automation.lab.system import run

PORT: Final = re.compile(r"[rl][0-9]+|srv")
"""Ports of routers, LAN hosts and the server, on the lab's switch."""


@dataclass(frozen=True)
class Wiring:
    """The wires of one lab's routers."""

    topology: Topology

    @property
    def layout(self) -> Layout:
        """The lab's."""
        return self.topology.layout

    def ensure(self) -> bool:
        """Make the wires; a network of another size, or one that is not complete, is made anew.

        Returns:
            Whether they had to be made.

        Raises:
            UsageError: a namespace of that name is not this lab's.
        """
        if self.is_complete():
            return False
        self.remove()
        names = self.topology.namespaces
        network.refuse_foreign(self.layout, names)
        for name in names:
            network.claim(self.layout, name)
        network.batch([f"netns add {name}" for name in names])
        network.batch(self._management(), self.layout.ws_namespace)
        network.batch(self._operator(), self.topology.operator_namespace)
        for place in self.topology.places:
            network.batch(self._router(place), self.topology.router_namespace(place))
            network.batch(self._host(place), self.topology.host_namespace(place))
        if names:
            network.batch(self._server(), self.topology.server_namespace)
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            # Last, since it is the sign that all is there.
            self._mark.write_text(f"{self.topology.count}\n")
        return bool(names)

    def is_complete(self) -> bool:
        """Tell whether every wire is there."""
        wanted = set(self.topology.namespaces)
        made = self._mark.read_text().strip() if self._mark.exists() else "0"
        return made == str(self.topology.count) and wanted <= network.namespaces() & network.claimed(self.layout)

    def remove(self) -> bool:
        """Take every wire away, whatever is there, and end what lives on it.

        Returns:
            Whether anything was there.
        """
        names = network.claimed(self.layout) - set(self.layout.namespaces)
        end_all(names)
        self._mark.unlink(missing_ok=True)
        self._unplug()
        return network.release(names)

    def _unplug(self) -> None:
        """Take the ports of the lab's switch away now: the kernel removes those of a namespace some time after it."""
        namespace = self.layout.ws_namespace
        if namespace in network.namespaces() & network.claimed(self.layout):
            ports = [name for name in self._links(namespace) if PORT.fullmatch(name)]
            network.batch([f"link delete {name}" for name in ports], namespace)

    def operate(self, circuit: Circuit, *, up: bool) -> None:
        """Cut a circuit or mend it; both routers see it a little later."""
        lines = [f"link set {port} {'up' if up else 'down'}" for port in _ports(circuit)]
        network.batch(lines, self.topology.operator_namespace)

    def line_is(self, circuit: Circuit, *, up: bool) -> bool:
        """Tell whether both routers see the line up, or down; a router that shut its interface sees nothing."""
        ends = (self.interfaces(place)[circuit.end_at(place)]["flags"] for place in (circuit.far, circuit.near))
        return all("UP" not in flags or ("LOWER_UP" in flags) == up for flags in ends)

    def cut_circuits(self) -> list[Circuit]:
        """Return the circuits that are cut."""
        if not self.topology.circuits:
            return []
        links = self._links(self.topology.operator_namespace)
        return [one for one in self.topology.circuits if not all("UP" in links[port]["flags"] for port in _ports(one))]

    def restore_host(self, place: Place) -> bool:
        """Give a LAN host the addresses it has in its LAN, and no other one that a probe borrowed and did not return.

        Returns:
            Whether it had others.
        """
        namespace = self.topology.host_namespace(place)
        held = {info["local"] for info in self._links(namespace)[LAN]["addr_info"] if info["family"] == "inet"}
        if held == set(place.host_addresses):
            return False
        network.batch([f"addr flush dev {LAN}", *_in_lan(place, place.host_addresses)], namespace)
        return True

    def interfaces(self, place: Place) -> dict[str, dict[str, Any]]:
        """Return a router's interfaces as its kernel has them (`ip -json address`), by name."""
        return {name: link for name, link in self._links(self.topology.router_namespace(place)).items() if name != "lo"}

    def _links(self, namespace: str) -> dict[str, dict[str, Any]]:
        found = json.loads(run(["ip", "-n", namespace, "-json", "address", "show"]) or "[]")
        return {link["ifname"]: link for link in found if "ifname" in link}

    @property
    def _mark(self) -> Path:
        return self.layout.router_dir / "wired"

    def _management(self) -> list[str]:
        """Return what joins everything to the lab's switch, in whose namespace these are run."""
        topology = self.topology
        ends = [(f"r{one.number + 1}", topology.router_namespace(one), topology.management_address(one))
                for one in topology.places]  # fmt: skip
        ends += [(f"l{one.number + 1}", topology.host_namespace(one), topology.host_address(one))
                 for one in topology.places]  # fmt: skip
        if ends:
            ends.append(("srv", topology.server_namespace, topology.server_management_address))
        lines = []
        for port, namespace, address in ends:
            # Whoever knew the machine before it was wired anew still reaches it.
            hardware = network.hardware_address(address)
            lines.append(f"link add {port} type veth peer name {MANAGEMENT} address {hardware} netns {namespace}")
            lines.append(f"link set {port} master {network.SWITCH} up")
        return lines

    def _operator(self) -> list[str]:
        """Return the circuits, and the LANs: a LAN needs nobody between, but this makes all pairs in one process."""
        topology, lines = self.topology, []
        for circuit in topology.circuits:
            line, (far, near) = f"c{circuit.number + 1}", _ports(circuit)
            there, here = topology.router_namespace(circuit.far), topology.router_namespace(circuit.near)
            lines += [
                f"link add {line} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                f"link add {far} type veth peer name {circuit.far_interface} netns {there}",
                f"link add {near} type veth peer name {circuit.near_interface} netns {here}",
                *(f"link set {port} master {line} up" for port in (far, near)),
                f"link set {line} up",
            ]
        for place in topology.places:
            outside = "port0" if place.parent is None else LAN
            lines.append(
                f"link add {LAN} netns {topology.router_namespace(place)} type veth "
                f"peer name {outside} netns {topology.host_namespace(place)}"
            )
        return lines

    def _router(self, place: Place) -> list[str]:
        address = self.topology.management_address(place)
        wires = [one.end_at(place) for one in self.topology.circuits_of(place)]
        return [
            f"addr add {address}/{self.layout.network.prefixlen} dev {MANAGEMENT}",
            *(f"link set {name} up" for name in ("lo", MANAGEMENT, LAN, *wires)),
        ]

    def _host(self, place: Place) -> list[str]:
        lines = [
            f"addr add {self.topology.host_address(place)}/{self.layout.network.prefixlen} dev {MANAGEMENT}",
            *(f"link set {name} up" for name in ("lo", MANAGEMENT)),
        ]
        if place.parent is None:
            # The LAN of headquarters has a switch, for there are two in it besides the router.
            lines += [
                f"link add {LAN} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                f"link add port1 type veth peer name {LAN} netns {self.topology.server_namespace}",
                *(f"link set {port} master {LAN} up" for port in ("port0", "port1")),
            ]
        return [*lines, *_in_lan(place, place.host_addresses)]

    def _server(self) -> list[str]:
        address = f"{self.topology.server_management_address}/{self.layout.network.prefixlen}"
        return [
            f"addr add {address} dev {MANAGEMENT}",
            *(f"link set {name} up" for name in ("lo", MANAGEMENT)),
            *_in_lan(self.topology.places[0], (self.topology.server_address,)),
        ]


def _in_lan(place: Place, addresses: tuple[str, ...]) -> list[str]:
    return [
        *(f"addr add {address}/{PREFIX_OF_LAN} dev {LAN}" for address in addresses),
        f"link set {LAN} up",
        f"route add default via {place.gateway}",
    ]


def _ports(circuit: Circuit) -> tuple[str, str]:
    return (f"a{circuit.number + 1}", f"b{circuit.number + 1}")
