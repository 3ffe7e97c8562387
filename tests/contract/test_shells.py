"""What both shells promise, held against a real sshd and against this machine itself."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import wait_for

from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.connectors.ssh.errors import (
    FileRefusedError,
    HostKeyError,
    LoginRefusedError,
    NotInstalledError,
    ProgramTimeoutError,
)
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.connectors.ssh.output import LONGEST_OUTPUT
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.secrets import Secret


@pytest.fixture(params=["local", "ssh"])
def shell(request, ssh_shell) -> Shell:
    return LocalShell() if request.param == "local" else ssh_shell


def _gone(pid: int) -> bool:
    """Tell whether a process is no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _all_gone(pids: str) -> bool:
    """Wait until no process of a list is left."""
    return wait_for(lambda: all(_gone(int(pid)) for pid in pids.split()))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20), max_size=4))
def test_no_shell_reads_the_words_of_a_program(shell, words):
    script = "import sys; sys.stdout.write(ascii(sys.argv[1:]))"
    done = shell.run(Program([sys.executable, "-c", script, *words]))
    assert done.text == ascii(words)


def test_a_word_that_is_not_utf8_arrives_as_it_is(shell):
    done = shell.run(Program(["printf", "%s", os.fsdecode(b"caf\xe9")]))
    assert done.stdout == b"caf\xe9"


def test_standard_input_arrives_byte_by_byte_and_ends(shell):
    content = bytes(range(256)) * 2000
    assert shell.run(Program(["cat"], stdin=content)).stdout == content
    assert shell.run(Program(["cat"])).stdout == b""


def test_a_program_that_does_not_read_its_input_ends_all_the_same(shell):
    assert shell.run(Program(["true"], stdin=b"x" * 500_000)).status == 0


def test_status_output_and_complaint_are_told_apart(shell):
    done = shell.run(Program(["sh", "-c", "echo out; echo err >&2; exit 7"]))
    assert (done.status, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert shell.run(Program(["sh", "-c", "kill -9 $$"])).status == 137


def test_what_a_program_says_after_a_long_silence_is_heard(sshd):
    patience = 4
    shell = SshShell(sshd.endpoint(connect_timeout=patience))
    said = shell.run(Program(["sh", "-c", 'sleep "$1"; echo late >&2', "sh", str(patience + 1)]))
    shell.close()
    # A login shell may have said something of its own before.
    assert said.complaint.endswith("late\n")


def test_the_environment_is_clean_in_utf8_and_has_what_is_given(shell, monkeypatch):
    monkeypatch.setenv("LEFTOVER", "1")
    done = shell.run(Program(["env"], environment={"GIVEN": "a'b $x\nc"}))
    assert "LEFTOVER" not in done.text
    assert "GIVEN=a'b $x\nc\n" in done.text
    assert "LC_ALL=C.UTF-8\n" in done.text


def test_a_secret_is_in_the_programs_environment_and_in_no_argument_list(shell):
    secret = "Tr0ub4dor&3 'quoted'"
    look = 'test "$PW" = "$(cat)" && cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "'
    done = shell.run(Program(["sh", "-c", look], stdin=secret.encode(), secret_environment={"PW": Secret(secret)}))
    assert done.status == 0
    assert "cmdline" in done.text
    assert "Tr0ub4dor" not in done.text


def test_lines_come_as_they_are_printed(shell, tmp_path):
    go = tmp_path / "go"
    seen = []

    def told(line: str) -> None:
        seen.append(line)
        go.touch()

    done = shell.run(
        Program(["sh", "-c", 'echo first; while ! [ -e "$1" ]; do sleep 0.01; done; printf last', "dsi", str(go)]),
        on_line=told,
    )
    assert seen == ["first", "last"]
    assert done.stdout == b"first\nlast"


def test_a_flood_of_lines_keeps_only_the_end_in_memory(shell):
    count = [0]
    done = shell.run(
        Program(["sh", "-c", "yes 0123456789abcdef | head -c 20000000; echo; echo end"]),
        on_line=lambda _: count.__setitem__(0, count[0] + 1),
    )
    assert count[0] > 1_000_000
    assert len(done.stdout) <= LONGEST_OUTPUT
    assert done.stdout.endswith(b"end\n")


def test_at_the_end_of_its_time_a_program_and_its_children_are_killed(shell, tmp_path):
    pids = tmp_path / "pids"
    script = 'sh -c "trap \\"\\" TERM; while :; do sleep 1; done" & echo $! $$ >"$1"; wait'
    with pytest.raises(ProgramTimeoutError) as raised:
        shell.run(Program(["sh", "-c", script, "dsi", str(pids)], timeout=2.5))
    assert raised.value.retryable
    assert _all_gone(pids.read_text())


def test_what_a_program_leaves_behind_is_ended_with_it(shell):
    done = shell.run(Program(["sh", "-c", "sleep 300 & echo $!"]))
    assert _all_gone(done.text)


@pytest.mark.parametrize("way", ["local", "ssh"])
def test_a_program_ends_when_the_controller_is_killed(way, sshd, tmp_path):
    pids = tmp_path / "pids"
    end = sshd.endpoint()
    made = "LocalShell()" if way == "local" else f"SshShell(SshEndpoint(**{_plain(end)!r}))"
    controller = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "from dsi_automation.connectors.ssh.local import LocalShell\n"
                "from dsi_automation.connectors.ssh.client import SshShell\n"
                "from dsi_automation.connectors.ssh.port import Program, SshEndpoint\n"
                f"{made}.run(Program(['sh', '-c', 'sleep 300 & echo $! $$ >\"$1.new\"; mv \"$1.new\" \"$1\"; wait',"
                f" 'dsi', {str(pids)!r}]))"
            ),
        ]
    )
    wait_for(lambda: pids.exists() or controller.poll() is not None)
    assert controller.poll() is None
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    assert _all_gone(pids.read_text())


