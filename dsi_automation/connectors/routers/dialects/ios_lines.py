"""A Cisco IOS that takes lines of configuration mode, as far as a difference needs it; pure."""

from __future__ import annotations

import re
from typing import Final

from dsi_automation.connectors.routers import acl
from dsi_automation.connectors.routers.endpoints import address, interface_name, mask, overlapping, static_route
from dsi_automation.connectors.routers.lines import INVALID, RefusedLineError, Taking, single, switch

LIST: Final = "ip access-list extended "
_MADE: Final = ("Loopback", "Vlan", "Tunnel", "Port-channel")
"""Kinds of interfaces that exist once they are named."""


_OTHERS: Final = re.compile(
    r"(?:no )?(?:ip (?:ospf|rip|pim|igmp|nat|mtu|tcp|helper-address|vrf|flow|virtual-reassembly|proxy-arp|redirects)"
    r"|vrf forwarding|ipv6|bandwidth|delay|duplex|speed|mtu|keepalive|standby|encapsulation|negotiation|load-interval"
    r"|service-policy|switchport|spanning-tree|media-type)\b"
)
"""Other lines an interface takes, which are nobody's business here."""


class IosTaking(Taking):
    """An IOS that takes lines."""

    def enter(self, text: str) -> None:
        """Enter an interface or a list, or take one away."""
        self.heading = ""
        negated = text.startswith("no ")
        bare = text.removeprefix("no ")
        if re.fullmatch(r"interface \S+(?: \S+)?", bare):
            heading = f"interface {interface_name(bare.split(' ', 1)[1])}"
            if heading not in self.sections and not heading.split()[1].startswith(_MADE):
                raise RefusedLineError(text, INVALID)
        elif re.fullmatch(LIST + r"\S+", bare):
            heading = bare
        else:
            raise RefusedLineError(text, INVALID)
        if not negated:
            self.heading = heading
            self.sections.setdefault(heading, [])
        elif self.sections.pop(heading, None) is None:
            raise RefusedLineError(text, INVALID)

    def under(self, text: str) -> None:
        """Take a line of an interface or a list."""
        lines = self.sections[self.heading]
        if self.heading.startswith(LIST):
            _entry(lines, text)
        elif re.match(r"(?:no )?description\b", text):
            single(lines, "description", None if text.startswith("no ") else text)
        elif text in {"shutdown", "no shutdown"}:
            single(lines, "shutdown", None if text.startswith("no ") else text)
        elif re.match(r"(?:no )?ip (?:address|unnumbered)\b", text):
            self._address(lines, text)
        elif re.fullmatch(r"(?:no )?ip access-group \S+ (?:in|out)", text):
            self._group(lines, text)
        elif _OTHERS.match(text):
            switch(lines, text)
        else:
            raise RefusedLineError(text, INVALID)

    def top(self, text: str) -> None:
        """Take a line of the top level."""
        if not re.match(r"(?:no )?ip route \d", text):
            super().top(text)
            return
        negated = text.startswith("no ")
        route = static_route(text.removeprefix("no "))
        if route is None:
            raise RefusedLineError(text, INVALID)
        network, _, length = route.prefix.partition("/")
        via = route.via if route.via[0].isdigit() else interface_name(route.via)
        line = " ".join(("ip route", network, mask(int(length)), via, *route.options))
        lines = self.sections[""]
        same = [one for one in lines if one == line or one.startswith(f"{line} ")]
        if negated and not same:
            raise RefusedLineError(text, "%No matching route to delete")
        if negated:
            lines.remove(same[0])
        elif line not in lines:
            lines.append(line)

    def _address(self, lines: list[str], text: str) -> None:
        bare = text.removeprefix("no ")
        given = address(bare)
        secondary = bare.endswith(" secondary")
        line = bare
        if given is not None:
            line = f"ip address {given.ip} {mask(given.network.prefixlen)}{' secondary' if secondary else ''}"
        mine = [one for one in lines if one.startswith(("ip address ", "ip unnumbered "))]
        if text.startswith("no "):
            self._no_address(lines, mine, line, text)
        elif secondary:
            self._check_overlap(line, text)
            lines += [line] if line not in lines else []
        else:
            self._check_overlap(line, text)
            gone = [one for one in mine if not one.endswith(" secondary") or line.startswith("ip unnumbered ")]
            lines[:] = [*(one for one in lines if one not in gone), line]

    def _no_address(self, lines: list[str], mine: list[str], line: str, text: str) -> None:
        if line in {"ip address", "ip unnumbered"}:
            lines[:] = [one for one in lines if one not in mine or not one.startswith(line)]
        elif line not in mine:
            raise RefusedLineError(text, "% Invalid address")
        elif not line.endswith(" secondary") and len(mine) > 1:
            raise RefusedLineError(text, "% Must delete secondary before deleting primary")
        else:
            lines.remove(line)

    def _check_overlap(self, line: str, text: str) -> None:
        given = address(line)
        if given is None:
            return
        other = overlapping(given.network, self.heading, self.sections)
        if other is not None:
            name = other.removeprefix("interface ")
            raise RefusedLineError(text, f"% {given.network.network_address} overlaps with {name}")

    def _group(self, lines: list[str], text: str) -> None:
        direction = text.rsplit(maxsplit=1)[-1]
        binding = re.compile(rf"ip access-group \S+ {direction}")
        if text.startswith("no "):
            switch(lines, text)
        else:
            lines[:] = [*(line for line in lines if not binding.fullmatch(line)), text]


def _entry(lines: list[str], text: str) -> None:
    """Take an entry of a list, or the removal of one.

    Two entries that say the same, but for logging, are refused here: what IOS does with the second one differs from
    one release to another.
    """
    listed = {one.number: one for one in acl.entries(lines)}
    if re.fullmatch(r"no \d+", text):
        if listed.pop(int(text.split()[1]), None) is None:
            raise RefusedLineError(text, "%Entry not found")
    else:
        numbered = re.fullmatch(r"(\d+) ((?:permit|deny|remark) .+)", text)
        if numbered is None:
            raise RefusedLineError(text, INVALID)
        new = acl.entry(int(numbered[1]), numbered[2])
        if new.counts and new.match is None:
            raise RefusedLineError(text, INVALID)
        there = listed.get(new.number)
        if there is not None and there.text != new.text:
            raise RefusedLineError(text, "% Duplicate sequence number")
        if there is None and new.counts and new.bare in {one.bare for one in listed.values()}:
            raise RefusedLineError(text, "% Duplicate access list entry")
        listed[new.number] = new
    lines[:] = [str(listed[number]) for number in sorted(listed)]
