"""The small parts behind the playbooks: exit codes, environment, inventory of a play, stopping."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from dsi_automation.ansible.codes import CANCELLED, Codes
from dsi_automation.ansible.find import find_playbook
from dsi_automation.ansible.play_inventory import inventory_source
from dsi_automation.ansible.plugin import people_of
from dsi_automation.ansible.processes import GRACE_SECONDS, Cancel
from dsi_automation.ansible.results import report_result, spoken
from dsi_automation.ansible.runner import OWNER, PlaybookRun, environment, sweep
from dsi_automation.ansible.stopping import stopped_between_actions
from dsi_automation.ansible.tasks import Call, unordered
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.events import Event, Silent
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Report
from dsi_automation.journal.owner import this_process


def event(name, **result):
    return {"event": name, "event_data": {"res": result}}


@pytest.mark.parametrize(
    ("events", "rc", "code"),
    [
        ([], 0, 0),
        ([event("runner_on_failed", exit_code=5), event("runner_on_unreachable", exit_code=3)], 2, 5),
        ([event("runner_on_unreachable")], 4, 3),
        ([event("runner_on_failed", exit_code=4)], 2, 4),
        ([event("runner_on_failed", exit_code=7), event("runner_on_failed", exit_code=6)], 2, 7),
        ([event("runner_on_failed", argument_errors=["no"])], 2, 2),
        ([event("runner_on_failed", msg="a task of somebody's")], 2, 1),
        ([event("runner_on_failed", exit_code="nonsense")], 2, 1),
        ([event("runner_on_failed", exit_code=99)], 2, 1),
        ([{"event": "runner_on_failed", "event_data": {"res": {"exit_code": 5}, "ignore_errors": True}}], 0, 0),
        ([{"event": "playbook_on_no_hosts_matched"}], 0, 2),
        ([], 4, 2),
        ([], 5, 2),
        ([], 250, 1),
    ],
)
def test_the_worst_that_a_host_reported_is_the_exit_code(events, rc, code):
    codes = Codes()
    for item in events:
        codes.take(item)
    assert codes.exit_code("failed" if rc else "successful", rc) == code
    assert codes.exit_code("canceled", rc) == CANCELLED


def test_the_environment_of_a_play_is_what_it_needs_and_no_more(monkeypatch):
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("ANSIBLE_STRATEGY", "free")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("JOIN_PASSWORD", "needed")
    run = PlaybookRun(
        "PLB-1",
        Path("p.yml"),
        Path("/i/hosts.yml"),
        key=Path("/k"),
        config=Path("/c.cfg"),
        secret_names=["JOIN_PASSWORD"],
    )
    passed = environment(run, "/state/PLB-1")
    assert not {"AWS_SECRET_ACCESS_KEY", "ANSIBLE_STRATEGY", "PYTHONPATH"} & passed.keys()
    assert passed["JOIN_PASSWORD"] == "needed"
    assert passed["DSI_PLAYBOOK_RUN"] == "/state/PLB-1"
    assert passed["LC_ALL"] == "C.UTF-8", "ansible-playbook does not start without"
    assert (passed["DSI_KEY"], passed["ANSIBLE_CONFIG"]) == ("/k", "/c.cfg")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert "LC_ALL" not in environment(run, "/state/PLB-1")


def test_only_folders_of_dead_processes_are_swept(tmp_path):
    mine, dead, foreign = tmp_path / "PLB-1" / "work", tmp_path / "PLB-2" / "work", tmp_path / "PLB-3" / "work"
    for folder in (mine, dead, foreign):
        folder.mkdir(parents=True)
    (mine / OWNER).write_text(this_process())
    parts = this_process().split("/")
    (dead / OWNER).write_text("/".join([parts[0], parts[1], "1", *parts[3:]]))
    (foreign / OWNER).write_text("/".join(["elsewhere", *parts[1:]]))
    sweep(tmp_path)
    assert (mine.exists(), dead.exists(), foreign.exists()) == (True, False, True)


def test_the_inventory_of_a_play_is_the_one_with_people_beside_it(tmp_path):
    ours, other = tmp_path / "ours", tmp_path / "other"
    for folder in (ours, other):
        folder.mkdir()
        (folder / "hosts.yml").touch()
    (ours / "people.yml").touch()
    assert inventory_source([str(ours / "hosts.yml")]) == str(ours / "hosts.yml")
    assert inventory_source([str(ours)]) == str(ours)
    assert inventory_source(["a,b,", str(other / "hosts.yml"), str(ours)]) == str(ours)
    for sources in (["a,b,"], [], [str(other)], [str(tmp_path / "absent")]):
        with pytest.raises(UsageError, match=r"people\.yml"):
            inventory_source(sources)
    (other / "people.yml").touch()
    with pytest.raises(UsageError, match="plusieurs"):
        inventory_source([str(ours), str(other)])


@pytest.mark.parametrize("name", ["workstation_join", "workstation.join", "workstation-join", "workstation_join.yml"])
def test_a_playbook_is_found_by_its_name_and_never_outside_its_folder(tmp_path, name):
    (tmp_path / "secret.yml").touch()
    root = tmp_path / "playbooks"
    root.mkdir()
    (root / "workstation_join.yml").touch()
    assert find_playbook(name, [root]) == root / "workstation_join.yml"
    assert find_playbook(str(root / "workstation_join.yml"), []) == root / "workstation_join.yml"
    for wrong in ("", "../secret", "join", "workstation_join.yml/"):
        with pytest.raises(UsageError, match="playbook"):
            find_playbook(wrong, [root])


def test_what_is_empty_in_a_role_counts_as_not_given():
    given = {"user": "", "local_user": None, "users": {}, "leave_domain": False}
    assert Call("workstation.join", [], given, Silent()).given() == {}
    kept = {**given, "user": "awa", "leave_domain": True}
    assert Call("workstation.join", [], kept, Silent()).given() == {"user": "awa", "leave_domain": True}


def test_results_are_in_the_language_of_the_reader(monkeypatch):
    both = {"title": T("There is no playbook {name}.", name="x").to_json(), "list": [{"en": "a", "fr": "b"}], "en": 1}
    assert spoken(both) == {"title": "Il n’y a pas de playbook x.", "list": ["b"], "en": 1}
    monkeypatch.setenv("DSI_LANG", "en")
    assert json.dumps(spoken(both)).count("There is no playbook x.") == 1


def test_a_wish_to_stop_waits_until_it_is_said_twice_or_the_time_is_over(fake_clock):
    cancel = Cancel()
    assert (cancel.asked, cancel.at_once) == (False, False)
    cancel.ask()
    cancel.begin(fake_clock)
    assert (cancel.asked, cancel.is_over(fake_clock)) == (True, False)
    fake_clock.advance(GRACE_SECONDS + 1)
    assert cancel.is_over(fake_clock)
    again = Cancel()
    again.ask()
    again.ask()
    assert again.is_over(fake_clock)


def test_signals_do_what_they_did_until_the_engine_listens_and_then_nothing():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append("before"))
    try:
        with stopped_between_actions(Silent()) as observer:
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == ["before"]
            observer.notify(Event("look.started", T("")))
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == ["before"]
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == ["before", "before"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_signals_are_left_alone():
    before, found = signal.getsignal(signal.SIGTERM), []

    def elsewhere():
        with stopped_between_actions(Silent()):
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [before]


def test_people_come_from_a_list_or_from_a_file_and_not_from_both(tmp_path):
    file = tmp_path / "staff.csv"
    file.write_text("matricule,nom,prénoms,contact\n300001A,YAO,Affoué,0701020304\n", encoding="utf-8")
    row = {"matricule": "300001A", "last_name": "YAO", "first_names": "Affoué", "contact": "0701020304"}
    assert people_of([row], None) == [row]
    (read,) = people_of([], file)
    assert {key: value for key, value in read.items() if key in row} == row
    with pytest.raises(UsageError):
        people_of([row], file)
    with pytest.raises(UsageError):
        people_of([], tmp_path / "absent.csv")


def test_rows_are_the_same_in_any_order_and_on_any_line():
    first, second = {"matricule": "1", "line": 1}, {"matricule": "2", "line": 2}
    assert unordered([first, second]) == unordered([{**second, "line": 7}, {**first, "line": 8}])
    assert unordered([first, first]) != unordered([first])
    assert unordered([first]) != unordered([{**first, "site": "ABJ"}])
    assert unordered(["b", "a"]) == ["b", "a"]


def test_a_report_has_a_part_for_each_target_and_ends_with_the_code_of_dsi():
    def check(target, *, ok, warning=False):
        return Check(target, "mailbox", T("Mailbox"), "ready", "none", ok, "Graph", warning)

    dead = UnreachableError(T("No answer."))
    report = Report(("A", "B", "C"), (check("A", ok=True), check("B", ok=False)), {"C": dead}, {"A": {"mail": "a"}})
    found = report_result(report, fail=True)
    assert (found["failed"], found["compliant"], found["exit_code"]) == (True, False, 5)
    assert {name: part["compliant"] for name, part in found["targets"].items()} == {"A": True, "B": False, "C": False}
    assert found["targets"]["A"]["facts"] == {"mail": "a"}
    assert "No answer" in found["targets"]["C"]["error"]
    assert "failed" not in report_result(report, fail=False)
    assert report_result(Report(("C",), (), {"C": dead}), fail=True)["exit_code"] == 3
    mild = Report(("A",), (check("A", ok=False, warning=True),), {})
    assert report_result(mild, fail=True)["compliant"] is True
