"""No way round the approval: every flag, variable and copy of the collection, each followed by a look at the world."""

import json
import shutil
from contextlib import contextmanager

import pytest
from fix_office import JOIN
from fix_stage import JOIN_PLAY, ROOT, Stage

LAX = """
from ansible.plugins.action import ActionBase
from dsi_automation.composition import Toolkit
from dsi_automation.core.events import Silent


class ActionModule(ActionBase):
    # The copy of somebody in a hurry: no question asked, whatever request there is, straight to the engine.
    def run(self, tmp=None, task_vars=None):
        engine = Toolkit().engine
        try:
            run = engine.run(self._task.args["request"], Silent())
        except Exception as error:
            return {"failed": True, "msg": str(error), "exit_code": int(getattr(error, "exit_code", 1))}
        return {"changed": True, "run": run.id}
"""


@pytest.fixture(scope="module")
def besieged(lab, tmp_path_factory):
    """A workstation that could be joined, and every kind of request that does not allow it."""
    stage = Stage(lab, tmp_path_factory.mktemp("besieged"))
    stage.key, stage.other = stage.add(), stage.add(name="ABJ-PC-0777")
    stage.used = stage.approved(stage.key, "-i", "user=awa.kone")
    assert stage.run(stage.used).code == 0
    lab.reset(stage.key)
    stage.pending = stage.request(stage.key)["id"]
    stage.foreign = stage.approved(stage.other)
    stage.own = stage.request(stage.key, person="m.kouadio")["id"]
    stage.revoked = stage.approved(stage.key)
    assert stage.dsi("revoke", stage.revoked, "--comment", "non").code == 0
    return stage


@contextmanager
def _refused(stage):
    with stage.untouched(stage.key, stage.other):
        yield


