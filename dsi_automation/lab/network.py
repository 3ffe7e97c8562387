"""The lab's own network: two namespaces, a switch in one of them, and one interface in the machine's own.

::

    machine  dsi-NAME (x.y.0.1) ── port0 ┐
                                         ├ lan: the switch, in NAME-ws, which also has the addresses of the
                                         │      workstations and of the tenant
    NAME-dc  eth0 (x.y.0.10) ───── port1 ┘

Nothing is changed on any other interface, nothing is forwarded, and a namespace's /etc/netns folder goes with it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.layout import BENCHMARKING, DOMAIN, LONGEST_PREFIX, Layout
from dsi_automation.lab.system import run

NETNS_ETC: Final = Path("/etc/netns")
SWITCH: Final = "lan"
UPLINK: Final = "port0"
DC_PORT: Final = "port1"
DC_INTERFACE: Final = "eth0"


def ensure(layout: Layout) -> bool:
    """Make the network, or what is missing of it.

    Returns:
        Whether anything had to be made.

    Raises:
        UsageError: another interface of the machine uses these addresses, or a namespace of that name is not ours.
    """
    if is_complete(layout):
        return False
    remove(layout)
    _refuse_overlap(layout)
    for namespace in layout.namespaces:
        claim(layout, namespace)
        run(["ip", "netns", "add", namespace])
    dc, ws = layout.namespaces
    batch(
        [
            f"link add {layout.interface} type veth peer name {UPLINK} netns {ws}",
            f"link add {DC_PORT} netns {ws} type veth peer name {DC_INTERFACE} netns {dc}",
        ]
    )
    batch(
        [
            "link set lo up",
            # No spanning tree: the switch forwards at once. Its address is its own: by default it is that of some port,
            # and changes when another one is plugged in.
            f"link add {SWITCH} address {hardware_address(layout.address(2))} type bridge stp_state 0 forward_delay 0",
            f"link set {UPLINK} master {SWITCH} up",
            f"link set {DC_PORT} master {SWITCH} up",
            f"addr add {layout.address(2)}/{layout.network.prefixlen} dev {SWITCH}",
            f"link set {SWITCH} up",
        ],
        ws,
    )
    batch(
        [
            "link set lo up",
            f"addr add {layout.dc_address}/{layout.network.prefixlen} dev {DC_INTERFACE}",
            f"link set {DC_INTERFACE} up",
        ],
        dc,
    )
    # Last: an address here is the sign that the network is complete.
    batch(
        [
            f"link set {layout.interface} up",
            f"addr add {layout.controller_address}/{layout.network.prefixlen} dev {layout.interface}",
        ]
    )
    return True


def is_complete(layout: Layout) -> bool:
    """Tell whether the whole network is there, and is this lab's."""
    if not set(layout.namespaces) <= namespaces() or not all(_is_ours(layout, name) for name in layout.namespaces):
        return False
    return any(
        link["ifname"] == layout.interface and layout.controller_address in _addresses(link) for link in _links()
    )


def hardware_address(address: str) -> str:
    """Return a hardware address for an IPv4 address, a locally administered one (IEEE 802): always the same."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x00, *ipaddress.IPv4Address(address).packed))


def add_addresses(layout: Layout, addresses: Iterable[str]) -> None:
    """Give the namespace of workstations and tenant these addresses too; those it has already stay as they are."""
    held = {address for link in _links(layout.ws_namespace) for address in _addresses(link)}
    wanted = [address for address in addresses if address not in held]
    prefix = layout.network.prefixlen
    batch([f"addr add {address}/{prefix} dev {SWITCH}" for address in wanted], layout.ws_namespace)


def drop_traffic_to(layout: Layout, addresses: Iterable[str]) -> None:
    """Have these addresses swallow every packet in silence, as a machine behind a firewall does."""
    elements = ", ".join(sorted(addresses))
    rules = ["table inet dsi", "delete table inet dsi"]
    if elements:
        hook = "type filter hook input priority 0;"
        rules.append(f"table inet dsi {{ chain input {{ {hook} ip daddr {{ {elements} }} drop; }}; }}")
    run(["ip", "netns", "exec", layout.ws_namespace, "nft", "-f", "-"], stdin="\n".join(rules) + "\n")


def remove(layout: Layout) -> bool:
    """Take the network away, whatever is there of it.

    Returns:
        Whether anything was there.

    Raises:
        UsageError: a namespace of that name is not this lab's.
    """
    refuse_foreign(layout, layout.namespaces)
    found = False
    if any(link["ifname"] == layout.interface for link in _links()):
        run(["ip", "link", "delete", layout.interface])
        found = True
    found |= release(claimed(layout))
    with contextlib.suppress(OSError):
        # Not there, another lab's folders in it, or one being made in it just now.
        NETNS_ETC.rmdir()
    return found


def claim(layout: Layout, namespace: str) -> None:
    """Mark a namespace that is made next as this lab's, so that one made by a start that was killed is found again."""
    path = _resolver(namespace)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{_mark(layout)}\nsearch {DOMAIN}\nnameserver {layout.dc_address}\n")


