"""The `dsi` command as a shell starts it: what it loads, says and ends with, without a lab."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import forking
import pytest
from forking import DSI

HEAVY = {
    "ansible", "ansible_runner", "sqlalchemy", "alembic", "pydantic", "rich", "winrm", "ldap3", "cryptography",
    "requests", "yaml", "jinja2", "aiohttp", "spnego", "asyncio",
}  # fmt: skip
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environment(tmp_path):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DSI_STATE": str(tmp_path / "state")}


@pytest.fixture
def call(tmp_path, environment):
    def run(*arguments, **more):
        env = {**environment, **more.pop("env", {})}
        return forking.run([DSI, *arguments], cwd=tmp_path, env=env, **more)

    return run


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["plan", "--help"], ["request", "--help"], ["completion", "bash"], ["pln"]]
)
def test_nothing_heavy_is_imported_before_it_is_used(tmp_path, environment, arguments):
    listing = (
        "import sys\nfrom dsi_automation.cli.main import run\ncode = run(sys.argv[1:])\n"
        "print('\\nLOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", listing, *arguments],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "dsi_automation" in loaded
    assert loaded & HEAVY == set()


def test_help_version_and_the_module_are_the_same_command(call, tmp_path, environment):
    assert re.fullmatch(r"dsi \d+\.\d+\.\d+\n", call("--version").stdout)
    module = [sys.executable, "-m", "dsi_automation", "--help"]
    done = subprocess.run(module, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert done.stdout == call("--help").stdout
    assert done.stdout.startswith("Usage\u00a0: dsi")


def test_without_an_inventory_a_sentence_says_what_to_do(call):
    done = call("requests", "--json")
    assert done.returncode == 2
    assert "dsi init" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert "Traceback" not in done.stderr


def test_init_writes_an_inventory_that_doctor_can_read_and_touches_nothing_twice(call, tmp_path):
    done = call("init", "mine")
    assert done.returncode == 0
    assert {"hosts.yml", "people.yml", "approval_policy.yml"} <= {path.name for path in (tmp_path / "mine").iterdir()}
    findings = {item["name"]: item for item in json.loads(call("-I", "mine", "doctor", "--json").stdout)["findings"]}
    for name in ("dsi.yml.inventory", "people.yml.people", "journal"):
        assert findings[name]["state"] == "ok", findings
    assert findings["key"]["state"] == "problem"
    assert "ssh-keygen -t ed25519" in findings["key"]["next_step"]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = call("init", "mine", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["files"] == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_unknown_target_or_input_ends_with_2_and_writes_nothing(call, tmp_path):
    call("init", "mine")
    before = call("-I", "mine", "journal", "head").stdout
    for arguments in (
        ["plan", "workstation.join", "nobody-knows-me"],
        ["plan", "workstation.jion", "all"],
        ["check", "workstation.check", "all", "-i", "nonsense=1"],
        ["request", "workstation.join", "all", "--reason", "x", "--not-before", "2001-01-01T00:00"],
    ):
        done = call("-I", "mine", *arguments)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("Erreur")
    assert call("-I", "mine", "journal", "head").stdout == before


def test_a_journal_is_made_verified_exported_and_found_tampered_with(call, tmp_path):
    call("init", "mine")
    assert call("-I", "mine", "requests").returncode == 0
    head = call("-I", "mine", "journal", "head").stdout
    (tmp_path / "noted").write_text(head)
    whole = call("-I", "mine", "journal", "verify", "--checkpoint", "noted", "--json")
    assert whole.returncode == 0
    assert json.loads(whole.stdout)["ok"] is True
    exported = call("-I", "mine", "journal", "export", "copy.tar.gz")
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "copy.tar.gz").is_file()
    (tmp_path / "noted").write_text(f"1:{'0' * 64}\n")
    broken = call("-I", "mine", "journal", "verify", "--checkpoint", "noted", "--json")
    assert broken.returncode == 6
    assert json.loads(broken.stdout)["problems"]


@pytest.mark.parametrize(
    ("damage", "refusal"),
    [
        ("DELETE FROM entries", 4), ("DROP TABLE entries", 1), ("DROP TABLE entries; DROP TABLE alembic_version", 1),
        ("a file deleted", 4), ("a file of rubbish", 1),
    ],
)  # fmt: skip
def test_a_journal_of_which_nothing_is_left_is_found_and_closes_everything(call, tmp_path, damage, refusal):
    call("init", "mine")
    assert call("-I", "mine", "requests").returncode == 0
    database = tmp_path / "state" / "journal.db"
    if damage == "a file deleted":
        database.unlink()
    elif damage == "a file of rubbish":
        database.write_bytes(bytes(range(256)) * 40)
    else:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.executescript(damage)
    found = call("-I", "mine", "journal", "verify")
    assert found.returncode == 6, found.stdout + found.stderr
    refused = call("-I", "mine", "requests")
    assert refused.returncode == refusal
    assert refused.stderr.startswith("Erreur")
    assert "Traceback" not in found.stderr + refused.stderr


@pytest.mark.parametrize("name", ["record", "record.tar", "record.tgz", "record.zip", "the record.export", "record/"])
def test_an_export_is_verified_with_the_command_it_names_whatever_its_name(call, tmp_path, name):
    call("init", "mine")
    call("-I", "mine", "requests")
    done = call("-I", "mine", "journal", "export", name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).is_dir() is name.endswith("/")
    command = done.stdout.splitlines()[1].partition(" : ")[2]
    # unzip is not on every machine; Python's own reader of archives stands for it.
    command = command.replace("unzip -q", f"{sys.executable} -m zipfile -e") if name.endswith(".zip") else command
    command = command.replace("record.zip &&", "record.zip . &&")
    audited = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert audited.stdout.startswith("OK: 1 entries"), audited.stdout + audited.stderr
    again = call("-I", "mine", "journal", "export", name)
    assert again.returncode == 2


def test_an_export_into_a_folder_that_does_not_exist_is_a_usage_error_and_writes_nothing(call, tmp_path):
    call("init", "mine")
    call("-I", "mine", "requests")
    head = call("-I", "mine", "journal", "head").stdout
    done = call("-I", "mine", "journal", "export", "absent/record.tar.gz", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert not (tmp_path / "absent").exists()
    assert call("-I", "mine", "journal", "head").stdout == head


def test_every_problem_of_a_file_has_its_own_line(call, tmp_path):
    call("init", "mine")
    (tmp_path / "mine" / "dsi.yml").write_text("langage: fr\nworkers: many\n")
    done = call("-I", "mine", "requests")
    assert done.returncode == 2
    assert "\\n" not in done.stderr
    found = [line.strip() for line in done.stderr.splitlines() if "dsi.yml:" in line]
    assert {line.split(": ")[1] for line in found} == {"langage", "workers"}


def test_a_read_only_state_folder_is_a_sentence(call, tmp_path):
    call("init", "mine")
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "state").write_text("a file where a folder should be")
    done = call("-I", "mine", "requests")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "state" in done.stderr


def test_a_pipe_that_closes_early_is_no_traceback(tmp_path, environment):
    with subprocess.Popen(
        [DSI, "operations", "--json"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 141
    assert b"Traceback" not in errors


@pytest.mark.parametrize("arguments", [["operations"], ["operations", "--json"], ["--help"]])
def test_a_full_disk_under_the_output_is_a_sentence(tmp_path, environment, arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [DSI, *arguments],
            check=False,
            cwd=tmp_path,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Erreur")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_full_disk_under_the_errors_does_not_change_the_exit_code(tmp_path, environment):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([DSI, "pln"], check=False, cwd=tmp_path, env=environment, stderr=full)
    assert done.returncode == 2


def test_a_terminal_that_cannot_show_a_letter_gets_its_escape(call):
    done = call("operations", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert "proc\\xe9dure" in done.stdout


@pytest.mark.parametrize(("variable", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals_that_want_them(tmp_path, environment, variable, coloured):
    leader, follower = pty.openpty()
    env = {**environment, "TERM": "xterm", **variable}
    process = subprocess.Popen([DSI, "operations"], cwd=tmp_path, env=env, stdout=follower, stderr=subprocess.DEVNULL)
    os.close(follower)
    seen = b""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(leader)
    assert process.wait() == 0
    assert (b"\x1b[" in seen) is coloured


def test_an_interrupted_command_ends_with_130(tmp_path, environment):
    # A FIFO as the file of inputs: the command waits for it, and that is where Ctrl+C finds it.
    os.mkfifo(tmp_path / "inputs.yml")
    command = [DSI, "plan", "workstation.join", "ws1", "-i", "@inputs.yml"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        with (tmp_path / "inputs.yml").open("w"):
            process.send_signal(signal.SIGINT)
        # The writer is gone: a signal that came just before the read was entered is noticed after it, not never.
        errors = process.stderr.read()
    assert process.returncode == 130
    assert "dsi resume" in errors
    assert "Traceback" not in errors


def test_completion_completes_commands_in_bash(tmp_path, environment):
    script = subprocess.run(
        [DSI, "completion", "bash"], env=environment, check=False, capture_output=True, text=True
    ).stdout
    env = {**environment, "COMP_WORDS": "dsi req", "COMP_CWORD": "1", "_DSI_COMPLETE": "bash_complete"}
    done = subprocess.run([DSI], cwd=tmp_path, env=env, check=False, capture_output=True, text=True)
    assert done.stdout.split() == ["plain,request", "plain,requests"]
    checked = subprocess.run(["bash", "-n"], input=script, text=True, check=False, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_doctor_names_an_operation_of_the_policy_that_does_not_exist_and_every_problem_on_its_line(call, tmp_path):
    call("init", "mine")
    policy = tmp_path / "mine" / "approval_policy.yml"
    policy.write_text(policy.read_text().replace("workstation.join", "workstation.jion"))
    people = tmp_path / "mine" / "people.yml"
    done = call("-I", "mine", "doctor")
    assert "! approval_policy.yml : Opérations : il n’existe pas d’opération workstation.jion" in clear(done.stdout)
    assert "workstation.join" in done.stdout
    people.write_text(people.read_text().replace("version: 1", "version: 2"))
    done = call("-I", "mine", "doctor")
    assert done.returncode == 2
    assert "\\n" not in done.stdout


def clear(text):
    """Return a text with ordinary spaces where French typography has others."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")
