"""The safe change of many routers against the same lines pushed by others who look at nothing; and all of it again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.results import Benchmark, Effort, Row, Samples, paired
from benchmarks.routers_house import House, Took, network
from benchmarks.routers_others import others, reset, written

FULL_LIMIT: Final = 1.0
"""The safe change is no slower than Ansible's unsafe one."""
AGAIN_LIMIT: Final = 0.2
"""A re-run that finds everything right is at least five times faster than Ansible's."""
OURS: Final = "ours"
ANSIBLE: Final = "ansible"
WHO: Final = {
    OURS: "`dsi run`",
    ANSIBLE: "Ansible's ios_config",
    "netmiko": "netmiko in threads",
    "raw": "Ansible's raw over ssh",
}


@dataclass(slots=True)
class Takes:
    """What everybody took, in turn: for the first push to bare routers, and for the same once more."""

    full: dict[str, list[Took]] = field(default_factory=dict)
    again: dict[str, list[Took]] = field(default_factory=dict)

    def rows(self, routers: int) -> list[Row]:
        """Return the ratios, those with a limit first, then the seconds."""
        found: list[Row] = []
        told = f"{routers} routers"
        for other in [name for name in self.full if name != OURS]:
            limit = FULL_LIMIT if other == ANSIBLE else None
            found += _ratios(f"full_{other}", f"{told}, `dsi run` / {WHO[other]}", self.full, other, limit)
        for other in [name for name in self.again if name != OURS]:
            found += _ratios(f"again_{other}", f"once more, `dsi router configure` / {WHO[other]}", self.again, other,
                             AGAIN_LIMIT)  # fmt: skip
        for key, text, takes in (("full", "", self.full), ("again", "once more, ", self.again)):
            for who in takes:
                found += _seconds(f"{key}_{who}", f"{text}{_named(who, key)}", takes[who])
        return found


def _named(who: str, key: str) -> str:
    return "`dsi router configure`" if (who, key) == (OURS, "again") else WHO[who]


def _ratios(key: str, text: str, takes: Mapping[str, Sequence[Took]], other: str, limit: float | None) -> Iterator[Row]:
    walls = [_samples([one.wall for one in takes[who]]) for who in (OURS, other)]
    cpus = [_samples([one.cpu for one in takes[who]]) for who in (OURS, other)]
    yield paired(key, f"{text}, wall", *walls, limit=limit)
    yield paired(f"{key}_cpu", f"{text}, CPU of both ends", *cpus)


def _seconds(key: str, text: str, takes: Sequence[Took]) -> Iterator[Row]:
    yield _samples([one.wall for one in takes]).row(f"{key}_wall", f"{text}, wall", "s")
    yield _samples([one.own for one in takes]).row(f"{key}_own", f"{text}, CPU of the controller", "s")
    yield _samples([one.routers for one in takes]).row(f"{key}_routers", f"{text}, CPU of the routers", "s")


def _samples(values: list[float]) -> Samples:
    return Samples(values)


def measure(effort: Effort) -> Sequence[Row]:
    """Take everybody in turn, each from bare routers; who begins changes."""
    load = os.getloadavg()[0]
    takes = Takes()
    with network(effort.routers) as lab, tempfile.TemporaryDirectory(prefix="dsi-bench-") as made:
        house, folder = House(lab), Path(made)
        written(house, folder, house.asked().lines)
        # The network modules come from a package index: a quick run does without.
        pushes = others(house, folder, module=effort.router_ansible)
        for number in range(effort.router_takes):
            order = [OURS, *pushes]
            for who in order if number % 2 == 0 else order[::-1]:
                reset(lab)
                if who == OURS:
                    asked = house.asked()
                    _add(takes.full, who, house.run(asked))
                    _add(takes.again, who, house.again())
                else:
                    _add(takes.full, who, pushes[who].push())
                    house.prove(WHO[who])
                if who == ANSIBLE:
                    _add(takes.again, who, pushes[who].push())
    return [*takes.rows(effort.routers), Row("load_before", "load before", load, "")]


def _add(into: dict[str, list[Took]], who: str, took: Took) -> None:
    into.setdefault(who, []).append(took)


BENCHMARK = Benchmark("routers", "What does a safe change of many routers cost, against pushing its lines?", measure,
                      lambda effort: effort.router_takes)  # fmt: skip
