"""What gate and journal add to an operation: per run, per action, and where that time goes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.journal import fill
from benchmarks.office import Office, directly
from benchmarks.postgres import database
from benchmarks.results import Benchmark, Effort, Row, Samples, less
from dsi_automation.journal.checkpoints import CheckpointFile

MANY = 21
"""Actions of the longer run: the difference to one action, over 20, is the cost of one."""
MEMORY = Path("/dev/shm")
"""A folder whose files need no disk: the difference is what waiting for the disk costs."""


def measure(effort: Effort) -> Sequence[Row]:
    """Run as in life, then with one thing changed at a time; in turn, so that all see the same machine."""
    with (
        tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder,
        tempfile.TemporaryDirectory(prefix="dsi-bench-", dir=MEMORY if MEMORY.is_dir() else None) as fast,
        database() as url,
    ):
        home = Path(folder)
        offices = {
            "life": _Runs(Office(home / "life")),
            "keys": _Runs(Office(home / "keys", ssh_keygen=False)),
            "no_disk": _Runs(Office(Path(fast) / "state", ssh_keygen=False)),
            "long": _Runs(Office(home / "long", ssh_keygen=False)),
            "postgres": _Runs(Office(home / "postgres", url)),
        }
        fill(offices["long"].office, effort.entries)
        with _Watch() as watch:
            for number in range(effort.runs + 1):
                for runs in offices.values():
                    runs.take(watch, counts=number > 0)
        for runs in offices.values():
            runs.office.journal.close()
    return _rows(offices, effort)


def _rows(offices: Mapping[str, _Runs], effort: Effort) -> Sequence[Row]:
    life, keys, postgres = offices["life"], offices["keys"], offices["postgres"]
    direct = _timed(directly(1), effort.runs)
    return [
        less("added", "added to a run of one action by gate and journal", life.run, direct),
        less("signing", "of which ssh-keygen", life.run, keys.run),
        less("disk", "of which waiting for the disk", keys.run, offices["no_disk"].run),
        life.checkpoints.row("checkpoints", "of which checkpoints, their part of the wait included", "ms", scale=1000),
        life.action.row("action", "each action beyond the first, SQLite", "ms", scale=1000),
        life.run.row("run", "`run` of one action, SQLite", "ms", scale=1000),
        life.ask.row("request", "plan and `request`, SQLite", "ms", scale=1000),
        life.approve.row("approve", "`approve`, SQLite", "ms", scale=1000),
        postgres.action.row("postgres_action", "each action beyond the first, PostgreSQL", "ms", scale=1000),
        postgres.run.row("postgres_run", "`run` of one action, PostgreSQL", "ms", scale=1000),
        less("length", f"added to a `run` by a journal of {effort.entries} entries", offices["long"].run, keys.run),
        direct.row("direct", "the same look, plan, act and check without the toolkit", "ms", scale=1000),
    ]


class _Runs:
    """Times of the steps of the runs in one office, in seconds; `action` is one more action in a run."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.ask, self.approve, self.run = Samples(), Samples(), Samples()
        self.checkpoints, self.action = Samples(), Samples()

    def take(self, watch: _Watch, *, counts: bool) -> None:
        """Run once with one action and once with many; the first time is for caches to fill and does not count."""
        before = len(watch.seconds)
        times = self._one(1)
        checkpoints = watch.in_run(before)
        longer = self._one(MANY)[2]
        if counts:
            for samples, seconds in zip((self.ask, self.approve, self.run), times, strict=True):
                samples.add(seconds)
            self.checkpoints.add(checkpoints)
            self.action.add((longer - times[2]) / (MANY - 1))

    def _one(self, actions: int) -> tuple[float, float, float]:
        began = time.perf_counter()
        request = self.office.ask(actions)
        asked = time.perf_counter()
        self.office.approve(request)
        approved = time.perf_counter()
        self.office.run(request)
        return asked - began, approved - asked, time.perf_counter() - approved


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
            self.seconds.append(time.perf_counter() - began)
            return made

        CheckpointFile.write = timed  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        CheckpointFile.write = self._write  # type: ignore[method-assign]

    def in_run(self, before: int) -> float:
        """Return the time of the last run's checkpoints, `before` of them having been written before its request."""
        return sum(self.seconds[before + self.PER_REQUEST :])


def _timed(work: Callable[[], None], times: int) -> Samples:
    samples = Samples()
    for _ in range(times):
        began = time.perf_counter()
        work()
        samples.add(time.perf_counter() - began)
    return samples


BENCHMARK = Benchmark("gate", "What do gate and journal add to an operation?", measure, lambda effort: effort.runs)
