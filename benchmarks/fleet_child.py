"""In a process of its own: check hosts of an inventory, so many at a time, and say what that cost.

`python -m benchmarks.fleet_child INVENTORY SIZE ROUNDS` checks SIZE hosts, then the SIZE next ones, and prints JSON:
seconds of all rounds together. What happens once per command (imports, reading the inventory) is done before, with
one host, and is measured by itself.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.operation import Report

OPERATION = "workstation.check"


class MostThreads:
    """Notes how many threads there were at once."""

    def __init__(self) -> None:
        self.most = 0

    def notify(self, event: Event) -> None:  # noqa: ARG002  # it comes when one is done, which is enough to know
        """Look when a target is done."""
        self.most = max(self.most, threading.active_count())


def main(inventory: str, size: str, rounds: str) -> None:
    """Check and print."""
    toolkit = Toolkit(inventory=inventory, environ={})
    targets = toolkit.inventory.select(["workstations"])
    toolkit.engine.check(OPERATION, targets[:1], {}, Silent())
    before = peak_mib()
    watch, failed = MostThreads(), list[str]()
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, int(size) * int(rounds), int(size)):
        chosen = targets[start : start + int(size)]
        report: Report = toolkit.engine.check(OPERATION, chosen, {}, watch)
        failed += report.failures
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_mib()
    found = {"wall": wall, "cpu": cpu, "failed": failed, "threads": watch.most}
    print(json.dumps({**found, "peak_mib": peak, "grown_mib": peak - before}))


def peak_mib() -> float:
    """Return the most memory this process has held (proc(5), VmHWM); getrusage(2) would count its parent's as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
