"""Running a measured program: its wall time and its own CPU time, as the kernel counted them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = sys.executable
HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ran.

    Attributes:
        wall, cpu: seconds; `cpu` is user and system time of it and of the children it waited for.
        code: its exit code.
    """

    wall: float
    cpu: float
    code: int
    output: str


def run(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
    """Run a program to its end; its standard output is kept, its standard error goes to ours when it crashes."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdout=output, stderr=said, env={**os.environ, **(environment or {})}, cwd=HERE
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said.seek(0)
        text, problems = output.read(), said.read()
    if process.returncode in {1, 2} or process.returncode < 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{problems or text[-4000:]}")
    return Ran(wall, usage.ru_utime + usage.ru_stime, process.returncode, text)


def child(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module of this package, and return the JSON it prints."""
    found: dict[str, Any] = json.loads(run([PYTHON, "-m", f"benchmarks.{module}", *arguments]).output)
    return found


def cpu_of(pid: int) -> float:
    """Return the CPU seconds another process has used so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
