"""What to put into the inventory for a new site, as YAML with where each part goes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from dsi_automation.core.text import T
from dsi_automation.operations.network.joining import Proposal


def inventory_text(found: Proposal) -> str:
    """Return the entries of a new site, its router and its circuit, in the reader's language where they speak."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Proposal) -> Iterator[str]:
    yield f"# {T('Interconnection of {site}, proposed by router.interconnect.', site=found.site)}"
    for name in found.guessed:
        yield f"# {_GUESSES[name]}"
    yield f"# {T('hosts.yml: in the group “routers”.')}"
    yield from _dumped({"routers": {"hosts": {found.router.name: _host(found)}}})
    yield f"# {T('group_vars/all.yml: in dsi_network.sites.')}"
    yield from _dumped({"dsi_network": {"sites": {found.site: _site(found)}}})
    yield f"# {T('group_vars/all.yml: in dsi_links. The new router’s end comes first: it has the lower address.')}"
    yield from _dumped({"dsi_links": {found.link_name: _link(found)}})


_GUESSES = {
    "lan": T("To be checked on the equipment: the LAN’s interface is what most routers of this platform call it."),
    "wan": T("To be checked on the equipment: the circuit’s interface is what most routers of this platform call it."),
    "management": T("To be checked on the equipment: the management’s interface is a guess."),
    "peer": T("To be checked on the equipment: the other end’s interface is the one after its last circuit’s."),
    "address": T(
        "To be set on the new router by hand, before its first configuration: the address the controller reaches it at."
    ),
}


def _host(found: Proposal) -> dict[str, Any]:
    described = found.router.described
    management = {"interface": described.management.interface, "sources": list(described.management.sources)}
    return {
        "ansible_host": found.address,
        "dsi_site": found.site,
        "dsi_router": {"platform": described.platform, "lan": described.lan, "management": management},
    }


def _site(found: Proposal) -> dict[str, Any]:
    described = found.described
    entry: dict[str, Any] = {"range": described.range, "lan": described.lan}
    if described.coordinates is not None:
        entry["coordinates"] = described.coordinates.model_dump()
    entry["capacity"] = described.capacity
    if described.probe is not None:
        entry["probe"] = described.probe.model_dump(mode="json")
    return entry


def _link(found: Proposal) -> dict[str, Any]:
    link = found.link
    entry: dict[str, Any] = {
        "kind": link.kind.value,
        "ends": [{"router": end.router, "interface": end.interface} for end in link.ends],
        "prefix": link.prefix,
    }
    if link.operator is not None:
        entry["operator"] = link.operator
    return {**entry, "bandwidth": link.bandwidth}


def _dumped(entry: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True).splitlines()
