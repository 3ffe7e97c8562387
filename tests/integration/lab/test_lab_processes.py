"""Daemons of the lab: found again by their record, stopped with their children, never mistaken for somebody else's."""

import os
import subprocess
from pathlib import Path

import pytest

from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.layout import SYSTEM_PATH
from dsi_automation.lab.processes import Daemon

CLOCK = SystemClock()
ENV = {"PATH": SYSTEM_PATH}
SETSID_CHILD = "setsid sleep 600 & exec sleep 600"


@pytest.fixture
def namespace():
    name = f"p{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.fixture
def daemon(namespace, tmp_path):
    made = Daemon("sleeper", namespace, tmp_path / "run", tmp_path / "log")
    yield made
    made.stop(CLOCK)


def commands(pids):
    return sorted(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode() for pid in pids)


def test_a_daemon_is_known_as_soon_as_start_returns_and_stops_for_good(daemon):
    assert daemon.pid() is None
    assert daemon.stop(CLOCK) is False
    daemon.start(["sleep", "600"], ENV)
    pid = daemon.pid()
    assert pid is not None
    assert daemon.stop(CLOCK) is True
    assert (daemon.pid(), daemon.members(), daemon.record.exists()) == (None, [], False)


def test_children_that_began_a_session_of_their_own_are_stopped_too(daemon):
    daemon.start(["sh", "-c", SETSID_CHILD], ENV)
    while len(daemon.members()) < 2:
        os.sched_yield()
    members = daemon.members()
    daemon.stop(CLOCK)
    assert [pid for pid in members if Path(f"/proc/{pid}/cmdline").exists() and commands([pid]) != [""]] == []


def test_another_process_with_the_same_number_is_not_the_daemon(daemon, namespace):
    daemon.start(["sleep", "600"], ENV)
    record = daemon.record.read_text().split(" ")
    daemon.stop(CLOCK)
    stranger = subprocess.Popen(["ip", "netns", "exec", namespace, "sleep", "600"])
    try:
        # The record of a daemon that died, whose number the stranger was given since.
        daemon.record.write_text(" ".join([str(stranger.pid), *record[1:]]))
        assert daemon.pid() is None
        daemon.stop(CLOCK)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_daemon_that_ignores_polite_signals_is_ended(daemon):
    daemon.start(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], ENV)
    assert daemon.stop(CLOCK) is True
    assert daemon.pid() is None


def test_a_damaged_record_is_no_daemon(daemon):
    daemon.run_dir.mkdir()
    for content in ("", "x", "1 (a) S", ") ("):
        daemon.record.write_text(content)
        assert daemon.pid() is None
        assert daemon.members() == []


def test_what_a_daemon_says_is_in_its_log(daemon):
    daemon.start(["sh", "-c", "echo bonjour; echo erreur >&2; exec sleep 600"], ENV)
    while "erreur" not in daemon.log.read_text():
        os.sched_yield()
    assert daemon.log.read_text() == "bonjour\nerreur\n"
