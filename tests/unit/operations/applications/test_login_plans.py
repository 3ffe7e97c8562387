"""Logins: what each case must come with, and what is done, decided from facts alone (procedure L)."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from dsi_automation.connectors.applications.logins import Login
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.inventory.application_model import ApplicationAccounts
from dsi_automation.operations.applications.account_inputs import AccountInputs, address_of
from dsi_automation.operations.applications.account_plan import LoginFacts, decide

ACCOUNTS = ApplicationAccounts.model_validate(
    {
        "store": {"kind": "sql", "find": "f", "create": "c", "change": "c", "disable": "d"},
        "profiles": ["agent", "verificateur"],
    }
)
ALL = {"lettre": "1", "fiche": "2", "affectation": "3", "agrement": "4", "identite": "5"}
CHANGE = {"lettre": "1", "affectation": "3", "identite": "5"}
DISABLE = {"lettre": "1", "cessation": "9"}
FOUND = Login("kone.a", "KONÉ Awa", "agent", "ABJ", active=True, must_change=False)
TARGET = "kone.a@sydam"


def asked(case: str, **given: Any) -> AccountInputs:
    person = {"name": "KONÉ Awa", "profile": "agent", "office": "ABJ"} if case == "create" else {}
    return AccountInputs.model_validate({"case": case, **person, **given})


def decided(case: str, found: Login | None, **given: Any) -> Any:
    return decide(TARGET, asked(case, **given), LoginFacts("SYDAM World", ACCOUNTS, found), None)


@pytest.mark.parametrize(
    ("case", "external", "needed"),
    [
        ("create", False, {"lettre", "fiche", "affectation", "identite"}),
        ("create", True, {"lettre", "fiche", "affectation", "identite", "agrement"}),
        ("change", False, {"lettre", "affectation", "identite"}),
        ("change", True, {"lettre", "affectation", "identite"}),
        ("disable", False, {"lettre", "cessation"}),
    ],
)
def test_each_case_asks_for_the_documents_of_the_guide_and_lists_every_missing_one(
    case: str, external: bool, needed: set[str]
) -> None:
    found = None if case == "create" else FOUND
    (blocker,) = decided(case, found, external=external).blockers
    assert blocker.exit_code is ExitCode.NOT_COMPLIANT
    assert blocker.reason.render("en").count("\n- ") == len(needed)
    assert all(f"--document {name}=" in blocker.next_step.render("en") for name in needed)
    for left in needed:
        some = {name: "x" for name in needed if name != left}
        (blocker,) = decided(case, found, external=external, documents=some).blockers
        assert f"({left})" in blocker.reason.render("en")
    assert decided(case, found, external=external, documents=dict.fromkeys(needed, "x")).blockers == []


def test_documents_are_typed_as_pairs_or_as_json() -> None:
    wanted = {"lettre": "n° 123, du 20/11", "fiche": "ok"}
    assert asked("disable", documents="lettre=n° 123, du 20/11; fiche=ok").documents == wanted
    assert asked("disable", documents='{"lettre": "n° 123, du 20/11", "fiche": "ok"}').documents == wanted


@pytest.mark.parametrize("typed", ["lettre", "lettre=", '{"lettre": ', '{"lettre": " "}'])
def test_a_document_without_its_reference_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        asked("disable", documents=typed)


def test_documents_that_no_case_knows_are_refused_by_name() -> None:
    blockers = decided("disable", FOUND, documents={**DISABLE, "letre": "x"}).blockers
    assert ["letre" in blocker.reason.render("en") for blocker in blockers] == [True]


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Yao Kouassi <y.kouassi@douanes.example>", "y.kouassi@douanes.example"),
        ("y.kouassi@douanes.example", "y.kouassi@douanes.example"),
        ("Yao Kouassi", None),
        ("Yao <y@localhost>", None),
        ("", None),
    ],
)
def test_who_asked_is_told_at_an_address(typed: str, address: str | None) -> None:
    assert address_of(typed) == address


@pytest.mark.parametrize(
    ("case", "found", "documents", "told"),
    [
        ("create", FOUND, ALL, "exists"),
        ("create", replace(FOUND, active=False), ALL, "disabled"),
        ("change", None, CHANGE, "no login"),
        ("disable", None, DISABLE, "no login"),
    ],
)
def test_a_login_that_is_there_or_is_not_blocks_what_cannot_be(
    case: str, found: Login | None, documents: dict[str, str], told: str
) -> None:
    result = decided(case, found, documents=documents)
    assert [told in blocker.reason.render("en") for blocker in result.blockers] == [True]


def test_what_is_disabled_already_is_left() -> None:
    result = decided("disable", replace(FOUND, active=False), documents=DISABLE)
    assert (result.actions, len(result.non_actions)) == ([], 1)


def test_a_profile_that_the_site_does_not_have_is_refused_with_those_near() -> None:
    (blocker,) = decided("create", None, documents=ALL, profile="verificateurs").blockers
    assert "verificateur?" in blocker.next_step.render("en")


def test_a_new_login_needs_a_name_and_a_profile() -> None:
    (blocker,) = decided("create", None, documents=ALL, name=None, profile=None).blockers
    assert "--name ... --profile ..." in blocker.next_step.render("en")


def test_a_change_keeps_what_is_not_said_and_shows_what_changes() -> None:
    (action,) = decided("change", FOUND, documents=CHANGE, profile="verificateur").actions
    assert (action.args["name"], action.args["profile"], action.args["office"]) == ("KONÉ Awa", "verificateur", "ABJ")
    assert "profile agent → verificateur" in action.title.render("en")


def test_in_a_run_what_is_as_wanted_stays_an_action_because_the_run_may_have_done_it() -> None:
    inputs = asked("create", documents=ALL)
    facts = LoginFacts("SYDAM World", ACCOUNTS, None)
    (approved,) = decide(TARGET, inputs, facts, None).actions
    made = replace(facts, found=FOUND)
    assert decide(TARGET, inputs, made, approved).actions == [approved]
    other = replace(facts, found=replace(FOUND, name="KONATÉ Adama"))
    assert decide(TARGET, inputs, other, approved).blockers[0].exit_code is ExitCode.WORLD_CHANGED


def test_no_argument_of_an_action_is_a_password() -> None:
    for case, found, documents in (("create", None, ALL), ("change", FOUND, CHANGE), ("disable", FOUND, DISABLE)):
        (action,) = decided(case, found, documents=documents).actions
        assert not {"password", "hash"} & set(action.args)


PROFILES = {"kind": "ldap", "groups": {"agent": "CN=agent,DC=x", "verificateur": "CN=verificateur,DC=x"}}
DIRECTORY = ApplicationAccounts.model_validate({"store": PROFILES})
WINDOWS = Login("kone.a", "KONÉ Awa", None, "DR Abidjan", active=False, must_change=False)


def by_directory(case: str, found: Login | None, approved: Any = None, **given: Any) -> Any:
    inputs = AccountInputs.model_validate({"case": case, **given})
    return decide(TARGET, inputs, LoginFacts("SYDAM World", DIRECTORY, found), approved)


def test_in_the_directory_a_profile_needs_the_windows_account_first() -> None:
    (blocker,) = by_directory("create", None, documents=ALL, profile="agent").blockers
    assert "Windows" in blocker.next_step.render("en")


def test_in_the_directory_no_password_is_made_and_the_person_s_name_is_not_changed() -> None:
    (action,) = by_directory("create", WINDOWS, documents=ALL, profile="agent", name="Autre").actions
    assert (action.kind, action.args["name"], action.args["profile"]) == ("create_profile", "KONÉ Awa", "agent")
    assert "Windows password" in action.reason.render("en")


@pytest.mark.parametrize("halfway", ["agent", "agent, verificateur", "verificateur", None])
def test_a_change_of_profile_that_was_interrupted_between_two_groups_is_completed(halfway: str | None) -> None:
    was = replace(WINDOWS, profile="agent", active=True)
    given = {"documents": CHANGE, "profile": "verificateur"}
    (approved,) = by_directory("change", was, **given).actions
    now = replace(WINDOWS, profile=halfway, active=halfway is not None)
    assert by_directory("change", now, approved, **given).actions == [approved]


def test_a_profile_that_somebody_else_gave_meanwhile_is_a_changed_world() -> None:
    (approved,) = by_directory("create", WINDOWS, documents=ALL, profile="agent").actions
    other = replace(WINDOWS, profile="verificateur", active=True)
    (blocker,) = by_directory("create", other, approved, documents=ALL, profile="agent").blockers
    assert blocker.exit_code is ExitCode.WORLD_CHANGED
