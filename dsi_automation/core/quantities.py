"""Numbers of bytes and of seconds as people read them: French has its own units (octets) and a decimal comma."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dsi_automation.core.text import Text, current_language

UNITS: Final = {"en": ("B", "KiB", "MiB", "GiB", "TiB"), "fr": ("o", "Kio", "Mio", "Gio", "Tio")}
"""IEC 80000-13; a byte is an octet in French."""
STEP: Final = 1024


class Amount(Text):
    """A number of bytes in a unit that can be read: `512 B`, `1.5 GiB`; in French `512 o`, `1,5 Gio`."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        """Keep the number of bytes."""
        super().__init__("", {})
        self.size = size

    def render(self, language: str | None = None, each: Callable[[object], str] = str) -> str:  # noqa: ARG002  # nothing here came from outside
        """Return the number with its unit in `language`, by default the reader's."""
        spoken = language or current_language()
        units, value, power = UNITS[spoken], float(self.size), 0
        while value >= STEP and power < len(units) - 1:
            value, power = value / STEP, power + 1
        digits = 0 if power == 0 or value >= 100 else 1
        return f"{_decimal(value, digits, spoken)} {units[power]}"


class Seconds(Text):
    """A duration in the unit people would use: `4.6 s`, `3 min 05 s`, `2 h 10 min`; in French `4,6 s`."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        """Keep the number of seconds."""
        super().__init__("", {})
        self.seconds = seconds

    def render(self, language: str | None = None, each: Callable[[object], str] = str) -> str:  # noqa: ARG002  # nothing here came from outside
        """Return the duration in `language`, by default the reader's."""
        whole, left = divmod(self.seconds, 60)
        hours, minutes = divmod(int(whole), 60)
        if hours:
            return f"{hours} h {minutes:02} min"
        return (
            f"{minutes} min {int(left):02} s" if minutes else f"{_decimal(left, 1, language or current_language())} s"
        )


class Number(Text):
    """A number with some digits after the decimal point: `207.0`; in French `207,0`."""

    __slots__ = ("digits", "value")

    def __init__(self, value: float, digits: int) -> None:
        """Keep the number."""
        super().__init__("", {})
        self.value, self.digits = value, digits

    def render(self, language: str | None = None, each: Callable[[object], str] = str) -> str:  # noqa: ARG002  # nothing here came from outside
        """Return the number in `language`, by default the reader's."""
        return _decimal(self.value, self.digits, language or current_language())


def _decimal(value: float, digits: int, language: str) -> str:
    written = f"{value:.{digits}f}"
    return written.replace(".", ",") if language == "fr" else written
