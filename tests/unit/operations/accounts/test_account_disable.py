"""`account.disable`: what is planned, done, killed and found done, on directories in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest
from desk import BASE, LEAVERS, START, USERS, Desk, Killed, policy

from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.operations.accounts.disable import AccountDisable, DisableInputs

DISABLE = AccountDisable()
EVERYTHING = ["disable_account", "revoke_sessions", "synchronise", "remove_licences", "move_to_leavers"]


def planned(desk, *targets, **inputs):
    given = DisableInputs(**inputs)
    return DISABLE.plan(targets, given, DISABLE.observe(targets, given, desk.look, desk.listener))


def carry_out(desk, plan, **inputs):
    given, hands = DisableInputs(**inputs), desk.hands
    for action in plan.actions:
        DISABLE.act(action, given, hands, desk.listener)


def proven(desk, plan, **inputs):
    checks = DISABLE.verify(plan, DisableInputs(**inputs), desk.look, desk.listener)
    assert checks
    return all(check.ok for check in checks)


def kinds(plan):
    return [action.kind for action in plan.actions]


@pytest.fixture
def desk():
    made = Desk()
    made.add_ready("100001A", "awa.kone@douanes.lab", groups=(f"CN=Recettes,{USERS}", f"CN=Caisse,{USERS}"))
    return made


@pytest.mark.parametrize("target", ["100001A", "100001a", "awa.kone@douanes.lab"])
def test_somebody_is_found_by_number_login_and_address_and_everything_is_closed(desk, target):
    plan = planned(desk, target)
    assert kinds(plan) == EVERYTHING
    assert plan.actions[0].args == {
        "login": "100001a",
        "staff_number": "100001A",
        "groups": [f"CN=Caisse,{USERS}", f"CN=Recettes,{USERS}"],
    }
    carry_out(desk, plan)
    (account,) = desk.directory.accounts.values()
    assert (account.enabled, account.dn.endswith(LEAVERS)) == (False, True)
    assert account.groups == (f"CN=Recettes,{USERS}", f"CN=Caisse,{USERS}")
    user = desk.tenant_.records["id-100001A"].user
    assert (user.enabled, user.licences) == (False, ())
    assert user.sessions_valid_from >= START
    assert proven(desk, plan)


def test_a_second_run_finds_everything_done_and_says_so(desk):
    carry_out(desk, planned(desk, "100001A"))
    again = planned(desk, "100001A")
    assert (again.targets, again.actions, again.blockers) == (("100001A",), (), ())
    assert {item.kind for item in again.non_actions} >= {"disable_account", "revoke_sessions", "move_to_leavers"}
    assert proven(desk, again)


@pytest.mark.parametrize("hybrid", [True, False])
def test_killed_after_any_write_the_rest_is_part_of_what_was_approved_and_a_new_run_ends_the_same(hybrid):
    deaths = 0
    for write in range(1, 9):
        desk = Desk(hybrid=hybrid)
        desk.add_ready("100001A", "awa.kone@douanes.lab")
        approved = planned(desk, "100001A")
        desk.kill_after(write)
        try:
            carry_out(desk, approved)
        except Killed:
            deaths += 1
        desk.kill_after(None)
        rest = planned(desk, "100001A")
        allowed = [action.identity() for action in approved.actions]
        assert [one for one in (action.identity() for action in rest.actions) if one not in allowed] == []
        carry_out(desk, rest)
        assert proven(desk, approved)
        assert kinds(planned(desk, "100001A")) == []
    assert deaths >= 4


def test_a_user_of_the_tenant_alone_is_forbidden_to_sign_in_there():
    desk = Desk(hybrid=False)
    desk.add_ready("100001A", "awa.kone@douanes.lab")
    plan = planned(desk, "100001A")
    assert kinds(plan) == [
        "disable_account",
        "revoke_sessions",
        "disable_cloud_user",
        "remove_licences",
        "move_to_leavers",
    ]
    carry_out(desk, plan)
    assert not desk.tenant_.records["id-100001A"].user.enabled
    assert proven(desk, plan)


def test_who_is_in_the_tenant_only_and_has_a_staff_number_is_closed_there():
    desk = Desk(hybrid=False)
    account, _ = desk.add_ready("100001A", "awa.kone@douanes.lab")
    del desk.directory.accounts[account.guid]
    plan = planned(desk, "100001A")
    assert kinds(plan) == ["revoke_sessions", "disable_cloud_user", "remove_licences"]
    carry_out(desk, plan)
    assert proven(desk, plan)
    assert kinds(planned(desk, "100001A")) == []


def test_a_licence_is_kept_when_policy_or_the_request_says_so():
    desk = Desk(policy=policy(leaver_licence="keep"))
    desk.add_ready("100001A", "awa.kone@douanes.lab")
    assert "remove_licences" not in kinds(planned(desk, "100001A"))
    assert "remove_licences" in kinds(planned(desk, "100001A", licence="free"))
    desk.policy = policy(leaver_licence="free")
    plan = planned(desk, "100001A", licence="keep")
    assert "remove_licences" not in kinds(plan)
    carry_out(desk, plan, licence="keep")
    assert desk.tenant_.records["id-100001A"].user.licences
    assert proven(desk, plan, licence="keep")


def test_a_licence_from_a_group_is_told_and_left(desk):
    record = desk.tenant_.records["id-100001A"]
    state = replace(record.user.licence_states[0], by_group="g1")
    record.user = replace(record.user, licence_states=(state,))
    plan = planned(desk, "100001A")
    assert "remove_licences" not in kinds(plan)
    assert "STANDARDPACK" in " ".join(str(item.reason) for item in plan.non_actions if item.kind == "remove_licences")
    carry_out(desk, plan)
    assert proven(desk, plan)


def test_sessions_are_ended_again_when_the_account_was_disabled_after_they_were(desk):
    desk.clock.sleep(3600)
    record = desk.tenant_.records["id-100001A"]
    record.user = replace(record.user, enabled=False, sessions_valid_from=START)
    (account,) = desk.directory.accounts.values()
    desk.directory.change(account.guid, enabled=False, mark="dsi account.disable 2026-11-21T12:30:00.000Z")
    assert "revoke_sessions" in kinds(planned(desk, "100001A"))
    record.user = replace(record.user, sessions_valid_from=START + timedelta(minutes=30))
    assert "revoke_sessions" not in kinds(planned(desk, "100001A"))


def test_the_first_moment_of_a_new_user_is_no_end_of_its_sessions(desk):
    record = desk.tenant_.records["id-100001A"]
    record.user = replace(record.user, enabled=False, created_at=START, sessions_valid_from=START)
    (account,) = desk.directory.accounts.values()
    desk.directory.change(account.guid, enabled=False, mark="dsi account.disable 2026-11-21T12:00:05.000Z")
    assert "revoke_sessions" in kinds(planned(desk, "100001A"))
    record.user = replace(record.user, sessions_valid_from=START + timedelta(seconds=2))
    assert "revoke_sessions" not in kinds(planned(desk, "100001A"))


def test_an_account_somebody_disabled_by_hand_gets_the_mark_and_its_sessions_ended(desk):
    (account,) = desk.directory.accounts.values()
    desk.directory.change(account.guid, enabled=False)
    plan = planned(desk, "100001A")
    assert kinds(plan)[:2] == ["disable_account", "revoke_sessions"]
    carry_out(desk, plan)
    assert desk.directory.accounts[account.guid].mark.startswith("dsi account.disable 2026-")


def test_a_service_account_outside_the_sites_is_not_disabled():
    desk = Desk()
    desk.directory.add_account("svc-sauvegarde", f"CN=Users,{BASE}")
    plan = planned(desk, "svc-sauvegarde")
    assert (plan.targets, plan.actions) == ((), ())
    assert "svc-sauvegarde" in str(plan.blockers[0].reason)


@pytest.mark.parametrize("group", [f"CN=Admins du domaine,CN=Users,{BASE}", f"CN=Account Operators,CN=Builtin,{BASE}"])
def test_an_administrator_is_not_disabled(desk, group):
    (account,) = desk.directory.accounts.values()
    desk.directory.change(account.guid, groups=(group,))
    plan = planned(desk, "100001A")
    assert plan.actions == ()
    assert len(plan.blockers) == 1


def test_one_bad_row_is_a_row_and_the_others_go_on(desk):
    desk.add_ready("100002B", "seydou.diallo@douanes.lab")
    desk.directory.add_account("doublon1", USERS, staff_number="100003C")
    desk.directory.add_account("doublon2", USERS, staff_number="100003C")
    plan = planned(desk, "999999Z", "100002B", "100003C", "100001A", "awa.kone@douanes.lab")
    assert plan.targets == ("100002B", "100001A")
    assert {blocker.target for blocker in plan.blockers} == {"999999Z", "100003C", "awa.kone@douanes.lab"}


def test_an_absent_leavers_unit_is_said_before_anything_is_done(desk):
    desk.directory.containers.remove(LEAVERS)
    plan = planned(desk, "100001A")
    assert plan.actions == ()
    assert LEAVERS in str(plan.blockers[0].reason)


def test_a_synchronisation_that_does_not_come_ends_in_a_sentence_and_resumes(desk):
    desk.tenant_.cycle = None
    plan = planned(desk, "100001A")
    with pytest.raises(UnreachableError) as caught:
        carry_out(desk, plan)
    assert "awa.kone@douanes.lab" in str(caught.value)
    assert "dsi resume" in str(caught.value.next_step)
    desk.tenant_.synchronise()
    carry_out(desk, planned(desk, "100001A"))
    assert proven(desk, plan)


def test_a_user_that_the_synchronisation_deleted_meanwhile_is_done_with(desk):
    plan = planned(desk, "100001A")
    desk.tenant_.delete("id-100001A")
    desk.tenant_.cycle = None
    carry_out(desk, plan)
    assert proven(desk, plan)


def test_the_wrong_account_enabled_again_afterwards_is_not_proven(desk):
    plan = planned(desk, "100001A")
    carry_out(desk, plan)
    (account,) = desk.directory.accounts.values()
    desk.directory.change(account.guid, enabled=True)
    assert not proven(desk, plan)


def test_a_directory_that_is_away_fails_every_target_with_its_reason(desk):
    desk.directory.fault = UnreachableError
    observed = DISABLE.observe(("100001A",), DisableInputs(), desk.look, desk.listener)
    assert isinstance(observed.failures["100001A"], DsiError)
    assert DISABLE.plan(("100001A",), DisableInputs(), observed).targets == ()


def test_settling_after_a_lost_answer_ends_when_the_effect_shows_or_cannot_come(desk):
    plan = planned(desk, "100001A")
    before = desk.clock.monotonic()
    for action in plan.actions:
        DISABLE.settle(action, DisableInputs(), desk.look, desk.listener)
    assert 0 < desk.clock.monotonic() - before < 60
    carry_out(desk, plan)
    before = desk.clock.monotonic()
    for action in plan.actions:
        DISABLE.settle(action, DisableInputs(), desk.look, desk.listener)
    assert desk.clock.monotonic() == before


def test_a_hundred_leavers_are_looked_at_in_few_exchanges():
    desk = Desk()
    numbers = [f"{100000 + number}A" for number in range(100)]
    for number in numbers:
        desk.add_ready(number, f"p{number.lower()}@douanes.lab")
    look = desk.look
    before = look.accounts().exchanges
    DISABLE.observe(numbers, DisableInputs(), look, desk.listener)
    assert look.accounts().exchanges - before <= 3
    assert look.tenant().exchanges.http <= 7


def test_a_site_with_its_directory_alone_closes_the_account_there_and_says_what_is_left_undone():
    desk = Desk(has_tenant=False)
    desk.add_ready("100001A", "awa.kone@douanes.lab")
    plan = planned(desk, "100001A", "999999Z")
    assert kinds(plan) == ["disable_account", "move_to_leavers"]
    assert [item.kind for item in plan.non_actions] == ["revoke_sessions"]
    assert "dsi_m365" in str(plan.non_actions[0].reason)
    assert [(one.target, str(one.reason)) for one in plan.blockers] == [
        ("999999Z", "L’annuaire n’a pas de compte 999999Z.")
    ]
    carry_out(desk, plan)
    for action in plan.actions:
        DISABLE.settle(action, DisableInputs(), desk.look, desk.listener)
    assert proven(desk, plan)
    assert desk.tenant_.records["id-100001A"].user.enabled
    assert kinds(planned(desk, "100001A")) == []
