"""`python -m benchmarks`: measure, print, and exit 1 when a limit of the project is missed."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from benchmarks import accounts, application, backups, fleet, gate, inventory, journal, routers, startup
from benchmarks.results import QUICK, Benchmark, Effort, Row, failures

ALL: Sequence[Benchmark] = (
    startup.BENCHMARK,
    inventory.BENCHMARK,
    journal.BENCHMARK,
    gate.BENCHMARK,
    fleet.BENCHMARK,
    accounts.BENCHMARK,
    backups.BENCHMARK,
    application.BENCHMARK,
    routers.BENCHMARK,
)


def main() -> int:
    """Run the benchmarks asked for; 0 when every limit is kept, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(b.name for b in ALL)} (all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="small sizes, once: shows that it works, proves nothing")
    parser.add_argument("--repeats", type=int, help=f"how often each figure is taken ({Effort().repeats})")
    parser.add_argument("--backup-mb", type=int, help=f"size of the files backed up ({Effort().backup_mb})")
    parser.add_argument("--pgbench", type=int, help=f"scale of the database backed up ({Effort().pgbench}: 1.5 GB)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - {benchmark.name for benchmark in ALL})
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, _stop)
    effort = QUICK if arguments.quick else _effort(arguments)
    found: dict[str, list[Row]] = {}
    for benchmark in ALL:
        if arguments.names and benchmark.name not in arguments.names:
            continue
        began = time.perf_counter()
        print(f"{benchmark.name} ...", file=sys.stderr, flush=True)
        found[benchmark.name] = list(benchmark.measure(effort))
        print(f"{benchmark.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps(as_json(found, effort), indent=2) if arguments.json else as_table(found, effort))
    # Quick sizes are too small for a limit to mean anything.
    return 1 if not arguments.quick and failures(row for rows in found.values() for row in rows) else 0


def _effort(arguments: argparse.Namespace) -> Effort:
    full = Effort()
    repeats = arguments.repeats or full.repeats
    return dataclasses.replace(
        full,
        repeats=repeats,
        backup_mb=arguments.backup_mb or full.backup_mb,
        backup_files=full.backup_files * (arguments.backup_mb or full.backup_mb) // full.backup_mb,
        pgbench=arguments.pgbench or full.pgbench,
        backup_takes=min(repeats, full.backup_takes),
        application_takes=min(repeats, full.application_takes),
        router_takes=min(repeats, full.router_takes),
    )


def as_json(found: dict[str, list[Row]], effort: Effort) -> dict[str, Any]:
    """Return the report as data."""
    benchmarks = {name: {row.key: row.to_json() for row in rows} for name, rows in found.items()}
    takes = {each.name: each.takes(effort) for each in ALL if each.name in found}
    return {"machine": machine(), "quick": effort == QUICK, "takes": takes, "benchmarks": benchmarks}


def as_table(found: dict[str, list[Row]], effort: Effort) -> str:
    """Return the report for people: the least of several takes, their median, and the limit if there is one."""
    told = machine()
    lines = [f"{told['at']}, {told['cores']} cores, Python {told['python']}, load {told['load']}"]
    for benchmark in ALL:
        if benchmark.name not in found:
            continue
        # Each benchmark says its own: those that take minutes are taken less often.
        takes = benchmark.takes(effort)
        lines += ["", f"{benchmark.name}: {benchmark.question} ({takes} {'take' if takes == 1 else 'takes'})"]
        for row in found[benchmark.name]:
            middle = "" if row.middle is None else f"median {_number(row.middle)}"
            limit = "" if row.limit is None else f"at most {row.limit:g}: {_verdict(row, effort)}"
            lines.append(f"  {_number(row.value):>9} {row.unit:3}  {row.text:68} {middle:16} {limit}".rstrip())
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what the figures were taken on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _verdict(row: Row, effort: Effort) -> str:
    if effort == QUICK:
        return "not judged"
    return "kept" if row.ok else "MISSED"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
