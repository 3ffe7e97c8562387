"""From plan to evidence: what a run does, in what order, and what it never does."""

import dataclasses
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from house import House, Listener, refused

from dsi_automation.core.errors import DsiError, GateClosedError, StorageError, UsageError, WorldChangedError
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.results import Outcome
from dsi_automation.engine.model import RequestState, Window
from dsi_automation.journal.model import Kind


def kinds(house, run_id):
    return [str(entry.kind) for entry in house.journal.read(subject=run_id)]


def test_an_approved_plan_is_carried_out_once_and_proven(house):
    run = house.engine().run(house.approved(), house.listener)
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    assert (run.outcome, run.exit_code, run.targets) == (Outcome.DONE, 0, {"t1": Outcome.DONE})
    assert [check.ok for check in run.evidence] == [True] * 3
    about = ["action.about_to", "action.done"]
    assert kinds(house, run.id) == ["run.started", *about * 3, "run.evidence", "run.ended"]
    assert house.journal.holders() == []


def test_planning_writes_nothing_and_a_check_is_never_handed_the_write_half(house):
    before = len(house.journal.read())
    house.plan()
    report = house.engine().check("folder.count", ["t1"], {}, Silent())
    assert report.checks[0].observed == "0"
    assert len(house.journal.read()) == before
    assert house.tools.permits == []


def test_every_problem_of_the_inputs_is_told_at_once(house):
    with pytest.raises(UsageError) as caught:
        house.engine().plan("folder.fill", ["t1"], {"copies": "many", "colour": "red"}, Silent())
    assert "copies" in str(caught.value)
    assert "colour" in str(caught.value)
    assert "files" in str(caught.value)
    assert len(caught.value.detail["problems"]) == 2


@pytest.mark.parametrize(
    ("operation", "targets"),
    [("folder.empty", ["t1"]), ("folder.fill", ["t9"]), ("folder.fill", []), ("folder.fill", ["t1", "t1"])],
)
def test_unknown_operations_and_targets_are_usage_errors(house, operation, targets):
    with pytest.raises(UsageError):
        house.engine().plan(operation, targets, {}, Silent())


def test_the_permit_dies_with_the_run(house):
    house.engine().run(house.approved(), Silent())
    with pytest.raises(GateClosedError):
        house.tools.hands(house.tools.permits[0]).write("t1", "later")
    assert "later" not in house.written()


def test_a_smaller_plan_keeps_its_approval(house):
    request_id = house.approved()
    (house.root / "targets/t1/b").write_text("written\n")
    run = house.engine().run(request_id, Silent())
    assert run.exit_code == 0
    assert [step.action_id for step in run.steps] == ["t1/create-a", "t1/create-c"]
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_something_new_stops_the_run_before_anything_is_done_and_keeps_the_approval(house):
    (house.root / "targets/t1/b").write_text("written\n")
    request_id = house.approved()
    (house.root / "targets/t1/b").unlink()
    with pytest.raises(WorldChangedError) as caught:
        house.engine().run(request_id, Silent())
    assert caught.value.exit_code is ExitCode.WORLD_CHANGED
    assert [item["id"] for item in caught.value.detail["new"]] == ["t1/create-b"]
    assert house.written() == {}
    assert house.engine().request_by_id(request_id).state is RequestState.APPROVED
    assert house.engine().runs()[0].exit_code == 7
    assert house.engine().runs()[0].error["code"] == "world_changed"
    (house.root / "targets/t1/b").write_text("written\n")
    assert house.engine().run(request_id, Silent()).exit_code == 0


def test_the_same_actions_in_another_order_are_another_plan(house):
    request_id = house.approved()
    observe = house.fill.plan

    def reordered(targets, inputs, observed):
        plan = observe(targets, inputs, observed)
        return dataclasses.replace(plan, actions=plan.actions[::-1])

    house.fill.plan = reordered
    with pytest.raises(WorldChangedError):
        house.engine().run(request_id, Silent())
    assert house.written() == {}


def test_an_operation_that_plans_for_something_else_is_stopped(house):
    observe = house.fill.plan
    house.fill.plan = lambda *given: dataclasses.replace(observe(*given), inputs={"files": ["z"], "copies": 1})
    with pytest.raises(DsiError) as caught:
        house.plan()
    assert caught.value.exit_code is ExitCode.UNEXPECTED


def test_a_failing_target_does_not_stop_the_others_and_the_worst_counts(tmp_path):
    house = House(tmp_path, targets=("t1", "t2", "t3"))
    house.fill.faults["t2/b"] = [refused()]
    request_id = house.approved()
    (house.root / "targets/t3").rmdir()
    run = house.engine().run(request_id, Silent())
    assert run.targets == {"t1": Outcome.DONE, "t2": Outcome.FAILED, "t3": Outcome.UNREACHABLE}
    assert run.exit_code == ExitCode.UNREACHABLE
    assert house.written("t1") == {"a": 1, "b": 1, "c": 1}
    assert house.written("t2") == {"a": 1}
    assert {name: error["code"] for name, error in run.errors.items()} == {"t2": "unexpected", "t3": "unreachable"}


