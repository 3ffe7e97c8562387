"""The configuration of an emulated router, and the lines of configuration mode that it takes."""

from __future__ import annotations

import copy
import re
from typing import Final

from dsi_automation.lab.ios.texts import say

MODES: Final = {
    "interface": "(config-if)",
    "ip access-list extended": "(config-ext-nacl)",
    "archive": "(config-archive)",
}
_HEADING: Final = re.compile(r"(interface|ip access-list extended|archive)(?: (\S+))?")
_ACE: Final = re.compile(r"(?:(\d+) )?((?:permit|deny) .+|remark .+)")
_TOP: Final = re.compile(r"(?:ip route|ip access-list resequence|hostname|logging|ntp|alias|username) ?")
_UNDER: Final = re.compile(r"(?:ip address|ip access-group|description|shutdown|path|maximum|log|bandwidth) ?")


class Configuration:
    """Lines of the top level and under headings; entries of access lists have numbers of their own.

    Attributes:
        prints_numbers: newer IOS-XE prints the numbers of access lists, classic IOS does not.
    """

    def __init__(self, hostname: str, interfaces: tuple[str, ...], *, prints_numbers: bool = True) -> None:
        """Begin with interfaces that are shut down."""
        self.hostname = hostname
        self.top: list[str] = []
        self.sections: dict[str, list[str]] = {f"interface {name}": ["shutdown"] for name in interfaces}
        self.lists: dict[str, dict[int, str]] = {}
        self.prints_numbers = prints_numbers

    def copied(self) -> Configuration:
        """Return a copy that shares nothing."""
        return copy.deepcopy(self)

    @property
    def archive(self) -> str | None:
        """Return where snapshots are kept, if anywhere."""
        return next((line[5:] for line in self.sections.get("archive", ()) if line.startswith("path ")), None)

    def text(self) -> str:
        """Return it as printed, from the hostname to `end`."""
        lines = [f"hostname {self.hostname}", "!"]
        for heading, under in self.sections.items():
            lines += [heading, *(f" {line}" for line in under), "!"]
        lines += [line for line in self.top if line.startswith("ip route")]
        lines.append("!")
        for name, entries in self.lists.items():
            lines.append(f"ip access-list extended {name}")
            lines += [f" {number} {text}" if self.prints_numbers else f" {text}" for number, text in _sorted(entries)]
            lines.append("!")
        lines += [line for line in self.top if not line.startswith("ip route")]
        return "\n".join([*lines, "!", "end", ""])

    def entries(self, name: str) -> list[tuple[int, str]]:
        """Return the entries of an access list, in order."""
        return _sorted(self.lists.get(name, {}))

    def enter(self, line: str) -> str | None:
        """Return the mode a heading leads to, made where it can be; None when the line is no such heading."""
        found = _HEADING.fullmatch(line)
        if found is None:
            return None
        if found[1] == "ip access-list extended":
            self.lists.setdefault(found[2], {})
        elif line == "archive" or line.startswith("interface Loopback"):
            self.sections.setdefault(line, [])
        elif line not in self.sections:
            return None
        return MODES[found[1]]

    def take(self, heading: str | None, line: str) -> str:
        """Take a line of the mode it is in, and return what is answered: nothing when it is taken."""
        negated = line.startswith("no ")
        bare = line.removeprefix("no ")
        if heading is not None and heading.startswith("ip access-list extended "):
            # A rollback may have taken it away under a session that is in its mode still: what is typed makes it anew.
            return self._entry(self.lists.setdefault(heading.split()[-1], {}), bare, negated=negated)
        if heading is None and negated and bare.startswith("ip access-list extended "):
            return "" if self.lists.pop(bare.split()[-1], None) is not None else say("invalid", caret=" " * 20)
        allowed = _UNDER if heading is not None else _TOP
        if not allowed.match(bare):
            return say("invalid", caret=" " * 16)
        return self._line(self.top if heading is None else self.sections[heading], bare, negated=negated)

    def _line(self, lines: list[str], bare: str, *, negated: bool) -> str:
        keyword = next((one for one in ("description", "ip address", "path", "maximum") if bare.startswith(one)), None)
        if negated:
            gone = [line for line in lines if line == bare or (keyword == bare and line.startswith(bare))]
            if not gone and bare.startswith("ip route "):
                return say("no_route_to_delete")
            lines[:] = [line for line in lines if line not in gone]
            return ""
        if keyword is not None:
            lines[:] = [line for line in lines if not line.startswith(f"{keyword} ")]
        if bare.startswith("ip access-group "):
            lines[:] = [line for line in lines if line.split()[::3] != bare.split()[::3]]
        if bare not in lines:
            lines.append(bare)
        return ""

    def _entry(self, entries: dict[int, str], bare: str, *, negated: bool) -> str:
        if negated and bare.isdecimal():
            return "" if entries.pop(int(bare), None) is not None else say("no_entry")
        found = _ACE.fullmatch(bare)
        if found is None:
            return say("invalid", caret=" " * 16)
        number = int(found[1]) if found[1] else max(entries, default=0) + 10
        text = found[2]
        if negated:
            number = next((one for one, there in entries.items() if there == text), 0)
            return "" if entries.pop(number, None) is not None else say("no_entry")
        if number in entries:
            return "" if entries[number] == text else say("duplicate_number")
        if text in entries.values():
            return say("duplicate_entry")
        entries[number] = text
        return ""


def _sorted(entries: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(entries.items())
