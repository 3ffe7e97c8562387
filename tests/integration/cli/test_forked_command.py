"""A command that tests fork from a prepared process is, to everybody who looks, the command that people execute."""

import os
import signal
import subprocess
from pathlib import Path

import forking
import pytest
from forking import ANSIBLE, DSI
from waiting import wait_for


@pytest.fixture
def environment(tmp_path):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DSI_LANG": "fr", "DSI_INVENTORY": str(tmp_path / "no")}


@pytest.mark.parametrize(
    "words",
    [["--version"], ["operations", "--json"], ["mine"], ["journal", "verify", "--json"], ["lab", "--help"], ["pln"]],
)
def test_it_says_and_ends_as_the_executed_one(environment, tmp_path, words):
    forked = forking.run([DSI, *words], env=environment, cwd=tmp_path)
    executed = subprocess.run([DSI, *words], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (forked.returncode, forked.stdout, forked.stderr) == (executed.returncode, executed.stdout, executed.stderr)
    assert executed.stdout + executed.stderr


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["ansible-playbook", "-i", "here,", "play.yml"], {}),
        (["ansible-playbook", "--version"], {"ANSIBLE_HOME": "elsewhere", "ANSIBLE_NOCOLOR": "1"}),
        (
            ["ansible", "localhost", "-m", "ansible.builtin.ping"],
            {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"},
        ),
        (["ansible-doc", "dsi.ops.licence"], {}),
    ],
)
def test_a_program_of_ansible_has_the_settings_of_its_own_environment_and_folder(environment, tmp_path, words, more):
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = 17\nroles_path = here\n")
    tell = "{ansible.builtin.debug: {msg: \"{{ lookup('ansible.builtin.config', 'DEFAULT_FORKS') }} forks\"}}"
    (tmp_path / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks: [{tell}]\n")
    program, *rest = words
    given, env = [str(Path(DSI).with_name(program)), *rest], {**environment, **more}
    assert forking.plain(given, env)
    forked = forking.run(given, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL)
    executed = subprocess.run(
        given, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (executed.returncode, executed.stdout, executed.stderr)
    assert ("17 forks" in executed.stdout) is ("play.yml" in words)


def test_it_shows_its_own_words_environment_and_folder_and_is_our_child(environment, tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b" " * 4096):
            pass
    except BlockingIOError:
        pass  # a full pipe holds the command until it is killed
    process = forking.start([DSI, "operations"], env=environment, cwd=tmp_path, stdout=writer)
    shown = Path("/proc", str(process.pid))
    wait_for(lambda: (shown / "comm").read_text() == "dsi\n")
    assert (shown / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")[1:] == [os.fsencode(DSI), b"operations"]
    told = (shown / "environ").read_bytes().rstrip(b"\0").split(b"\0")
    assert set(told) == {os.fsencode(f"{name}={value}") for name, value in environment.items()}
    assert (shown / "cwd").readlink() == tmp_path
    assert int((shown / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
    process.kill()
    assert process.wait() == -signal.SIGKILL
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("name", ["LANG", "PYTHONUTF8", "ANSIBLE_CONFIG", "LD_PRELOAD"])
def test_what_may_change_an_import_is_executed(environment, name):
    assert forking.plain([DSI, "mine"], environment)
    assert not forking.plain([DSI, "mine"], {**environment, name: "x"})
    assert not forking.plain(["/usr/bin/faketime", "-f", "+1d", DSI, "mine"], environment)
    # Ansible is imported by the fork itself, which has the environment by then.
    for program in ANSIBLE:
        assert forking.plain([program], {**environment, name: "x"}) is name.startswith("ANSIBLE_")
