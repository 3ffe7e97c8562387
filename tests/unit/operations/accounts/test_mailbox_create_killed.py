"""mailbox.create, plan and acts together, killed after each write: the same request ends in one of everything."""

from __future__ import annotations

from typing import Any

import pytest
from desk import Desk, Killed

from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.core.errors import DsiError, UnknownOutcomeError, UnreachableError, WorldChangedError
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.engine.worker import is_part_of
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MailboxInputs

OPERATION = MailboxCreate()
NUMBER = "123456A"


def request(**more: Any) -> MailboxInputs:
    person = {
        "matricule": NUMBER, "last_name": "N’Guessan épse Kouamé", "first_names": "Aya Rose", "site": "ABJ",
        "contact": "aya@mail.example",
    }  # fmt: skip
    return MailboxInputs(**{**person, **more})


def asked(desk: Desk, inputs: MailboxInputs, approved: Plan | None = None) -> Plan:
    observed = OPERATION.observe(inputs.targets(), inputs, desk.look, desk.listener)
    if approved is None:
        return OPERATION.plan(inputs.targets(), inputs, observed)
    return OPERATION.replan(inputs.targets(), inputs, observed, approved)


def done(desk: Desk, inputs: MailboxInputs, actions: tuple[Action, ...]) -> None:
    hands = desk.hands
    for action in actions:
        OPERATION.act(action, inputs, hands, desk.listener)


def wrong(desk: Desk, plan: Plan, inputs: MailboxInputs) -> list[str]:
    return [check.name for check in OPERATION.verify(plan, inputs, desk.look, desk.listener) if not check.ok]


def writes_of_one_run(inputs: MailboxInputs, desk: Desk) -> int:
    before = len(desk.wrote)
    plan = asked(desk, inputs)
    assert plan.blockers == ()
    done(desk, inputs, plan.actions)
    assert wrong(desk, plan, inputs) == []
    return len(desk.wrote) - before


def finished(desk: Desk, inputs: MailboxInputs, plan: Plan) -> None:
    """Go on as a resumed run does: settle, look anew, and do what remains of what was approved."""
    for action in plan.actions:
        OPERATION.settle(action, inputs, desk.look, desk.listener)
    rest = asked(desk, inputs, plan)
    assert rest.blockers == ()
    assert is_part_of(rest.actions, plan.actions)
    done(desk, inputs, rest.actions)
    assert asked(desk, inputs, plan).actions == ()


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "cloud"])
def test_a_creation_killed_after_each_write_ends_in_one_user_one_licence_one_password(hybrid: bool) -> None:
    inputs = request()
    writes = writes_of_one_run(inputs, Desk(hybrid=hybrid))
    assert writes >= 9
    for at in range(1, writes + 1):
        desk = Desk(hybrid=hybrid)
        plan = asked(desk, inputs)
        desk.kill_after(at)
        with pytest.raises(Killed):
            done(desk, inputs, plan.actions)
        finished(desk, inputs, plan)
        assert wrong(desk, plan, inputs) == [], at
        (secret,) = desk.envelopes.ever[NUMBER]
        (account,) = desk.directory.accounts.values()
        (record,) = desk.tenant_.visible()
        assert desk.look.accounts().password_state(account.login, secret) is PasswordState.MUST_CHANGE, at
        assert len(record.user.licences) == 1, at
        assert [used.used for used in desk.look.tenant().skus()] == [1, 0, 0], at
        assert set(map(len, desk.tenant_.passwords.values())) <= {1}, at
        assert desk.envelopes.kept[NUMBER].delivered_at is not None, at


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "cloud"])
def test_a_reset_killed_after_each_write_ends_in_one_new_password(hybrid: bool) -> None:
    inputs = request(last_name="Koné", first_names="Awa", reset=True)

    def office() -> Desk:
        desk = Desk(hybrid=hybrid)
        desk.add_ready(
            NUMBER, "awa.kone@douanes.lab", surname="KONÉ", given_name="Awa", display_name="KONÉ Awa",
            password=Secret("Ancien-Mot-2-Passe"),
        )  # fmt: skip
        return desk

    for at in range(1, writes_of_one_run(inputs, office()) + 1):
        desk = office()
        plan = asked(desk, inputs)
        desk.kill_after(at)
        with pytest.raises(Killed):
            done(desk, inputs, plan.actions)
        finished(desk, inputs, plan)
        (secret,) = desk.envelopes.ever[NUMBER]
        assert wrong(desk, plan, inputs) == [], at
        assert desk.look.accounts().password_state(NUMBER, secret) is PasswordState.MUST_CHANGE, at
        assert {password.reveal() for sent in desk.tenant_.passwords.values() for password in sent} <= {secret.reveal()}


