"""What a benchmark brings back: rows, some of them held against a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        key: its name in the JSON.
        text: what was measured.
        value: the figure the row stands for, usually the least of several.
        unit: of the value; `x` for a ratio.
        middle: the median, where several were measured.
        limit: the most it may be; None when it is only told.
    """

    key: str
    text: str
    value: float
    unit: str
    middle: float | None = None
    limit: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether it keeps its limit."""
        return self.limit is None or self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the row as data."""
        told = {"text": self.text, "value": round(self.value, 6), "unit": self.unit, "ok": self.ok}
        if self.middle is not None:
            told["median"] = round(self.middle, 6)
        if self.limit is not None:
            told["limit"] = self.limit
        return told


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: its name, what it asks, and its rows."""

    name: str
    question: str
    measure: Callable[[Effort], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: the full size, or a quick one that only shows that everything works.

    Attributes:
        repeats: how often each figure is taken.
        small, large: hosts of the two fleets compared.
        runs: operations carried out under the gate.
        entries: length of the journal verified.
        inventory: hosts of the large inventory.
    """

    repeats: int = 5
    small: int = 50
    large: int = 500
    runs: int = 20
    entries: int = 10_000
    inventory: int = 500


QUICK = Effort(repeats=1, small=2, large=4, runs=1, entries=60, inventory=20)


@dataclass(slots=True)
class Samples:
    """Several takes of one figure; the least is what the machine can do, the median what it did."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """Take one more."""
        self.values.append(value)

    @property
    def least(self) -> float:
        """Return the smallest."""
        return min(self.values)

    def row(self, key: str, text: str, unit: str, *, scale: float = 1.0, limit: float | None = None) -> Row:
        """Return them as a row, each multiplied by `scale`."""
        return Row(key, text, self.least * scale, unit, median(self.values) * scale, limit)


def ratio(key: str, text: str, above: Samples, below: Samples, *, limit: float | None = None, by: float = 1.0) -> Row:
    """Return the ratio of the least of two, and of their medians.

    Args:
        by: multiplies it: hosts below over hosts above, for a ratio of costs per host.
    """
    return Row(key, text, above.least / below.least * by, "x", median(above.values) / median(below.values) * by, limit)


def failures(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that miss their limit."""
    return [row for row in rows if not row.ok]