WAYS = {
    "plain": [],
    "tags": ["--tags", "all,always,danger"],
    "a tag nothing has": ["--tags", "danger"],
    "skip-tags": ["--skip-tags", "always,gate"],
    "start-at-task": ["--start-at-task", "workstation_join : Join the workstations"],
    "check turned off by a variable": ["--check", "-e", '{"ansible_check_mode": false}'],
    "no check by a variable": ["-e", '{"ansible_check_mode": true}'],
    "another address and account": ["-e", "ansible_host=198.18.0.1", "-e", "ansible_user=root"],
    "every variable of the role": [
        "-e", '{"workstation_join_user": "awa.kone", "workstation_join_local_user": "awa"}',
        "-e", '{"workstation_join_leave_domain": true}',
    ],
    "other hosts by variables": ["-e", '{"ansible_play_hosts": [], "ansible_play_hosts_all": [], "play_hosts": []}'],
    "another policy by variables": ["-e", '{"dsi_environment": "none", "approval_policy": {}, "approvals": 0}'],
    "forks and verbosity": ["--forks", "1", "-vvv"],
    "forced handlers": ["--force-handlers", "--flush-cache"],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_option_of_ansible_replaces_an_approval(besieged, way):
    with _refused(besieged):
        said, found = besieged.results(JOIN_PLAY, "--limit", besieged.key, *WAYS[way])
    joined = [item for item in found.values() if item["task"].endswith("Join the workstations")]
    if way == "check turned off by a variable":
        assert joined[0]["kind"] == "ok", said  # still check mode: the variable says nothing to Ansible
    elif way != "a tag nothing has":
        assert (joined[0]["kind"], joined[0]["exit_code"]) == ("failed", 4), said
        assert f"dsi request workstation.join {besieged.key}" in joined[0]["msg"]


@pytest.mark.parametrize("kind", ["pending", "foreign", "used", "own", "revoked", "invented", "empty"])
def test_no_request_but_an_approved_one_of_these_hosts_will_do(besieged, kind):
    request = {"invented": "REQ-20260101-AAAA", "empty": "", **vars(besieged)}[kind]
    with _refused(besieged):
        said, found = besieged.results(JOIN_PLAY, "--limit", besieged.key, "-e", f"dsi_request={request}")
        again = besieged.dsi(
            *("playbook", "workstation_join", "--limit", besieged.key, "--json"),
            *(["--request", request] if request else []),
        )
    code = 2 if kind == "invented" else 4
    assert (found[besieged.key]["kind"], found[besieged.key]["exit_code"]) == ("failed", code), said
    assert again.code == code, again


def test_leaving_hosts_of_a_request_out_is_refused_and_named(besieged):
    asked = besieged.approved(besieged.key, besieged.other)
    with _refused(besieged):
        said, found = besieged.results(JOIN_PLAY, "--limit", besieged.key, "-e", f"dsi_request={asked}")
    assert found[besieged.key]["exit_code"] == 4, said
    assert besieged.other in found[besieged.key]["msg"]


@pytest.mark.parametrize("strategy", ["ansible.builtin.free", "ansible.builtin.host_pinned"])
def test_another_strategy_does_not_run_it(besieged, strategy):
    with _refused(besieged):
        said = besieged.play(JOIN_PLAY, "--limit", besieged.key, env={"ANSIBLE_STRATEGY": strategy})
    assert said.code != 0, said


@pytest.mark.parametrize("request_kind", ["pending", "used"])
def test_the_engine_refuses_a_copied_collection_without_checks(besieged, request_kind):
    copy = besieged.folder / "copied" / "ansible_collections" / "dsi"
    shutil.rmtree(copy.parents[1], ignore_errors=True)
    shutil.copytree(ROOT / "dsi_automation" / "ansible_collections" / "dsi", copy)
    (copy / "ops" / "plugins" / "action" / "workstation_join.py").write_text(LAX)
    request = getattr(besieged, request_kind)
    env = {"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[1])}
    with _refused(besieged):
        said, found = besieged.results(JOIN_PLAY, "--limit", besieged.key, "-e", f"dsi_request={request}", env=env)
    assert (found[besieged.key]["kind"], found[besieged.key]["exit_code"]) == ("failed", 4), said


def test_a_variable_does_not_send_an_approved_join_to_another_machine_or_domain(besieged):
    asked = besieged.approved(besieged.other)
    address = besieged.lab.machine(besieged.key).spec.address
    more = json.dumps({"ansible_host": address, "dsi_site": "BKE", "dsi_directory": {}, "dsi_environment": "none"})
    before = besieged.shown(besieged.key)["requests"]
    said, found = besieged.results(JOIN_PLAY, "--limit", besieged.other, "-e", f"dsi_request={asked}", "-e", more)
    assert (found[besieged.other]["kind"], found[besieged.other]["changed"]) == ("ok", True), said
    assert besieged.shown(besieged.key)["requests"] == before, "not even looked at"
    assert besieged.methods(besieged.other)[JOIN] == 1
    assert "OU=ABJ" in json.dumps(besieged.objects("ABJ-PC-0777"), default=str)


def test_an_ad_hoc_command_and_a_task_that_says_it_is_no_check_are_refused(besieged):
    with _refused(besieged):
        for more in ([], ["--check", "-e", "ansible_check_mode=false"]):
            words = [besieged.key, "-m", "dsi.ops.workstation_join", "-a", f"request={besieged.pending}", *more]
            said = besieged.play(*words, program="ansible")
            assert ("FAILED" in said.out) is not more, said
        play = besieged.folder / "no_check.yml"
        task = {"name": "Join", "check_mode": False, "dsi.ops.workstation_join": {"user": "awa.kone"}}
        play.write_text(json.dumps([{"name": "All", "hosts": "all", "gather_facts": False, "tasks": [task]}]))
        said, found = besieged.results(play, "--check", "--limit", besieged.key)
        assert (found[besieged.key]["kind"], found[besieged.key]["exit_code"]) == ("failed", 4), said
