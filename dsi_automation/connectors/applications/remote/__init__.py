"""What is run on an application server: shell scripts, and the lines they say."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dsi_automation.core.secrets import redact


@cache
def script(name: str) -> str:
    """Return a script of this folder, with what all of them share before it."""
    folder = Path(__file__).parent
    return "\n".join((folder / f"{each}.sh").read_text("utf-8") for each in ("common", name))


@dataclass(frozen=True, slots=True)
class Said:
    """The lines a script said, each cut at its tabs."""

    lines: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, text: str) -> Said:
        """Take them from what it printed."""
        return cls(tuple(tuple(line.split("\t")) for line in text.splitlines() if line))

    def every(self, word: str) -> Iterable[tuple[str, ...]]:
        """Return what follows a first word, line by line."""
        return [line[1:] for line in self.lines if line[0] == word]

    def first(self, word: str) -> str | None:
        """Return what comes next to a first word; None without such a line, or with nothing on it."""
        return next((line[0] for line in self.every(word) if line), None)

    def number(self, word: str) -> int:
        """Return a number; 0 without one."""
        text = self.first(word) or ""
        return int(text) if text.removeprefix("-").isdecimal() else 0

    def tail(self, word: str) -> str:
        """Return a text that was sent in Base64, secrets masked; empty without one."""
        try:
            content = base64.b64decode(self.first(word) or "", validate=True)
        except binascii.Error:
            return ""
        return redact(content.decode(errors="backslashreplace")).strip()

    def __contains__(self, word: object) -> bool:
        """Tell whether a line begins with that word."""
        return any(line[0] == word for line in self.lines)
