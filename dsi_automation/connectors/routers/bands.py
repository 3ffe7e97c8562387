"""The packet filter as a numbered access list of IOS: which entry has its place in which band."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dsi_automation.connectors.routers.acl import ANY, Entry, Match, Ports, addresses, entry
from dsi_automation.connectors.routers.intent import BANDS, INTERNET, AccessRule, Band, FilterIntent
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

RULES: Final = (Band.INTERNAL, Band.INTERNET)
"""The bands of requests."""
REPLIES: Final = 800
"""From here on, the management band has what lets answers and leases through."""
_STEP: Final = 10
_EVERYTHING: Final = "deny ip any any"
_LEASE: Final = re.compile(r"permit udp (?!host)\S+ \S+ any eq 67")
_NETWORK: Final = r"(?:host \S+|\d\S+ \S+)"
_FENCE: Final = re.compile(rf"deny ip any {_NETWORK}")
_WRITTEN: Final = {
    Band.MANAGEMENT: re.compile(
        rf"permit (?:tcp {_NETWORK} any (?:eq 22|established)"
        rf"|icmp {_NETWORK} any (?:echo-reply|unreachable|time-exceeded)"
        rf"|udp {_NETWORK} (?:any|host 255\.255\.255\.255) eq 67)"
    ),
    Band.DENIED: re.compile(rf"deny (?:tcp|udp) any (?:any|{_NETWORK}) (?:eq \d+|range \d+ \d+)"),
    Band.FENCE: _FENCE,
    Band.FINAL: re.compile(_EVERYTHING),
}
"""What `base` writes in each band, whatever the inventory said when it was written."""

type Banded = Mapping[Band, tuple[Entry, ...]]


def base(wanted: FilterIntent) -> Banded:
    """Return the entries of the filter itself, without those of requests.

    A list of IOS keeps no track of connections: answers to what comes from outside are let through as such (ACK or
    RST set, RFC 9293), with the ICMP messages that belong to connections. Leases are asked from the router itself, as
    a relay, through this very list (RFC 2131).
    """
    lan = addresses(wanted.lan)
    first = BANDS[Band.MANAGEMENT].start
    management = [
        Entry(first + _STEP * place, f"permit tcp {addresses(network)} any eq 22")
        for place, network in enumerate(wanted.management)
    ]
    replies = [
        f"permit tcp {lan} any established",
        f"permit icmp {lan} any echo-reply",
        f"permit icmp {lan} any unreachable",
        f"permit icmp {lan} any time-exceeded",
        "permit udp host 0.0.0.0 host 255.255.255.255 eq 67",
        f"permit udp {lan} any eq 67",
    ]
    denied = [
        Match(one.protocol, ANY, None, addresses(one.destination), _ports(one.first_port, one.last_port), ())
        for one in wanted.denied
    ]
    texts = {
        Band.DENIED: [f"deny {one}" for one in denied],
        Band.FENCE: [f"deny ip any {addresses(network)}" for network in wanted.internal],
    }
    found = {band: _in_a_row(band, texts.get(band, ())) for band in Band}
    found[Band.MANAGEMENT] = tuple(
        entry(one.number, one.text)
        for one in (*management, *(Entry(REPLIES + _STEP * place, text) for place, text in enumerate(replies)))
    )
    found[Band.FINAL] = (entry(BANDS[Band.FINAL][-1], _EVERYTHING),)
    if management and management[-1].number >= REPLIES:
        raise _full(Band.MANAGEMENT)
    return found


def restarted(listed: Sequence[Entry]) -> bool:
    """Tell whether a list has the numbers 10, 20, 30, ...: those that classic IOS gives it when it restarts."""
    return [one.number for one in listed] == list(range(_STEP, _STEP * len(listed) + 1, _STEP))


def banded(listed: Sequence[Entry]) -> Banded:
    """Return the entries of a list by band; the bands are empty where it is not one of ours.

    Classic IOS forgets the numbers when it restarts; a list of ours is then recognised by its order, and its entries
    get the numbers of their bands again.
    """
    if not restarted(listed):
        return {band: tuple(one for one in listed if one.number in numbers) for band, numbers in BANDS.items()}
    return {band: _renumbered(band, part) for band, part in _by_order(listed).items()}


def settled(listed: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries of a list with the numbers of their bands, where it lost them; as they are otherwise."""
    return (flat(banded(listed)) if restarted(listed) else ()) or tuple(listed)