def _plain(end) -> dict:
    return {name: getattr(end, name) for name in ("name", "host", "port", "user", "key", "known_hosts")}


def test_a_program_runs_as_another_user(shell):
    assert shell.run(Program(["id", "-un"], user="nobody")).text == "nobody\n"


def test_a_program_that_is_not_there_is_told_by_name(shell):
    with pytest.raises(NotInstalledError, match="no-such-program"):
        shell.run(Program(["no-such-program"]))
    assert shell.run(Program(["sh", "-c", "exit 127"])).status == 127


def test_a_folder_that_is_not_there_is_told(shell):
    with pytest.raises(NotInstalledError, match="/no/such"):
        shell.run(Program(["true"], directory="/no/such"))
    assert shell.run(Program(["pwd"], directory="/usr")).text == "/usr\n"


def test_files_are_read_and_written_whole(shell, tmp_path):
    path = tmp_path / "deep er" / "it's"
    assert shell.read(str(path)) is None
    shell.write(str(path), b"\0\xff" * 1000, mode=0o640)
    assert shell.read(str(path)) == b"\0\xff" * 1000
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in path.parent.iterdir()] == ["it's"]
    with pytest.raises(FileRefusedError):
        shell.write("/proc/no/such", b"")


def test_a_fetched_file_is_whole_or_absent(shell, tmp_path):
    source = tmp_path / "big"
    source.write_bytes(os.urandom(3_000_000))
    shell.fetch(str(source), tmp_path / "to" / "copy")
    assert (tmp_path / "to" / "copy").read_bytes() == source.read_bytes()
    with pytest.raises(FileRefusedError):
        shell.fetch(str(tmp_path / "none"), tmp_path / "to" / "none")
    assert [item.name for item in (tmp_path / "to").iterdir()] == ["copy"]


def test_a_shell_serves_several_threads(shell):
    found = {}

    def ask(number: int) -> None:
        found[number] = shell.run(Program(["sh", "-c", "cat; sleep 0.05"], stdin=b"%d" % number)).stdout

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: b"%d" % number for number in range(6)}


def test_an_unknown_host_key_is_refused_and_the_line_to_add_is_shown(sshd, tmp_path):
    known = tmp_path / "known"
    known.touch()
    with pytest.raises(HostKeyError) as raised:
        SshShell(sshd.endpoint(known_hosts=str(known))).run(Program(["true"]))
    line = (sshd.folder / "host.pub").read_text().split()[1]
    assert line in str(raised.value)
    known.write_text(str(raised.value.next_step).rpartition(": ")[2] + "\n")
    shell = SshShell(sshd.endpoint(known_hosts=str(known)))
    assert shell.run(Program(["true"])).status == 0
    shell.close()


def test_a_changed_host_key_is_refused(sshd, tmp_path):
    other = (sshd.folder / "id.pub").read_text()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {other}")
    with pytest.raises(HostKeyError, match="SHA256"):
        SshShell(sshd.endpoint(known_hosts=str(tmp_path / "known"))).run(Program(["true"]))


def test_a_key_the_machine_does_not_know_is_refused(sshd, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    with pytest.raises(LoginRefusedError):
        SshShell(sshd.endpoint(key=str(tmp_path / "id"))).run(Program(["true"]))


def test_a_machine_that_does_not_answer_is_unreachable(sshd):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(UnreachableError):
            SshShell(sshd.endpoint(port=port)).run(Program(["true"]))
        probe.listen()  # accepts, and never says a word
        with pytest.raises(UnreachableError):
            SshShell(sshd.endpoint(port=port, connect_timeout=0.3)).run(Program(["true"]))


def test_a_connection_that_broke_is_told_and_made_anew(ssh_shell):
    def cut() -> None:
        with contextlib.suppress(AttributeError):
            ssh_shell._connected.transport.sock.close()

    with pytest.raises(UnreachableError):
        ssh_shell.run(Program(["sh", "-c", "echo there; sleep 60"]), on_line=lambda _: cut())
    assert ssh_shell.run(Program(["echo", "again"])).text == "again\n"
