"""`licence.assign` and `licence.remove` on directories in memory: seats, conflicts, locations, proofs."""

from dataclasses import replace

import pytest
from desk import Desk, Killed

from dsi_automation.connectors.m365.errors import NoSeatError
from dsi_automation.operations.accounts.licence import LicenceAssign, LicenceInputs, LicenceRemove

ASSIGN, REMOVE = LicenceAssign(), LicenceRemove()


def planned(desk, operation, licence, *targets):
    given = LicenceInputs(licence=licence)
    return operation.plan(targets, given, operation.observe(targets, given, desk.look, desk.listener))


def carry_out(desk, operation, plan):
    given, hands = LicenceInputs.model_validate(plan.inputs), desk.hands
    for action in plan.actions:
        operation.act(action, given, hands, desk.listener)


def proven(desk, operation, plan):
    checks = operation.verify(plan, LicenceInputs.model_validate(plan.inputs), desk.look, desk.listener)
    assert checks
    return all(check.ok for check in checks)


def without_licence(desk, number, **changes):
    desk.add_ready(number, f"p{number.lower()}@douanes.lab")
    record = desk.tenant_.records[f"id-{number}"]
    record.user = replace(record.user, **{"licences": (), "licence_states": (), "plans": (), **changes})


@pytest.fixture
def desk():
    made = Desk()
    without_licence(made, "100001A")
    made.add_ready("100002B", "seydou.diallo@douanes.lab")
    return made


def test_a_licence_is_assigned_active_and_a_second_run_changes_nothing(desk):
    plan = planned(desk, ASSIGN, "bureau", "100001A")
    assert [action.kind for action in plan.actions] == ["assign_licence"]
    assert plan.actions[0].args["part_number"] == "STANDARDPACK"
    carry_out(desk, ASSIGN, plan)
    assert proven(desk, ASSIGN, plan)
    again = planned(desk, ASSIGN, "bureau", "100001A")
    assert (again.targets, again.actions) == (("100001A",), ())
    assert proven(desk, ASSIGN, again)


def test_a_missing_location_is_set_by_an_action_of_its_own_before(desk):
    without_licence(desk, "100003C", usage_location=None)
    plan = planned(desk, ASSIGN, "bureau", "100003C")
    assert [action.kind for action in plan.actions] == ["set_location", "assign_licence"]
    carry_out(desk, ASSIGN, plan)
    assert desk.tenant_.records["id-100003C"].user.usage_location == "CI"
    assert proven(desk, ASSIGN, plan)


def test_killed_after_any_write_the_re_run_ends_with_one_licence(desk):
    for write in (1, 2, 3):
        stage = Desk()
        without_licence(stage, "100003C", usage_location=None)
        approved = planned(stage, ASSIGN, "bureau", "100003C")
        stage.kill_after(write)
        try:
            carry_out(stage, ASSIGN, approved)
        except Killed:
            stage.kill_after(None)
        rest = planned(stage, ASSIGN, "bureau", "100003C")
        assert {action.id for action in rest.actions} <= {action.id for action in approved.actions}
        carry_out(stage, ASSIGN, rest)
        assert proven(stage, ASSIGN, approved)
        assert len(stage.tenant_.records["id-100003C"].user.licences) == 1


def test_seats_short_by_two_block_the_two_last_by_number_in_any_order_of_the_targets(desk):
    sku = desk.skus["cadre"]
    desk.tenant_.bought[sku.id] = replace(sku, total=2, used=0)
    numbers = ["100007G", "100004D", "100006F", "100005E"]
    for number in numbers:
        without_licence(desk, number)
    for order in (numbers, numbers[::-1]):
        plan = planned(desk, ASSIGN, "cadre", *order)
        assert set(plan.targets) == {"100004D", "100005E"}
        assert {blocker.target for blocker in plan.blockers} == {"100006F", "100007G"}
        assert all("2" in str(blocker.next_step) for blocker in plan.blockers)


