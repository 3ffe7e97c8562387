"""Where a new site could be joined: existing sites by distance, and whether each could carry it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsi_automation.core.quantities import Number
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.network_model import Coordinates, LinkKind
from dsi_automation.inventory.network_parts import Network

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth's ellipsoid (WGS 84), (2a + b) / 3; a distance is off by 0.5 % at most."""


class Verdict(StrEnum):
    """What became of a candidate."""

    CHOSEN = "chosen"
    FARTHER = "farther"
    """It would do, and another one is nearer."""
    NO_COORDINATES = "no_coordinates"
    NO_ROUTER = "no_router"
    NO_WAY = "no_way"
    """Its router has no circuit towards headquarters."""
    TOO_FAR = "too_far"
    NO_CAPACITY = "no_capacity"
    NOT_ASKED = "not_asked"
    """It would do, and a leased line was asked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An existing site, as a neighbour of the new one.

    Attributes:
        router: the one a circuit would end at; None where the site has none.
        distance: great circle, kilometres; None where its place, or the new site's, is not known.
        capacity: what it could carry for neighbours in all, Mbit/s.
        used: what neighbours that hang on it already have, Mbit/s.
    """

    site: str
    router: str | None
    distance: float | None
    capacity: int
    used: int
    verdict: Verdict

    @property
    def left(self) -> int:
        """Return what it could still carry, Mbit/s."""
        return self.capacity - self.used


def distance_km(one: Coordinates, other: Coordinates) -> float:
    """Return the distance between two places along a great circle, by the haversine formula, kilometres.

    R. W. Sinnott, “Virtues of the Haversine”, Sky and Telescope 68 (1984).
    """
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def candidates(
    network: Network, new: str, place: Coordinates | None, bandwidth: int, limit: float, *, leased: bool = False
) -> tuple[Candidate, ...]:
    """Return every existing site with what speaks for or against it, nearest first; one at most is chosen.

    Args:
        new: code of the new site.
        place: where it is; None: no neighbour can be proposed.
        bandwidth: what it needs, Mbit/s.
        limit: how far a neighbour may be, kilometres.
        leased: a leased line is wanted, whoever is near.
    """
    reaching = _reaching(network)
    found = [
        _judged(network, code, place, bandwidth, limit, reaching) for code in network.settings.sites if code != new
    ]
    found.sort(key=lambda one: (one.distance is None, one.distance, one.site))
    able = [one.site for one in found if one.verdict is Verdict.CHOSEN]
    others = Verdict.NOT_ASKED if leased else Verdict.FARTHER
    kept = None if leased or not able else able[0]
    return tuple(one if one.verdict is not Verdict.CHOSEN or one.site == kept else _with(one, others) for one in found)


def used(network: Network, site: str) -> int:
    """Return the bandwidth of the neighbour circuits that hang on a site's routers, Mbit/s."""
    routers = {router.name for router in network.of_site(site)}
    return sum(
        link.bandwidth
        for link in network.links.values()
        if link.kind is LinkKind.NEIGHBOUR and link.ends[1].router in routers
    )


def why(one: Candidate, bandwidth: int, limit: float) -> Text:
    """Return what speaks for or against a candidate, in words."""
    km = "-" if one.distance is None else Number(one.distance, 1)
    most = Number(limit, 0 if limit == int(limit) else 1)
    left, facts = max(one.left, 0), {"km": km, "need": bandwidth, "capacity": one.capacity, "used": one.used}
    return {
        Verdict.CHOSEN: T("the nearest that can carry it: {left} Mbit/s left of {capacity}", left=left, **facts),
        Verdict.FARTHER: T("would do ({left} Mbit/s left), but a nearer one does", left=left),
        Verdict.NOT_ASKED: T("would do ({left} Mbit/s left), but a leased line was asked for", left=left),
        Verdict.NO_COORDINATES: T("its place, or the new site’s, is not known: no distance"),
        Verdict.NO_ROUTER: T("has no router in the inventory"),
        Verdict.NO_WAY: T("its router has no circuit towards headquarters"),
        Verdict.TOO_FAR: T("too far: {km} km, where {limit} km at most were asked", km=km, limit=most),
        Verdict.NO_CAPACITY: T(
            "cannot carry it: {left} Mbit/s left of {capacity} ({used} for other neighbours), {need} needed",
            left=left, **facts,
        ),
    }[one.verdict]  # fmt: skip


def chosen(found: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate that is proposed, if any."""
    return next((one for one in found if one.verdict is Verdict.CHOSEN), None)


def _judged(
    network: Network, code: str, place: Coordinates | None, bandwidth: int, limit: float, reaching: frozenset[str]
) -> Candidate:
    site = network.settings.sites[code]
    routers = network.of_site(code)
    reached = [one.name for one in routers if one.name in reaching]
    router = reached[0] if reached else routers[0].name if routers else None
    distance = None if place is None or site.coordinates is None else distance_km(place, site.coordinates)
    taken = used(network, code)
    if not routers:
        verdict = Verdict.NO_ROUTER
    elif not reached:
        verdict = Verdict.NO_WAY
    elif distance is None:
        verdict = Verdict.NO_COORDINATES
    elif distance > limit:
        verdict = Verdict.TOO_FAR
    elif site.capacity - taken < bandwidth:
        verdict = Verdict.NO_CAPACITY
    else:
        verdict = Verdict.CHOSEN
    return Candidate(code, router, distance, site.capacity, taken, verdict)


def _reaching(network: Network) -> frozenset[str]:
    """Return the routers that have a way to headquarters."""
    found = {one.name for one in network.of_site(network.settings.headquarters)}
    links = [{end.router for end in link.ends} for link in network.links.values()]
    while grown := [ends for ends in links if ends & found and not ends <= found]:
        found = found.union(*grown)
    return frozenset(found)


def _with(one: Candidate, verdict: Verdict) -> Candidate:
    return Candidate(one.site, one.router, one.distance, one.capacity, one.used, verdict)
