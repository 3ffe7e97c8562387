"""What gate, journal and looks add to the interruption of a restart: ratios to the service scripts typed by hand."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.application_house import ByHand, Probe, Toolkits, lab, start_takes
from benchmarks.application_probe import REST
from benchmarks.results import Benchmark, Effort, Row, Samples, less, paired
from dsi_automation.journal.model import Entry, Kind
from dsi_automation.operations.applications import notes

LIMIT: Final = 1.05
SERVERS: Final = ("app1", "app2")
"""In the order of their start."""
FEW: Final = 2
"""Takes of what no limit is held against."""


@dataclass(slots=True)
class _Takes:
    """Seconds that ports were closed, of both sides in turn; `parts` are of the toolkit's."""

    bare: dict[str, Samples] = field(default_factory=dict)
    ours: dict[str, Samples] = field(default_factory=dict)
    parts: dict[str, Samples] = field(default_factory=dict)

    def ratio(self, key: str, text: str, which: str, limit: float | None = None) -> Row:
        """Return how much longer something is closed by a run."""
        return paired(key, text, self.ours[which], self.bare[which], limit=limit)


OWN_START: Final = 0.5
"""How long the service scripts of the lab prepare before they start Java, seconds."""
WHOLE: Final = "whole"
"""No server open at all: that is when users cannot work."""


def measure(effort: Effort) -> Sequence[Row]:
    """Take both sides in turn: with a start as long as in production, with the lab's own, and for one server."""
    takes, few = effort.application_takes, min(FEW, effort.application_takes)
    load = os.getloadavg()[0]
    with lab() as home, tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        probe, toolkits = Probe(home, SERVERS), Toolkits(home)
        try:
            with ByHand(home, Path(folder), SERVERS) as hand:
                sides = _Sides(hand, toolkits, probe)
                if takes > 1:
                    sides.take(SERVERS, 1)  # what is only slow the first time does not count
                quick, one = sides.take(SERVERS, few), sides.take(SERVERS[:1], few)
                # A quick run has the lab's own start for both: once more would show nothing more.
                long = quick
                if effort.application_start > OWN_START:
                    start_takes(home, SERVERS, effort.application_start)
                    long = sides.take(SERVERS, takes)
        finally:
            toolkits.close()
            probe.close()
    return [*_rows(long, quick, one, effort), Row("load_before", "load before", load, "")]


@dataclass(frozen=True, slots=True)
class _Sides:
    hand: ByHand
    toolkits: Toolkits
    probe: Probe

    def take(self, servers: Sequence[str], takes: int) -> _Takes:
        """Restart by hand and by a run, in turn; who begins changes."""
        found = _Takes()
        for number in range(takes):
            for ours in (False, True) if number % 2 == 0 else (True, False):
                self._one(servers, found, ours=ours)
        return found

    def _one(self, servers: Sequence[str], found: _Takes, *, ours: bool) -> None:
        time.sleep(REST)  # what has just opened is not looked at yet
        began = time.monotonic()
        entries: Sequence[Entry] = ()
        if ours:
            entries = self.toolkits.restart(servers)
        else:
            self.hand.restart(servers)
        closed = {server: self.probe.closed(server, began) for server in servers}
        window = max(first for first, _ in closed.values()), min(last for _, last in closed.values())
        into = found.ours if ours else found.bare
        for name, (first, last) in {**closed, WHOLE: window}.items():
            into.setdefault(name, Samples()).add(last - first)
        if ours:
            for name, seconds in _parts(entries, servers, window).items():
                found.parts.setdefault(name, Samples()).add(seconds)


def _parts(entries: Sequence[Entry], servers: Sequence[str], window: tuple[float, float]) -> Mapping[str, float]:
    """Return where the time of an interruption went, by the journal's moments."""
    # The journal's clock is that of the day, the probe's is CLOCK_MONOTONIC.
    offset = time.time() - time.monotonic()
    first = servers[0]

    def at(kind: Kind, name: str) -> float:
        return next(e.at.timestamp() - offset for e in entries if e.kind is kind and name in _names(e))

    stopped = at(Kind.ACTION_DONE, f"stop.{first}")
    caches = [at(kind, f"caches.{first}") for kind in (Kind.ABOUT_TO, Kind.ACTION_DONE)]
    ordered = at(Kind.NOTED, notes.STARTING)
    return {
        "stopped": stopped - window[0],
        "caches": caches[1] - caches[0],
        "between": (caches[0] - stopped) + (ordered - caches[1]),
        "start": window[1] - ordered,
    }


def _names(entry: Entry) -> tuple[str, ...]:
    """Return what an entry is about: the kind of its action, or the name of its note."""
    return str(entry.body.get("action", "")).rpartition("/")[2], str(entry.body.get("note", ""))


def _rows(long: _Takes, quick: _Takes, one: _Takes, effort: Effort) -> list[Row]:
    told = f"{effort.application_start:g} s of start each"
    return [
        long.ratio("restart", f"no server open, `run` of application.restart / the scripts, {told}", WHOLE, LIMIT),
        *(long.ratio(name, f"port of {name} closed, the same", name) for name in SERVERS),
        less("added", "added to the time no server is open", long.ours[WHOLE], long.bare[WHOLE]),
        quick.ratio("restart_quick", "no server open, the lab's own start", WHOLE),
        less("added_quick", "added, the lab's own start", quick.ours[WHOLE], quick.bare[WHOLE]),
        one.ratio("one", f"{SERVERS[0]} alone, the lab's own start", SERVERS[0]),
        less("added_one", f"added, {SERVERS[0]} alone", one.ours[SERVERS[0]], one.bare[SERVERS[0]]),
        long.bare[WHOLE].row("bare_closed", f"no server open, the scripts, {told}", "s"),
        long.ours[WHOLE].row("closed", f"no server open, `run`, {told}", "s"),
        quick.bare[WHOLE].row("bare_closed_quick", "no server open, the scripts, the lab's own start", "s"),
        quick.ours[WHOLE].row("closed_quick", "no server open, `run`, the lab's own start", "s"),
        *(
            long.parts[name].row(f"part_{name}", text, "ms", scale=1000)
            for name, text in (
                ("stopped", "of a run: from the closed port to the recorded end of the stop"),
                ("caches", "of a run: the caches of the last server to stop, recorded"),
                ("between", "of a run: between its steps, the record of the start included"),
            )
        ),
        long.parts["start"].row("part_start", "of a run: from the order to start to the open port", "s"),
    ]


BENCHMARK = Benchmark("application", "What does the toolkit add to the interruption of a restart?", measure,
                      lambda effort: effort.application_takes)  # fmt: skip
