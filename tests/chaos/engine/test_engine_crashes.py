"""Death at any moment, two at once, and being asked to stop: every action is done once, and it is known."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

DRIVER = Path(__file__).with_name("crash_driver.py")
RACER = Path(__file__).with_name("race_driver.py")
ONCE = {name: {"a": 1, "b": 1, "c": 1} for name in ("t1", "t2")}


def lines(*arguments):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def finished_once(death):
    assert death["status"] == [-signal.SIGKILL] * 2, death
    (told,) = death["resumed"]
    assert death["rc"] == 0, death
    assert told["written"] == ONCE, death
    assert told["exit"] == 0, death
    assert set(told["steps"]) <= {"done"}, death
    assert (told["ends"], told["held"], told["runs"]) == (1, 0, 1), death
    return True


def test_killed_at_every_point_a_resumed_run_has_done_every_action_once(tmp_path):
    *deaths, end = lines(DRIVER, tmp_path / "houses", "1", "1")
    assert end["finished"] == 0
    assert len(deaths) == end["all"]
    names = {death["died"][0][0]["died"] for death in deaths}
    assert {"before t1/create-b", "after t2/create-c", "committed action.about_to", "committed action.done"} <= names
    assert all(finished_once(death) for death in deaths)


def test_killed_again_while_resuming_a_run_still_does_every_action_once(tmp_path):
    *deaths, end = lines(DRIVER, tmp_path / "houses", "11", "2")
    assert len(deaths) > end["all"] // 11
    assert {death["died"][1][0]["died"].split()[0] for death in deaths} >= {"before", "committed"}
    assert all(finished_once(death) for death in deaths)


def test_two_processes_run_one_request_one_runs_and_the_other_says_who(tmp_path):
    prepared = lines(RACER, "prepare", tmp_path)
    start = [sys.executable, RACER, "run", tmp_path, prepared[0]]
    racers = [subprocess.Popen(start, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) for _ in range(2)]
    # Both say they are ready before either may begin; the winner then waits, inside an action, for the loser's end.
    for racer in racers:
        assert json.loads(racer.stdout.readline()) == "ready"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = {}
    first = [json.loads(racer.stdout.readline()) for racer in racers]
    for racer, said in zip(racers, first, strict=True):
        told[said["said"]] = (racer, said)
    assert set(told) == {"acting", "refused"}
    winner = told["acting"][0]
    winner.stdin.write("on\n")
    winner.stdin.flush()
    assert json.loads(winner.stdout.readline())["exit"] == 0
    refusal = told["refused"][1]
    assert refusal["code"] == 4
    assert "m.kouadio" in refusal["text"]
    assert f"pid {winner.pid}" in refusal["text"]
    for racer in racers:
        racer.stdin.close()
        racer.stdout.close()
        assert racer.wait() == 0
    assert (tmp_path / "targets/t1/a").read_text() == "written\n"


def test_asked_to_stop_a_run_finishes_its_action_records_it_and_can_be_resumed(tmp_path):
    prepared = lines(RACER, "prepare", tmp_path)
    start = [sys.executable, RACER, "run", tmp_path, prepared[0]]
    with subprocess.Popen(start, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as run:
        assert json.loads(run.stdout.readline()) == "ready"
        run.stdin.write("go\n")
        run.stdin.flush()
        assert json.loads(run.stdout.readline())["said"] == "acting"
        os.kill(run.pid, signal.SIGTERM)
        assert json.loads(run.stdout.readline())["said"] == "stopping"
        run.stdin.write("on\n")
        run.stdin.flush()
        told = json.loads(run.stdout.readline())
    assert told["outcome"] == "interrupted"
    assert told["exit"] == 1
    assert told["steps"] == [["t1/create-a", "done"]]
    assert told["held"] == 0
    again = lines(RACER, "resume", tmp_path)
    assert again[0]["exit"] == 0
    assert [len(p.read_text().splitlines()) for p in (tmp_path / "targets/t1").iterdir()] == [1, 1, 1]
