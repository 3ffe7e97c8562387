"""Ordered access lists: entries in their canonical form, what they let through, and how one becomes another."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.routers.ports import ICMP, PROTOCOLS, port

_ALL: Final = 0xFFFFFFFF
_LOGGING: Final = frozenset({"log", "log-input"})


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses an entry is about: those equal to `base` in all bits that are not set in `wildcard`."""

    base: int
    wildcard: int

    @property
    def network(self) -> str | None:
        """Return them as a network, `10.64.8.0/24`; None when the wildcard is no mask."""
        if self.wildcard & (self.wildcard + 1):
            return None
        return str(ipaddress.IPv4Network((self.base, 32 - self.wildcard.bit_length())))

    def __contains__(self, address: int) -> bool:
        return (address ^ self.base) & ~self.wildcard & _ALL == 0

    def overlaps(self, other: Addresses) -> bool:
        """Tell whether any address is among both."""
        return (self.base ^ other.base) & ~self.wildcard & ~other.wildcard & _ALL == 0

    def __str__(self) -> str:
        if self.wildcard == _ALL:
            return "any"
        base = ipaddress.IPv4Address(self.base)
        return f"host {base}" if self.wildcard == 0 else f"{base} {ipaddress.IPv4Address(self.wildcard)}"


ANY: Final = Addresses(0, _ALL)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports as an entry says them: `eq 80`, `range 8000 8010`; canonical by numbers."""

    operator: str
    numbers: tuple[int, ...]

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of ports that are meant, both ends included."""
        first, last = self.numbers[0], self.numbers[-1]
        match self.operator:
            case "range":
                return ((first, last),)
            case "gt":
                return ((first + 1, 65535),)
            case "lt":
                return ((0, first - 1),)
            case "neq":
                return ((0, first - 1), (first + 1, 65535))
            case _:
                return tuple((number, number) for number in self.numbers)

    def __str__(self) -> str:
        return " ".join([self.operator, *map(str, self.numbers)])


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, as far as access lists look at it.

    Attributes:
        options: words that an entry may ask for besides: `established`, an ICMP message.
    """

    protocol: str
    source: int
    destination: int
    source_port: int = 0
    port: int = 0
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """What an entry looks at."""

    protocol: str
    source: Addresses
    source_ports: Ports | None
    destination: Addresses
    ports: Ports | None
    options: tuple[str, ...]

    def __str__(self) -> str:
        parts = (self.protocol, self.source, self.source_ports, self.destination, self.ports, *self.options)
        return " ".join(str(part) for part in parts if part is not None)

    def __contains__(self, packet: Packet) -> bool:
        return (
            self.protocol in {"ip", packet.protocol}
            and packet.source in self.source
            and packet.destination in self.destination
            and _has(self.source_ports, packet.source_port)
            and _has(self.ports, packet.port)
            and all(option in packet.options for option in self.options if option not in _LOGGING)
        )

    def overlaps(self, other: Match) -> bool:
        """Tell whether a packet could be meant by both, whatever their options say."""
        return (
            ("ip" in {self.protocol, other.protocol} or self.protocol == other.protocol)
            and self.source.overlaps(other.source)
            and self.destination.overlaps(other.destination)
            and _share(self.source_ports, other.source_ports)
            and _share(self.ports, other.ports)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an access list.

    Attributes:
        number: its sequence number.
        text: without the number, canonical: `permit tcp 10.64.8.0 0.0.0.255 any eq 443`.
        match: what it looks at; None for a remark, or where it is written in words not known here.
    """

    number: int
    text: str
    match: Match | None = None

    @property
    def permit(self) -> bool:
        """Tell whether it lets through; what is no denial is taken for one that does (`evaluate`)."""
        return not self.text.startswith("deny ")

    @property
    def counts(self) -> bool:
        """Tell whether it decides anything: a remark does not, and a list of remarks is empty."""
        return not self.text.startswith("remark")

    @property
    def bare(self) -> str:
        """Return its text without logging: IOS takes two entries that differ by it only for one."""
        return " ".join(word for word in self.text.split() if word not in _LOGGING)

    def __str__(self) -> str:
        return f"{self.number} {self.text}"


def entries(lines: Iterable[str]) -> tuple[Entry, ...]:
    """Return the entries of a list, sorted by number.

    Lines without numbers, as classic IOS prints them, get 10, 20, ...: what the list has after a restart. Remarks
    without numbers are left out: they have no place of their own.
    """
    found: dict[int, Entry] = {}
    last = 0
    for line in lines:
        head, _, rest = line.partition(" ")
        numbered = head.isascii() and head.isdecimal()
        if not numbered and head == "remark":
            continue
        last = int(head) if numbered else last + 10
        found[last] = entry(last, rest if numbered else line)
    return tuple(found[number] for number in sorted(found))


def entry(number: int, text: str) -> Entry:
    """Return an entry from its words; what they mean the same way is written the same way."""
    action, _, rest = " ".join(text.split()).partition(" ")
    if action.lower() not in {"permit", "deny"}:
        return Entry(number, f"{action} {rest}".strip())
    match = parsed(rest.lower().split())
    return Entry(number, f"{action.lower()} {rest if match is None else match}", match)


