"""What mailbox.create decides: the same in any order, exactly what remains after any prefix, one problem one row."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from desk import Desk, policy, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from dsi_automation.connectors.m365.port import HolderKind, TenantHolder
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.secrets import Secret
from dsi_automation.engine.worker import is_part_of
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MailboxInputs

OPERATION = MailboxCreate()
WHOLE = ["create_account", "set_password", "enable_account", "synchronise", "set_location", "assign_licence",
         "hand_over"]  # fmt: skip
IN_CLOUD = ["create_account", "set_password", "enable_account", "create_cloud_user", "assign_licence", "hand_over"]


def row(number: str, last: str = "Kouamé", first: str = "Aya", **more: Any) -> dict[str, Any]:
    return {
        "matricule": number,
        "last_name": last,
        "first_names": first,
        "contact": "0707123456",
        "site": "ABJ",
        **more,
    }


def batch(*rows: dict[str, Any], **more: Any) -> MailboxInputs:
    return MailboxInputs.model_validate({"people": list(rows), **more})


def plan(desk: Desk, inputs: MailboxInputs, approved: Plan | None = None, targets: Any = None) -> Plan:
    asked = list(targets or inputs.targets())
    observed = OPERATION.observe(asked, inputs, desk.look, desk.listener)
    if approved is None:
        return OPERATION.plan(asked, inputs, observed)
    return OPERATION.replan(asked, inputs, observed, approved)


def test_a_row_without_a_site_goes_to_that_of_its_department() -> None:
    desk = Desk(policy=policy(departments={"Recettes": "SPY"}))
    rows = [
        row("100300A", site="", department="  RECETTES "),
        row("100301B", site="ABJ", department="Recettes"),
        row("100302C", site="", department="Ailleurs"),
    ]
    made = plan(desk, batch(*rows))
    homes = {one.target: str(one.args["ou"]) for one in made.actions if one.kind == "create_account"}
    assert {target: ou.split(",")[1] for target, ou in homes.items()} == {"100300A": "OU=SPY", "100301B": "OU=ABJ"}
    assert reasons(made, "100302C") == ["The site is missing."]


def kinds(made: Plan, target: str) -> list[str]:
    return [action.kind for action in made.actions_for(target)]


def addresses(made: Plan) -> dict[str, str]:
    return {action.target: str(action.args["address"]) for action in made.actions if action.kind == "create_account"}


def reasons(made: Plan, target: str) -> list[str]:
    return [blocker.reason.render("en") for blocker in made.blockers if blocker.target == target]


def act(desk: Desk, inputs: MailboxInputs, action: Action) -> None:
    OPERATION.act(action, inputs, desk.hands, desk.listener)


def identities(actions: Any) -> list[Any]:
    return [action.identity() for action in actions]


@pytest.mark.parametrize(("hybrid", "expected"), [(True, WHOLE), (False, IN_CLOUD)])
def test_somebody_nobody_knows_takes_every_step_in_order(hybrid: bool, expected: list[str]) -> None:
    made = plan(Desk(hybrid=hybrid), batch(row("100100A")))
    assert kinds(made, "100100A") == expected
    assert not made.blockers
    assert all(action.reason.render("fr") and action.title.render("fr") for action in made.actions)


def test_the_account_is_made_of_the_references() -> None:
    desk = Desk()
    desk.add_ready("200200B", "seydou.diallo@douanes.lab", surname="Diallo", given_name="Seydou")
    made = plan(desk, batch(row("100100a", "N’Guessan", "Éric Yao", department=" Contentieux ", manager="200200b")))
    manager = next(iter(desk.directory.accounts.values()))
    assert dict(made.actions[0].args) == {
        "ou": "OU=Utilisateurs,OU=ABJ,OU=Sites,DC=ad,DC=douanes,DC=lab",
        "name": "N’GUESSAN Éric Yao 100100A",
        "login": "100100a",
        "address": "eric.nguessan@douanes.lab",
        "staff_number": "100100A",
        "display_name": "N’GUESSAN Éric Yao",
        "surname": "N’Guessan",
        "given_name": "Éric Yao",
        "other_addresses": [],
        "phone": "+2250707123456",
        "department": "Contentieux",
        "manager": manager.dn,
        "description": "Matricule 100100A, Abidjan",
    }
    assert made.actions[-1].args["mail_to"] == "seydou.diallo@douanes.lab"


def test_the_routing_address_is_given_where_the_tenant_has_that_domain() -> None:
    desk = Desk()
    routing = "douaneslab.mail.onmicrosoft.com"
    known = desk.tenant_.organisation
    desk.tenant_.organisation = dataclasses.replace(known, domains=(*known.domains, routing))
    made = plan(desk, batch(row("100100A")))
    assert made.actions[0].args["other_addresses"] == [f"aya.kouame@{routing}"]


@pytest.mark.parametrize("hybrid", [True, False])
@pytest.mark.parametrize("more", [{}, {"reset": True}, {"in_cloud": True}, {"without_seat": True}])
def test_after_each_action_the_plan_is_exactly_what_remains(hybrid: bool, more: dict[str, Any]) -> None:
    desk = Desk(hybrid=hybrid)
    if more.get("in_cloud"):
        desk.tenant_.cycle = None  # no synchronisation comes in between
    if more.get("without_seat"):
        desk.tenant_.bought = {key: dataclasses.replace(sku, total=0) for key, sku in desk.tenant_.bought.items()}
    inputs = batch(row("100100A"), **more)
    todo = list(plan(desk, inputs).actions)
    assert todo
    while todo:
        act(desk, inputs, todo.pop(0))
        assert identities(plan(desk, inputs).actions) == identities(todo)
    assert plan(desk, inputs).targets == ("100100A",)


PEOPLE = [
    row("100100A", "Kouamé", "Aya"), row("100200A", "Kouame", "Aya Rose"), row("100300A", "KOUAMÉ", "Aya"),
    row("100400A", "Tra Bi Irié", "Jean"), row("100500A", "Kouame", "", licence="guichet"),
    row("100600A", "Koffi épse Kouadio", "Awa"), row("100700A", "N'Guessan", "Éric"),
]  # fmt: skip


@tuned(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(PEOPLE), st.integers(0, 60), st.randoms(use_true_random=False), st.booleans())
def test_a_batch_cut_anywhere_goes_on_to_the_same_accounts_whatever_the_order(
    rows: list[dict[str, Any]], done: int, order: random.Random, alone: bool
) -> None:
    desk = Desk()
    desk.tenant_.cycle, desk.tenant_.on_demand = None, True  # nobody is synchronised before it is their turn
    inputs = batch(*rows)
    approved = plan(desk, inputs)
    assert approved.digest == plan(desk, batch(*PEOPLE)).digest
    queues = {target: list(approved.actions_for(target)) for target in approved.targets}
    for _ in range(done):  # as the workers do: persons in any order, each person's actions in theirs
        left = [target for target, queue in queues.items() if queue]
        if not left:
            break
        act(desk, inputs, queues[order.choice(left)].pop(0))
    remaining = [action for target in approved.targets for action in queues[target]]
    assert identities(plan(desk, inputs).actions) == identities(remaining)
    assert identities(plan(desk, inputs, approved).actions) == identities(remaining)
    if alone:
        target = order.choice(list(queues))
        assert identities(plan(desk, inputs, approved, [target]).actions) == identities(queues[target])


@given(st.permutations(PEOPLE))
@tuned(max_examples=10)
def test_lines_and_their_order_are_no_part_of_the_digest(rows: list[dict[str, Any]]) -> None:
    numbered = [{**one, "line": n} for n, one in enumerate(rows, 2)]
    assert plan(Desk(), batch(*numbered)).digest == plan(Desk(), batch(*PEOPLE)).digest


def test_two_full_homonyms_get_the_same_addresses_in_both_orders() -> None:
    one, other = row("100100A"), row("100200A")
    expected = {"100100A": "aya.kouame@douanes.lab", "100200A": "aya.kouame.0a@douanes.lab"}
    assert addresses(plan(Desk(), batch(one, other))) == expected
    assert addresses(plan(Desk(), batch(other, one))) == expected


def test_a_homonym_that_is_blocked_keeps_the_place() -> None:
    made = plan(Desk(), batch(row("100100A", manager="nobody"), row("100200A")))
    assert addresses(made) == {"100200A": "aya.kouame.0a@douanes.lab"}


def test_an_address_of_a_group_a_contact_a_deleted_user_or_a_person_who_left_is_taken() -> None:
    desk = Desk()
    desk.tenant_.held["aya.kouame@douanes.lab"] = TenantHolder(HolderKind.GROUP, "g", "Courrier")
    desk.directory.add_holder("contact", "Awa", "DC=ad,DC=douanes,DC=lab", "awa.koffi@douanes.lab")
    desk.issued["eric.nguessan@douanes.lab"] = ""
    desk.issued["jean.tra-bi-irie@douanes.lab"] = "100400A"
    made = addresses(plan(desk, batch(*PEOPLE)))
    assert made["100100A"] == "aya.kouame.0a@douanes.lab"
    assert made["100600A"] == "awa.koffi.0a@douanes.lab"
    assert made["100700A"] == "eric.nguessan.0a@douanes.lab"
    assert made["100400A"] == "jean.tra-bi-irie@douanes.lab"


def test_an_approved_address_stays_while_it_is_free_and_another_one_is_no_part_of_the_approved_plan() -> None:
    desk, inputs = Desk(), batch(row("100100A"), row("100200A"))
    approved = plan(desk, inputs)
    alone = plan(desk, inputs, approved, ["100200A"])
    assert identities(alone.actions) == identities(approved.actions_for("100200A"))
    desk.tenant_.held["aya.kouame@douanes.lab"] = TenantHolder(HolderKind.CONTACT, "c", "Aya d’ailleurs")
    fresh = plan(desk, inputs, approved)
    assert addresses(fresh)["100100A"] == "aya.kouame.00a@douanes.lab"  # .0a is promised to the other
    assert addresses(fresh)["100200A"] == "aya.kouame.0a@douanes.lab"
    assert not is_part_of(fresh.actions_for("100100A"), approved.actions_for("100100A"))


def test_an_approved_address_stays_when_a_better_one_becomes_free() -> None:
    desk, inputs = Desk(), batch(row("100100A"))
    desk.tenant_.held["aya.kouame@douanes.lab"] = TenantHolder(HolderKind.CONTACT, "c", "Aya d’ailleurs")
    approved = plan(desk, inputs)
    desk.tenant_.held.clear()
    assert addresses(plan(desk, inputs)) == {"100100A": "aya.kouame@douanes.lab"}
    assert addresses(plan(desk, inputs, approved)) == {"100100A": "aya.kouame.0a@douanes.lab"}


def test_an_address_asked_for_is_used_and_one_that_is_taken_blocks() -> None:
    desk = Desk()
    desk.tenant_.held["accueil@douanes.lab"] = TenantHolder(HolderKind.GROUP, "g", "Accueil")
    made = plan(desk, batch(row("100100A"), row("100200A", address="Aya.Kouame@douanes.lab"),
                            row("100300A", "Bamba", address="accueil@douanes.lab"),
                            row("100400A", "Yao", address="x@douanes.lab"),
                            row("100500A", "Zan", address="x@douanes.lab"),
                            row("100600A", "Zan", address="x@autre.example")))  # fmt: skip
    assert addresses(made) == {"100100A": "aya.kouame.0a@douanes.lab", "100200A": "aya.kouame@douanes.lab"}
    assert reasons(made, "100300A") == ["The address accueil@douanes.lab is taken: Accueil has it."]
    assert "100500A as well" in reasons(made, "100400A")[0]
    assert "100400A as well" in reasons(made, "100500A")[0]
    assert "autre.example is not a verified domain" in reasons(made, "100600A")[0]


def test_a_mailbox_that_is_ready_is_left_alone_and_its_settings_are_one_command_away() -> None:
    desk = Desk()
    desk.add_ready("100100A", "aya.kouame@douanes.lab", surname="Kouamé", given_name="Aya")
    made = plan(desk, batch(row("100100A")))
    assert made.targets == ("100100A",)
    assert not made.actions
    assert made.non_actions[-1].reason.render("en") == (
        "100100A has the mailbox aya.kouame@douanes.lab since 2026-11-21; its settings: `dsi mailbox handover 100100A`."
    )


def test_a_reset_of_an_account_in_use_is_a_password_and_a_hand_over_once() -> None:
    desk = Desk()
    desk.add_ready(
        "100100A", "aya.kouame@douanes.lab", surname="Kouamé", given_name="Aya", password=Secret("Old-1-old")
    )
    inputs = batch(row("100100A"), reset=True)
    todo = list(plan(desk, inputs).actions)
    assert [action.kind for action in todo] == ["set_password", "hand_over"]
    while todo:
        act(desk, inputs, todo.pop(0))
        assert identities(plan(desk, inputs).actions) == identities(todo)
    assert len(desk.envelopes.ever["100100A"]) == 1
    waiting = next(one for one in plan(desk, batch(row("100100A"))).non_actions if one.kind == "set_password")
    assert "`dsi mailbox handover 100100A`" in waiting.reason.render("en")
    desk.envelopes.open("100100A")
    assert kinds(plan(desk, inputs), "100100A") == ["set_password", "hand_over"]


def test_seats_short_by_two_name_the_two_and_nothing_is_made_for_them() -> None:
    desk = Desk()
    sku = desk.skus["bureau"]
    desk.tenant_.bought[sku.id] = dataclasses.replace(sku, total=4)
    rows = [*PEOPLE, row("000001A", "Zadi", "Paul")]
    made = plan(desk, batch(*rows))
    assert sorted({blocker.target for blocker in made.blockers}) == ["100400A", "100600A", "100700A"]
    made = plan(desk, batch(*[one for one in rows if one["matricule"] != "100700A"]))
    assert sorted({blocker.target for blocker in made.blockers}) == ["100400A", "100600A"]
    assert made.blockers[0].next_step.render("en").startswith("Buy 2 seats more")
    assert "0 of 4 are in use, the others go to other rows" in made.blockers[0].reason.render("en")
    assert not {action.target for action in made.actions} & {"100400A", "100600A"}


def test_without_seat_makes_the_account_without_licence_and_a_later_run_completes_it() -> None:
    desk = Desk()
    sku = desk.skus["bureau"]
    desk.tenant_.bought[sku.id] = dataclasses.replace(sku, total=1)
    inputs = batch(row("100100A"), row("100200A", "Zadi"), without_seat=True)
    approved = plan(desk, inputs)
    assert kinds(approved, "100100A") == WHOLE
    assert kinds(approved, "100200A") == WHOLE[:4]
    desk.tenant_.bought[sku.id] = dataclasses.replace(sku, total=2)
    assert identities(plan(desk, inputs, approved).actions) == identities(approved.actions)
    for action in approved.actions:
        act(desk, inputs, action)
    assert kinds(plan(desk, inputs), "100200A") == WHOLE[4:]


def test_a_licence_that_excludes_the_one_asked_for_blocks_and_the_default_keeps_what_is_there() -> None:
    desk = Desk()
    desk.add_ready("100100A", "aya.kouame@douanes.lab", surname="Kouamé", given_name="Aya", licence="guichet")
    assert "which excludes ENTERPRISEPACK" in reasons(plan(desk, batch(row("100100A", licence="cadre"))), "100100A")[0]
    assert not plan(desk, batch(row("100100A"))).actions


def test_one_bad_row_is_a_row_and_every_problem_of_it_is_told_at_once() -> None:
    bad = row("100200A", "Kouamé*", "😀", contact="07 12 34 56", site="XYZ", licence="or", manager="nobody",
              address="é@x", department="x" * 65)  # fmt: skip
    made = plan(Desk(), batch(row("100100A"), bad, row("", "Sans"), row("999", "Trop", "Court")))
    assert made.targets == ("100100A",)
    assert len(reasons(made, "100200A")) == 8
    assert reasons(made, "line-3") == ["The staff number is missing."]
    assert "“999” is not a staff number" in reasons(made, "999")[0]


def test_one_staff_number_with_two_contents_names_the_lines_and_twice_the_same_is_once() -> None:
    made = plan(Desk(), batch(row("100100A", line=4), row("100100a", "Bamba", line=9), row("100200A"), row("100200A")))
    assert reasons(made, "100100A") == ["The staff number is in several lines that differ: 4, 9."]
    assert kinds(made, "100200A") == WHOLE


def test_an_account_disabled_after_it_was_handed_over_is_not_enabled_again() -> None:
    desk, inputs = Desk(), batch(row("100100A"))
    for action in plan(desk, inputs).actions:
        act(desk, inputs, action)
    account = next(iter(desk.directory.accounts.values()))
    desk.directory.change(account.guid, enabled=False)
    assert "is disabled" in reasons(plan(desk, inputs), "100100A")[0]


def test_a_disabled_account_that_somebody_else_made_is_asked_about() -> None:
    desk = Desk()
    desk.directory.add_account("100100a", "OU=Partis,DC=ad,DC=douanes,DC=lab", staff_number="100100A",
                               surname="Kouamé", enabled=False, mail="a@douanes.lab")  # fmt: skip
    assert "is disabled" in reasons(plan(desk, batch(row("100100A"))), "100100A")[0]


def test_a_lost_envelope_means_another_password_before_the_account_is_enabled() -> None:
    desk, inputs = Desk(), batch(row("100100A"))
    for action in plan(desk, inputs).actions[:2]:
        act(desk, inputs, action)
    desk.envelopes.kept.clear()
    desk.envelopes.secrets.clear()
    assert kinds(plan(desk, inputs), "100100A") == WHOLE[1:]


def test_no_mail_goes_out_without_a_sender_nor_to_the_new_mailbox_itself() -> None:
    silent = Desk(settings=settings(sender=None))
    assert plan(silent, batch(row("100100A", contact="a@mail.example"))).actions[-1].args["mail_to"] is None
    own = plan(Desk(), batch(row("100100A", contact="aya.kouame@douanes.lab")))
    assert own.actions[-1].args["mail_to"] is None
    told = plan(Desk(), batch(row("100100A", contact="a@mail.example"))).actions[-1]
    assert told.args["mail_to"] == "a@mail.example"
    assert "tell a@mail.example by mail" in told.title.render("en")


def test_a_licence_or_a_domain_that_the_tenant_does_not_have_is_told() -> None:
    desk = Desk()
    del desk.tenant_.bought[desk.skus["bureau"].id]
    assert reasons(plan(desk, batch(row("100100A"))), "100100A") == [
        "The tenant does not subscribe to the licence STANDARDPACK."
    ]


def test_a_plan_read_back_from_its_record_is_the_same_plan() -> None:
    made = plan(Desk(), batch(*PEOPLE))
    assert Plan.from_json(made.to_json()).digest == made.digest


def test_fifty_people_of_every_kind_twice_and_shuffled_and_the_second_time_writes_nothing() -> None:
    desk = Desk()
    desk.tenant_.cycle, desk.tenant_.on_demand = None, True
    for number, login in (("300001A", "zadi.paul"), ("300002A", "bamba.awa")):
        last, first = login.split(".")
        desk.add_ready(number, f"{first}.{last}@douanes.lab", surname=last, given_name=first)
    twin, gone = desk.add_ready("300003A", "jean.tape@douanes.lab", surname="Tapé", given_name="Jean")
    del desk.directory.accounts[twin.guid]
    desk.tenant_.delete(gone.id)
    rows = [row(f"20{n:04}A", f"Kof{'abcdefghij'[n % 10]}{'klmno'[n // 10]}") for n in range(43)]
    rows += [row("300001A", "Zadi", "Paul"), row("300002A", "Bamba", "Awa"), row("300003A", "Tapé", "Jean")]
    rows += [row(f"30001{n}A", "Kouamé", "Aya") for n in range(3)]
    rows.append(row("bad", "Bad"))
    inputs = batch(*rows)
    approved = plan(desk, inputs)
    assert sorted(blocker.target for blocker in approved.blockers) == ["300003A", "BAD"]
    assert {target for target in approved.targets if not approved.actions_for(target)} == {"300001A", "300002A"}
    for action in approved.actions:
        act(desk, inputs, action)
    written = len(desk.wrote)
    rows = [*rows[1::2], *rows[::2]]
    again = plan(desk, batch(*rows))
    assert again.targets == approved.targets
    assert again.actions == ()
    assert len(desk.wrote) == written
    mails = [account.mail for account in desk.directory.accounts.values()]
    assert len(set(mails)) == len(mails) == 48
