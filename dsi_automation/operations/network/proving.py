"""What must be true of a router besides its configuration: interfaces up, routes in use, the other end answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsi_automation.connectors.routers.port import Interface, Proof, RouterReader
from dsi_automation.core.results import Check
from dsi_automation.core.text import T

ECHOES: Final = 3
"""Echo requests of one look; more than half must be answered."""


def interface_check(name: str, address: str, *, line: bool) -> dict[str, Any]:
    """Return, as a plan holds it, that an interface has an address and is up.

    Args:
        line: whether its line protocol must be up as well: a LAN may not be plugged in yet.
    """
    return {"kind": "interface", "name": name, "address": address, "line": line}


def route_check(prefix: str, via: str) -> dict[str, Any]:
    """Return, as a plan holds it, that a route is in use through a next hop."""
    return {"kind": "route", "prefix": prefix, "via": via}


def ping_check(address: str) -> dict[str, Any]:
    """Return, as a plan holds it, that an address answers the router."""
    return {"kind": "ping", "address": address}


def prove(reader: RouterReader, wanted: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Look whether all of it is true now.

    Args:
        wanted: as a plan holds it; see the functions above.
    """
    return checked(reader.name, look(reader, wanted), wanted)


def look(reader: RouterReader, wanted: Sequence[Mapping[str, Any]]) -> Proof:
    """Look at what runs, and at all that is wanted, once.

    Args:
        wanted: as a plan holds it; see the functions above.
    """

    def asked(kind: str, key: str) -> list[str]:
        return list(dict.fromkeys(str(one[key]) for one in wanted if one["kind"] == kind))

    return reader.proof(asked("interface", "name"), asked("route", "prefix"), asked("ping", "address"), ECHOES)


def checked(router: str, proof: Proof, wanted: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Return whether all of it was true when it was looked at."""
    return [_CHECKS[str(one["kind"])](router, proof, one) for one in wanted]


def _interface(router: str, proof: Proof, wanted: Mapping[str, Any]) -> Check:
    name, address = str(wanted["name"]), str(wanted["address"])
    found = proof.interfaces[name]
    good = found is not None and found.up and address in found.addresses
    if wanted["line"]:
        good = good and found is not None and found.line_protocol
    expected = str(T("{address}, up", address=address))
    return Check(
        router, f"interface.{name}", T("Interface {name}", name=name), expected, _as_found(found), ok=good,
        source=router,
    )  # fmt: skip


def _as_found(found: Interface | None) -> str:
    if found is None:
        return str(T("no such interface"))
    addresses = ", ".join(found.addresses) or str(T("no address"))
    if not found.up:
        return str(T("{addresses}, shut down", addresses=addresses))
    if not found.line_protocol:
        return str(T("{addresses}, line protocol down", addresses=addresses))
    return str(T("{address}, up", address=addresses))


def _route(router: str, proof: Proof, wanted: Mapping[str, Any]) -> Check:
    prefix, via = str(wanted["prefix"]), str(wanted["via"])
    hops = proof.routes[prefix]
    expected, found = str(T("through {via}", via=via)), str(T("through {via}", via=", ".join(hops)))
    return Check(
        router, f"route.{prefix}", T("Route {prefix}", prefix=prefix), expected,
        found if hops else str(T("not in use")), ok=via in hops, source=router,
    )  # fmt: skip


def _ping(router: str, proof: Proof, wanted: Mapping[str, Any]) -> Check:
    address = str(wanted["address"])
    found = proof.pings[address]
    return Check(
        router, f"ping.{address}", T("Answer of {address}", address=address), str(T("answers")),
        str(T("{received} of {sent} answers", received=found.received, sent=found.sent)),
        ok=found.received * 2 > found.sent, source=str(T("ping from {router}", router=router)),
    )  # fmt: skip


_CHECKS: Final = {"interface": _interface, "route": _route, "ping": _ping}
