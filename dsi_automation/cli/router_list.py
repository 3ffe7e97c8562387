"""`dsi router list|show`: the routers of the inventory, their circuits, and the configuration they should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import command
from dsi_automation.cli.router_names import network_of, router_argument
from dsi_automation.cli.session import session
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.inventory.network_model import Link
    from dsi_automation.inventory.network_parts import Network, Router


@command("list", T("List the routers: site, platform, LAN, the circuit towards headquarters. Connects to none."))
def list_() -> int:
    """List routers."""
    current = session()
    network = network_of(current)
    if current.choices.json:
        current.out.data({"routers": [router_view(network, one) for one in network.routers.values()]})
        return 0
    rows = []
    for name, one in network.routers.items():
        lan, filters = network.site_of(name).lan, T("yes") if one.described.filter else T("no")
        circuits = len(network.links_of(name))
        rows.append((name, one.site, one.described.platform, lan, _towards(network, one), circuits, filters))
    headers = (
        T("Router"), T("Site"), T("Platform"), T("LAN"), T("Towards headquarters"), T("Circuits"), T("Filter"),
    )  # fmt: skip
    current.out.table(headers, rows)
    return 0


@command(
    "show",
    T("Show one router as the inventory wants it: LAN, circuits, way to headquarters, management. Connects to none."),
)
@router_argument()
def show(name: str) -> int:
    """Show a router."""
    current = session()
    network = network_of(current)
    one = network.router(name)
    if current.choices.json:
        current.out.data(router_view(network, one))
        return 0
    out, described = current.out, one.described
    out.line(T("{name}: site {site}, platform {platform}", name=name, site=one.site, platform=described.platform),
             bold=True)  # fmt: skip
    out.line(T("{title}: {value}", title=T("LAN"), value=f"{described.lan}, {network.site_of(name).lan}"))
    sources = ", ".join(described.management.sources)
    managed = T("through {interface}, from {sources}", interface=described.management.interface, sources=sources)
    out.line(T("{title}: {value}", title=T("Management"), value=managed))
    out.line(T("{title}: {value}", title=T("Filter"), value=T("yes") if described.filter else T("no")))
    out.line(T("{title}: {value}", title=T("Way to headquarters"), value=" → ".join(network.path(name))))
    rows = [
        (title, link.end(name).interface, link.address(name), link.other(name).router, link_kind(link),
         T("{n} Mbit/s", n=link.bandwidth), T("yes") if title == network.uplink(name) else None)
        for title, link in network.links_of(name).items()
    ]  # fmt: skip
    if rows:
        headers = (
            T("Circuit"), T("Interface"), T("Address"), T("Other end"), T("Kind"), T("Bandwidth"),
            T("Towards headquarters"),
        )  # fmt: skip
        out.table(headers, rows)
    return 0


def router_view(network: Network, one: Router) -> Mapping[str, Any]:
    """Return a router as `--json` prints it; the inventory holds no secret."""
    described, name = one.described, one.name
    return {
        "router": name,
        "site": one.site,
        "platform": described.platform,
        "filter": described.filter,
        "lan": {"interface": described.lan, "network": network.site_of(name).lan},
        "management": {
            "interface": described.management.interface, "sources": list(described.management.sources),
        },
        "uplink": network.uplink(name),
        "path": list(network.path(name)),
        "links": [
            {
                "link": title,
                "kind": link.kind.value,
                "interface": link.end(name).interface,
                "address": link.address(name),
                "other": link.other(name).router,
                "operator": link.operator,
                "circuit": link.circuit,
                "bandwidth_mbits": link.bandwidth,
            }
            for title, link in network.links_of(name).items()
        ],
    }  # fmt: skip


def link_kind(link: Link) -> Text:
    """Return what kind of circuit it is, with its operator."""
    if link.operator is None:
        return T("own circuit")
    return T("leased line of {operator}", operator=link.operator)


def _towards(network: Network, one: Router) -> Text | str:
    title = network.uplink(one.name)
    if title is not None:
        return f"{network.links[title].other(one.name).router} ({title})"
    return T("headquarters") if one.site == network.settings.headquarters else T("NO WAY THERE")
