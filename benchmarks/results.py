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
    """One benchmark: its name, what it asks, its rows, and how often it takes its figures at least."""

    name: str
    question: str
    measure: Callable[[Effort], Sequence[Row]]
    takes: Callable[[Effort], int] = lambda effort: effort.repeats


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: the full size, or a quick one that only shows that everything works.

    Attributes:
        repeats: how often each figure is taken.
        small, large: hosts of the two fleets compared.
        runs: operations carried out under the gate.
        entries: length of the journal verified.
        inventory: hosts of the large inventory.
        patience: seconds after which the host that hangs is given up.
        accounts: people who get a mail account.
        backup_mb, backup_files: what a backup of files holds, 10^6 bytes.
        pgbench: scale of the database that is backed up; 100 is 1.5 GB.
        backup_takes: first backups of each kind.
        application_takes: restarts of each side.
        application_start: seconds an application server takes until it listens, besides half of one for the lab's.
        routers: of the network that is changed.
        router_takes: changes of each side.
        router_ansible: whether Ansible's network modules are fetched and compared.
    """

    repeats: int = 5
    small: int = 50
    large: int = 500
    runs: int = 15
    entries: int = 10_000
    inventory: int = 500
    patience: int = 5
    accounts: int = 200
    backup_mb: int = 1000
    backup_files: int = 10_000
    pgbench: int = 100
    backup_takes: int = 3
    application_takes: int = 3
    application_start: float = 5.0
    routers: int = 30
    router_takes: int = 3
    router_ansible: bool = True


QUICK = Effort(repeats=1, small=2, large=4, runs=1, entries=60, inventory=20, patience=2, accounts=3,
               backup_mb=4, backup_files=40, pgbench=1, backup_takes=1, application_takes=1,
               application_start=0.5, routers=2, router_takes=1, router_ansible=False)  # fmt: skip


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


def paired(key: str, text: str, above: Samples, below: Samples, *, limit: float | None = None) -> Row:
    """Return the ratio of what was taken in turn, one after the other: the median, and the least of the pairs.

    The median stands for the row: the least would flatter, and what the machine does besides hits both of a pair.
    """
    ratios = [over / under for over, under in zip(above.values, below.values, strict=True)]
    return Row(key, text, median(ratios), "x", median(ratios), limit)


def less(key: str, text: str, whole: Samples, without: Samples) -> Row:
    """Return what a part costs, in ms: takes of the whole less takes without it, in pairs; the median of the pairs.

    Below the noise it may come out negative, and is shown so.
    """
    values = [(a - b) * 1000 for a, b in zip(whole.values, without.values, strict=True)]
    return Row(key, text, median(values), "ms", median(values))


def failures(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that miss their limit."""
    return [row for row in rows if not row.ok]
