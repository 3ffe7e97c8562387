"""Lines that are never sent to a router by a change, whoever asks: they end it, or take away the way back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dsi_automation.core.text import T, Text

_ENDS: Final = T("it ends the configuration or runs a command outside of it")
_RESTARTS: Final = T("it restarts the router or destroys what it keeps")
_LOGINS: Final = T("it changes who may log in to the router, or how")
_WAY_BACK: Final = T("it takes away the way back: snapshots, saving, commands that run by themselves")
_DENIED: Final = {
    _ENDS: ("do", "end", "quit", "logout", "disable", "configure", "terminal", "start-shell", "shell", "find", "show",
            "ping", "traceroute", "telnet", "ssh", "clear", "debug", "more", "list", "output", "tclsh", "exec"),
    _RESTARTS: ("reload", "erase", "write", "delete", "format", "squeeze", "rename", "copy", "boot", "config-register",
                "redundancy", "license", "default", "upgrade", "partition", "fsck", "mkdir", "rmdir", "install",
                "ip routing", "interface", "hostname"),
    _LOGINS: ("username", "user", "enable", "password", "secret", "aaa", "line", "login", "transport", "access-class",
              "crypto", "key", "ip ssh", "ip http", "ip scp", "ip tftp", "ip ftp", "ip rcmd", "snmp-server", "tacacs",
              "tacacs-server", "radius", "radius-server", "privilege", "banner", "exec-timeout", "exec-banner",
              "security", "tftp-server", "ftp-server", "ip domain", "ip host", "menu", "autocommand"),
    _WAY_BACK: ("archive", "service", "alias", "macro", "event", "kron", "scheduler", "parser", "log", "path",
                "maximum", "write-memory", "file", "zebra", "agentx", "rpki", "watchfrr", "vtysh", "fpm", "mgmt"),
}  # fmt: skip
"""The first words of such lines, by the reason; `no` before them changes nothing, and neither do abbreviations."""
_OURS: Final = re.compile(
    r"(?:interface \S+|(?:no )?ip (?:address|route|access-group|unnumbered|access-list extended) \S.*"
    r"|no ip address|no shutdown|shutdown|no description|description \S.*|exit|(?:no )?filter [\w-]+"
    r"|(?:no )?\d+( (?:permit|deny) .*)?|(?:no )?(?:inside|lan|management|internal|deny|rule|unexpected) \S.*)"
)
"""Lines that a difference is made of."""
_HEADING: Final = re.compile(r"(?:interface|ip access-list extended|filter) \S")


def reason(line: str) -> Text | None:
    """Return why a line is never sent, or None.

    A line under a heading is looked at like one of the top level: a device that did not take the heading would take it
    there.
    """
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u2029" for letter in line):
        return T("it is more than one line, or has control characters")
    if "?" in line:
        return T("“?” asks the router for help instead of being part of the line")
    text = " ".join(line.lower().split())
    if _OURS.fullmatch(text):
        return None
    text = text.removeprefix("no ").removeprefix("default ")
    for why, starts in _DENIED.items():
        if any(_begins(text.split(), start.split()) for start in starts):
            return why
    return None


def sequence(lines: Sequence[str]) -> tuple[str, Text] | None:
    """Return the first line of several that is never sent, and why; None when all may be.

    An `exit` that does not leave a heading would leave configuration mode: what follows would be commands.
    """
    inside = False
    for line in lines:
        why = reason(line)
        if why is None and line.strip() == "exit" and (not inside or line.startswith(" ")):
            why = _ENDS
        if why is not None:
            return line, why
        if not line.startswith(" "):
            inside = _HEADING.match(line) is not None
    return None


def _begins(given: list[str], denied: list[str]) -> bool:
    """Tell whether words begin a line with those denied, abbreviated perhaps."""
    return len(given) >= len(denied) and all(whole.startswith(word) for word, whole in zip(given, denied, strict=False))
