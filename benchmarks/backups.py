"""What gate, journal, manifest and proof add to the engines of backups: ratios to the same engines typed by hand."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks import backups_database, backups_files
from benchmarks.backups_house import bare
from benchmarks.results import Benchmark, Effort, Row


def measure(effort: Effort) -> Sequence[Row]:
    """Measure files, then a database; the load before and after says what else the machine did."""
    before = os.getloadavg()[0]
    rows = [*backups_files.measure(effort), *backups_database.measure(effort)]
    restic = bare(["restic", "version"]).split()[1]
    return [
        *rows,
        Row("load_before", f"load before; restic {restic}, Linux {platform.release()}", before, ""),
        Row("load_after", "load after", os.getloadavg()[0], ""),
        Row("memory", "memory; what is backed up is in it, for both sides", _memory(), "GB"),
    ]


def _memory() -> float:
    words = Path("/proc/meminfo").read_text().split()
    return int(words[1]) / 1e6


BENCHMARK = Benchmark("backups", "What do gate, manifest and proof add to the engines of backups?", measure,
                      lambda effort: effort.backup_takes)  # fmt: skip