def parsed(words: Sequence[str]) -> Match | None:
    """Return what an entry looks at, from its words after `permit` or `deny`; None when they are not understood."""
    left = list(words)
    try:
        protocol = PROTOCOLS.get(left[0], left[0])
        del left[0]
        source = _addresses(left)
        source_ports = _ports(left, protocol)
        destination = _addresses(left)
        ports = _ports(left, protocol)
    except (ValueError, IndexError):
        return None
    options = [ICMP.get(word, word) for word in left] if protocol == "icmp" else left
    return Match(protocol, source, source_ports, destination, ports, tuple(options))


def permits(listed: Sequence[Entry] | None, packet: Packet) -> bool:
    """Tell whether a list lets a packet through: the first entry that means it decides.

    A list that is missing (None) or empty lets everything through; any other one ends with a deny of everything.
    """
    if not any(one.counts for one in listed or ()):
        return True
    for one in listed or ():
        if one.match is not None and packet in one.match:
            return one.permit
    return False


def edits(have: Sequence[Entry], want: Sequence[Entry], fixed: range) -> tuple[str, ...] | None:
    """Return the lines that turn a list in force into another one, or None when a second list is needed for it.

    Denials are added, permits taken away, permits added, denials taken away: each state in between lets through
    nothing that neither end lets through. None when a number would change its meaning, the list would be empty on the
    way (IOS then lets everything through), an entry would stand twice on the way (IOS refuses it), or an entry
    numbered in `fixed` would change.
    """
    gone = [one for one in have if one not in want]
    come = [one for one in want if one not in have]
    numbers = {one.number for one in gone} & {one.number for one in come}
    if not any(one.counts for one in have) or not any(one.counts for one in want):
        return None
    if numbers or any(one.number in fixed for one in (*gone, *come)):
        return None
    steps = [
        *(_Step(one, add=True) for one in come if not one.permit),
        *(_Step(one, add=False) for one in gone if one.permit),
        *(_Step(one, add=True) for one in come if one.permit),
        *(_Step(one, add=False) for one in gone if not one.permit),
    ]
    standing = {one.number: one for one in have}
    for step in steps:
        if step.add:
            if step.entry.counts and step.entry.bare in {one.bare for one in standing.values()}:
                return None
            standing[step.entry.number] = step.entry
        else:
            del standing[step.entry.number]
            if not any(one.counts for one in standing.values()):
                return None
    return tuple(map(str, steps))


def rebuilt(have: Sequence[Entry], want: Sequence[Entry]) -> tuple[str, ...]:
    """Return the lines that turn a list that is bound nowhere into another one."""
    gone = [f"no {one.number}" for one in have if one not in want]
    return (*gone, *(str(one) for one in want if one not in have))


@dataclass(frozen=True, slots=True)
class _Step:
    entry: Entry
    add: bool

    def __str__(self) -> str:
        return str(self.entry) if self.add else f"no {self.entry.number}"


def addresses(network: str) -> Addresses:
    """Return the addresses of a network, `10.64.8.0/24`; `any` for all."""
    if network == "any":
        return ANY
    parsed_network = ipaddress.IPv4Network(network)
    return Addresses(int(parsed_network.network_address), int(parsed_network.hostmask))


def _addresses(left: list[str]) -> Addresses:
    first = left.pop(0)
    if first == "any":
        return ANY
    if first == "host":
        return Addresses(int(ipaddress.IPv4Address(left.pop(0))), 0)
    base, wildcard = int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(left.pop(0)))
    return Addresses(base & ~wildcard & _ALL, wildcard)


def _ports(left: list[str], protocol: str) -> Ports | None:
    if protocol not in {"tcp", "udp"} or not left or left[0] not in {"eq", "neq", "gt", "lt", "range"}:
        return None
    operator = left.pop(0)
    numbers = [_number(left.pop(0), protocol)]
    if operator == "range":
        numbers.append(_number(left.pop(0), protocol))
        operator, numbers = ("eq", numbers[:1]) if numbers[0] == numbers[1] else ("range", sorted(numbers))
    elif operator == "eq":
        # IOS-XE takes several ports in one entry.
        while left and port(left[0], protocol) is not None:
            numbers.append(_number(left.pop(0), protocol))
        numbers = sorted(set(numbers))
    return Ports(operator, tuple(numbers))


def _number(word: str, protocol: str) -> int:
    number = port(word, protocol)
    if number is None:
        raise ValueError(word)
    return number


def _has(ports: Ports | None, number: int) -> bool:
    return ports is None or any(first <= number <= last for first, last in ports.spans)


def _share(one: Ports | None, other: Ports | None) -> bool:
    if one is None or other is None:
        return True
    return any(a <= d and c <= b for a, b in one.spans for c, d in other.spans)


def numbered(shown: str) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Yield the extended lists that `show ip access-lists` prints, by name, with their numbers, without counters."""
    name, lines = None, list[str]()
    for line in shown.replace("\r", "").split("\n"):
        if line.startswith("Extended IP access list "):
            if name is not None:
                yield name, entries(lines)
            name, lines = line.split()[-1], []
        elif name is not None and line[:1] == " " and line.split()[0].isdecimal():
            lines.append(line.strip().partition(" (")[0])
        elif line.strip() and line[:1] != " ":
            if name is not None:
                yield name, entries(lines)
            name, lines = None, []
    if name is not None:
        yield name, entries(lines)