def strangers(listed: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that are none the toolkit writes, wherever they stand: somebody's. Remarks decide nothing."""
    ours = {one.text for band, part in banded(listed).items() for one in part if written(one, band)}
    return tuple(one for one in listed if one.counts and one.text not in ours)


def written(one: Entry, band: Band) -> bool:
    """Tell whether an entry is of a kind the toolkit writes in a band."""
    if band in RULES:
        return not one.counts or rule_of(one, band) is not None
    return _WRITTEN[band].fullmatch(one.text) is not None


def outside(listed: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that are in no band: somebody's."""
    inside = {one.text for part in banded(listed).values() for one in part}
    return tuple(one for one in listed if one.text not in inside)


def flat(parts: Banded) -> tuple[Entry, ...]:
    """Return the entries of all bands as one list; one that stands twice stands once, at its first place."""
    return once(one for part in parts.values() for one in part)


def once(listed: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return entries sorted by number, without those that say again what an earlier one says."""
    found: dict[str, Entry] = {}
    for one in sorted(listed, key=lambda one: one.number):
        found.setdefault(one.bare if one.counts else str(one), one)
    return tuple(found.values())


def band_of(rule: AccessRule) -> Band:
    """Return the band a rule belongs to."""
    return Band.INTERNET if rule.destination == INTERNET else Band.INTERNAL


def rule_match(rule: AccessRule) -> Match:
    """Return what a rule lets through."""
    destination = ANY if rule.destination == INTERNET else addresses(rule.destination)
    return Match(rule.protocol, addresses(rule.source), None, destination, _ports(rule.first_port, rule.last_port), ())


def rule_entry(rule: AccessRule, number: int) -> Entry:
    """Return the entry of a rule."""
    match = rule_match(rule)
    return Entry(number, f"permit {match}", match)


def rule_of(one: Entry, band: Band) -> AccessRule | None:
    """Return the access an entry opens; None when it is no permit of that kind."""
    match = one.match
    if match is None or not one.permit or match.protocol not in {"tcp", "udp"} or match.options:
        return None
    source, destination = match.source.network, match.destination.network
    if source is None or destination is None or match.source_ports is not None:
        return None
    spans = ((0, 65535),) if match.ports is None else match.ports.spans
    if len(spans) != 1:
        return None
    if band is Band.INTERNET and match.destination == ANY:
        destination = INTERNET
    return AccessRule(None, source, destination, match.protocol, *spans[0], sequence=one.number)


def free(taken: Sequence[Entry], band: Band) -> int:
    """Return the next free number of a band.

    Raises:
        RefusedError: the band is full.
    """
    used = {one.number for one in taken}
    numbers: tuple[int, ...] = (*BANDS[band][::_STEP], *BANDS[band])
    found = next((number for number in numbers if number not in used), None)
    if found is None:
        raise _full(band)
    return found


def _ports(first: int, last: int) -> Ports:
    return Ports("eq", (first,)) if first == last else Ports("range", (first, last))


def _in_a_row(band: Band, texts: Sequence[str]) -> tuple[Entry, ...]:
    if len(texts) > len(BANDS[band]):
        raise _full(band)
    return tuple(entry(number, text) for number, text in zip(BANDS[band], texts, strict=False))


def _renumbered(band: Band, part: Sequence[Entry]) -> tuple[Entry, ...]:
    numbers = BANDS[band]
    step = 1 if band in {Band.DENIED, Band.FENCE} else _STEP
    if band is Band.FINAL:
        return tuple(replace(one, number=numbers[-1] - place) for place, one in enumerate(reversed(part)))
    if band is Band.MANAGEMENT:
        answers = next((place for place, one in enumerate(part) if one.text.endswith(" established")), len(part))
        return tuple(
            replace(one, number=numbers.start + step * place if place < answers else REPLIES + step * (place - answers))
            for place, one in enumerate(part)
        )
    return tuple(replace(one, number=numbers.start + step * place) for place, one in enumerate(part))


def _by_order(listed: Sequence[Entry]) -> dict[Band, tuple[Entry, ...]]:
    """Return the parts of a list by what they say: leases end the management band, the fence denies networks."""
    texts = [one.text for one in listed]
    lease = next((place for place, text in enumerate(texts) if _LEASE.fullmatch(text)), None)
    fence = [place for place, text in enumerate(texts) if _FENCE.fullmatch(text)]
    if lease is None or not fence or texts[-1] != _EVERYTHING or fence[0] <= lease:
        return dict.fromkeys(Band, ())
    start = lease + 1
    denied = next(place for place in range(start, len(listed)) if listed[place].permit or place == fence[0])
    edges = (0, start, denied, fence[0], fence[-1] + 1, len(listed) - 1, len(listed))
    return {band: tuple(listed[edges[place] : edges[place + 1]]) for place, band in enumerate(Band)}


def _full(band: Band) -> RefusedError:
    return RefusedError(
        T("The access list has no number left in the band “{band}”.", band=band.value),
        next_step=T("Revoke accesses that are no longer needed, or open wider ones in their place."),
    )
