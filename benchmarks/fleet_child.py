"""In a process of its own: check the first N hosts of an inventory, and say what it cost.

`python -m benchmarks.fleet_child INVENTORY N` prints JSON. What happens once per command (imports, reading the
inventory) is done before, with one host, and is measured by itself.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time

from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.operation import Report

OPERATION = "workstation.check"


class MostThreads:
    """Notes how many threads there were at once."""

    def __init__(self) -> None:
        self.most = 0

    def notify(self, event: Event) -> None:
        """Look when a target is done."""
        self.most = max(self.most, threading.active_count())


def main(inventory: str, count: str) -> None:
    """Check and print."""
    toolkit = Toolkit(inventory=inventory, environ={})
    targets = toolkit.select(["workstations"])[: int(count)]
    toolkit.engine.check(OPERATION, targets[:1], {}, Silent())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watch = MostThreads()
    wall, cpu = time.perf_counter(), time.process_time()
    report: Report = toolkit.engine.check(OPERATION, targets, {}, watch)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {
        "wall": wall,
        "cpu": cpu,
        "answered": len(targets) - len(report.failures),
        "failed": sorted(report.failures),
        "peak_mib": peak / 1024,
        "grown_mib": (peak - before) / 1024,
        "threads": watch.most,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
