"""A configuration as printed, read into headings and lines: what IOS and FRRouting have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

NOISE: Final = re.compile(
    r"""^(?:Building\ configuration\.\.\..*|Current\ configuration\b.*|Using\ \d+\ out\ of\ \d+\ bytes.*
    |Load\ for\ five\ secs.*|Time\ source\ is.*|ntp\ clock-period\ \d+|license\ udi\ .*|exit|exit-\S+
    |(?:[*.]?\w{3}\ +\d+\ [\d:.]+.*:\ )?%[A-Z\d_]+-\d-[A-Z\d_]+:.*
    |\S+[>\#]\s*(?:sh\w*\ (?:run|start).*)?)$""",
    re.VERBOSE,
)
"""Lines that change at each look, or that only close a heading, and the echo of the command asked."""
_REFUSAL: Final = re.compile(
    r"^\s*% ?(?:Invalid|Unknown|Incomplete|Ambiguous|Error|Authorization|\w+ authorization failed|Command)"
)
_BANNER: Final = re.compile(r"^banner (?:motd|login|exec|incoming|prompt-timeout|slip-ppp) (\^C|\S)(.*)$")
_HEADING: Final = re.compile(r"^(?:interface|ip access-list (?:extended|standard)|filter) \S")
"""Lines that are headings even when nothing is under them."""
_DROPPED: Final = re.compile(r"^crypto (?:pki|ca) certificate chain ")
"""Headings left out with all that is under them: certificates, in hexadecimal, that routers renew by themselves."""


def words(line: str) -> str:
    """Return a line with one blank between words; blanks at its beginning stay."""
    return re.sub(r"(?<=\S)\s+", " ", line.rstrip())


def read(text: str, heading: Callable[[str], str] = str) -> dict[str, list[str]]:
    """Return the lines of a printed configuration by heading; those of the top level under "".

    Args:
        heading: gives a heading its canonical form; two that are the same then are one.

    Raises:
        RefusedError: it is cut off (no `end`), or is no configuration.
    """
    found: dict[str, list[str]] = {"": []}
    current: str | None = None
    lines = _until_end(text)
    for place, line in enumerate(lines):
        if line.startswith(" "):
            if current is not None:
                found[current].append(words(line[1:]))
            continue
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if _HEADING.match(line) or following.startswith(" "):
            current = heading(words(line))
            found.setdefault(current, [])
        else:
            current = None
            found[""].append(words(line))
    if not any(found.values()) and len(found) == 1:
        raise _no_configuration()
    return {name: under for name, under in found.items() if not _DROPPED.match(name)}


def _until_end(text: str) -> list[str]:
    found: list[str] = []
    for line in _without_banners(text):
        if line == "end":
            return found
        if _REFUSAL.match(line):
            raise _no_configuration()
        if line.strip() and not line.lstrip().startswith("!") and not NOISE.match(line):
            found.append(line)
    raise RefusedError(
        T("The configuration was cut off: its last line, “end”, is missing."),
        next_step=T("Try again; a long configuration over a slow line needs a longer read_timeout in dsi_router."),
    )


def _without_banners(text: str) -> Iterator[str]:
    closing: str | None = None
    for raw in text.replace("\r", "").replace("\t", " ").split("\n"):
        line = raw.rstrip()
        if closing is not None:
            closing = None if closing in line else closing
            continue
        opened = _BANNER.match(line.replace("\x03", "^C"))
        # “banner motd line ...” and “banner motd file ...” are FRRouting's, on one line.
        if opened and not re.match(r"^banner motd (?:line|file|default)\b", line):
            closing = None if opened[1] in opened[2] else opened[1]
            continue
        yield line.replace("\x03", "^C")


def _no_configuration() -> RefusedError:
    return RefusedError(
        T("What the router printed is no configuration."),
        next_step=T("Look at what “show running-config” prints for this account; it needs all privileges."),
    )
