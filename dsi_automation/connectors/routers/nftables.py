"""The packet filter of a Linux router: lines of the section `filter DSI-LAN-IN` to nft(8), and back. Pure.

What the lines mean, and what nft is told::

    inside lan0                 what comes in there is filtered; nothing else is
    lan 10.64.8.0/24            only these addresses may come from there
    management 198.18.0.1/32    reaches this router, and through it others, over SSH, whatever else is denied
    internal 10.64.0.0/12       all other addresses are the Internet
    deny any tcp/23             comes before all rules
    rule ac-k7m2qx 10.64.8.8/29 10.64.0.5/32 tcp/8443 until 2026-12-31T23:59:59Z
                                an element of a set, with a time-out (nftables.org, “Element timeouts”), its id and end
                                in its comment

Packets of a connection that was opened from the LAN are held against the rules one by one, answers to others are let
through by connection tracking: an access that ends or is taken away ends the connections that used it as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.routers.dialects import frr_filter
from dsi_automation.connectors.routers.intent import FILTER, INTERNET
from dsi_automation.connectors.routers.lines import RefusedLineError
from dsi_automation.connectors.routers.nft_json import Unknown, network, ports
from dsi_automation.connectors.routers.nft_table import CHAINS, RULES, SETS, TABLE

HEADING: Final = f"filter {FILTER}"
_NETWORK = r"\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}"
_SERVICE = r"(?P<protocol>tcp|udp)/(?P<ports>\d{1,5}(?:-\d{1,5})?)"
_LINES: Final = {
    "inside": re.compile(r"inside (?P<name>[A-Za-z][A-Za-z0-9._-]{0,14})", re.ASCII),
    "lan": re.compile(f"lan (?P<network>{_NETWORK})", re.ASCII),
    "management": re.compile(f"management (?P<network>{_NETWORK})", re.ASCII),
    "internal": re.compile(f"internal (?P<network>{_NETWORK})", re.ASCII),
    "deny": re.compile(f"deny (?P<to>any|{_NETWORK}) {_SERVICE}", re.ASCII),
    "rule": re.compile(
        rf"rule (?P<id>ac-[a-z2-7]+) (?P<source>{_NETWORK}) (?P<to>{INTERNET}|{_NETWORK}) {_SERVICE}"
        r"(?: until (?P<until>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?",
        re.ASCII,
    ),
}
_COMMENT: Final = re.compile(r"(ac-[a-z2-7]+)(?: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?")


@dataclass(frozen=True, slots=True)
class Script:
    """A filter as nft takes it, whole or not at all.

    Attributes:
        text: what `nft -f` reads; the time-outs are added where it is loaded, by the clock there.
        lines: our line each line of the text was made from, by its number, 1 for the first.
    """

    text: str
    lines: Mapping[int, str]

    def culprit(self, complaint: str) -> tuple[str, str] | None:
        """Return the line of ours that nft complains about, and its words; None when it names none."""
        for found in re.finditer(r":(\d+):\d+(?:-\d+)?: Error: (.*)", complaint):
            line = self.lines.get(int(found[1]))
            if line is not None:
                return line, found[2].strip()
        return None


def script(lines: Sequence[str] | None) -> Script:
    """Return what puts a filter in place of the present one; None takes it away.

    Raises:
        RefusedLineError: a line that is none of ours, such as `unexpected ...`.
    """
    text = [f"add table inet {TABLE}", f"delete table inet {TABLE}"]
    if lines is None:
        return Script("\n".join([*text, ""]), {})
    parts = [(line, kind, _parts(kind, line)) for line in lines for kind in (line.partition(" ")[0],)]
    elements = _elements([each for each in parts if each[1] != "deny"])
    origin: dict[int, str] = {}

    def say(line: str, text_of_ours: str | None = None) -> None:
        text.append(line)
        if text_of_ours is not None:
            origin[len(text)] = text_of_ours

    say(f"table inet {TABLE} {{")
    for name, kept in SETS.items():
        say(f"\tset {name} {{ {kept}")
        if elements[name]:
            say("\t\telements = {")
            for element, line in elements[name].items():
                say(f"\t\t\t{element},", line)
            say("\t\t}")
        say("\t}")
    say("\tchain denied {")
    for line, kind, found in parts:
        if kind == "deny":
            say(f"\t\t{_denial(found)}", line)
    say("\t}")
    return Script("\n".join([*text, *CHAINS, "}", ""]), origin)


def read(listing: str) -> tuple[str, ...] | None:
    """Return the lines of the section from what `nft -j list table inet dsi` prints; None without the table.

    Whatever is in the table and not ours is there as `unexpected ...`, and so is a rule of ours that is gone.

    Raises:
        ValueError: it is not what nft prints.
    """
    objects = [next(iter(each.items())) for each in json.loads(listing).get("nftables", [])]
    if not any(kind == "table" for kind, _ in objects):
        return None
    lines: list[str] = []
    unexpected: list[str] = []
    for kind, found in objects:
        if kind == "set" and str(found["name"]) in SETS:
            for element in found.get("elem", ()):
                line = _line(str(found["name"]), element)
                (unexpected if line.startswith("unexpected ") else lines).append(line)
        elif kind == "rule" and found["chain"] == "denied":
            line = _denied(found["expr"])
            (unexpected if line.startswith("unexpected ") else lines).append(line)
        elif kind not in {"metainfo", "table", "chain", "rule", "counter"} or _foreign(kind, found):
            what = f"{found['chain']} {_compact(found['expr'])}" if kind == "rule" else found.get("name", "")
            unexpected.append(_told(f"unexpected {kind} {what}"))
    unexpected += _changed_chains(objects)
    return (*sorted(lines, key=frr_filter.order), *unexpected)


def _parts(kind: str, line: str) -> dict[str, str]:
    found = _LINES[kind].fullmatch(line) if kind in _LINES else None
    if found is None:
        raise RefusedLineError(line, "not a line of the filter")
    return {name: value or "" for name, value in found.groupdict().items()}


def _denial(parts: Mapping[str, str]) -> str:
    to = "" if parts["to"] == "any" else f"ip daddr {parts['to']} "
    return f"{to}{parts['protocol']} dport {parts['ports']} drop"


def _size(line: str) -> int:
    """Return how much a line covers: the kernel refuses an element within another that is there already."""
    found = _LINES["rule"].fullmatch(line)
    if found is None:
        return 0
    first, _, last = found["ports"].partition("-")
    size = int(last or first) - int(first) + 1
    for end in (found["source"], found["to"]):
        size <<= 0 if end == INTERNET else 32 - int(end.partition("/")[2])
    return size


def _elements(parts: Iterable[tuple[str, str, Mapping[str, str]]]) -> dict[str, dict[str, str]]:
    """Return the elements of each set, each with the line it is made from; narrow ones first, see `_size`."""
    found: dict[str, dict[str, str]] = {name: {} for name in SETS}
    covered: set[tuple[str, str]] = set()
    for line, kind, values in sorted(parts, key=lambda each: _size(each[0])):
        name, covers, comment = _element(kind, values)
        # nft would take the first of two that are the same, and say nothing.
        if (name, covers) in covered:
            raise RefusedLineError(line, "covers what another line covers")
        covered.add((name, covers))
        found[name][f"{covers}{comment}"] = line
    return found


def _element(kind: str, parts: Mapping[str, str]) -> tuple[str, str, str]:
    """Return its set, what it covers and its comment."""
    if kind == "inside":
        return "inside", f'"{parts["name"]}"', ""
    if kind != "rule":
        return kind, parts["network"], ""
    end = f" {parts['until']}" if parts["until"] else ""
    comment = f' comment "{parts["id"]}{end}"'
    service = f"{parts['protocol']} . {parts['ports']}"
    if parts["to"] == INTERNET:
        return "internet4", f"{parts['source']} . {service}", comment
    return "allow4", f"{parts['source']} . {parts['to']} . {service}", comment


def _line(name: str, element: Any) -> str:
    try:
        if name == "inside" and isinstance(element, str):
            return f"inside {element}"
        if name in {"lan", "management", "internal"}:
            return f"{name} {network(element)}"
        return _rule(name, element["elem"])
    except (Unknown, KeyError, TypeError):
        return _told(f"unexpected element {name} {_compact(element)}")


def _rule(name: str, element: Mapping[str, Any]) -> str:
    found = _COMMENT.fullmatch(str(element["comment"]))
    # Without a time-out an access would not end with its end.
    if found is None or (found[2] is None) != ("timeout" not in element):
        raise Unknown
    source, *to, protocol, service = element["val"]["concat"]
    first, last = ports(service)
    where = network(to[0]) if name == "allow4" else INTERNET
    shown = f"{first}" if first == last else f"{first}-{last}"
    until = "" if found[2] is None else f" until {found[2]}"
    return f"rule {found[1]} {network(source)} {where} {protocol}/{shown}{until}"


def _denied(expression: Sequence[Mapping[str, Any]]) -> str:
    try:
        *matches, last = expression
        fields = {_field(match["match"]): match["match"]["right"] for match in matches}
        to = network(fields.pop("ip daddr")) if len(matches) == 2 else "any"
        ((name, service),) = fields.items()
        low, high = ports(service)
        protocol = {"tcp dport": "tcp", "udp dport": "udp"}[name]
        drops = last == {"drop": None}
        line = f"deny {to} {protocol}/{low}" + ("" if low == high else f"-{high}")
    except (Unknown, KeyError, TypeError, ValueError):
        drops, line = False, ""
    if not drops:
        return _told(f"unexpected rule denied {_compact(expression)}")
    return line


def _field(match: Mapping[str, Any]) -> str:
    if match["op"] != "==":
        raise Unknown
    payload = match["left"]["payload"]
    return f"{payload['protocol']} {payload['field']}"


def _foreign(kind: str, found: Mapping[str, Any]) -> bool:
    match kind:
        case "chain":
            return found["name"] not in RULES and found["name"] != "denied"
        case "rule":
            return found["chain"] not in RULES
        case "counter":
            return bool(found["name"] != "refused")
    return False


def _changed_chains(objects: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield what is not as it should be in the chains that are always the same."""
    hooks = {found["name"]: found.get("hook") for kind, found in objects if kind == "chain"}
    for chain, (hook, wanted) in RULES.items():
        present = [_compact(found["expr"]) for kind, found in objects if kind == "rule" and found["chain"] == chain]
        expected = [_compact(rule) for rule in wanted]
        if hooks.get(chain, "") != hook:
            yield f"unexpected absence of chain {chain}"
        elif present != expected:
            extra = [rule for rule in present if rule not in expected]
            yield from (_told(f"unexpected rule {chain} {rule}") for rule in extra)
            if not extra:
                yield f"unexpected absence or order of rules in chain {chain}"


def _told(line: str) -> str:
    """Return a line of somebody else's making with single blanks, as all lines are compared."""
    return " ".join(line.split())


def _compact(value: Any) -> str:
    return json.dumps(_steady(value), separators=(",", ":"), sort_keys=True)


def _steady(value: Any) -> Any:
    """Return a value without what changes from one look to the next: counts, and the time that is left."""
    if isinstance(value, dict):
        return {key: _steady(each) for key, each in value.items() if key not in {"packets", "bytes", "expires"}}
    return [_steady(each) for each in value] if isinstance(value, list) else value
