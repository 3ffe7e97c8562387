"""A router's configuration as the toolkit compares it: canonical lines under headings, and what leads to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsi_automation.core.canonical import digest


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration: canonical lines, each under its heading.

    Two configurations that mean the same are equal: a dialect's `parse` writes names instead of numbers or the other
    way round, one blank between words, and sorts where order means nothing.

    Attributes:
        sections: heading (`interface wan0`, `ip access-list extended DSI-LAN-IN`, `filter DSI-LAN-IN`) to the lines
            under it, without indentation; the heading "" has the lines of the top level.
    """

    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, hexadecimal: what an approval is bound to."""
        return digest({heading: list(lines) for heading, lines in self.sections.items()})

    def lines(self) -> tuple[str, ...]:
        """Return it as it is typed: headings, lines indented by one blank."""
        found = list(self.sections.get("", ()))
        for heading, lines in self.sections.items():
            if heading:
                found += [heading, *(f" {line}" for line in lines)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from what runs to what should run.

    Attributes:
        lines: commands of configuration mode, in the order they are sent; lines under a heading are indented by one
            blank, `exit` leaves it. Sent in this order, no state in between permits what neither end permits.
        undo: the commands that lead back.
        kept: lines that are not ours and stay, worth telling.
        removed: lines that go though the toolkit did not write them, or that the inventory no longer knows; each with
            its heading. Worth a warning: `lines` may not show them, where one list takes the place of another.
    """

    lines: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.lines)
