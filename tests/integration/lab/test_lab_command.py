"""`dsi lab` as a person types it: what it prints, its exit codes, its languages."""

import json
import os
import shutil
import subprocess

import forking
import pytest

from dsi_automation.lab.windows.faults import NEED_VALUE, Fault


@pytest.fixture
def dsi(lab):
    """Return a function that runs `dsi` on the session's lab."""

    def run(*args, prefix=(), **environment):
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DSI_LANG": "en"}
        env |= {"DSI_LAB_DIR": str(lab.layout.root.parent)} | environment
        return forking.run([*prefix, forking.DSI, *args], env=env, cwd="/")

    return run


@pytest.fixture
def named(lab):
    return ("--name", lab.layout.name)


def test_up_again_says_that_there_is_nothing_to_do(dsi, named, lab):
    done = dsi("lab", "up", "--without-servers", *named, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["changed"] is False
    assert found["lab"]["domain"]["address"] == lab.layout.dc_address
    assert "nothing to do" in dsi("lab", "up", "--without-servers", *named).stdout


def test_status_shows_everything_and_no_password(dsi, named, lab):
    done = dsi("lab", "status", *named)
    found = json.loads(dsi("lab", "status", *named, "--json").stdout)
    assert done.returncode == 0, done.stderr
    for shown in ("ws1", "Windows 11 Pro", "svc-jonction@ad.douanes.lab", lab.layout.dc_address, "Mariam Kouadio"):
        assert shown in done.stdout
        assert shown in json.dumps(found, ensure_ascii=False)
    secrets = [path.read_text() for path in lab.layout.password_dir.iterdir()]
    assert not [secret for secret in secrets if secret in done.stdout + json.dumps(found)]


def test_status_of_a_lab_that_is_not_there_says_how_to_start_it(dsi):
    done = dsi("lab", "status", "--name", "absent")
    assert done.returncode == 0
    assert "dsi lab up" in done.stdout
    assert json.loads(dsi("lab", "status", "--name", "absent", "--json").stdout)["up"] is False


def test_logs_are_shown(dsi, named):
    assert "samba" in dsi("lab", "logs", "dc", *named).stdout
    assert "dsi_automation.lab.windows" in dsi("lab", "logs", "workstations", *named).stdout
    assert dsi("lab", "logs", "--name", "absent").returncode == 2


def test_faults_are_listed_switched_on_and_off(dsi, named):
    assert "timeout_after_join" in dsi("lab", "fault").stdout
    assert dsi("lab", "fault", "ws3", "slow", "--value", "0.1", *named).returncode == 0
    found = json.loads(dsi("lab", "status", *named, "--json").stdout)
    assert [entry["now"]["faults"] for entry in found["workstations"] if entry["key"] == "ws3"] == [["slow"]]
    assert dsi("lab", "fault", "ws3", "--off", *named).returncode == 0
    for wrong in (("ws3", "nonsense"), ("ws99", "slow")):
        assert dsi("lab", "fault", *wrong, *named).returncode == 2


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_that_is_listed_can_be_switched_on(dsi, named, fault):
    needed = ("--value", "2") if fault in NEED_VALUE else ()
    assert dsi("lab", "fault", "ws3", fault, *needed, "--count", "1", *named).returncode == 0
    found = json.loads(dsi("lab", "status", *named, "--json").stdout)
    (entry,) = [entry for entry in found["workstations"] if entry["key"] == "ws3"]
    assert entry["now"]["faults"] == [fault]
    assert dsi("lab", "fault", "ws3", "--off", *named).returncode == 0


@pytest.mark.parametrize("fault", sorted(NEED_VALUE))
def test_a_fault_that_is_nothing_without_its_value_asks_for_it(dsi, named, fault):
    done = dsi("lab", "fault", "ws3", fault, *named)
    assert done.returncode == 2
    assert "--value" in done.stderr


def test_reset_says_what_it_did(dsi, named):
    done = dsi("lab", "reset", "ws5", *named)
    assert done.returncode == 0, done.stderr
    assert "ws5" in done.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("up", "--network", "10.0.0.0/16"),
        ("up", "--workstations", "501"),
        ("up", "--name", "../etc"),
        ("down", "--name", "a b"),
        ("logs", "nothing"),
    ],
)
def test_wrong_input_is_a_usage_error_and_starts_nothing(dsi, wrong):
    before = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert dsi("lab", *wrong).returncode == 2
    assert subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout == before


def test_another_network_for_a_lab_that_is_up_is_refused(dsi, named, lab):
    done = dsi("lab", "up", *named, "--network", "198.18.240.0/20")
    assert done.returncode == 2
    assert str(lab.layout.network) in done.stderr


def test_who_is_not_root_is_told_so(dsi):
    # In a user namespace without a mapping one is nobody, and yet reads this Python wherever it is installed.
    for command in ("up", "down"):
        done = dsi("lab", command, "--name", "nobody", prefix=("unshare", "--user"))
        assert done.returncode == 2
        assert "root" in done.stderr


def test_missing_packages_are_one_error_that_names_the_command(dsi, tmp_path):
    # dpkg's own database is looked for where this variable says.
    for name in ("status", "available"):
        (tmp_path / name).touch()
    (tmp_path / "info").mkdir()
    done = dsi("lab", "up", "--name", "bare", DPKG_ADMINDIR=str(tmp_path))
    assert done.returncode == 2
    assert "apt-get install" in done.stderr
    assert "samba-ad-dc" in done.stderr
    assert "krb5-user" in done.stderr


def test_the_lab_speaks_french_by_default(dsi, named):
    assert shutil.which("ip")
    assert "Le lab" in dsi("lab", "status", *named, DSI_LANG="fr").stdout
