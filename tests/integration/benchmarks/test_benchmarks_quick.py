"""`python -m benchmarks` works and reports everything it promises; its figures are not for a test to judge."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# All benchmarks, one after the other, each with servers of its own.
pytestmark = pytest.mark.timeout(1200)
ROOT = Path(__file__).resolve().parents[3]
KEYS = {
    "startup": {"help_cpu", "help_wall", "over_python", "over_click", "modules", "heavy"},
    "inventory": {"few", "many", "each", "ansible"},
    "journal": {"verify_rate", "export_rate", "archive_rate", "verify", "export", "archive"},
    "gate": {
        "added", "signing", "disk", "checkpoints", "action", "run", "request", "approve", "postgres_action",
        "postgres_run", "length", "direct",
    },
    "fleet": {
        "wall_growth", "cpu_growth", "wall_over_bare", "cpu_over_bare", "wall_small", "wall_large", "bare_wall",
        "cpu_small", "cpu_large", "bare_cpu", "simulator_cpu", "memory", "memory_grown", "command_wall",
        "command_cpu", "hung_wall",
    },
    "accounts": {
        "ours_over_typed_cpu", "ours_over_typed_wall", "whole_over_typed_cpu", "whole_over_typed_wall", "wall", "cpu",
        "ours_cpu", "typed_cpu", "ours_wall", "typed_wall", "simulator_cpu", "plan_cpu", "http", "inner", "retries",
        "ldap", "actions", "start_over_workstation", "start_over_dsi", "start_cpu", "start_modules", "start_extra",
    },
    "backups": {
        "first", "first_plain", "first_cpu", "first_plain_cpu", "again_act", "again", "again_cpu", "first_bare_wall",
        "first_wall", "first_plain_wall", "first_bare_cpu", "first_cpu_s", "again_bare_wall", "again_act_wall",
        "again_wall", "database", "database_whole", "database_cpu", "proof", "proof_script", "proof_copy", "copy_wall",
        "script_wall", "database_wall", "act_wall", "proof_wall", "script_cpu", "database_cpu_s", "load_before",
        "load_after", "memory",
    },
    "application": {
        "restart", "app1", "app2", "added", "restart_quick", "added_quick", "one", "added_one", "bare_closed", "closed",
        "bare_closed_quick", "closed_quick", "part_stopped", "part_caches", "part_between", "part_start", "load_before",
    },
    # Against Ansible's network modules only in full: they come from a package index.
    "routers": {
        "full_netmiko", "full_netmiko_cpu", "full_raw", "full_raw_cpu", "full_ours_wall", "full_ours_own",
        "full_ours_routers", "full_netmiko_wall", "full_netmiko_own", "full_netmiko_routers", "full_raw_wall",
        "full_raw_own", "full_raw_routers", "again_ours_wall", "again_ours_own", "again_ours_routers", "load_before",
    },
}  # fmt: skip
LIMITS = {
    "startup": {"help_cpu": 0.25, "heavy": 0},
    "fleet": {"wall_growth": 1.2, "cpu_growth": 1.2},
    "accounts": {"ours_over_typed_cpu": 0.2, "ours_over_typed_wall": 0.2, "start_extra": 0},
    "backups": {"first": 1.25, "first_plain": 1.05, "again_act": 1.1, "database": 1.05, "proof": 5},
    "application": {"restart": 1.05},
}


def bench(*words):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", KEYS)
def test_a_quick_run_reports_every_figure_its_unit_the_projects_limits_and_the_machine(name):
    done = bench("--quick", "--json", name)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {name: set(rows) for name, rows in report["benchmarks"].items()} == {name: KEYS[name]}
    rows = report["benchmarks"][name]
    assert all({"text", "value", "unit", "ok"} <= set(row) for row in rows.values())
    assert {key: row["limit"] for key, row in rows.items() if "limit" in row} == LIMITS.get(name, {})
    assert {"at", "cores", "python", "load"} <= set(report["machine"])


def test_these_are_all_the_benchmarks_there_are():
    said = " ".join(bench("--help").stdout.split())
    assert f"which: {', '.join(KEYS)} (all)" in said


def test_an_unknown_benchmark_is_a_usage_error():
    done = bench("flet")
    assert done.returncode == 2
    assert "no such benchmark: flet" in done.stderr


def test_a_row_above_its_limit_misses_it_and_one_at_its_limit_keeps_it():
    lines = [
        "from benchmarks.results import Row, failures",
        "rows = [Row('kept', '', 1.2, 'x', limit=1.2), Row('missed', '', 1.3, 'x', limit=1.2), Row('', '', 9, 's')]",
        "print(*(row.key for row in failures(rows)))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["missed"]


def test_changes_of_routers_are_held_against_ansible_where_it_was_measured():
    lines = [
        "from benchmarks.routers import Takes",
        "from benchmarks.routers_house import Took",
        "took = lambda wall: [Took(wall, 1.0, 1.0)]",
        "full = {'ours': took(2.0), 'ansible': took(1.0), 'raw': took(1.0)}",
        "again = {'ours': took(0.2), 'ansible': took(1.0)}",
        "print(*(f'{row.key}:{row.limit}:{row.ok}' for row in Takes(full, again).rows(30) if row.limit is not None))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["full_ansible:1.0:False", "again_ansible:0.2:True"]
