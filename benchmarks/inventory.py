"""What reading the inventory costs, for a handful of hosts and for hundreds."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fleet_house import write_inventory
from benchmarks.processes import child
from benchmarks.results import Benchmark, Effort, Row, Samples

FEW = 7


def measure(effort: Effort) -> Sequence[Row]:
    """Read a small and a large inventory in turn."""
    few, many, first = Samples(), Samples(), Samples()
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        homes = {count: Path(folder, str(count), "inventory") for count in (FEW, effort.inventory)}
        for count, home in homes.items():
            write_inventory(home, count, Path("/etc/ssl/certs/ca-certificates.crt"))
        for _ in range(effort.repeats):
            small, large = (child("inventory_child", str(home)) for home in homes.values())
            few.add(small["cpu"])
            many.add(large["cpu"])
            first.add(small["first_cpu"] - small["cpu"])
    each = (many.least - few.least) / (effort.inventory - FEW)
    return [
        few.row("few", f"read {FEW} hosts, CPU", "ms", scale=1000),
        many.row("many", f"read {effort.inventory} hosts, CPU", "ms", scale=1000),
        Row("each", "each host more, CPU", each * 1000, "ms"),
        first.row("ansible", "import of ansible-core, once per command, CPU", "ms", scale=1000),
    ]


BENCHMARK = Benchmark("inventory", "What does reading the inventory cost?", measure)
