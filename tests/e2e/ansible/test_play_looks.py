"""Playbooks that only look, and a join in check mode: from any folder, the same answers as `dsi`, nothing changed."""

import json
from pathlib import Path

import pytest
from fix_stage import BIN, CHECK, JOIN_PLAY, ROOT

NAMED = "ws1:ws2:ws3:ws5:ws6:ws7"


@pytest.mark.parametrize("where", ["root", "elsewhere"])
def test_the_check_says_the_same_from_any_folder_and_a_dead_host_is_its_own_matter(stage, where):
    said, found = stage.results(CHECK, "--limit", NAMED, cwd=ROOT if where == "root" else None)
    assert said.code in {4, 2}, said  # Ansible's own: failed and unreachable hosts
    assert {host: item["kind"] for host, item in found.items()} == {
        "ws1": "failed", "ws2": "ok", "ws3": "failed", "ws5": "ok", "ws6": "ok", "ws7": "unreachable",
    }  # fmt: skip
    assert list(found)[-1] == "ws7", "nobody waited for the dead one"
    assert found["ws3"]["exit_code"] == 5
    assert found["ws3"]["msg"].startswith("Version de Windows")
    assert found["ws2"]["facts"]["installed_ram_gib"] == 4
    by_dsi = stage.dsi("check", "workstation.check", "ws2", "--json").json["targets"][0]["checks"]
    assert [(c["name"], c["observed"], c["ok"]) for c in found["ws2"]["checks"] if c["name"] != "last_boot"] == [
        (c["name"], c["observed"], c["ok"]) for c in by_dsi if c["name"] != "last_boot"
    ]


@pytest.mark.parametrize(("hosts", "code"), [("ws2,ws6", 0), ("ws2,ws7", 3), ("ws3,ws7", 5), ("nobody-knows-me", 2)])
def test_dsi_playbook_ends_with_the_worst_code_of_the_table(stage, hosts, code):
    said = stage.dsi("playbook", "workstation_check", "--limit", hosts, "--json")
    assert said.code == code, said
    if code != 2:
        assert said.json["exit_code"] == code
        shown = stage.dsi("show", said.json["id"], "--json").json["playbook"]
        assert (shown["playbook"], shown["exit_code"], shown["person"]) == ("workstation_check", code, "m.kouadio")
        assert {event["host"] for event in shown["events"] if "host" in event} == set(hosts.split(","))


def test_only_reporting_does_not_fail_and_wrong_arguments_are_a_usage_error(stage):
    said = stage.dsi("playbook", "workstation_check", "--limit", "ws3", "-e", "workstation_check_fail=false")
    assert said.code == 0, said
    said = stage.dsi("playbook", "workstation_check", "--limit", "ws3", "-e", "workstation_check_fail=perhaps")
    assert said.code == 2, said
    said = stage.dsi("playbook", "workstation_check", "-e", "dsi_targets=nobody")
    assert said.code == 2, said
    assert "workstation_join" in stage.dsi("playbook", "workstation_chekc").err


def test_a_join_in_check_mode_is_the_very_plan_of_dsi_and_changes_nothing(stage):
    key = stage.add()
    with stage.untouched(key):
        plan = stage.plan(key, "-i", "user=awa.kone").json
        said, found = stage.results(JOIN_PLAY, "--check", "--limit", key, "-e", "workstation_join_user=awa.kone")
        assert said.code == 0, said
        assert found[key]["changed"] is True
        assert found[key]["plan"]["digest"] == plan["digest"]
        assert found[key]["plan"]["actions"] == plan["actions"]
        assert found[key]["hosts"][key]["actions"] == [action["title"] for action in plan["actions"]]
        shown = stage.dsi(
            "playbook", "workstation_join", "--check", "--limit", key, "-e", "workstation_join_user=awa.kone"
        )
        assert shown.code == 0, shown
        assert plan["digest"] in shown.out
        assert f"+ {key}: {plan['actions'][0]['title']}" in shown.out
    assert set(stage.kinds()) <= {"journal.opened", "playbook.event"}


def test_where_nothing_is_to_be_done_no_approval_is_needed(stage):
    with stage.untouched("ws6"):
        said, found = stage.results(JOIN_PLAY, "--limit", "ws6")
    assert (said.code, found["ws6"]["kind"], found["ws6"]["changed"]) == (0, "ok", False), said
    assert "aucune approbation" in found["ws6"]["msg"]
    assert stage.entries() == []


def test_machines_that_cannot_be_joined_are_named_and_stop_the_play_for_all(stage):
    play = stage.folder / "with_more.yml"
    play.write_text(
        JOIN_PLAY.read_text().replace("role: workstation_join", f"role: {ROOT}/roles/workstation_join")
        + "  post_tasks:\n    - name: Later\n      ansible.builtin.debug:\n        msg: reached\n"
    )
    with stage.untouched("ws3", "ws6"):
        said, found = stage.results(play, "--limit", "ws3,ws6,ws7")
    assert said.code != 0
    assert "reached" not in said.out
    result = next(iter(found.values()))
    assert (result["kind"], result["exit_code"]) == ("failed", 5)
    assert {blocker["target"] for blocker in result["plan"]["blockers"]} == {"ws3", "ws7"}


def test_the_play_reads_the_inventory_ansible_was_started_with_and_no_variable(stage, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("hosts.yml", "people.yml"):
        (other / name).write_text("{}\n")
    more = ["-e", f"inventory_file={other}/hosts.yml", "-e", f"inventory_dir={other}"]
    said, found = stage.results(CHECK, "--limit", "ws2", *more, env={"DSI_INVENTORY": str(other)})
    assert (said.code, found["ws2"]["kind"]) == (0, "ok"), said
    said = stage.play(CHECK, "--limit", "ws2", "-i", str(other / "hosts.yml"))
    assert said.code == 2
    assert "plusieurs inventaires" in said.out + said.err


def test_tasks_on_the_controller_use_the_interpreter_of_this_environment(stage):
    said = stage.play("localhost", "-m", "ansible.builtin.setup", "-a", "filter=ansible_python", program="ansible")
    facts = json.loads(said.out.partition("=>")[2])["ansible_facts"]["ansible_python"]
    assert Path(facts["executable"]).parent == BIN, said


def test_the_plugins_and_the_playbooks_are_documented_and_well_formed(stage):
    for plugin, option in (("workstation_check", "require_domain"), ("workstation_join", "request")):
        shown = stage.play("-j", f"dsi.ops.{plugin}", program="ansible-doc")
        assert option in json.loads(shown.out)[f"dsi.ops.{plugin}"]["doc"]["options"], shown
        shown = stage.play("-j", "-t", "role", "-r", str(ROOT / "roles"), plugin, program="ansible-doc")
        assert json.loads(shown.out)[plugin]["entry_points"]["main"]["options"], shown
    for play in (CHECK, JOIN_PLAY):
        assert stage.play(play, "--syntax-check").code == 0
