"""The molecule scenario of each role, against the session's lab."""

import json
import subprocess

import pytest
from fix_office import ONCE
from fix_stage import BIN, ROOT, Stage

from dsi_automation.lab.releases import FIRST

STEPS = ("check", "converge", "idempotence", "verify")


def _asked_once(stage):
    """Return a folder whose ansible-playbook is ours, but for its version: molecule asks that before each step.

    The answer goes to a log that nobody reads, and costs as much as Ansible's start.
    """
    place = stage.folder / "bin"
    place.mkdir()
    program = place / "ansible-playbook"
    real = BIN / program.name
    program.write_text(f'#!/bin/sh\n[ "$*" = --version ] && exec {real.with_name("python")} -V\nexec {real} "$@"\n')
    program.chmod(0o755)
    return place


def molecule(stage, scenario, steps=STEPS, **more):
    env = {
        **stage.env(),
        **more,
        "PATH": f"{_asked_once(stage)}:{BIN}:{stage.env()['PATH']}",
        "DSI_INVENTORY": str(stage.inventory / "hosts.yml"),
        "DSI_TEST_KEYS": str(stage.lab.layout.key_dir),
        "MOLECULE_GLOB": "tests/molecule/*/molecule.yml",
        "ANSIBLE_NOCOLOR": "1",
    }
    words = [str(BIN / "molecule"), "test", "-s", scenario]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in steps:
        assert f"{scenario} > {step}: Executed: Successful" in done.stdout + done.stderr


@pytest.mark.parametrize("scenario", ["workstation_check", "workstation_join"])
def test_the_scenario_of_the_role_converges_once_and_verifies(stage, scenario):
    hosts = ["ws2", "ws6"] if scenario == "workstation_check" else [stage.add(), stage.add()]
    before = {key: stage.methods(key) for key in hosts}
    molecule(stage, scenario, DSI_TEST_HOSTS=",".join(hosts))
    after = {key: stage.methods(key) for key in hosts}
    assert after == (before if scenario == "workstation_check" else dict.fromkeys(hosts, ONCE))
    assert len(stage.runs()) == (scenario == "workstation_join")


def test_the_scenario_of_the_mail_accounts_converges_once_and_verifies(stage):
    people = stage.staff(2)
    molecule(
        stage,
        "mailbox_create",
        DSI_TEST_PEOPLE=str(stage.csv(people)),
        DSI_TEST_NUMBERS=",".join(row["matricule"] for row in people),
        DSI_TEST_LAB=stage.lab.layout.name,
        DSI_LAB_DIR=str(stage.lab.layout.root.parent),
    )
    assert len(stage.runs()) == 1


def test_the_scenario_of_a_servers_backup_makes_a_set_that_restic_reads_by_itself(servers, stage):
    conf = servers.layout.root / "servers" / "srv1" / "etc"

    def change(held):
        held["dsi_repositories"]["serveurs"]["url"] += "-molecule"
        held["dsi_repositories"]["serveurs"]["read_url"] += "-molecule"
        held["dsi_backups"]["srv1"].update(paths=[str(conf)], before=None, after=None, minimum_files=1)
        held["dsi_backup"]["scratch_dir"] = str(stage.folder / "scratch")

    stage.refresh()
    stage.edit("group_vars/all.yml", change)
    # Each run makes a set: there is no second one that changes nothing.
    steps = [step for step in STEPS if step != "idempotence"]
    molecule(stage, "server_backup", steps, DSI_TEST_BACKUP="srv1", DSI_TEST_FILE=str(conf / "sydam.conf"))
    assert len(stage.runs()) == 1


def test_the_scenario_of_a_restart_leaves_another_process_the_same_release_and_users_who_were_told(application, stage):
    application.reset_servers()
    stage.refresh()
    steps = [step for step in STEPS if step != "idempotence"]
    molecule(
        stage,
        "application_restart",
        steps,
        DSI_TEST_APPLICATION="sydam-test",
        DSI_TEST_SERVER="apptest",
        DSI_TEST_RELEASE=FIRST,
        DSI_TEST_MAIL=str(application.layout.root / "mail"),
    )
    assert len(stage.runs()) == 1


def test_the_scenario_of_routers_joins_a_site_by_both_ends_and_a_second_time_changes_nothing(fresh_network, tmp_path):
    stage = Stage(fresh_network.lab, tmp_path)
    wanted = {
        "rtr-spy": {"address": "10.64.3.1/30", "route": "10.64.0.0/12"},
        "rtr-abj": {"address": "10.64.3.2/30", "route": "10.64.2.0/23"},
    }
    molecule(
        stage,
        "router_configure",
        DSI_TEST_ROUTERS=",".join(wanted),
        DSI_TEST_WANTED=json.dumps(wanted),
        DSI_TEST_PROBE="lan-spy",
        DSI_TEST_GATEWAY="10.64.2.1",
        DSI_TEST_SERVER=fresh_network.server_address,
    )
    assert len(stage.runs()) == 1
