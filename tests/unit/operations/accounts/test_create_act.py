"""What each act of mailbox.create promises, tried on both directories in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from desk import LEAVERS, START, USERS, Desk, Killed, Listener, settings

from dsi_automation.connectors.directory.accounts import Account, PasswordState
from dsi_automation.connectors.directory.errors import AlreadyExistsError, PasswordRefusedError
from dsi_automation.connectors.m365.errors import NoSeatError
from dsi_automation.connectors.m365.memory_rules import Delay, Delays
from dsi_automation.connectors.m365.port import HolderKind, TenantHolder
from dsi_automation.core.errors import RefusedError, UnreachableError, WorldChangedError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.operations.accounts.create_act import ACTS
from dsi_automation.operations.accounts.create_settle import settle
from dsi_automation.operations.accounts.create_verify import verify
from dsi_automation.operations.accounts.people import MailboxInputs

NUMBER, LOGIN, ADDRESS = "123456A", "123456a", "aya.kouame@douanes.lab"
INPUTS = MailboxInputs(matricule=NUMBER, last_name="Kouamé", first_names="Aya", contact="aya@mail.example")


def args(kind: str, desk: Desk) -> dict[str, Any]:
    common: dict[str, Any] = {"login": LOGIN, "address": ADDRESS}
    sku = desk.skus["bureau"]
    return {
        "create_account": {
            **common, "ou": USERS, "name": "KOUAMÉ Aya 123456A", "staff_number": NUMBER, "display_name": "KOUAMÉ Aya",
            "surname": "KOUAMÉ", "given_name": "Aya", "other_addresses": [], "phone": None, "department": None,
            "manager": None, "description": "mailbox.create",
        },
        "set_password": common,
        "enable_account": common,
        "synchronise": common,
        "create_cloud_user": {
            "address": ADDRESS, "mail_nickname": "aya.kouame", "display_name": "KOUAMÉ Aya", "surname": "KOUAMÉ",
            "given_name": "Aya", "staff_number": NUMBER, "usage_location": "CI", "department": None, "phone": None,
        },
        "set_location": {"address": ADDRESS, "country": "CI"},
        "assign_licence": {
            "address": ADDRESS, "licence": "bureau", "sku_id": sku.id, "part_number": sku.part_number,
        },
        "hand_over": {"address": ADDRESS, "mail_to": "aya@mail.example"},
    }[kind]  # fmt: skip


def action(kind: str, desk: Desk) -> Action:
    return Action(NUMBER, kind, args(kind, desk), T("Do it"), T("Because"))


def act(kind: str, desk: Desk, inputs: MailboxInputs = INPUTS, listener: Listener | None = None) -> None:
    ACTS[kind](action(kind, desk), inputs, desk.hands, listener or desk.listener)


def kinds(desk: Desk) -> list[str]:
    cloud = ["synchronise"] if desk.hybrid else ["create_cloud_user"]
    return ["create_account", "set_password", "enable_account", *cloud, "set_location", "assign_licence", "hand_over"]


def everything(desk: Desk, inputs: MailboxInputs = INPUTS) -> None:
    for kind in kinds(desk):
        act(kind, desk, inputs)


def the_account(desk: Desk) -> Account:
    (account,) = desk.look.accounts().by_staff_number([NUMBER])[NUMBER]
    return account


def the_password(desk: Desk) -> Secret:
    (secret,) = desk.envelopes.ever[NUMBER]
    return secret


def plan(desk: Desk, *names: str) -> Plan:
    actions = tuple(action(kind, desk) for kind in names or kinds(desk))
    return Plan("mailbox.create", 1, (NUMBER,), INPUTS.model_dump(mode="json"), actions)


@pytest.fixture(params=[True, False], ids=["hybrid", "cloud"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(hybrid=request.param)


def test_all_acts_in_order_end_in_a_mailbox_that_verification_proves(desk: Desk) -> None:
    everything(desk)
    checks = verify(plan(desk), INPUTS, desk.look, desk.listener)
    assert [check.name for check in checks if not check.ok] == []
    looked_at = {check.name for check in checks}
    assert {"account", "ou", "enabled", "user", "location", "licence", "mailbox", "must_change"} <= looked_at
    assert ("must_change_in_tenant" in looked_at) is not desk.hybrid
    assert desk.look.accounts().password_state(LOGIN, the_password(desk)) is PasswordState.MUST_CHANGE


def test_every_act_done_twice_writes_nothing_the_second_time(desk: Desk) -> None:
    everything(desk)
    before = list(desk.wrote)
    for kind in kinds(desk):
        if kind != "hand_over":
            desk.envelopes.kept[NUMBER] = replace(desk.envelopes.kept[NUMBER], delivered_at=None)
        act(kind, desk)
    act("hand_over", desk)
    changes = [one for one in desk.wrote[len(before) :] if one[0] not in {"letter", "send_mail", "envelope.delivered"}]
    assert changes == []


def test_a_kill_after_each_write_and_the_same_acts_again_end_in_one_of_everything(desk: Desk) -> None:
    writes = len(_writes_of_one_run(desk.hybrid))
    for at in range(1, writes + 1):
        killed = Desk(hybrid=desk.hybrid)
        killed.kill_after(at)
        with pytest.raises(Killed):
            everything(killed)
        everything(killed)
        assert len(killed.tenant_.visible()) == 1, at
        assert killed.tenant_.skus()[0].used == 1, at
        assert len(killed.envelopes.ever[NUMBER]) == 1, at
        assert killed.directory.passwords[the_account(killed).guid] == the_password(killed), at
        assert set(map(len, killed.tenant_.passwords.values())) <= {1}, at
        checks = verify(plan(killed), INPUTS, killed.look, killed.listener)
        assert [check for check in checks if not check.ok] == [], at


def _writes_of_one_run(hybrid: bool) -> list[tuple[str, str]]:
    desk = Desk(hybrid=hybrid)
    everything(desk)
    return desk.wrote


def test_the_password_is_sealed_before_the_directory_is_told(desk: Desk) -> None:
    act("create_account", desk)
    act("set_password", desk)
    order = [name for name, _ in desk.wrote]
    assert order.index("envelope.seal") < len(order) - 1
    assert order[-1] == "ad"


def test_an_address_taken_between_plan_and_run_is_exit_7_with_the_holder() -> None:
    desk = Desk()
    desk.directory.add_holder("group", "Accueil", USERS, ADDRESS)
    with pytest.raises(WorldChangedError) as caught:
        act("create_account", desk)
    assert caught.value.exit_code is ExitCode.WORLD_CHANGED
    assert "Accueil" in caught.value.detail["holder"]
    assert desk.directory.accounts == {}


def test_an_address_taken_in_the_tenant_alone_is_exit_7_as_well(desk: Desk) -> None:
    desk.tenant_.held[ADDRESS] = TenantHolder(HolderKind.CONTACT, "c1", "Un contact")
    with pytest.raises(WorldChangedError):
        act("create_account", desk)


def test_an_account_somebody_else_made_meanwhile_is_not_taken_for_ours(desk: Desk) -> None:
    desk.directory.add_account("kouame", USERS, staff_number=NUMBER)
    with pytest.raises(WorldChangedError):
        act("create_account", desk)


def test_a_login_of_somebody_else_is_a_refusal_that_stays_one(desk: Desk) -> None:
    desk.directory.add_account(LOGIN, USERS, staff_number="999999Z", upn="x@ad.douanes.lab")
    with pytest.raises(AlreadyExistsError):
        act("create_account", desk)


def test_a_disabled_account_without_our_mark_is_not_enabled(desk: Desk) -> None:
    desk.directory.add_account(LOGIN, USERS, staff_number=NUMBER, enabled=False)
    with pytest.raises(RefusedError):
        act("enable_account", desk)
    assert not the_account(desk).enabled


def test_an_account_without_a_password_is_not_enabled(desk: Desk) -> None:
    act("create_account", desk)
    with pytest.raises(RefusedError):
        act("enable_account", desk)
    assert not the_account(desk).enabled


def test_a_refused_password_is_followed_by_one_other_and_then_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsi_automation.connectors.directory.memory_accounts.SHORTEST", 99)
    act("create_account", desk)
    with pytest.raises(PasswordRefusedError):
        act("set_password", desk)
    assert len(desk.envelopes.ever[NUMBER]) == 2
    assert desk.envelopes.peek(NUMBER) is None


RESET = INPUTS.model_copy(update={"reset": True})


def in_use(desk: Desk) -> Account:
    account, _ = desk.add_ready(NUMBER, ADDRESS, password=Secret("Ancien-Mot-2-Passe"), display_name="KOUAMÉ Aya")
    return account


def test_a_reset_gives_one_new_password_in_both_places_to_be_changed(desk: Desk) -> None:
    account = in_use(desk)
    act("set_password", desk, RESET)
    assert desk.directory.passwords[account.guid] == the_password(desk)
    assert the_account(desk).must_change
    assert list(desk.tenant_.passwords.values()) == ([] if desk.hybrid else [[the_password(desk)]])


def test_a_reset_killed_anywhere_makes_no_other_password(desk: Desk) -> None:
    in_use(desk)
    act("set_password", desk, RESET)
    for at in range(1, len(desk.wrote) + 1):
        killed = Desk(hybrid=desk.hybrid)
        in_use(killed)
        killed.kill_after(at)
        with pytest.raises(Killed):
            act("set_password", killed, RESET)
        act("set_password", killed, RESET)
        assert killed.directory.passwords[the_account(killed).guid] == the_password(killed), at
        assert the_account(killed).must_change, at


def test_a_reset_after_the_envelope_was_opened_makes_a_new_password(desk: Desk) -> None:
    account = in_use(desk)
    act("set_password", desk, RESET)
    desk.envelopes.delivered(NUMBER)
    first = desk.envelopes.open(NUMBER)
    act("set_password", desk, RESET)
    assert len(desk.envelopes.ever[NUMBER]) == 2
    assert desk.directory.passwords[account.guid] not in {first, None}


def test_a_dead_synchronisation_is_told_from_one_that_is_slow() -> None:
    told = []
    for silent_for in (timedelta(hours=5), timedelta(minutes=5)):
        desk = Desk()
        desk.tenant_.cycle = None
        act("create_account", desk)
        desk.tenant_.organisation = replace(desk.tenant_.organisation, last_sync=desk.clock.now() - silent_for)
        with pytest.raises(UnreachableError) as caught:
            act("synchronise", desk)
        assert ADDRESS in str(caught.value.what)
        told.append(caught.value.meaning)
    assert told[0] != told[1]


def test_a_synchronisation_that_runs_meanwhile_is_alive_and_one_that_does_not_is_not_said_to_be() -> None:
    told = []
    for spoken in (timedelta(seconds=5), -timedelta(seconds=5)):
        desk = Desk()
        desk.tenant_.cycle = None
        act("create_account", desk)
        began = desk.clock.now()
        desk.tenant_.organisation = replace(desk.tenant_.organisation, last_sync=began + spoken)
        with pytest.raises(UnreachableError) as caught:
            act("synchronise", desk)
        told.append(caught.value.meaning.template)
    assert "is alive" in told[0]
    assert "has not run since" in told[1]


def test_a_synchronisation_that_can_be_asked_is_asked_for_this_account_only() -> None:
    desk = Desk()
    desk.tenant_.cycle, desk.tenant_.on_demand = None, True
    desk.directory.add_account("other", USERS)
    act("create_account", desk)
    act("synchronise", desk)
    assert [record.user.staff_number for record in desk.tenant_.visible()] == [NUMBER]


def test_a_refused_hurry_leaves_it_to_the_next_cycle() -> None:
    desk = Desk()
    desk.tenant_.fault = lambda name, _: RefusedError(T("No right.")) if name == "provision_now" else None
    act("create_account", desk)
    act("synchronise", desk)
    assert len(desk.tenant_.visible()) == 1


def test_an_account_that_arrives_under_another_address_is_said_not_accepted() -> None:
    desk = Desk()
    act("create_account", desk)
    desk.add_ready("777777B", "autre@douanes.lab")
    record = desk.tenant_.records["id-777777B"]
    record.user = replace(record.user, proxy_addresses=(f"smtp:{ADDRESS}",))
    with pytest.raises(RefusedError, match="onmicrosoft"):
        act("synchronise", desk)


def test_the_last_seat_gone_keeps_the_account_and_says_what_to_buy(desk: Desk) -> None:
    for kind in kinds(desk)[:-2]:
        act(kind, desk)
    sku = desk.skus["bureau"]
    desk.tenant_.bought[sku.id] = replace(sku, used=sku.total)
    with pytest.raises(NoSeatError) as caught:
        act("assign_licence", desk)
    assert sku.part_number in str(caught.value.what)
    assert the_account(desk).enabled


@pytest.mark.parametrize("error", ["CountViolation", "MutuallyExclusiveViolation", "Other", "SomethingNew"])
def test_a_licence_that_ends_in_an_error_is_a_sentence_at_once(desk: Desk, error: str) -> None:
    desk.tenant_.licence_errors[ADDRESS] = error
    for kind in kinds(desk)[:-2]:
        act(kind, desk)
    before = desk.clock.monotonic()
    with pytest.raises(RefusedError) as caught:
        act("assign_licence", desk)
    assert error not in str(caught.value.what)
    assert caught.value.next_step is not None
    assert desk.clock.monotonic() - before < 30


def test_a_mailbox_that_is_late_ends_the_act_with_what_is_missing_and_goes_on_later(desk: Desk) -> None:
    desk.tenant_.delays = Delays(mailbox=Delay(100))
    for kind in kinds(desk)[:-1]:
        act(kind, desk)
    listener = Listener()
    with pytest.raises(UnreachableError) as caught:
        act("hand_over", desk, listener=listener)
    assert "dsi resume" in str(caught.value.next_step)
    assert listener.said()
    assert desk.letters == {}
    desk.clock.sleep(60)
    act("hand_over", desk)
    assert len(desk.letters[NUMBER]) == 1


def test_the_mail_says_the_address_and_whom_to_call_and_no_password(desk: Desk) -> None:
    everything(desk)
    (mail,) = desk.tenant_.mails
    assert mail.to == "aya@mail.example"
    assert mail.sender == "dsi@douanes.lab"
    assert ADDRESS in mail.body
    assert "+225 27 20 25 15 15" in mail.body
    assert the_password(desk).reveal() not in mail.body + mail.subject
    assert desk.letters[NUMBER][0].licence == "bureau"
    assert desk.letters[NUMBER][0].must_change


def test_a_sender_that_may_not_send_is_named_and_the_rest_is_kept(desk: Desk) -> None:
    desk.tenant_.fault = lambda name, _: RefusedError(T("No right.")) if name == "send_mail" else None
    with pytest.raises(RefusedError, match=r"dsi@douanes\.lab"):
        everything(desk)
    assert desk.envelopes.kept[NUMBER].delivered_at is None
    desk.tenant_.fault = None
    act("hand_over", desk)
    assert len(desk.tenant_.mails) == 1


def test_no_mail_goes_out_without_a_sender_or_somebody_to_tell() -> None:
    silent = Desk(settings=settings(sender=None))
    everything(silent)
    assert silent.tenant_.mails == []
    assert silent.envelopes.kept[NUMBER].delivered_at is not None


def test_a_creation_whose_answer_was_lost_is_found_again_by_settling(desk: Desk) -> None:
    desk.tenant_.delays = Delays(create=Delay(2))
    for kind in kinds(desk)[:3]:
        act(kind, desk)
    last = kinds(desk)[3]
    desk.kill_after(1)
    with pytest.raises(Killed) if not desk.hybrid else pytest.raises(UnreachableError):
        desk.tenant_.cycle = None if desk.hybrid else desk.tenant_.cycle
        act(last, desk)
    desk.kill_after(None)
    if desk.hybrid:
        desk.tenant_.synchronise()
    settle(action(last, desk), INPUTS, desk.look, desk.listener)
    assert len(desk.look.tenant().users_by_staff_number([NUMBER])[NUMBER]) == 1


def test_settling_waits_no_longer_than_a_late_write_can_take(desk: Desk) -> None:
    for kind in kinds(desk):
        before = desk.clock.monotonic()
        settle(action(kind, desk), INPUTS, desk.look, desk.listener)
        assert desk.clock.monotonic() - before <= 10
    assert desk.wrote == []


def test_verification_waits_for_what_comes_late_and_names_what_does_not(desk: Desk) -> None:
    everything(desk)
    record = desk.tenant_.visible()[0]
    record.mailbox = False
    checks = verify(plan(desk), INPUTS, desk.look, desk.listener)
    assert [check.name for check in checks if not check.ok] == ["mailbox"]
    assert desk.clock.now() - START > timedelta(seconds=60)
    assert "mailboxSettings" in next(check for check in checks if not check.ok).source


def test_a_cloud_password_that_may_be_kept_is_found_unless_it_was_handed_over_and_changed() -> None:
    desk = Desk(hybrid=False)
    everything(desk)
    record = desk.tenant_.visible()[0]
    record.user = replace(record.user, must_change=False)
    wrong = [check.name for check in verify(plan(desk), INPUTS, desk.look, desk.listener) if not check.ok]
    assert wrong == ["must_change_in_tenant"]
    desk.envelopes.open(NUMBER)
    checks = verify(plan(desk), INPUTS, desk.look, desk.listener)
    assert "must_change_in_tenant" not in [check.name for check in checks if not check.ok]


def test_verification_finds_an_account_in_the_wrong_place_disabled_or_with_another_password(desk: Desk) -> None:
    everything(desk)
    account = the_account(desk)
    desk.directory.change(account.guid, enabled=False, dn=f"CN=x,{LEAVERS}")
    desk.directory.passwords[account.guid] = Secret("Une-Autre-9-Valeur")
    checks = verify(plan(desk), INPUTS, desk.look, desk.listener)
    assert {check.name for check in checks if not check.ok} == {"ou", "enabled", "must_change"}


def test_a_directory_that_is_away_during_verification_is_a_check_that_fails(desk: Desk) -> None:
    everything(desk)
    desk.directory.fault = lambda _: UnreachableError(T("Away."))
    (check,) = verify(plan(desk, "hand_over"), INPUTS, desk.look, desk.listener)
    assert (check.name, check.ok) == ("look", False)
    assert "Away" in check.observed