def claimed(layout: Layout) -> set[str]:
    """Return every namespace that is this lab's, those of its routers too, made or not."""
    return {folder.name for folder in NETNS_ETC.glob(f"{layout.name}-*") if _is_ours(layout, folder.name)}


def release(names: Collection[str]) -> bool:
    """Remove namespaces of this lab, and what marks them.

    Returns:
        Whether any was there.
    """
    present = set(names) & namespaces()
    batch([f"netns delete {namespace}" for namespace in sorted(present)])
    for namespace in names:
        shutil.rmtree(NETNS_ETC / namespace)
    return bool(present)


def refuse_foreign(layout: Layout, names: Iterable[str]) -> None:
    """Refuse names of namespaces that somebody else uses.

    Raises:
        UsageError: a namespace of that name is not this lab's.
    """
    for namespace in sorted(set(names) & namespaces()):
        if not _is_ours(layout, namespace):
            raise UsageError(
                T("The network namespace {namespace} exists and is not of this lab.", namespace=namespace),
                next_step=T("Use another name for the lab: --name NAME."),
            )


def namespaces() -> set[str]:
    """Return the names of all network namespaces of this machine."""
    return {line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line.strip()}


def batch(commands: list[str], namespace: str | None = None) -> None:
    """Run several `ip` commands in one process; the first failure stops them.

    Raises:
        DsiError: one failed.
    """
    if commands:
        where = ["-n", namespace] if namespace else []
        run(["ip", *where, "-batch", "-"], stdin="\n".join(commands) + "\n")


def _is_ours(layout: Layout, namespace: str) -> bool:
    try:
        return _resolver(namespace).read_text().startswith(_mark(layout) + "\n")
    except OSError:
        return False


def _resolver(namespace: str) -> Path:
    return NETNS_ETC / namespace / "resolv.conf"


def _mark(layout: Layout) -> str:
    return f"# dsi lab {layout.root}"


def _links(namespace: str | None = None) -> list[dict[str, Any]]:
    where = ["-n", namespace] if namespace else []
    found: list[dict[str, Any]] = json.loads(run(["ip", *where, "-json", "address", "show"]) or "[]")
    return [link for link in found if "ifname" in link]


def _addresses(link: dict[str, Any]) -> set[str]:
    return {info["local"] for info in link.get("addr_info", []) if "local" in info}


def used_networks() -> Iterator[tuple[str, ipaddress.IPv4Network]]:
    """Yield the IPv4 networks of this machine's interfaces, each with the interface's name."""
    for link in _links():
        for info in link.get("addr_info", []):
            if info.get("family") == "inet":
                yield link["ifname"], ipaddress.IPv4Interface(f"{info['local']}/{info['prefixlen']}").network


def free_networks() -> Iterator[ipaddress.IPv4Network]:
    """Yield the smallest networks a lab can have that nobody uses now, from the end of the benchmarking range."""
    used = [network for _, network in used_networks()]
    for network in reversed(list(BENCHMARKING.subnets(new_prefix=LONGEST_PREFIX))):
        if not any(network.overlaps(other) for other in used):
            yield network


def _refuse_overlap(layout: Layout) -> None:
    for interface, other in used_networks():
        if other.overlaps(layout.network):
            raise UsageError(
                T("{network} is in use on {interface}.", network=str(layout.network), interface=interface),
                next_step=T(
                    "Choose another network with --network, or take the other lab down: `dsi lab down --name NAME`."
                ),
            )
