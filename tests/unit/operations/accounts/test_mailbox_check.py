"""What mailbox.check says of people and of seats."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from desk import START, USERS, Desk

from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.operation import ALL, Report
from dsi_automation.operations.accounts.check import MailboxCheck, MailboxCheckInputs


def look(desk: Desk, *targets: str) -> Report:
    return MailboxCheck().check(targets or (ALL,), MailboxCheckInputs(), desk.look, desk.listener)


def wrong(report: Report, target: str) -> dict[str, Check]:
    return {check.name: check for check in report.checks if check.target == target and not check.ok}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.add_ready("100001A", "awa.kone@douanes.lab", surname="KONE")
    desk.add_ready("100002B", "seydou.diallo@douanes.lab", surname="DIALLO")
    return desk


@pytest.mark.parametrize("name", ["100001A", "100001a", "awa.kone@douanes.lab"])
def test_a_ready_mailbox_is_found_by_number_login_and_address(desk: Desk, name: str) -> None:
    report = look(desk, name)
    assert wrong(report, name) == {}
    assert {"account", "user", "linked", "location", "licence", "plan", "address", "mailbox"} <= {
        check.name for check in report.checks
    }
    assert report.facts[name]["user"]["licences"] == ["STANDARDPACK"]


def test_nobody_of_that_name_is_said_and_stops_nobody_else(desk: Desk) -> None:
    report = look(desk, "999999Z", "100001A")
    assert list(wrong(report, "999999Z")) == ["known"]
    assert wrong(report, "100001A") == {}


def test_two_accounts_with_one_staff_number_are_named(desk: Desk) -> None:
    desk.directory.add_account("other", USERS, staff_number="100001A")
    report = look(desk, "100001A")
    assert "other" in wrong(report, "100001A")["known"].observed


def test_a_mailbox_that_is_not_ready_is_told_with_what_is_missing_and_since_when(desk: Desk) -> None:
    record = desk.tenant_.records["id-100001A"]
    state = replace(record.user.licence_states[0], updated=START - timedelta(hours=3))
    record.user = replace(record.user, plans=(), licence_states=(state,))
    record.mailbox = False
    report = look(desk, "100001A")
    found = wrong(report, "100001A")
    assert list(found) == ["plan", "mailbox"]
    assert "3" in found["plan"].observed
    conditions = {one["name"]: one for one in report.facts["100001A"]["conditions"]}
    assert conditions["plan"]["age_seconds"] == 3 * 3600
    assert conditions["mailbox"]["missing"]


def test_a_licence_in_error_says_what_microsoft_means_by_it(desk: Desk) -> None:
    record = desk.tenant_.records["id-100001A"]
    record.user = replace(
        record.user, licence_states=(replace(record.user.licence_states[0], state="Error", error="CountViolation"),)
    )
    observed = wrong(look(desk, "100001A"), "100001A")["licence"].observed
    assert "CountViolation" in observed
    assert len(observed) > len("STANDARDPACK Error (CountViolation)") + 10


def test_an_account_without_a_user_says_when_the_synchronisation_last_spoke(desk: Desk) -> None:
    desk.tenant_.cycle = None
    desk.directory.add_account("100003c", USERS, staff_number="100003C")
    found = wrong(look(desk, "100003C"), "100003C")
    assert list(found) == ["user"]


def test_everybody_means_people_and_seats_and_not_the_accounts_of_services(desk: Desk) -> None:
    desk.directory.add_account("svc-lecture", USERS)
    report = look(desk)
    assert set(report.targets) == {ALL, "100001A", "100002B"}
    assert [check for check in report.checks if not check.ok] == []
    seats = {one["part_number"]: one for one in report.facts[ALL]["seats"]}
    assert (seats["STANDARDPACK"]["used"], seats["STANDARDPACK"]["free"]) == (2, 298)
    assert seats["STANDARDPACK"]["licence"] == "bureau"


@pytest.mark.parametrize(("used", "warning"), [(290, True), (298, False), (300, False)])
def test_seats_that_run_out_are_a_remark_and_none_left_a_failure(desk: Desk, used: int, warning: bool) -> None:
    sku = desk.skus["bureau"]
    desk.tenant_.bought[sku.id] = replace(sku, used=used)
    check = wrong(look(desk), ALL)["seats.STANDARDPACK"]
    assert check.warning is warning


def test_a_licence_of_the_inventory_that_the_tenant_lacks_is_a_failure(desk: Desk) -> None:
    del desk.tenant_.bought[desk.skus["cadre"].id]
    assert not wrong(look(desk), ALL)["seats.ENTERPRISEPACK"].warning


def test_without_licence_without_mailbox_and_left_with_a_licence_are_three_lists(desk: Desk) -> None:
    desk.tenant_.cycle = None
    plain, _ = desk.add_ready("100003C", "sans@douanes.lab")
    desk.add_ready("100004D", "late@douanes.lab")
    left, _ = desk.add_ready("100005E", "left@douanes.lab")
    record = desk.tenant_.records["id-100003C"]
    record.user, record.mailbox = replace(record.user, licences=(), licence_states=(), plans=()), False
    desk.tenant_.records["id-100004D"].mailbox = False
    desk.directory.change(left.guid, enabled=False)
    desk.directory.add_account("100006f", USERS, staff_number="100006F")
    report = look(desk)
    facts = report.facts[ALL]
    assert facts["without_licence"] == ["100003C"]
    assert facts["licence_without_mailbox"] == ["100004D"]
    assert facts["switched_off_with_licence"] == ["100005E"]
    assert facts["only_in_directory"] == ["100006F"]
    failures = {(check.target, check.name) for check in report.checks if not check.ok and not check.warning}
    assert failures == {(ALL, "licence_without_mailbox"), ("100004D", "mailbox")}
    assert plain.staff_number == "100003C"


def test_a_seat_that_a_deleted_user_holds_shows(desk: Desk) -> None:
    desk.tenant_.delete("id-100002B")
    desk.tenant_.cycle = None
    seats = {one["part_number"]: one for one in look(desk).facts[ALL]["seats"]}
    assert seats["STANDARDPACK"]["held_by_others"] == 1


def test_five_hundred_people_cost_a_few_exchanges(desk: Desk) -> None:
    for number in range(500):
        desk.add_ready(f"2{number:05}X", f"p{number}@douanes.lab")
    reading = desk.look
    before = desk.directory.exchanges
    report = MailboxCheck().check((ALL,), MailboxCheckInputs(), reading, desk.listener)
    assert len(report.targets) == 503
    assert desk.directory.exchanges - before <= 2
    assert reading.tenant().exchanges.http <= 3 + 502 // 20 + 1


def test_no_password_is_ever_tried(desk: Desk) -> None:
    asked: list[str] = []
    desk.directory.fault = lambda doing: asked.append(doing.render("en"))  # type: ignore[func-returns-value]
    look(desk)
    look(desk, "100001A")
    assert asked
    assert not [one for one in asked if "password" in one]


def test_a_directory_that_is_away_is_a_failure_of_each_target(desk: Desk) -> None:
    desk.directory.fault = lambda _: UnreachableError(T("Away."))
    report = look(desk, "100001A", "100002B")
    assert set(report.failures) == {"100001A", "100002B"}
    assert report.checks == ()


def test_a_user_of_the_cloud_alone_is_looked_at_with_a_remark() -> None:
    desk = Desk(hybrid=False)
    user = CloudUser(
        id="u", upn="x@douanes.lab", mail="x@douanes.lab", display_name="X", surname="X", given_name=None,
        staff_number="300001A", enabled=True, usage_location="CI", synced=False, immutable_id=None,
        proxy_addresses=("SMTP:x@douanes.lab",), licences=(desk.skus["bureau"].id,),
    )  # fmt: skip
    desk.tenant_.add_user(user, ready=True)
    found = wrong(look(desk, "300001A"), "300001A")
    assert list(found) == ["account"]
    assert found["account"].warning


def test_who_left_is_told_as_such_and_not_what_a_mailbox_would_still_take(desk: Desk) -> None:
    left, _ = desk.add_ready("100005E", "left@douanes.lab")
    desk.directory.change(left.guid, enabled=False)
    desk.tenant_.records["id-100005E"].mailbox = False
    found = wrong(look(desk, "100005E"), "100005E")
    assert set(found) == {"account", "mailbox"}
    assert found["mailbox"].warning
    assert "STANDARDPACK" in found["mailbox"].observed