def test_a_second_run_changes_nothing() -> None:
    desk, inputs = Desk(), request()
    writes_of_one_run(inputs, desk)
    again = asked(desk, inputs)
    assert again.actions == ()
    assert again.non_actions


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "cloud"])
def test_a_lost_answer_to_any_write_is_found_out_and_not_repeated(hybrid: bool) -> None:
    """The engine's own way: unknown, settle, look anew; what happened is no longer in the plan."""
    inputs = request()
    every = [action.kind for action in asked(Desk(hybrid=hybrid), inputs).actions]
    kinds = [kind for kind in every if kind not in {"synchronise", "hand_over"}]
    for lost in kinds:
        desk = Desk(hybrid=hybrid)
        plan = asked(desk, inputs)
        rest = list(plan.actions)
        while rest:
            action = rest.pop(0)
            if action.kind != lost:
                done(desk, inputs, (action,))
                continue
            desk.lose_next(UnknownOutcomeError(T("The answer was lost.")))
            try:
                done(desk, inputs, (action,))
            except UnknownOutcomeError:
                OPERATION.settle(action, inputs, desk.look, desk.listener)
                remaining = asked(desk, inputs, plan).actions
                assert is_part_of(remaining, rest), lost
                rest = list(remaining)
        assert wrong(desk, plan, inputs) == [], lost
        assert len(desk.envelopes.ever[NUMBER]) == 1, lost


def test_somebody_takes_the_address_between_plan_and_run() -> None:
    desk, inputs = Desk(), request()
    plan = asked(desk, inputs)
    address = str(plan.actions[0].args["address"])
    desk.directory.add_account("stranger", plan.actions[0].args["ou"], mail=address, staff_number="999999Z")
    with pytest.raises(WorldChangedError):
        done(desk, inputs, plan.actions)
    fresh = asked(desk, inputs)
    assert fresh.actions[0].args["address"] != address


def test_a_batch_of_which_one_row_fails_leaves_the_others_whole() -> None:
    desk = Desk()
    rows = [
        {"matricule": f"20000{n}A", "last_name": name, "first_names": "Jean", "site": "ABJ", "contact": "0701020304"}
        for n, name in enumerate(("Kouassi", "Koffi", "Diabaté"))
    ]
    inputs = MailboxInputs(people=tuple(rows))
    plan = asked(desk, inputs)
    desk.tenant_.licence_errors[str(plan.actions_for("200001A")[0].args["address"])] = "CountViolation"
    failed: dict[str, DsiError] = {}
    for target in plan.targets:
        try:
            done(desk, inputs, plan.actions_for(target))
        except DsiError as error:
            failed[target] = error
    assert list(failed) == ["200001A"]
    bad = {check.target for check in OPERATION.verify(plan, inputs, desk.look, desk.listener) if not check.ok}
    assert bad == {"200001A"}


def test_a_directory_that_is_away_is_waited_for_by_settle_and_then_said() -> None:
    desk, inputs = Desk(), request()
    plan = asked(desk, inputs)
    desk.directory.fault = lambda _: UnreachableError(T("Away."))
    with pytest.raises(UnreachableError, match="Away"):
        OPERATION.settle(plan.actions[0], inputs, desk.look, desk.listener)
