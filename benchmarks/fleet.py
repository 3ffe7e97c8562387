"""A fleet of 50 and one of 500: what a host costs, and what the same exchanges cost without the toolkit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fleet_house import Fleet, fleet
from benchmarks.processes import PYTHON, child, cpu_of, run
from benchmarks.results import Benchmark, Effort, Row, Samples, ratio

GROWTH = 1.2
"""The issue's limit: what a host may cost at 500, against 50."""
HANG_SECONDS = 5
"""After which the host that hangs is given up in this benchmark."""


def measure(effort: Effort) -> Sequence[Row]:
    """Measure everything on one fleet, the sizes and the replay in turn so that they share the machine's moods."""
    with fleet(effort.large) as running:
        return [*_costs(running, effort), *_command(running, effort), *_hung(running, effort)]


def _costs(running: Fleet, effort: Effort) -> list[Row]:
    inventory, kept = str(running.inventory), str(running.inventory.parent / "exchanges.json")
    run([PYTHON, "-m", "benchmarks.bare_child", "record", inventory, kept])
    walls = {effort.small: Samples(), effort.large: Samples()}
    cpus = {effort.small: Samples(), effort.large: Samples()}
    bare_wall, bare_cpu, simulator, peak = Samples(), Samples(), Samples(), Samples()
    for _ in range(effort.repeats):
        for size in (effort.small, effort.large, effort.small):
            before = cpu_of(running.pid)
            cost = child("fleet_child", inventory, str(size))
            if cost["failed"]:
                raise RuntimeError(f"hosts that did not answer: {cost['failed']}")
            walls[size].add(cost["wall"])
            cpus[size].add(cost["cpu"])
            if size == effort.large:
                simulator.add(cpu_of(running.pid) - before)
                peak.add(cost["grown_mib"])
        cost = child("bare_child", "replay", kept, str(effort.large))
        bare_wall.add(cost["wall"])
        bare_cpu.add(cost["cpu"])
    small, large, by = effort.small, effort.large, effort.small / effort.large
    each = 1000 / large
    exchanges = len(json.loads(Path(kept).read_text())["bodies"])
    return [
        ratio("wall_growth", f"wall per host, {large} / {small}", walls[large], walls[small], limit=GROWTH, by=by),
        ratio("cpu_growth", f"CPU per host, {large} / {small}", cpus[large], cpus[small], limit=GROWTH, by=by),
        ratio("wall_over_bare", f"wall, check / the same {exchanges} exchanges bare", walls[large], bare_wall),
        ratio("cpu_over_bare", f"CPU, check / the same {exchanges} exchanges bare", cpus[large], bare_cpu),
        walls[small].row("wall_small", f"wall per host, {small} hosts", "ms", scale=1000 / small),
        walls[large].row("wall_large", f"wall per host, {large} hosts", "ms", scale=each),
        cpus[small].row("cpu_small", f"CPU per host, {small} hosts", "ms", scale=1000 / small),
        cpus[large].row("cpu_large", f"CPU per host, {large} hosts", "ms", scale=each),
        bare_wall.row("bare_wall", f"wall per host of the bare exchanges, {large} hosts", "ms", scale=each),
        bare_cpu.row("bare_cpu", f"CPU per host of the bare exchanges, {large} hosts", "ms", scale=each),
        simulator.row("simulator_cpu", "CPU per host of the simulator meanwhile", "ms", scale=each),
        peak.row("memory", f"memory grown by a check of {large} hosts", "MiB"),
    ]


def _command(running: Fleet, effort: Effort) -> list[Row]:
    """Measure the whole command as typed, start-up and report included."""
    wall, cpu, peak = Samples(), Samples(), Samples()
    for _ in range(min(effort.repeats, 3)):
        ran = run(_check(running))
        wall.add(ran.wall)
        cpu.add(ran.cpu)
        peak.add(ran.peak)
    return [
        wall.row("command_wall", f"`dsi check` of {effort.large} hosts, wall", "s"),
        cpu.row("command_cpu", f"`dsi check` of {effort.large} hosts, CPU", "s"),
        peak.row("command_memory", f"`dsi check` of {effort.large} hosts, most memory", "MiB"),
    ]


def _hung(running: Fleet, effort: Effort) -> list[Row]:
    """Let one host hang that is asked first: the others must be through long before it is given up."""
    hosts = running.inventory / "hosts.yml"
    limits = {"read_timeout": HANG_SECONDS, "operation_timeout": HANG_SECONDS - 1}
    words = "\n".join(f"          ansible_winrm_{name}_sec: {value}" for name, value in limits.items())
    text = hosts.read_text()
    hosts.write_text(re.sub(r"( +pc3:\n)", rf"\1{words}\n".replace("          ", " " * 14), text, count=1))
    running.control.fault("pc3", "hang")
    wall = Samples()
    for _ in range(min(effort.repeats, 2)):
        cost = child("fleet_child", str(running.inventory), str(effort.large))
        if cost["failed"] != ["pc3"]:
            raise RuntimeError(f"hosts that did not answer: {cost['failed']}")
        wall.add(cost["wall"])
    return [wall.row("hung_wall", f"wall, {effort.large} hosts of which one hangs for {HANG_SECONDS} s", "s")]


def _check(running: Fleet) -> list[str]:
    command = [PYTHON, "-m", "dsi_automation", "-I", str(running.inventory), "--json"]
    return [*command, "check", "workstation.check", "workstations"]


BENCHMARK = Benchmark("fleet", "Does a host of a large fleet cost what one of a small fleet does?", measure)