def test_a_seat_that_went_between_plan_and_run_is_said(desk):
    plan = planned(desk, ASSIGN, "cadre", "100001A")
    sku = desk.skus["cadre"]
    desk.tenant_.bought[sku.id] = replace(sku, total=1, used=1)
    with pytest.raises(NoSeatError):
        carry_out(desk, ASSIGN, plan)


def test_two_licences_with_a_mailbox_each_are_foreseen_to_conflict(desk):
    plan = planned(desk, ASSIGN, "guichet", "100002B")
    assert plan.actions == ()
    assert "STANDARDPACK" in str(plan.blockers[0].reason)


def test_one_bad_row_is_a_row_and_the_others_go_on(desk):
    plan = planned(desk, ASSIGN, "bureau", "999999Z", "100002B", "100001A", "p100001a@douanes.lab")
    assert plan.targets == ("100002B", "100001A")
    assert {blocker.target for blocker in plan.blockers} == {"999999Z", "p100001a@douanes.lab"}
    assert [action.target for action in plan.actions] == ["100001A"]


def test_an_account_not_synchronised_yet_is_blocked_with_what_to_wait_for(desk):
    desk.tenant_.cycle = None
    desk.directory.add_account("100009z", desk.directory.containers[3], staff_number="100009Z")
    plan = planned(desk, ASSIGN, "bureau", "100009Z")
    assert [blocker.target for blocker in plan.blockers] == ["100009Z"]


@pytest.mark.parametrize("operation", [ASSIGN, REMOVE])
def test_a_licence_nobody_knows_and_one_the_tenant_does_not_have_are_told_apart(desk, operation):
    unknown = planned(desk, operation, "or", "100001A").blockers[0]
    desk.tenant_.bought.pop(desk.skus["cadre"].id)
    absent = planned(desk, operation, "cadre", "100001A").blockers[0]
    assert "bureau" in str(unknown.next_step)
    assert "ENTERPRISEPACK" in str(absent.reason)


def test_a_licence_that_does_not_work_is_told_with_its_reason(desk):
    record = desk.tenant_.records["id-100002B"]
    wrong = replace(record.user.licence_states[0], state="Error", error="CountViolation")
    record.user = replace(record.user, licence_states=(wrong,))
    assert [one.target for one in planned(desk, ASSIGN, "bureau", "100002B").blockers] == ["100002B"]


def test_a_licence_is_removed_and_a_second_run_changes_nothing(desk):
    plan = planned(desk, REMOVE, "bureau", "100002B")
    assert [action.kind for action in plan.actions] == ["remove_licence"]
    carry_out(desk, REMOVE, plan)
    assert desk.tenant_.records["id-100002B"].user.licences == ()
    assert proven(desk, REMOVE, plan)
    assert planned(desk, REMOVE, "bureau", "100002B").actions == ()


def test_a_licence_of_a_group_cannot_be_removed_from_the_person(desk):
    record = desk.tenant_.records["id-100002B"]
    record.user = replace(record.user, licence_states=(replace(record.user.licence_states[0], by_group="g"),))
    plan = planned(desk, REMOVE, "bureau", "100002B")
    assert (plan.actions, len(plan.blockers)) == ((), 1)
    given = planned(desk, ASSIGN, "bureau", "100002B")
    assert (given.actions, given.blockers) == ((), ())


def test_a_licence_that_is_not_there_is_not_proven(desk):
    plan = planned(desk, ASSIGN, "bureau", "100001A")
    assert not proven(desk, ASSIGN, plan)
    carry_out(desk, ASSIGN, plan)
    assert not proven(desk, REMOVE, plan)


def test_settling_after_a_lost_answer_ends_in_a_few_looks(desk):
    plan = planned(desk, ASSIGN, "bureau", "100001A")
    for action in plan.actions:
        ASSIGN.settle(action, LicenceInputs(licence="bureau"), desk.look, desk.listener)
    assert 0 < desk.clock.monotonic() < 60
