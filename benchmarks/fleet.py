"""A fleet of 50 and one of 500: what a host costs, and what the same exchanges cost without the toolkit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fleet_house import Fleet, fleet
from benchmarks.processes import PYTHON, child, cpu_of, run
from benchmarks.results import Benchmark, Effort, Row, Samples, paired
from dsi_automation.lab.windows.faults import Fault

GROWTH = 1.2
"""The issue's limit: what a host may cost at 500, against 50."""


def measure(effort: Effort) -> Sequence[Row]:
    """Measure everything on one fleet, the sizes and the replay in turn so that they share the machine's moods."""
    with fleet(effort.large) as running:
        return [*_costs(running, effort), *_command(running, effort), *_hung(running, effort)]


def _costs(running: Fleet, effort: Effort) -> list[Row]:
    inventory, kept = str(running.inventory), str(running.inventory.parent / "exchanges.json")
    run([PYTHON, "-m", "benchmarks.bare_child", "record", inventory, kept])
    small, large, bare = _Cost(), _Cost(), _Cost()
    simulator, grown, peak = Samples(), Samples(), Samples()
    for _ in range(effort.repeats):
        # As many hosts in each, so that each sees as much of what else this machine does.
        small.add(_checked(inventory, effort.small, effort.large // effort.small))
        before = cpu_of(running.pid)
        cost = _checked(inventory, effort.large, 1)
        simulator.add(cpu_of(running.pid) - before)
        large.add(cost)
        grown.add(cost["grown_mib"])
        peak.add(cost["peak_mib"])
        bare.add(child("bare_child", "replay", kept, str(effort.large)))
    sizes, each = f"{effort.large} / {effort.small}", 1000 / effort.large
    exchanges = len(json.loads(Path(kept).read_text())["bodies"])
    return [
        paired("wall_growth", f"wall per host, {sizes} hosts", large.wall, small.wall, limit=GROWTH),
        paired("cpu_growth", f"CPU per host, {sizes} hosts", large.cpu, small.cpu, limit=GROWTH),
        paired("wall_over_bare", f"wall, check / the same {exchanges} exchanges bare", large.wall, bare.wall),
        paired("cpu_over_bare", f"CPU, check / the same {exchanges} exchanges bare", large.cpu, bare.cpu),
        small.wall.row("wall_small", f"wall per host, {effort.small} hosts", "ms", scale=each),
        large.wall.row("wall_large", f"wall per host, {effort.large} hosts", "ms", scale=each),
        bare.wall.row("bare_wall", f"wall per host of the bare exchanges, {effort.large} hosts", "ms", scale=each),
        small.cpu.row("cpu_small", f"CPU per host, {effort.small} hosts", "ms", scale=each),
        large.cpu.row("cpu_large", f"CPU per host, {effort.large} hosts", "ms", scale=each),
        bare.cpu.row("bare_cpu", f"CPU per host of the bare exchanges, {effort.large} hosts", "ms", scale=each),
        simulator.row("simulator_cpu", "CPU per host of the simulator meanwhile", "ms", scale=each),
        peak.row("memory", f"most memory of a check of {effort.large} hosts", "MiB"),
        grown.row("memory_grown", "of which since the first host", "MiB"),
    ]


@dataclass(slots=True)
class _Cost:
    """Takes of one kind of work: wall and CPU seconds."""

    wall: Samples = field(default_factory=Samples)
    cpu: Samples = field(default_factory=Samples)

    def add(self, cost: Mapping[str, Any]) -> None:
        self.wall.add(cost["wall"])
        self.cpu.add(cost["cpu"])


def _checked(inventory: str, size: int, rounds: int, failed: Sequence[str] = ()) -> dict[str, Any]:
    """Check hosts in a process of its own, and make sure that all answered but those expected not to."""
    cost = child("fleet_child", inventory, str(size), str(rounds))
    if cost["failed"] != list(failed):
        raise RuntimeError(f"hosts that did not answer: {cost['failed']}")
    return cost


def _command(running: Fleet, effort: Effort) -> list[Row]:
    """Measure the whole command as typed, start-up and report included."""
    wall, cpu = Samples(), Samples()
    for _ in range(min(effort.repeats, 3)):
        ran = run(_check(running))
        wall.add(ran.wall)
        cpu.add(ran.cpu)
    return [
        wall.row("command_wall", f"`dsi check` of {effort.large} hosts, wall", "s"),
        cpu.row("command_cpu", f"`dsi check` of {effort.large} hosts, CPU", "s"),
    ]


def _hung(running: Fleet, effort: Effort) -> list[Row]:
    """Let one host hang that is asked first: the others must be through long before it is given up."""
    hosts = running.inventory / "hosts.yml"
    limits = {"read_timeout": effort.patience, "operation_timeout": effort.patience - 1}
    words = "\n".join(f"          ansible_winrm_{name}_sec: {value}" for name, value in limits.items())
    text = hosts.read_text()
    hosts.write_text(re.sub(r"( +pc3:\n)", rf"\1{words}\n".replace("          ", " " * 14), text, count=1))
    running.control.fault("pc3", Fault.HANG)
    wall = Samples()
    for _ in range(min(effort.repeats, 2)):
        wall.add(_checked(str(running.inventory), effort.large, 1, ["pc3"])["wall"])
    return [wall.row("hung_wall", f"wall, {effort.large} hosts of which one hangs for {effort.patience} s", "s")]


def _check(running: Fleet) -> list[str]:
    command = [PYTHON, "-m", "dsi_automation", "-I", str(running.inventory), "--json"]
    return [*command, "check", "workstation.check", "workstations"]


BENCHMARK = Benchmark("fleet", "Does a host of a large fleet cost what one of a small fleet does?", measure)
