"""The main job as a technician does it: the `dsi` command, a real Active Directory, simulated workstations."""

import csv
import json
import os
import shutil

import forking
import pytest
import yaml

NAMED = {f"ws{number}" for number in range(1, 8)}
JOIN = ["workstation.join", "ws1", "-i", "user=awa.kone"]


@pytest.fixture
def fresh(lab):
    lab.reset()
    return lab


@pytest.fixture
def dsi(fresh, tmp_path):
    """Return a function that runs one command as one of the lab's persons, and remembers all that was said."""
    said = []

    def call(*arguments, person="m.kouadio"):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DSI_INVENTORY": str(fresh.layout.inventory_dir),
            "DSI_KEY": str(fresh.layout.key_dir / person),
        }
        done = forking.run([forking.DSI, *arguments], cwd=tmp_path, env=env)
        said.append(done.stdout + done.stderr)
        return done

    call.said = said
    return call


def test_a_fleet_is_checked_and_one_that_never_answers_is_one_row(dsi, tmp_path):
    done = dsi("check", "workstation.check", "workstations", "--format", "csv", "--output", "report.csv")
    assert done.returncode == 5
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text(encoding="utf-8").splitlines()))
    # Other tests add workstations of their own to the lab.
    states = {row["target"]: row["state"] for row in rows if row["target"] in NAMED}
    assert set(states) == NAMED
    assert {target for target, state in states.items() if state == "unreachable"} == {"ws7"}
    assert {"ws3", "ws4"} <= {target for target, state in states.items() if state == "not_compliant"}
    assert [row["target"] for row in rows].count("ws7") == 1
    assert dsi("check", "workstation.check", "ws7", "ws6").returncode == 3
    assert dsi("check", "workstation.check", "ws6").returncode == 0


def test_a_wrong_password_is_one_row_that_says_so_and_counts_as_not_reached(dsi, fresh, tmp_path):
    inventory = tmp_path / "inventory"
    shutil.copytree(fresh.layout.inventory_dir, inventory)
    (inventory / "host_vars").mkdir()
    account = {"user": "Administrateur", "password": {"file": str(tmp_path / "wrong")}}
    (tmp_path / "wrong").write_text("not-the-password\n")
    (tmp_path / "wrong").chmod(0o600)
    everywhere = yaml.safe_load((inventory / "group_vars" / "all.yml").read_text())
    everywhere["dsi_credentials"]["wrong"] = account
    (inventory / "group_vars" / "all.yml").write_text(yaml.safe_dump(everywhere))
    (inventory / "host_vars" / "ws6.yml").write_text("dsi_credential: wrong\n")
    done = dsi("-I", str(inventory), "check", "workstation.check", "ws5", "ws6", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == 3
    assert [target["state"] for target in report["targets"]] == ["compliant", "failed"]
    assert "Administrateur" in report["targets"][1]["error"]["what"]
    assert "not-the-password" not in done.stdout + done.stderr
    assert dsi("-I", str(inventory), "plan", "workstation.join", "ws6").returncode == 3


def test_specifications_that_fail_give_no_plan_and_what_to_do(dsi):
    done = dsi("plan", "workstation.join", "ws3", "ws4", "--json")
    assert done.returncode == 5
    view = json.loads(done.stdout)
    assert view["actions"] == []
    assert {blocker["target"] for blocker in view["blockers"]} == {"ws3", "ws4"}
    assert all(blocker["next_step"] for blocker in view["blockers"])


def test_a_machine_in_place_gives_non_actions_and_nothing_to_ask(dsi):
    before = dsi("requests", "--json").stdout
    done = dsi("request", "workstation.join", "ws6", "--reason", "make sure", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["nothing_to_do"] is True
    assert dsi("requests", "--json").stdout == before


def test_a_workstation_is_asked_for_approved_joined_and_verified(dsi, fresh):
    request = json.loads(dsi("request", *JOIN, "--reason", "new colleague", "--json").stdout)
    assert [action["kind"] for action in request["plan"]["actions"]] == ["rename", "join", "reboot", "migrate_profile"]
    assert dsi("run", request["id"]).returncode == 4
    assert dsi("approve", request["id"], "--comment", "my own").returncode == 4
    assert dsi("approve", request["id"], "--comment", "seen", person="y.traore").returncode == 0
    done = dsi("run", request["id"], "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["targets"] == {"ws1": "done"}
    assert all(check["ok"] for check in run["evidence"])
    assert {check["source"].split()[0] for check in run["evidence"]} == {"CIM", "LDAP"}
    assert dsi("run", request["id"]).returncode == 4
    again = json.loads(dsi("plan", *JOIN, "--json").stdout)
    assert again["nothing_to_do"] is True
    assert dsi("check", "workstation.check", "ws1").returncode == 0
    assert dsi("journal", "verify").returncode == 0
    passwords = [path.read_text().strip() for path in fresh.layout.password_dir.iterdir()]
    assert passwords
    assert not [word for word in passwords if word in "".join(dsi.said)]
