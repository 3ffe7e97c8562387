"""Two configurations held against each other, line by line, as people read it: secrets masked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.masking import masked


@dataclass(frozen=True, slots=True)
class Differing:
    """How one configuration differs from another one that was expected.

    Attributes:
        missing: lines that were expected and are not there, each with its heading: `interface wan0: shutdown`; secrets
            in them are masked, though another secret is another line.
        unexpected: lines that are there and were not expected, likewise.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether they differ."""
        return bool(self.missing or self.unexpected)

    def lines(self) -> tuple[str, ...]:
        """Return the lines: `-` is missing, `+` is too much."""
        return (*(f"- {line}" for line in self.missing), *(f"+ {line}" for line in self.unexpected))


def compare(expected: Config, found: Config) -> Differing:
    """Return how `found` differs from `expected`; another order of the same lines is told as one line of it."""
    wanted, there = Counter(_flat(expected)), Counter(_flat(found))
    missing = tuple(_told(*one) for one in (wanted - there).elements())
    unexpected = tuple(_told(*one) for one in (there - wanted).elements())
    if not missing and not unexpected and expected.digest != found.digest:
        moved = [heading for heading, lines in expected.sections.items() if found.sections.get(heading) != lines]
        missing = tuple(heading or "-" for heading in moved)
    return Differing(missing, unexpected)


def _flat(config: Config) -> Iterator[tuple[str, str]]:
    """Yield every line with its heading; a heading without lines alone."""
    for heading, lines in config.sections.items():
        if heading and not lines:
            yield heading, ""
        for line in lines:
            yield heading, line


def _told(heading: str, line: str) -> str:
    said = masked(line)
    return f"{heading}: {said}" if heading and said else heading or said
