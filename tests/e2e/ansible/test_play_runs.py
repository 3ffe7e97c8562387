"""`dsi playbook` with an approval: done once, told in the journal, no secret anywhere, nothing left running."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from fix_office import JOIN, ONCE, OWNER
from fix_stage import JOIN_PLAY
from waiting import wait_for

from dsi_automation.lab.accounts import JOINER, LOCAL_ADMINISTRATOR

CANARY = "Kanari-7c1e-Geheimnis"


def processes(stage, run_id):
    """Return the processes that carry a run's mark."""
    mark, found = f"DSI_PLAYBOOK_RUN={stage.artifacts(run_id)}".encode(), []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((int(folder.name), (folder / "cmdline").read_bytes()))
            except OSError:
                continue
    return found


def texts_of(stage):
    """Return everything that was written or said."""
    texts = {"said": "".join(stage.said)}
    for path in stage.state.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("utf-8", "replace")
    return texts


def playbook_run(stage):
    return next((subject for _, kind, subject, _ in reversed(stage.entries()) if kind == "playbook.event"), None)


def announced(stage, action):
    return [line for _, kind, _, line in stage.entries() if kind == "action.about_to" and action in json.dumps(line)]


def test_an_approved_play_does_it_once_and_a_second_one_finds_nothing_to_do(stage):
    key = stage.add()
    asked = stage.approved(key, "-i", "user=awa.kone")
    said = stage.dsi("playbook", "workstation_join", "--request", asked, "--json")
    assert said.code == 0, said
    assert stage.methods(key) == {**ONCE, OWNER: 1}
    shown = stage.dsi("show", said.json["id"], "--json").json["playbook"]
    assert (shown["request"], shown["limit"], shown["status"], shown["exit_code"]) == (asked, key, "successful", 0)
    joined = next(event for event in shown["events"] if event.get("changed"))
    assert joined["run"] == stage.runs()[0]
    assert stage.dsi("show", asked, "--json").json["request"]["state"] == "used"
    with stage.untouched(key):
        again = stage.dsi("playbook", "workstation_join", "--request", asked, "--json")
        assert again.code == 0, again
        _, found = stage.results(JOIN_PLAY, "--limit", key, "-e", f"dsi_request={asked}")
        assert (found[key]["kind"], found[key]["changed"]) == ("ok", False)
    stage.assert_whole()


def test_each_host_has_its_own_result(stage):
    first, second = stage.add(), stage.add(name=None, local=None)
    asked = stage.approved(first, second, "-i", f"users={first}:awa.kone")
    stage.lab.fault(second, "join_returns", value=1355)
    said, found = stage.results(JOIN_PLAY, "--limit", f"{first},{second}", "-e", f"dsi_request={asked}")
    result = next(iter(found.values()))
    assert result["kind"] == "failed", said
    assert result["hosts"][first]["outcome"] == "done"
    assert all(check["ok"] or check["warning"] for check in result["hosts"][first]["evidence"])
    assert result["hosts"][second]["outcome"] == "failed"
    assert "dsi resume" in result["msg"]


