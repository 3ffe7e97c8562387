"""What must be true of a router besides its configuration: interfaces up, routes in use, the other end answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsi_automation.connectors.routers.port import Interface, RouterReader
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
    return [_CHECKS[str(one["kind"])](reader, one) for one in wanted]


def _interface(reader: RouterReader, wanted: Mapping[str, Any]) -> Check:
    name, address = str(wanted["name"]), str(wanted["address"])
    found = reader.interface(name)
    good = found is not None and found.up and address in found.addresses
    if wanted["line"]:
        good = good and found is not None and found.line_protocol
    expected = str(T("{address}, up", address=address))
    return Check(
        reader.name, f"interface.{name}", T("Interface {name}", name=name), expected, _as_found(found), ok=good,
        source=reader.name,
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


def _route(reader: RouterReader, wanted: Mapping[str, Any]) -> Check:
    prefix, via = str(wanted["prefix"]), str(wanted["via"])
    hops = reader.route(prefix)
    expected, found = str(T("through {via}", via=via)), str(T("through {via}", via=", ".join(hops)))
    return Check(
        reader.name, f"route.{prefix}", T("Route {prefix}", prefix=prefix), expected,
        found if hops else str(T("not in use")), ok=via in hops, source=reader.name,
    )  # fmt: skip


def _ping(reader: RouterReader, wanted: Mapping[str, Any]) -> Check:
    address = str(wanted["address"])
    found = reader.ping(address, count=ECHOES)
    return Check(
        reader.name, f"ping.{address}", T("Answer of {address}", address=address), str(T("answers")),
        str(T("{received} of {sent} answers", received=found.received, sent=found.sent)),
        ok=found.received * 2 > found.sent, source=str(T("ping from {router}", router=reader.name)),
    )  # fmt: skip


_CHECKS: Final = {"interface": _interface, "route": _route, "ping": _ping}
