"""What would be changed on one router: lines, the lines that undo them, circuits left out, what must be true. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any, Final

from dsi_automation.connectors.routers.config import Config, Difference
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.intent import AccessRule, InterfaceIntent, RouterIntent, Scope
from dsi_automation.connectors.routers.refusals import no_interface, sendable
from dsi_automation.core.errors import DsiError
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.network.comparing import compare
from dsi_automation.operations.network.proving import interface_check, ping_check, route_check
from dsi_automation.operations.network.wanted import Through, router_intent, through

_ROUTES: Final = ("ip route ", "no ip route ")


@dataclass(frozen=True, slots=True)
class RouterSeen:
    """What was found of one router.

    Attributes:
        running: what runs.
        startup: what it starts with.
        interfaces: those it has, by name.
        problem: why no change of it could be taken back now; None when one could, or none is needed.
        over: its accesses that are over by now, by the record; see `ended`.
    """

    running: Config
    startup: Config
    dialect: Dialect
    interfaces: tuple[str, ...]
    problem: DsiError | None = None
    over: tuple[AccessRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be done to one router.

    Attributes:
        difference: from what runs to what the inventory wants.
        after: what would run then.
        left_out: circuits that would have to change, and whose other end is not part of it.
        changed: circuits whose interface changes.
        unsaved: whether something the inventory wants runs and is not what the router starts with.
        foreign: lines of others that run and are not saved (`+`), or the other way round (`-`).
        checks: what must be true afterwards.
    """

    difference: Difference
    after: Config
    left_out: tuple[Through, ...] = ()
    changed: tuple[Through, ...] = ()
    unsaved: bool = False
    foreign: tuple[str, ...] = ()
    checks: tuple[dict[str, Any], ...] = field(default=())


def draft(network: Network, router: str, seen: RouterSeen, together: Collection[str]) -> Draft:
    """Return what would be done to a router.

    Args:
        network: the network.
        router: its name.
        seen: what was found of it.
        together: the routers that are part of the change.

    Raises:
        RefusedError: it cannot be brought there, it has no such interface, or a line is one that is never sent.
    """
    ways = through(network, router)
    intent = router_intent(network, router)
    difference = _difference(seen, seen.running, intent)
    left_out = tuple(
        one for one in ways.values() if one.other not in together and _concerns(seen.dialect, difference.lines, one)
    )
    if left_out:
        intent = router_intent(network, router, {one.name for one in left_out})
        difference = _difference(seen, seen.running, intent)
    _refuse_absent(router, seen, intent)
    sendable(router, seen.dialect, intent.protected, difference.lines)
    ours, mended = _startup(seen, intent)
    after = seen.dialect.apply(seen.running, difference.lines)
    chosen = [one for one in ways.values() if one not in left_out]
    return Draft(
        difference,
        after,
        left_out,
        tuple(one for one in chosen if touches(seen.dialect, difference.lines, one.interface)),
        unsaved=ours and not difference,
        foreign=compare(mended, after).lines(),
        checks=tuple(_checks(seen.dialect, intent, difference.lines, chosen)),
    )


def wanting(network: Network, router: str, seen: RouterSeen) -> bool:
    """Tell whether anything would have to change on a router, or to be saved."""
    intent = router_intent(network, router)
    try:
        return bool(_difference(seen, seen.running, intent)) or bool(_difference(seen, seen.startup, intent))
    except DsiError:
        return True


def touches(dialect: Dialect, lines: Sequence[str], interface: InterfaceIntent) -> bool:
    """Tell whether lines change an interface, whichever way its name is written in the inventory (`Gi0/1`)."""
    heading = f"interface {dialect.interface_name(interface.name)}"
    return any(line.removeprefix("no ") == heading for line in lines)


def routed(lines: Sequence[str], prefix: str) -> bool:
    """Tell whether lines add or remove a static route to a network, whichever way a platform writes it."""
    network = IPv4Network(prefix)
    forms = ([str(network)], [str(network.network_address), str(network.netmask)])
    for line in lines:
        if line.startswith(_ROUTES):
            words = line.removeprefix("no ").split()[2:]
            if any(words[: len(form)] == form for form in forms):
                return True
    return False


def _startup(seen: RouterSeen, intent: RouterIntent) -> tuple[bool, Config]:
    """Return whether what a router starts with lacks anything of ours, and what it would be with it."""
    try:
        lines = _difference(seen, seen.startup, intent).lines
        return bool(lines), seen.dialect.apply(seen.startup, lines)
    except DsiError:
        return True, seen.startup  # it cannot be mended in place: it is replaced when what runs is saved


def _concerns(dialect: Dialect, lines: Sequence[str], way: Through) -> bool:
    """Tell whether lines change a circuit: its interface, or a route to what is reached through it."""
    return touches(dialect, lines, way.interface) or any(routed(lines, prefix) for prefix in way.prefixes)


def _difference(seen: RouterSeen, config: Config, intent: RouterIntent) -> Difference:
    return seen.dialect.difference(config, intent, (), Scope.BASE)


def _refuse_absent(router: str, seen: RouterSeen, intent: RouterIntent) -> None:
    """Refuse interfaces there are none of: FRRouting takes their lines, and nothing ever comes of them."""
    for one in intent.interfaces:
        name = seen.dialect.interface_name(one.name)
        if name not in seen.interfaces:
            raise no_interface(router, name, seen.interfaces)


def _checks(
    dialect: Dialect, intent: RouterIntent, lines: Sequence[str], ways: Sequence[Through]
) -> Iterator[dict[str, Any]]:
    """Yield what must be true after these lines: interfaces they change, routes, the other ends of circuits."""
    if not lines:
        return
    circuits = {one.interface.name: one for one in ways}
    for interface in intent.interfaces:
        if touches(dialect, lines, interface):
            yield interface_check(interface.name, interface.address, line=interface.name in circuits)
    for way in ways:
        changed = touches(dialect, lines, way.interface)
        for prefix in way.prefixes:
            if changed or routed(lines, prefix):
                yield route_check(prefix, way.via)
        if changed:
            yield ping_check(way.via)
