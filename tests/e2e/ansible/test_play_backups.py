"""Playbooks about backups: the plan of `dsi`, under a request or a standing approval, and no password anywhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fix_office import DIRECTOR
from fix_stage import ROOT

PLAYS = ROOT / "playbooks"
BACKUP, VERIFY, RESTORE = (PLAYS / f"{name}.yml" for name in ("server_backup", "backup_verify", "backup_restore"))
NAMES = ["server_backup", "database_backup", "backup_verify", "backup_externalise", "backup_restore"]


@pytest.fixture
def vault(servers, stage):
    """A stage whose backup of srv1 goes to a repository that no other test sees; it leaves no medium."""

    def change(held):
        repository = held["dsi_repositories"]["serveurs"]
        own = stage.folder.name.replace("_", "-")
        repository["url"] = repository["url"].replace("/serveurs", f"/{own}")
        repository["read_url"] = repository["read_url"].replace("/serveurs", f"/{own}")
        held["dsi_backups"]["srv1"]["media"] = None
        held["dsi_backup"]["scratch_dir"] = str(stage.folder / "scratch")

    stage.refresh()
    stage.edit("group_vars/all.yml", change)
    stage.servers = servers
    return stage


def result(stage, *arguments):
    """Run a playbook; return what it said, and the result of its last task."""
    said, found = stage.results(*arguments)
    assert set(found) == {"localhost"}, said
    return said, found["localhost"]


def named(role, *backups):
    return ["-e", f"{role}_backups={','.join(backups)}"]


def sign(stage, *backups, steps=("server.backup", "backup.verify")):
    """Have steps of the plan of backups signed: one standing request for each."""
    until = (datetime.now(UTC) + timedelta(days=2)).date()
    asked = stage.dsi("backup", "ask", *backups, "--until", until, "-m", "plan", "--json")
    assert asked.code == 0, asked
    for request in asked.json["requests"]:
        if request["plan"]["operation"] not in steps:
            continue
        said = stage.dsi("approve", request["id"], "--comment", "vu", person=DIRECTOR)
        assert said.code == 0, said


def passwords(stage):
    """Return every password of the lab, by its name."""
    folder = stage.servers.layout.root / "passwords"
    return {path.name: path.read_text().strip() for path in folder.iterdir() if path.is_file()}


def test_check_mode_is_the_plan_of_dsi_and_without_an_approval_nothing_begins(vault):
    said, found = result(vault, BACKUP, "--check", *named("server_backup", "srv1"))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert found["plan"]["digest"] == vault.plan("srv1", operation="server.backup").json["digest"]
    said, found = result(vault, BACKUP, *named("server_backup", "srv1"))
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert "dsi backup ask srv1" in found["msg"]
    said, found = result(vault, BACKUP)
    assert (found["kind"], found["exit_code"]) == ("failed", 2), said
    said, found = result(vault, BACKUP, *named("server_backup", "sydam"))
    assert found["kind"] == "failed", said
    assert "database.backup" in found["msg"]
    said, found = result(vault, RESTORE, *named("backup_restore", "srv1"), "-e", "backup_restore_paths=/etc/hosts")
    assert found["kind"] == "failed", said
    assert vault.runs() == []


def test_a_standing_approval_backs_up_and_proves_until_the_plan_is_another_one(vault):
    sign(vault, "srv1")
    said, found = result(vault, BACKUP, *named("server_backup", "srv1"))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert all(check["ok"] for check in found["targets"]["srv1"]["evidence"])
    proven = vault.dsi("playbook", "backup_verify", "-e", "backup_verify_backups=srv1", "--json")
    assert proven.code == 0, proven
    (made,) = vault.dsi("backup", "sets", "srv1", "--json").json["sets"]
    assert (made["backup"], made["proof"]["ok"]) == ("srv1", True)

    source = vault.servers.layout.root / "servers" / "srv1" / "etc" / "sydam.conf"
    place = vault.folder / "rendu"
    wanted = ["-e", f"backup_restore_paths={source}", "-e", f"backup_restore_destination={place}"]
    said, found = result(vault, RESTORE, *named("backup_restore", "srv1"), *wanted)
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert f"dsi request backup.restore srv1 -i paths={source} -i destination={place}" in found["msg"]
    asked = vault.approved("srv1", "-i", f"paths={source}", "-i", f"destination={place}", operation="backup.restore")
    said, found = result(vault, RESTORE, "-e", f"dsi_request={asked}", *wanted)
    assert (said.code, found["changed"]) == (0, True), said
    assert Path(f"{place}{source}").read_bytes() == source.read_bytes()

    vault.edit("group_vars/all.yml", lambda held: held["dsi_backups"]["srv1"].update(exclude=["*"]))
    said, found = result(vault, BACKUP, *named("server_backup", "srv1"))
    assert (found["kind"], found["exit_code"]) == ("failed", 7), said
    assert len(vault.dsi("backup", "sets", "srv1", "--json").json["sets"]) == 1

    told = {"said": "".join(vault.said)}
    told |= {str(path): path.read_bytes().decode(errors="replace") for path in vault.state.rglob("*") if path.is_file()}
    assert [
        (where, name) for where, text in told.items() for name, word in passwords(vault).items() if word in text
    ] == []
    vault.assert_whole()


def test_several_backups_each_run_under_their_own_approval_or_none_begins(vault):
    source = vault.servers.layout.root / "servers" / "srv1" / "etc"

    def change(held):
        job = {**held["dsi_backups"]["srv1"], "paths": [str(source)], "before": None, "after": None, "minimum_files": 1}
        held["dsi_backups"].update(conf=job, cron={**job, "paths": [str(source / "cron.d")]})

    vault.edit("group_vars/all.yml", change)
    sign(vault, "conf", steps=["server.backup"])
    said, found = result(vault, BACKUP, *named("server_backup", "conf", "cron"))
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert vault.runs() == []
    sign(vault, "cron", steps=["server.backup"])
    said, found = result(vault, BACKUP, *named("server_backup", "conf", "cron"))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert {name: one["run"]["exit_code"] for name, one in found["targets"].items()} == {"conf": 0, "cron": 0}
    assert len(vault.runs()) == 2


def test_the_plugins_and_the_roles_are_documented(stage):
    plugins = stage.play("-j", *(f"dsi.ops.{name}" for name in NAMES), program="ansible-doc").json
    roles = stage.play("-j", "-t", "role", "-r", str(ROOT / "roles"), *NAMES, program="ansible-doc").json
    for name in NAMES:
        options = set(plugins[f"dsi.ops.{name}"]["doc"]["options"])
        assert {f"{name}_{option}" for option in options} == set(roles[name]["entry_points"]["main"]["options"])
        assert all(f"`{name}_{option}`" in (ROOT / "roles" / name / "README.md").read_text() for option in options)
