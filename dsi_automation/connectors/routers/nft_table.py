"""The parts of the table `inet dsi` that are the same on every router: as nft takes them, and as it prints them."""

from __future__ import annotations

from typing import Any, Final

TABLE: Final = "dsi"

SETS: Final = {
    "inside": "type ifname;",
    "lan": "type ipv4_addr; flags interval;",
    "management": "type ipv4_addr; flags interval;",
    "internal": "type ipv4_addr; flags interval;",
    "allow4": "type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval,timeout;",
    "internet4": "type ipv4_addr . inet_proto . inet_service; flags interval,timeout;",
}
"""What the lines are kept in. Addresses of IPv6 are in none: nothing of it passes."""

CHAINS: Final = (
    "\tcounter refused { }",
    "\tchain refuse {",
    '\t\tlimit rate 10/second log prefix "dsi refused: "',
    "\t\tcounter name refused drop",
    "\t}",
    "\tchain to_router {",
    "\t\ttype filter hook input priority filter; policy accept;",
    "\t\tiifname != @inside return",
    "\t\tct state related accept",
    "\t\tct state established ct direction reply accept",
    "\t\tip saddr @management tcp dport 22 accept",
    "\t\tudp dport 67 accept",
    "\t\tgoto refuse",
    "\t}",
    "\tchain from_lan {",
    "\t\ttype filter hook forward priority filter; policy accept;",
    "\t\tiifname != @inside return",
    "\t\tct state related accept",
    "\t\tct state established ct direction reply accept",
    "\t\tip saddr @management tcp dport 22 accept",
    "\t\tip saddr != @lan goto refuse",
    "\t\tip saddr @lan udp dport 67 accept",
    "\t\tjump denied",
    "\t\tip saddr . ip daddr . meta l4proto . th dport @allow4 accept",
    "\t\tip daddr != @internal ip saddr . meta l4proto . th dport @internet4 accept",
    "\t\tgoto refuse",
    "\t}",
)
"""What is done with a packet. `denied` has a rule for each denial and is written before these.

The same is meant as by the list of a Cisco router (`bands.base`): from the LAN to the router itself come answers,
leases (RFC 2131, port 67) and the management's SSH, nothing else; leases are renewed through it.
"""


def _match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def _payload(protocol: str, field: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": field}}


_ACCEPT: Final = {"accept": None}
_REFUSE: Final = {"goto": {"target": "refuse"}}
_SOURCE: Final = _payload("ip", "saddr")
_TO: Final = _payload("ip", "daddr")
_SERVICE: Final = ({"meta": {"key": "l4proto"}}, _payload("th", "dport"))
_OUTSIDE: Final = [_match({"meta": {"key": "iifname"}}, "@inside", "!="), {"return": None}]
_SSH: Final = _match(_payload("tcp", "dport"), 22)
_LEASES: Final = _match(_payload("udp", "dport"), 67)
_ANSWERS: Final = [
    [_match({"ct": {"key": "state"}}, "related", "in"), _ACCEPT],
    [_match({"ct": {"key": "state"}}, "established", "in"), _match({"ct": {"key": "direction"}}, "reply"), _ACCEPT],
]
_MANAGEMENT: Final = [_match(_SOURCE, "@management"), _SSH, _ACCEPT]

RULES: Final[dict[str, tuple[str | None, list[list[dict[str, Any]]]]]] = {
    "refuse": (
        None,
        [
            [{"limit": {"rate": 10, "burst": 5, "per": "second"}}, {"log": {"prefix": "dsi refused: "}}],
            [{"counter": "refused"}, {"drop": None}],
        ],
    ),
    "to_router": ("input", [_OUTSIDE, *_ANSWERS, _MANAGEMENT, [_LEASES, _ACCEPT], [_REFUSE]]),
    "from_lan": (
        "forward",
        [
            _OUTSIDE,
            *_ANSWERS,
            _MANAGEMENT,
            [_match(_SOURCE, "@lan", "!="), _REFUSE],
            [_match(_SOURCE, "@lan"), _LEASES, _ACCEPT],
            [{"jump": {"target": "denied"}}],
            [_match({"concat": [_SOURCE, _TO, *_SERVICE]}, "@allow4"), _ACCEPT],
            [_match(_TO, "@internal", "!="), _match({"concat": [_SOURCE, *_SERVICE]}, "@internet4"), _ACCEPT],
            [_REFUSE],
        ],
    ),
}
"""The same as `nft -j` prints it (libnftables-json(5)), by chain: its hook, and its rules."""
