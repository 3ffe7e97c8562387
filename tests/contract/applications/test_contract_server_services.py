"""Stops and starts of a real daemon under a service script, over a real sshd: what `SshServer` promises of them."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from application_daemon import Daemon
from waiting import wait_for

from dsi_automation.connectors.applications.errors import NotStartedError, StillRunningError
from dsi_automation.connectors.applications.port import ServiceState
from dsi_automation.connectors.applications.server import SshServer
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.secrets import register


class Permit:
    """Lets through, and counts."""

    def __init__(self) -> None:
        self.asked = []

    def check(self, target: str) -> None:
        self.asked.append(target)


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path / "service")
    yield made
    made.end()


@pytest.fixture
def opened(ssh_shell):
    def server(daemon, shell=ssh_shell, **changes):
        return SshServer(daemon.settings(**changes), shell, SystemClock(), Permit(), "sydam")

    return server


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _open(address, port):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def _begin(daemon):
    """Start the daemon without the toolkit."""
    subprocess.run([daemon.script, "start"], check=True, start_new_session=True)
    wait_for(lambda: daemon.open)
    return daemon.pid


def test_what_was_started_outlives_the_session_and_is_seen_stopped_and_started_again(daemon, opened, ssh_shell):
    server = opened(daemon)
    assert server.look().down
    started = server.start()
    assert started.seconds < 20
    ssh_shell.close()
    seen = server.look()
    assert seen.up
    assert (seen.service, seen.holder.pid, seen.holder.command) == (ServiceState.RUNNING, daemon.pid, "python3")
    assert abs(seen.clock_offset) < 5
    stopped = server.stop()
    assert (stopped.killed, daemon.open) == (None, False)
    assert server.look().down
    server.start()
    assert daemon.open
    assert daemon.calls == ["start", "stop", "start"]


def test_a_start_of_what_runs_and_a_stop_of_what_is_down_do_nothing(daemon, opened):
    server = opened(daemon)
    assert server.stop().seconds == 0
    assert daemon.calls == []
    _begin(daemon)
    assert server.start().seconds == 0
    assert daemon.calls == ["start"]


def test_a_service_gets_the_environment_an_init_script_has(daemon, opened):
    opened(daemon).start()
    lines = (daemon.folder / "environment").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert names <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}


def test_a_service_that_never_lets_go_of_its_terminal_is_started_as_well(tmp_path, opened):
    daemon = Daemon(tmp_path / "service", start="python3 daemon.py PORT &")
    try:
        server = opened(daemon)
        server.start()
        assert server.look().up
        assert server.stop().killed is None
    finally:
        daemon.end()


def test_a_service_runs_as_the_user_of_the_inventory(daemon, opened):
    daemon.give_to("nobody")
    server = opened(daemon, user="nobody")
    server.start()
    assert server.look().holder.user == "nobody"
    server.stop()
    assert not daemon.open


def test_a_stop_that_hangs_is_ended_with_its_children_and_the_holder_killed(daemon, opened):
    held = _begin(daemon)
    daemon.switch("hangs")
    stopped = opened(daemon, stop_within=2.5).stop()
    assert stopped.killed.pid == held
    assert stopped.seconds >= 2.5
    assert not _alive(held)
    hanging = (daemon.folder / "hanging").read_text().split()
    assert len(hanging) == 2
    assert not any(_alive(pid) for pid in hanging)


def test_a_process_that_ignores_sigterm_gets_sigkill(daemon, opened, monkeypatch):
    daemon.switch("deaf")
    held = _begin(daemon)
    daemon.switch("lies")
    stopped = opened(daemon, stop_within=0.5).stop()
    assert (stopped.killed.pid, _alive(held)) == (held, False)


def test_a_port_still_held_after_the_stop_is_freed_and_the_holder_named(daemon, opened):
    held = _begin(daemon)
    daemon.switch("lies")
    stopped = opened(daemon, stop_within=0.5).stop()
    assert stopped.killed.pid == held
    assert not daemon.open


def test_without_leave_to_kill_the_holder_is_named_and_left(daemon, opened):
    held = _begin(daemon)
    daemon.switch("lies")
    with pytest.raises(StillRunningError) as raised:
        opened(daemon, stop_within=0.5, kill=False).stop()
    assert str(held) in str(raised.value.meaning)
    assert raised.value.detail["holders"][0]["pid"] == held
    assert _alive(held)


def test_only_the_holder_of_this_port_at_this_address_is_killed(daemon, opened, tmp_path):
    """Another process has the same port at another address, one more has another port."""
    other = Daemon(tmp_path / "other")
    (other.folder / "daemon.py").write_text((other.folder / "daemon.py").read_text().replace("127.0.0.1", "127.0.0.2"))
    other.script.write_text(other.script.read_text().replace(str(other.port), str(daemon.port)))
    third = Daemon(tmp_path / "third")
    try:
        held = _begin(daemon)
        subprocess.run([other.script, "start"], check=True, start_new_session=True)
        wait_for(lambda: _open("127.0.0.2", daemon.port))
        beside = _begin(third)
        daemon.switch("lies")
        assert opened(daemon, stop_within=0.5).stop().killed.pid == held
        assert _alive(other.pid)
        assert _alive(beside)
        assert opened(daemon).look().down
    finally:
        other.end()
        third.end()


def test_an_account_that_cannot_see_the_holder_says_so_and_kills_nobody(daemon, opened, tmp_path):
    held = _begin(daemon)
    daemon.switch("lies")
    daemon.give_to("nobody")

    class AsNobody(LocalShell):
        def run(self, program, *, on_line=None):
            from dataclasses import replace

            return super().run(replace(program, user="nobody"), on_line=on_line)

    server = opened(daemon, AsNobody(), stop_within=0.3)
    seen = server.look()
    assert (seen.listening, seen.holder) == (True, None)
    with pytest.raises(StillRunningError, match="root"):
        server.stop()
    assert _alive(held)


def test_a_start_that_dies_is_told_with_the_log_and_without_secrets(daemon, opened):
    register("Tr0ub4dor-log")
    daemon.switch("dies")
    with pytest.raises(NotStartedError) as raised:
        opened(daemon).start()
    assert "cannot reach the database" in "\n".join(raised.value.detail["log"])
    assert "Tr0ub4dor" not in repr(raised.value.detail)


def test_a_start_command_that_says_no_is_told_with_what_it_said(daemon, opened):
    daemon.switch("fails")
    with pytest.raises(NotStartedError, match="6") as raised:
        opened(daemon).start()
    assert raised.value.detail["said"] == "JAVA_HOME is not set"


def test_a_port_that_opens_late_is_waited_for_and_no_longer_than_allowed(daemon, opened):
    daemon.switch("slow")
    looks = []

    def seen_closed() -> None:
        looks.append(daemon.open)
        daemon.switch("slow", on=False)

    with pytest.raises(NotStartedError) as raised:
        opened(daemon, start_within=2.0).start()
    assert raised.value.detail["service"] == "running"
    # Started by whoever came before: it is waited for, and not started twice.
    assert opened(daemon).start(seen_closed).seconds > 0
    assert daemon.calls == ["start"]
    opened(daemon).stop()
    daemon.switch("slow")
    opened(daemon).start(seen_closed)
    assert daemon.open
    assert looks[:1] + looks[-1:] == [False, False]


def test_whoever_started_it_may_give_up_waiting(daemon, opened):
    daemon.switch("slow")

    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(daemon).start(enough)


def test_a_port_that_another_process_has_is_told_before_anything_is_started(daemon, opened, tmp_path):
    _begin(daemon)
    (daemon.folder / "pid").unlink()
    with pytest.raises(NotStartedError, match="taken"):
        opened(daemon).start()
    assert daemon.calls == ["start"]


def test_nothing_is_written_without_a_permit_and_the_permit_is_asked(daemon, opened, tmp_path):
    asked = opened(daemon)
    asked.stop()
    assert asked._permit.asked == ["sydam"]
    server = SshServer(daemon.settings(releases="/r/r", link="/r/l"), LocalShell(), SystemClock(), None, "sydam")
    writes = [
        server.stop,
        server.start,
        server.empty_caches,
        lambda: server.put_release("1", tmp_path / "a", "00"),
        lambda: server.use_release("1"),
        lambda: server.drop_releases(()),
    ]
    for write in writes:
        with pytest.raises(GateClosedError):
            write()


def test_the_log_and_checks_are_shown_with_secrets_masked(daemon, opened):
    register("Tr0ub4dor-log")
    (daemon.folder / "log").write_text("one\ntwo Tr0ub4dor-log\nthree\n")
    server = opened(daemon)
    assert [line[:4] for line in server.log_tail(2)] == ["two ", "thre"]
    assert "Tr0ub4dor" not in "".join(server.log_tail())
    assert opened(daemon, log=None).log_tail() == ()
    assert server.run_check(["sh", "-c", "echo fine; echo Tr0ub4dor-log >&2; exit 4"], 10)[0] == 4
    assert "Tr0ub4dor" not in server.run_check(["sh", "-c", "echo Tr0ub4dor-log"], 10)[1]


def test_a_status_command_that_is_not_there_is_told(daemon, opened):
    with pytest.raises(UsageError, match="no-such"):
        opened(daemon, status=("/no-such/script", "status")).look()


def test_when_the_controller_is_killed_during_a_stop_the_hanging_stop_command_ends(daemon, tmp_path):
    _begin(daemon)
    daemon.switch("hangs")
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            SshServer(daemon.settings(stop_within=60.0), LocalShell(), SystemClock(), Permit(), "sydam").stop()
        finally:
            os._exit(0)
    hanging = daemon.folder / "hanging"
    wait_for(lambda: hanging.exists() and hanging.read_text().strip())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert wait_for(lambda: not any(_alive(pid) for pid in hanging.read_text().split()))
