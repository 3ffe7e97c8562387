"""The packet filter of a Linux router, in a small language of ours.

It is a section of the configuration like any other; the driver turns it into nftables and reads it back::

    filter DSI-LAN-IN
     inside lan0
     lan 10.64.8.0/24
     management 198.18.0.1/32
     internal 10.64.0.0/12
     deny any tcp/23
     rule ac-k7m2qx 10.64.8.8/29 10.64.0.5/32 tcp/8443 until 2026-12-31T23:59:59Z

What else is in the table comes back as a line `unexpected ...`; it can be taken away, and never be put there.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.routers import acl
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.intent import INTERNET, AccessRule, FilterIntent
from dsi_automation.connectors.routers.lines import INVALID, RefusedLineError, single, switch

KEYWORDS: Final = ("inside", "lan", "management", "internal", "deny", "rule", "unexpected")
"""Lines of a filter, in the order they are written."""
_SERVICE: Final = r"(?P<protocol>tcp|udp)/(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?"
_RULE: Final = re.compile(
    rf"rule (?P<id>ac-[a-z2-7]{{6}}) (?P<source>\S+/\d+) (?P<destination>internet|\S+/\d+) {_SERVICE}"
    r"(?: until (?P<until>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?"
)
_DENY: Final = re.compile(rf"deny (?P<destination>any|\S+/\d+) {_SERVICE}")


def rule_line(rule: AccessRule) -> str:
    """Return the line of an access; one without an identifier gets that of what it lets through."""
    key = hashlib.sha256(repr(rule.key).encode()).digest()
    identifier = rule.id or f"ac-{base64.b32encode(key)[:6].decode().lower()}"
    until = "" if rule.until is None else f" until {rule.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"rule {identifier} {rule.source} {rule.destination} {rule.service}{until}"


def rule(line: str) -> AccessRule | None:
    """Return the access a line opens; None when it is no such line."""
    found = _RULE.fullmatch(line)
    if found is None:
        return None
    try:
        until = None if found["until"] is None else datetime.fromisoformat(found["until"])
    except ValueError:
        return None
    return AccessRule(found["id"], found["source"], found["destination"], found["protocol"], *_ports(found), until)


def base(wanted: FilterIntent) -> list[str]:
    """Return the lines of the filter itself, without those of requests."""
    denied = (
        AccessRule(None, "", one.destination, one.protocol, one.first_port, one.last_port) for one in wanted.denied
    )
    return [
        f"inside {wanted.inside}",
        f"lan {wanted.lan}",
        *(f"management {one}" for one in wanted.management),
        *(f"internal {one}" for one in wanted.internal),
        *(f"deny {one.destination} {one.service}" for one in denied),
    ]


def standing(wanted: AccessRule, lines: Sequence[str]) -> str:
    """Return the line of an access: the one that is there already, where the rule itself has no identifier."""
    if wanted.id is None:
        for line in lines:
            there = rule(line)
            if there is not None and there.key == wanted.key and wanted.until in {None, there.until}:
                return line
    return rule_line(wanted)


def section(running: Config) -> tuple[str, ...]:
    """Return the lines of the filter; empty where there is none."""
    return next((lines for name, lines in running.sections.items() if name.startswith("filter ")), ())


def order(line: str) -> tuple[int, str]:
    """Return what lines of a filter are sorted by."""
    keyword = line.partition(" ")[0]
    return (KEYWORDS.index(keyword) if keyword in KEYWORDS else len(KEYWORDS), line)


def lines(name: str, have: Sequence[str] | None, want: Sequence[str]) -> Iterator[str]:
    """Yield what leads from one filter to another; taken as a whole, so that its order does not matter."""
    if have is not None and tuple(have) == tuple(want):
        return
    yield name
    for line in have or ():
        keyword = line.split()[0]
        replaced = keyword in {"inside", "lan"} and any(one.startswith(f"{keyword} ") for one in want)
        if line not in want and not replaced:
            gone = " ".join(line.split()[:2]) if line.startswith("rule ") else line
            yield f" no {gone}"
    yield from (f" {line}" for line in want if line not in (have or ()) and not line.startswith("unexpected "))
    yield "exit"


def denies(line: str, wanted: AccessRule) -> bool:
    """Tell whether a line denies all or a part of what a rule would let through."""
    if line.startswith("unexpected "):
        # Somebody's own: what it is about is not known here.
        return re.search(r"\b(?:drop|reject)\b", line) is not None
    found = _DENY.fullmatch(line)
    if found is None:
        return False
    denied = AccessRule(None, "any", found["destination"], found["protocol"], *_ports(found))
    return _match(denied).overlaps(_match(wanted))


def take(there: list[str], text: str) -> None:
    """Take a line of a filter, as the driver does.

    Raises:
        RefusedLineError: it is none.
    """
    keyword, _, rest = text.removeprefix("no ").partition(" ")
    if keyword not in KEYWORDS or not rest:
        raise RefusedLineError(text, INVALID)
    if text.startswith("no rule "):
        gone = [line for line in there if line.startswith(f"rule {rest.split()[0]} ")]
        if not gone:
            raise RefusedLineError(text, "% no such rule")
        there.remove(gone[0])
    elif text.startswith("no "):
        switch(there, text)
    elif not _valid(keyword, rest, text) or _taken(there, text):
        raise RefusedLineError(text, INVALID)
    elif keyword in {"inside", "lan"}:
        single(there, keyword, text)
    else:
        switch(there, text)


def _match(wanted: AccessRule) -> acl.Match:
    where = acl.ANY if wanted.destination == INTERNET else acl.addresses(wanted.destination)
    ports = acl.Ports("range", (wanted.first_port, wanted.last_port))
    return acl.Match(wanted.protocol, acl.addresses(wanted.source), None, where, ports, ())


def _ports(found: re.Match[str]) -> tuple[int, int]:
    return int(found["first"]), int(found["last"] or found["first"])


def _valid(keyword: str, rest: str, text: str) -> bool:
    match keyword:
        case "inside":
            return re.fullmatch(r"[A-Za-z][\w./-]*", rest) is not None
        case "rule":
            return rule(text) is not None
        case "deny":
            return _DENY.fullmatch(text) is not None
        case "unexpected":
            return False
        case _:
            return _network(rest)


def _network(text: str) -> bool:
    try:
        return "/" in text and bool(ipaddress.IPv4Network(text))
    except ValueError:
        return False


def _taken(there: Sequence[str], text: str) -> bool:
    """Tell whether another rule has this one's identifier: each has its own."""
    return text.startswith("rule ") and any(line.split()[:2] == text.split()[:2] and line != text for line in there)
