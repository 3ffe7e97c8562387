"""Two hundred people from the staff list to proven mailboxes, and the same calls by msgraph-sdk's own models."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import accounts_calls, accounts_house
from benchmarks.processes import PYTHON, child, cpu_of, run
from benchmarks.results import Benchmark, Effort, Row, Samples, paired
from dsi_automation.lab.lab import Lab

SHARE: Final = 0.2
"""The issue's limit: at least five times better than the typed models."""
WORKERS: Final = 50
"""As many threads as a run has by default."""
TAKES: Final = 2
"""At most: the typed models take minutes."""
EXTRA: Final = ("msgraph", "msgraph_core", "azure", "msal", "kiota_abstractions", "httpx")
"""Packages of the extra `m365`, made impossible to import where starting is measured."""
COMMANDS: Final = {"mailbox": ("mailbox", "--help"), "workstation": ("workstation", "--help"), "dsi": ("--help",)}


@dataclass(slots=True)
class _Takes:
    """Takes of one kind of work: wall and CPU seconds."""

    wall: Samples = field(default_factory=Samples)
    cpu: Samples = field(default_factory=Samples)

    def add(self, cost: dict[str, Any]) -> None:
        self.wall.add(cost["wall"])
        self.cpu.add(cost["cpu"])


def measure(effort: Effort) -> Sequence[Row]:
    """Measure the batch on a lab of its own, its calls made again in two ways, and the start of the command."""
    with accounts_house.lab() as made:
        return [*_batch(made, effort), *_start(effort)]


def _batch(made: Lab, effort: Effort) -> list[Row]:
    whole, ours, typed, simulator = _Takes(), _Takes(), _Takes(), Samples()
    inventory, calls_file = str(made.layout.inventory_dir), made.layout.root / "calls.json"
    last: dict[str, Any] = {}
    for _ in range(min(effort.repeats, TAKES)):
        accounts_house.fresh(made)
        lines = _length(made.layout.graph_record)
        before = cpu_of(accounts_house.simulator_pid(made))
        last = child("accounts_child", inventory, str(made.layout.key_dir), "1", str(effort.accounts))
        simulator.add(cpu_of(accounts_house.simulator_pid(made)) - before)
        whole.add(last)
        with made.layout.graph_record.open(encoding="utf-8") as record:
            calls = accounts_calls.recorded(list(record)[lines:])
        accounts_calls.kept(calls_file, calls)
        ours.add(child("accounts_ours", inventory, str(calls_file), str(WORKERS)))
        typed.add(child("accounts_typed", inventory, str(calls_file)))
    each, count = 1000 / effort.accounts, effort.accounts
    parts = last["parts"]
    return [
        paired(
            "ours_over_typed_cpu", "CPU, calls by the connector / by typed models", ours.cpu, typed.cpu, limit=SHARE
        ),
        paired(
            "ours_over_typed_wall", "wall, calls by the connector / by typed models", ours.wall, typed.wall, limit=SHARE
        ),
        paired("whole_over_typed_cpu", "CPU, accounts end to end / their calls by typed models", whole.cpu, typed.cpu),
        paired(
            "whole_over_typed_wall", "wall, accounts end to end / their calls by typed models", whole.wall, typed.wall
        ),
        whole.wall.row("wall", f"wall per account, {count} end to end", "ms", scale=each),
        whole.cpu.row("cpu", f"CPU per account, {count} end to end", "ms", scale=each),
        ours.cpu.row("ours_cpu", "CPU per account, its calls by the connector", "ms", scale=each),
        typed.cpu.row("typed_cpu", "CPU per account, its calls by typed models", "ms", scale=each),
        ours.wall.row("ours_wall", "wall per account, its calls by the connector", "ms", scale=each),
        typed.wall.row("typed_wall", "wall per account, its calls by typed models", "ms", scale=each),
        simulator.row("simulator_cpu", "CPU per account of the simulated tenant, end to end", "ms", scale=each),
        Row("plan_cpu", "of which to plan, CPU per account", parts["plan"]["cpu"] * each, "ms"),
        Row("http", "HTTP requests per account", last["http"] / count, ""),
        Row("inner", "requests of Graph in them, per account", last["inner"] / count, ""),
        Row("retries", "of which sent again, per account", last["retries"] / count, ""),
        Row("ldap", "LDAP operations per account, binds included", last["ldap"] / count, ""),
        Row("actions", "actions per account, each recorded before and after", last["actions"] / count, ""),
    ]


def _start(effort: Effort) -> list[Row]:
    """Measure what the commands cost to start where the extra cannot be imported."""
    dsi, cpu = str(Path(sys.executable).with_name("dsi")), {name: Samples() for name in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        for name in EXTRA:
            Path(folder, f"{name}.py").write_text("raise ImportError(__name__)\n")
        bare = {"PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        for words in COMMANDS.values() if effort.repeats > 1 else ():
            run([dsi, *words], bare)
        for _ in range(effort.repeats * 2 if effort.repeats > 1 else 1):
            for name, words in COMMANDS.items():
                cpu[name].add(run([dsi, *words], bare).cpu)
        modules = _modules(bare)
    tried = sorted({name.partition(".")[0] for name in modules} & set(EXTRA))
    return [
        paired("start_over_workstation", "`dsi mailbox --help` / `dsi workstation --help`, CPU", cpu["mailbox"],
               cpu["workstation"]),
        paired("start_over_dsi", "`dsi mailbox --help` / `dsi --help`, CPU", cpu["mailbox"], cpu["dsi"]),
        cpu["mailbox"].row("start_cpu", "`dsi mailbox --help`, CPU", "s"),
        Row("start_modules", "modules it imports", len(modules), ""),
        Row("start_extra", f"packages of the extra m365 among them{': ' + ', '.join(tried) if tried else ''}",
            len(tried), "", limit=0),
    ]  # fmt: skip


def _modules(environment: dict[str, str]) -> list[str]:
    code = """
import sys
from dsi_automation.cli.main import main
sys.argv = ["dsi", "mailbox", "--help"]
try:
    main()
except SystemExit:
    pass
print("modules", *sys.modules)
"""
    return run([PYTHON, "-c", code], environment).output.rpartition("modules ")[2].split()


def _length(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


BENCHMARK = Benchmark(
    "accounts",
    "What does a mail account cost, from the staff list to a proven mailbox?",
    measure,
    lambda effort: min(effort.repeats, TAKES),
)