def test_no_secret_reaches_artifacts_journal_output_or_arguments(stage):
    lab, key = stage.lab, stage.add()
    secrets = {account: lab.passwords.get(account).reveal() for account in (JOINER, LOCAL_ADMINISTRATOR)}

    def by_environment(held):
        held["dsi_credentials"]["directory_join"]["password"] = {"env": "DSI_TEST_JOIN_PASSWORD"}
        held["dsi_credentials"]["unused"] = {"user": "nobody", "password": {"env": "DSI_TEST_CANARY"}}

    stage.edit("group_vars/all.yml", by_environment)
    asked = stage.approved(key, "-i", "user=awa.kone")
    # A play that tells what it should not: the toolkit's own tasks never do.
    play = stage.folder / "indiscreet.yml"
    lookup = "{{ lookup('ansible.builtin.env', 'DSI_TEST_CANARY') }} {{ lookup('ansible.builtin.env', 'ELSEWHERE') }}"
    tasks = [
        {"name": "Tell", "ansible.builtin.debug": {"msg": f"password {lookup} {{{{ my_password }}}}."}},
        {"name": "Join", "dsi.ops.workstation_join": {"request": asked}},
    ]
    play.write_text(json.dumps([{"name": "All", "hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (stage.folder / "vars.yml").write_text(f"my_password: {CANARY}-var\nnote: harmless\n")
    env = {
        "DSI_TEST_JOIN_PASSWORD": secrets[JOINER],
        "DSI_TEST_CANARY": f"{CANARY}-env",
        "ELSEWHERE": f"{CANARY}-else",
    }
    process = stage.start("playbook", play, "--request", asked, "-e", "@vars.yml", **env)
    run_id = wait_for(lambda: playbook_run(stage))
    wait_for(lambda: announced(stage, "reboot"))
    arguments = b"".join(line for _, line in processes(stage, run_id))
    held = list(stage.artifacts(run_id).rglob("*"))
    kept = b"".join(path.read_bytes() for path in held if path.is_file())
    said = stage.finish(process)
    assert said.code == 0, said
    assert "password ••• " in said.out
    assert stage.methods(key) == {**ONCE, OWNER: 1}
    for secret in (*secrets.values(), f"{CANARY}-env", f"{CANARY}-var", f"{CANARY}-else"):
        assert secret.encode() not in arguments
        assert secret.encode() not in kept, "while it ran"
        for name, text in texts_of(stage).items():
            assert secret not in text, name
    assert sorted(path.name for path in stage.artifacts(run_id).iterdir()) == ["events.jsonl", "stdout"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_play_finishes_its_action_leaves_no_process_and_can_be_resumed(stage, number):
    key = stage.add()
    asked = stage.approved(key, "-i", "user=awa.kone")
    # The restart lasts until the play has been told to stop.
    stage.lab.fault(key, "reboot_never_returns")
    process = stage.start("playbook", "workstation_join", "--request", asked)
    wait_for(lambda: stage.methods(key) == ONCE)
    run_id = playbook_run(stage)
    assert len(processes(stage, run_id)) >= 2
    process.send_signal(number)
    # Ansible says so once it has told its workers.
    assert next(line for line in process.stdout if "interrupted" in line)
    assert stage.dsi("show", run_id, "--json").json["playbook"]["ended_at"] is None
    stage.back(key)
    said = stage.finish(process)
    assert said.code == 130, said
    assert "Arrêt" in said.err
    assert processes(stage, run_id) == []
    assert stage.methods(key) == ONCE
    run = stage.runs()[0]
    assert stage.dsi("show", run, "--json").json["run"]["outcome"] == "interrupted"
    assert stage.dsi("show", run_id, "--json").json["playbook"]["status"] == "canceled"
    resumed = stage.dsi("resume", run)
    assert resumed.code == 0, resumed
    assert stage.methods(key) == {**ONCE, OWNER: 1}
    stage.assert_whole()


def test_a_second_signal_ends_a_hung_play_at_once_and_the_run_can_be_resumed(stage):
    key = stage.add()
    asked = stage.approved(key)
    stage.lab.fault(key, "hang", method="JoinDomainOrWorkgroup")
    process = stage.start("playbook", "workstation_join", "--request", asked)
    wait_for(lambda: announced(stage, "join"))
    run_id = playbook_run(stage)
    process.send_signal(signal.SIGINT)
    # One signal is not enough here: the engine would wait for the hung answer.
    process.send_signal(signal.SIGTERM)
    said = stage.finish(process)
    assert said.code == 130, said
    assert processes(stage, run_id) == []
    run = stage.runs()[0]
    stage.lab.clear_faults(key)
    resumed = stage.dsi("resume", run)
    assert resumed.code == 0, resumed
    assert stage.methods(key)[JOIN] == 1
    stage.assert_whole()


def test_a_killed_play_stops_by_itself_and_what_it_left_is_swept(stage):
    key = stage.add()
    asked = stage.approved(key, "-i", "user=awa.kone")
    stage.lab.fault(key, "reboot_never_returns")
    process = stage.start("playbook", "workstation_join", "--request", asked)
    wait_for(lambda: stage.methods(key) == ONCE)
    run_id = playbook_run(stage)
    process.kill()
    stage.finish(process)
    # ansible-playbook goes with it; its worker finishes the action it is at, and no other.
    wait_for(lambda: len(processes(stage, run_id)) == 1)
    assert stage.dsi("show", run_id, "--json").json["playbook"]["ended_at"] is None
    stage.back(key)
    wait_for(lambda: processes(stage, run_id) == [])
    assert stage.methods(key) == ONCE
    work = stage.artifacts(run_id) / "work"
    left = b"".join(path.read_bytes() for path in work.rglob("*") if path.is_file())
    assert stage.lab.passwords.get(JOINER).reveal().encode() not in left
    assert stage.dsi("show", run_id, "--json").json["playbook"]["ended_at"] is None
    assert stage.dsi("playbook", "workstation_check", "--limit", "ws6").code == 0
    assert not work.exists()
    resumed = stage.dsi("resume", stage.runs()[0])
    assert resumed.code == 0, resumed
    assert stage.methods(key) == {**ONCE, OWNER: 1}


def long_play(stage):
    """Start a play whose only task is a command that never ends; return its process and its run."""
    play = stage.folder / "long.yml"
    command = {"argv": ["sh", "-c", f"echo ready > {stage.folder}/ready; exec setsid -w sleep 1000"]}
    tasks = [{"name": "Long", "ansible.builtin.command": command, "delegate_to": "localhost", "changed_when": True}]
    play.write_text(json.dumps([{"name": "One", "hosts": "ws6", "gather_facts": False, "tasks": tasks}]))
    process = stage.start("playbook", play)
    wait_for((stage.folder / "ready").exists)
    run_id = playbook_run(stage)
    wait_for(lambda: any(b"sleep" in line for _, line in processes(stage, run_id)))
    return process, run_id


def test_a_stopped_play_takes_foreign_commands_with_it(stage):
    process, run_id = long_play(stage)
    process.terminate()
    said = stage.finish(process)
    assert said.code == 130, said
    assert processes(stage, run_id) == []


def test_a_play_whose_ansible_the_kernel_kills_is_told_as_failed_and_leaves_no_process(stage):
    process, run_id = long_play(stage)
    (ansible,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(ansible), signal.SIGKILL)
    said = stage.finish(process)
    assert said.code == 1, said
    assert processes(stage, run_id) == []
    assert stage.dsi("show", run_id, "--json").json["playbook"]["status"] == "failed"


def test_ctrl_c_on_ansible_playbook_itself_lets_the_action_finish_too(stage):
    key = stage.add()
    asked = stage.approved(key, "-i", "user=awa.kone")
    stage.lab.fault(key, "reboot_never_returns")
    words = stage.play_words(JOIN_PLAY, "--limit", key, "-e", f"dsi_request={asked}")
    process = subprocess.Popen(
        words, cwd=stage.folder, env=stage.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: stage.methods(key) == ONCE)
    os.kill(process.pid, signal.SIGINT)
    assert next(line for line in process.stderr if "interrupted" in line)
    assert stage.dsi("runs", "--json").json["runs"][0]["ended_at"] is None
    stage.back(key)
    said = stage.finish(process)
    assert said.code != 0, said
    run = wait_for(lambda: [r for r in stage.dsi("runs", "--json").json["runs"] if r["ended_at"]])[0]
    assert run["outcome"] == "interrupted"
    assert stage.methods(key) == ONCE
