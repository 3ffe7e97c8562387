"""Who a person is in both directories: by staff number, then by address, and in any doubt a person is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from desk import USERS, Desk

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.core.plan import Plan
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MailboxInputs

NUMBER, ADDRESS = "100100A", "aya.kouame@douanes.lab"
OPERATION = MailboxCreate()
ROW = {"last_name": "Kouamé", "first_names": "Aya", "contact": "0707123456", "site": "ABJ"}


def plan(desk: Desk, *rows: dict[str, Any], **more: Any) -> Plan:
    people = [{**ROW, **one} for one in rows] or [{**ROW, "matricule": NUMBER}]
    inputs = MailboxInputs.model_validate({"people": people, **more})
    targets = inputs.targets()
    return OPERATION.plan(targets, inputs, OPERATION.observe(targets, inputs, desk.look, desk.listener))


def kinds(made: Plan, target: str = NUMBER) -> list[str]:
    return [action.kind for action in made.actions_for(target)]


def said(made: Plan, target: str = NUMBER) -> str:
    found = [f"{one.reason.render('en')} | {one.next_step.render('en')}" for one in made.blockers]
    assert {one.target for one in made.blockers} >= {target}
    return "\n".join(found)


def account(desk: Desk, login: str = "akouame", number: str | None = None, **more: Any) -> Account:
    known = {"mail": ADDRESS, "upn": ADDRESS, "surname": "KOUAME", "given_name": "Aya"}
    return desk.directory.add_account(login, USERS, staff_number=number, **{**known, **more})


def user(desk: Desk, **more: Any) -> CloudUser:
    known = CloudUser(
        id="u1", upn=ADDRESS, mail=ADDRESS, display_name="KOUAME Aya", surname="KOUAME", given_name="Aya",
        staff_number=None, enabled=True, usage_location=None, synced=False, immutable_id=None,
        proxy_addresses=(f"SMTP:{ADDRESS}",),
    )  # fmt: skip
    return desk.tenant_.add_user(replace(known, **more))


def test_an_account_with_the_staff_number_goes_on_from_there_under_its_own_login_and_address() -> None:
    desk = Desk()
    account(desk, number="100100a", mail="A.Kouame@douanes.lab")
    made = plan(desk)
    assert kinds(made) == ["synchronise", "set_location", "assign_licence", "hand_over"]
    assert made.actions[0].args == {"login": "akouame", "address": "a.kouame@douanes.lab"}


def test_the_staff_number_with_another_last_name_asks_to_correct_one_of_the_two() -> None:
    desk = Desk()
    account(desk, number=NUMBER, surname="Bamba")
    # The user the tenant made of that very account is no rival for its address.
    user(desk, synced=True, immutable_id=next(iter(desk.directory.accounts.values())).immutable_id)
    told = said(plan(desk))
    assert "its last name is Bamba, not Kouamé. | Ask whoever keeps the register: after a marriage" in told
    assert len(told.splitlines()) == 1


def test_two_accounts_with_the_staff_number_are_named() -> None:
    desk = Desk()
    account(desk, number=NUMBER)
    account(desk, "aya2", NUMBER, name="aya2", upn="x@douanes.lab")
    assert "Several accounts bear the staff number 100100A: akouame, aya2." in said(plan(desk))


def test_an_account_without_a_number_but_with_address_and_names_is_this_person_s() -> None:
    desk = Desk()
    account(desk)
    assert kinds(plan(desk)) == ["synchronise", "set_location", "assign_licence", "hand_over"]


def test_an_address_of_somebody_with_another_number_is_a_homonym_s() -> None:
    desk = Desk()
    desk.add_ready("200200B", ADDRESS, surname="Kouamé", given_name="Aya")
    made = plan(desk)
    assert made.actions[0].args["address"] == "aya.kouame.0a@douanes.lab"


def test_an_address_of_an_account_without_a_number_and_with_another_name_asks_a_person() -> None:
    desk = Desk()
    account(desk, surname="Kouame", given_name="Ayo")
    told = said(plan(desk))
    assert "akouame (Kouame Ayo) has this person's address or login, no staff number, and another name." in told
    assert "put the staff number on it; if not, give this person an address" in told
    assert kinds(plan(desk, {**ROW, "matricule": NUMBER, "address": "aya.k@douanes.lab"}))[0] == "create_account"


def test_a_login_that_is_the_staff_number_is_as_good_a_sign_as_an_address() -> None:
    desk = Desk()
    account(desk, NUMBER.lower(), mail="chef@douanes.lab", upn=None)
    assert kinds(plan(desk))[0] == "synchronise"
    other = Desk()
    account(other, NUMBER.lower(), "200200B", mail="chef@douanes.lab", upn=None)
    assert "The login 100100a is that of somebody else" in said(plan(other))


def test_two_candidates_without_a_number_are_named() -> None:
    desk = Desk()
    account(desk)
    account(desk, "aya2", name="aya2", mail="aya.r.kouame@douanes.lab", upn=None)
    told = said(plan(desk, {"matricule": NUMBER, "first_names": "Aya Rose"}))
    assert "Several accounts without a staff number may be this person: akouame, aya2." in told


def test_two_rows_that_are_one_account_are_both_blocked() -> None:
    desk = Desk()
    account(desk)
    made = plan(desk, {"matricule": NUMBER}, {"matricule": "300300C"}, {"matricule": "400400D", "last_name": "Yao"})
    assert made.targets == ("400400D",)
    assert "300300C and 100100A would be one and the same account." in said(made)
    assert "100100A and 300300C would be one and the same account." in said(made, "300300C")


def test_an_account_without_a_mail_address_is_told() -> None:
    desk = Desk()
    account(desk, number=NUMBER, mail=None, upn="akouame@ad.douanes.lab")
    assert "has no mail address" in said(plan(desk))
    other = Desk()
    account(other, number=NUMBER, mail=None)
    assert kinds(plan(other))[0] == "synchronise"


def test_an_address_of_another_domain_is_told() -> None:
    desk = Desk()
    account(desk, number=NUMBER, mail="aya@perso.example")
    assert "aya@perso.example, is of a domain that the tenant does not have" in said(plan(desk))


def test_another_address_than_the_person_has_is_refused_and_one_of_its_own_is_right() -> None:
    desk = Desk()
    account(desk, number=NUMBER, proxy_addresses=(f"SMTP:{ADDRESS}", "smtp:aya@douanes.lab"))
    assert "has the address aya.kouame@douanes.lab already, not b@" in said(
        plan(desk, {"matricule": NUMBER, "address": "b@douanes.lab"})
    )
    assert not plan(desk, {"matricule": NUMBER, "address": "aya@douanes.lab"}).blockers


def test_a_user_of_the_cloud_alone_stays_there() -> None:
    desk = Desk()
    user(desk, staff_number=NUMBER)
    made = plan(desk)
    assert kinds(made) == ["set_location", "assign_licence", "hand_over"]
    assert "no account is made in the directory" in made.non_actions[0].reason.render("en")
    by_address = Desk()
    user(by_address)
    assert kinds(plan(by_address)) == ["set_location", "assign_licence", "hand_over"]


def test_a_blocked_user_of_the_cloud_is_asked_about_and_a_reset_there_says_how() -> None:
    desk = Desk()
    user(desk, staff_number=NUMBER, enabled=False)
    assert "is blocked from signing in" in said(plan(desk))
    other = Desk()
    user(other, staff_number=NUMBER)
    assert "-i in_cloud=true" in said(plan(other, reset=True))
    assert kinds(plan(other, reset=True, in_cloud=True))[0] == "set_password"


def test_directory_and_tenant_that_disagree_ask_a_person() -> None:
    linked = Desk()
    made = account(linked, number=NUMBER)
    user(linked, staff_number="200200B", synced=True, immutable_id=made.immutable_id)
    assert "do not agree on who aya.kouame@douanes.lab is: there its staff number is 200200B" in said(plan(linked))
    other = Desk()
    account(other, number=NUMBER)
    user(other, staff_number=NUMBER, synced=True, immutable_id="AAAA")
    assert "is not the user of the directory's account" in said(plan(other))
    orphan = Desk()
    user(orphan, staff_number=NUMBER, synced=True, immutable_id="AAAA")
    assert "is not the user of the directory's account" in said(plan(orphan))
    two = Desk()
    mine = account(two, number=NUMBER)
    user(two, synced=True, immutable_id=mine.immutable_id)
    user(two, id="u2", upn="z@douanes.lab", mail=None, proxy_addresses=(), staff_number=NUMBER)
    assert "Several users of the tenant may be this person" in said(plan(two))
    named = Desk()
    user(named, staff_number=NUMBER, surname="Bamba")
    assert "its last name is Bamba" in said(plan(named))


def test_the_address_of_an_account_that_something_else_has_in_the_tenant_is_told() -> None:
    desk = Desk()
    account(desk, number=NUMBER)
    user(desk, staff_number="200200B")
    assert "do not agree on who" in said(plan(desk))
    other = Desk()
    account(other, number=NUMBER)
    account(other, "rival", "200200B", name="rival", upn="r@douanes.lab")
    assert "is also that of rival" in said(plan(other))


def test_a_user_of_the_cloud_with_the_account_s_address_is_linked_by_the_synchronisation() -> None:
    desk = Desk()
    account(desk, number=NUMBER)
    user(desk)
    assert kinds(plan(desk)) == ["synchronise", "set_location", "assign_licence", "hand_over"]
    alone = Desk(hybrid=False)
    account(alone, number=NUMBER)
    user(alone, staff_number=NUMBER, usage_location="CI")
    assert kinds(plan(alone)) == ["assign_licence", "hand_over"]


def test_a_synchronised_homonym_without_a_number_in_the_tenant_is_known_by_its_account() -> None:
    desk = Desk()
    theirs = account(desk, number="200200B")
    user(desk, synced=True, immutable_id=theirs.immutable_id)
    assert plan(desk).actions[0].args["address"] == "aya.kouame.0a@douanes.lab"


def test_the_person_s_own_deleted_user_is_restored_by_a_person_another_s_just_holds_its_address() -> None:
    desk = Desk()
    user(desk, staff_number=NUMBER)
    desk.tenant_.delete("u1")
    assert "keeps this person's deleted user" in said(plan(desk))
    other = Desk()
    user(other, staff_number="200200B")
    other.tenant_.delete("u1")
    assert plan(other).actions[0].args["address"] == "aya.kouame.0a@douanes.lab"
