"""Who is changed with whom, and when: the units of routers that change together, the canary, the waves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dsi_automation.operations.network.drafting import Draft


@dataclass(frozen=True, slots=True)
class Place:
    """When a router is changed.

    Attributes:
        unit: the routers that are confirmed together, itself included.
        wave: 0 for the canary and those that change with it.
    """

    unit: tuple[str, ...]
    wave: int


def places(drafts: Mapping[str, Draft], canary: str | None, size: int) -> dict[str, Place]:
    """Return the place of each router that changes.

    Args:
        drafts: by router, in the order asked.
        canary: the router that goes first; the first that changes where it is None or does not change.
        size: how many routers a wave has; a unit is never cut, though it were larger.
    """
    units = _units({name: one for name, one in drafts.items() if one.difference})
    first = next((unit for unit in units if canary in unit), units[0] if units else ())
    found = {name: Place(first, 0) for name in first}
    wave, room = 1, size
    for unit in units:
        if unit == first:
            continue
        if len(unit) > room and room < size:
            wave, room = wave + 1, size
        found |= {name: Place(unit, wave) for name in unit}
        room -= len(unit)
        if room <= 0:
            wave, room = wave + 1, size
    return found


def _units(drafts: Mapping[str, Draft]) -> list[tuple[str, ...]]:
    """Join routers whose circuit changes at either end."""
    joined: dict[str, set[str]] = {name: {name} for name in drafts}
    for name, one in drafts.items():
        for way in one.changed:
            if way.other in joined and joined[name] is not joined[way.other]:
                joined[name] |= joined[way.other]
                for member in joined[name]:
                    joined[member] = joined[name]
    order: Sequence[str] = list(drafts)
    return list(dict.fromkeys(tuple(name for name in order if name in joined[one]) for one in order))
