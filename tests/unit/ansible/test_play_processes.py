"""The processes of a play are ended with it: those that one of them begins at the last moment too, and no others."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from dsi_automation.ansible.processes import MARK, end_all, processes_of
from dsi_automation.ansible.runner import new_run
from dsi_automation.core.clock import SystemClock

LEAVES_ONE = "trap 'sleep 300 & exit' TERM; echo ready; while :; do sleep 0.05; done"
NOW = datetime(2026, 11, 22, 12, 48, 8, tzinfo=UTC)


class Patient(SystemClock):
    """A clock by which no time of grace is ever over."""

    def monotonic(self) -> float:
        return 0.0


def begin(mark: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(words, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True)


def test_what_a_process_begins_once_it_was_told_to_end_is_told_as_well(tmp_path: Path) -> None:
    mark = str(tmp_path)
    with begin(mark, "sh", "-c", LEAVES_ONE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        end_all(mark, Patient(), at_once=False)
        assert list(processes_of(mark)) == []
        # Nobody holds the other end any more: the one begun last has ended as well.
        assert process.stdout.read() == ""


def test_a_run_of_another_inventory_that_began_in_the_same_second_is_left_alone(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    ids = [new_run(folder, NOW) for folder in (mine, other)]
    assert ids[0] == ids[1]
    marks = [str(folder / ids[0]) for folder in (mine, other)]
    with begin(marks[0], "sleep", "300") as ended, begin(marks[1], "sleep", "300") as left:
        end_all(marks[0], SystemClock(), at_once=False)
        assert ended.wait() != 0
        assert list(processes_of(marks[1])) == [left.pid]
        left.kill()


def test_of_runs_of_one_inventory_that_begin_at_once_each_has_its_own_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: new_run(tmp_path / "playbooks", NOW), range(24)))
    assert len(set(ids)) == 24
    assert sorted(ids) == sorted(path.name for path in (tmp_path / "playbooks").iterdir())
