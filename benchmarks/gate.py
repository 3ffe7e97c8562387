"""What gate and journal add to an operation: per run, per action, and where that time goes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.journal import fill
from benchmarks.office import Office, directly
from benchmarks.postgres import database
from benchmarks.results import Benchmark, Effort, Row, Samples
from dsi_automation.journal.checkpoints import CheckpointFile

MANY = 51
"""Actions of the longer run: the difference to one action, over 50, is the cost of one."""
MEMORY = Path("/dev/shm")
"""A folder whose files need no disk: the difference is what waiting for the disk costs."""


def measure(effort: Effort) -> Sequence[Row]:
    """Measure on SQLite as in life, then with one thing left out at a time, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        home = Path(folder)
        direct = _timed(directly(1), effort.runs)
        real = _Runs(Office(home / "sqlite"), effort)
        memory_keys = _Runs(Office(home / "keys", ssh_keygen=False), effort)
        with tempfile.TemporaryDirectory(prefix="dsi-bench-", dir=MEMORY if MEMORY.is_dir() else None) as fast:
            no_disk = _Runs(Office(Path(fast) / "state", ssh_keygen=False), effort)
        long = Office(home / "long", ssh_keygen=False)
        fill(long, effort.entries)
        grown = _Runs(long, effort)
        with database() as url:
            postgres = _Runs(Office(home / "postgres", url), effort)
    whole, keys = real.run.least, memory_keys.run.least
    return [
        Row("run_over_direct", "ms added to a run of one action by gate and journal", (whole - direct) * 1000, "ms"),
        Row("action", "of which for each action beyond the first", real.action * 1000, "ms"),
        Row("signing", "of which ssh-keygen", (whole - keys) * 1000, "ms"),
        Row("disk", "of which waiting for the disk", max(0.0, keys - no_disk.run.least) * 1000, "ms"),
        real.checkpoints.row("checkpoints", "of which checkpoints", "ms", scale=1000),
        real.run.row("run", "`run` of one action, SQLite", "ms", scale=1000),
        real.ask.row("request", "plan and `request`, SQLite", "ms", scale=1000),
        real.approve.row("approve", "`approve`, SQLite", "ms", scale=1000),
        postgres.run.row("postgres_run", "`run` of one action, PostgreSQL", "ms", scale=1000),
        Row("postgres_action", "each action beyond the first, PostgreSQL", postgres.action * 1000, "ms"),
        Row("length", f"added to a `run` by a journal of {effort.entries} entries", _more(grown, memory_keys), "ms"),
    ]


class _Runs:
    """Times of the steps of several runs in one office; `action` is the cost of one more action, in seconds."""

    def __init__(self, office: Office, effort: Effort) -> None:
        self.ask, self.approve, self.run, self.checkpoints = Samples(), Samples(), Samples(), Samples()
        longer = Samples()
        with _Watch() as watch:
            self._one(office, 1, Samples())
            for _ in range(effort.runs):
                before = watch.seconds
                self._one(office, 1, self.run, self.ask, self.approve)
                self.checkpoints.add(watch.in_run(before))
                self._one(office, MANY, longer)
        self.action = (longer.least - self.run.least) / (MANY - 1)
        office.journal.close()

    def _one(self, office: Office, actions: int, run: Samples, *more: Samples) -> None:
        ask, approve = more or (Samples(), Samples())
        began = time.perf_counter()
        request = office.ask(actions)
        asked = time.perf_counter()
        office.approve(request)
        approved = time.perf_counter()
        office.run(request)
        run.add(time.perf_counter() - approved)
        approve.add(approved - asked)
        ask.add(asked - began)


class _Watch:
    """Adds up the time spent writing checkpoints."""

    PER_REQUEST = 2
    """Checkpoints of a request and its approval, which come before those of the run."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        self._write = CheckpointFile.write

        def timed(file: CheckpointFile, *words: Any) -> Any:
            began = time.perf_counter()
            made = self._write(file, *words)
            self.seconds = [*self.seconds, time.perf_counter() - began]
            return made

        CheckpointFile.write = timed  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        CheckpointFile.write = self._write  # type: ignore[method-assign]

    def in_run(self, before: Sequence[float]) -> float:
        """Return the time of the last run's checkpoints."""
        return sum(self.seconds[len(before) + self.PER_REQUEST :])


def _more(grown: _Runs, short: _Runs) -> float:
    return (grown.run.least - short.run.least) * 1000


def _timed(work: Callable[[], None], times: int) -> float:
    samples = Samples()
    for _ in range(times):
        began = time.perf_counter()
        work()
        samples.add(time.perf_counter() - began)
    return samples.least


BENCHMARK = Benchmark("gate", "What do gate and journal add to an operation?", measure)
