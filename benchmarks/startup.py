"""What `dsi --help` costs before anything is done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import PYTHON, run
from benchmarks.results import Benchmark, Effort, Row, Samples, paired

LIMIT = 0.25
"""The issue's limit, in CPU seconds."""
HEAVY = (
    "winrm",
    "requests",
    "ldap3",
    "sqlalchemy",
    "alembic",
    "ansible",
    "rich",
    "pydantic",
    "cryptography",
    "asyncio",
)
"""What must not be imported for a help text."""
_COUNT = """
import sys
from dsi_automation.cli.main import main
sys.argv = ["dsi", "--help"]
try:
    main()
except SystemExit:
    pass
print("modules", *sys.modules)
"""


def measure(effort: Effort) -> Sequence[Row]:
    """Start each in turn, twice as often as other things are done: it is quick."""
    dsi = [str(Path(sys.executable).with_name("dsi")), "--help"]
    commands = {"dsi": dsi, "python": [PYTHON, "-c", "pass"], "click": [PYTHON, "-c", "import click"]}
    cpu = {name: Samples() for name in commands}
    wall = Samples()
    for command in commands.values():
        run(command)
    for _ in range(effort.repeats * 2):
        for name, command in commands.items():
            ran = run(command)
            cpu[name].add(ran.cpu)
            if name == "dsi":
                wall.add(ran.wall)
    modules = run([PYTHON, "-c", _COUNT]).output.rpartition("modules ")[2].split()
    heavy = sorted({name.partition(".")[0] for name in modules} & set(HEAVY))
    return [
        cpu["dsi"].row("help_cpu", "`dsi --help`, CPU", "s", limit=LIMIT),
        wall.row("help_wall", "`dsi --help`, wall", "s"),
        paired("over_python", "`dsi --help` / `python -c pass`, CPU", cpu["dsi"], cpu["python"]),
        paired("over_click", "`dsi --help` / `python -c 'import click'`, CPU", cpu["dsi"], cpu["click"]),
        Row("modules", "modules imported", len(modules), ""),
        Row("heavy", f"heavy packages among them{': ' + ', '.join(heavy) if heavy else ''}", len(heavy), "", limit=0),
    ]


BENCHMARK = Benchmark("startup", "What does the command cost before it does anything?", measure)