def test_what_failed_can_be_resumed_and_nothing_is_done_twice(tmp_path):
    house = House(tmp_path, targets=("t1", "t2"))
    house.fill.faults["t2/b"] = [refused()]
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == 1
    again = house.engine().resume(run.id, Silent())
    assert again.exit_code == 0
    assert house.written("t1") == house.written("t2") == {"a": 1, "b": 1, "c": 1}
    with pytest.raises(UsageError):
        house.engine().resume(run.id, Silent())


def test_a_lost_answer_is_looked_into_and_never_repeated_blindly(house):
    house.fill.faults["t1/b"] = ["lost after"]
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    assert "action.unknown" in kinds(house, run.id)


def test_a_write_proven_not_to_have_happened_is_tried_once_more_and_no_more(house):
    house.fill.faults["t1/b"] = ["lost before"]
    assert house.engine().run(house.approved(), Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_two_lost_answers_leave_the_outcome_unknown(house):
    house.fill.faults["t1/b"] = ["lost before", "lost before"]
    run = house.engine().run(house.approved(), Silent())
    assert run.targets == {"t1": Outcome.UNKNOWN}
    assert run.exit_code == ExitCode.UNREACHABLE
    assert house.written() == {"a": 1}
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_a_defect_after_the_write_is_found_out_by_looking(house):
    house.fill.faults["t1/b"] = ["defect"]
    assert house.engine().run(house.approved(), Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_success_means_the_independent_look_agrees(house):
    house.fill.verify_lies = True
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == ExitCode.VERIFICATION_FAILED
    assert run.targets == {"t1": Outcome.NOT_VERIFIED}
    house.fill.verify_lies = False
    assert house.engine().resume(run.id, Silent()).exit_code == 0


def test_a_revocation_stops_a_run_before_its_next_action(house):
    request_id = house.approved()
    house.fill.faults["t1/b"] = [lambda: house.engine("y.traore").revoke(request_id, "Stop")]
    run = house.engine().run(request_id, Silent())
    assert run.targets == {"t1": Outcome.INTERRUPTED}
    assert run.exit_code == ExitCode.GATE_CLOSED
    assert house.written() == {"a": 1, "b": 1}
    with pytest.raises(GateClosedError):
        house.engine().resume(run.id, Silent())


def test_a_plan_with_nothing_to_do_cannot_be_requested(house):
    house.engine().run(house.approved(), Silent())
    with pytest.raises(UsageError):
        house.engine().request(house.plan(), "Again", Window())


def test_observers_that_fail_disturb_nobody(house):
    class Broken(Listener):
        def notify(self, event):
            raise RuntimeError

    assert house.engine().run(house.approved(), Broken()).exit_code == 0


def test_the_signed_documents_say_what_they_are_for(house):
    request_id = house.approved()
    house.engine().run(request_id, Silent())
    signed = [entry.signed for entry in house.journal.read() if entry.signed]
    assert [item.namespace for item in signed] == ["dsi-request", "dsi-decision", "dsi-run"]
    request, decision, run = (json.loads(item.document) for item in signed)
    assert request["plan_digest"] == decision["plan_digest"] == run["plan_digest"]
    assert {request["request"], decision["request"], run["request"]} == {request_id}
    assert decision["head"]["seq"] == 2


def test_nothing_is_done_that_cannot_be_announced(house):
    from dsi_automation.core.text import T

    request_id = house.approved()
    full = [False]

    def hook(transaction):
        if full[0]:
            raise StorageError(T("The disk is full."))

    house.journal.before.append(hook)
    house.fill.point = lambda name: full.__setitem__(0, full[0] or name == "after t1/create-a")
    with pytest.raises(StorageError):
        house.engine().run(request_id, Silent())
    assert house.written() == {"a": 1}
    full[0] = False
    house.fill.point = lambda name: None
    run = house.engine().runs()[0]
    assert run.ended_at is None
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    assert [e.kind for e in house.journal.read(subject=run.id)].count(Kind.RUN_RESUMED) == 1


def test_a_database_locked_by_somebody_else_stops_the_run_and_resume_finishes_it(tmp_path):
    """A real lock: another connection holds SQLite's write lock from the middle of an action on."""
    house = House(tmp_path, wait=timedelta(milliseconds=50))
    with closing(sqlite3.connect(house.database, isolation_level=None, check_same_thread=False)) as other:
        house.fill.faults["t1/b"] = [lambda: other.execute("BEGIN IMMEDIATE")]
        request_id = house.approved()
        with pytest.raises(StorageError):
            house.engine().run(request_id, Silent())
        other.execute("ROLLBACK")
    assert house.written() == {"a": 1, "b": 1}
    run = house.engine().runs()[0]
    assert (run.ended_at, [str(step.outcome) for step in run.steps]) == (None, ["done", "unknown"])
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    house.journal.close()
