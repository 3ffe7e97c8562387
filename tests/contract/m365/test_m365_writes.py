"""What the write half does to a tenant, and that it does it once."""

import pytest

from dsi_automation.connectors.m365.errors import (
    AbsentError,
    AddressTakenError,
    DirectoryMasteredError,
    NoSeatError,
    StaffNumberTakenError,
    UnknownLicenceError,
    UsageLocationError,
)
from dsi_automation.connectors.m365.port import Letter, NewCloudUser
from dsi_automation.core.errors import GateClosedError, UnknownOutcomeError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

SKU = "18181a46-0d4e-45cd-891e-60aabd171b4e"
PASSWORD = Secret("Tempo-raire-77")
AYA = NewCloudUser(
    upn="aya.kouame@douanes.lab",
    mail_nickname="aya.kouame",
    display_name="KOUAMÉ Aya",
    staff_number="100001A",
    usage_location="CI",
    surname="KOUAMÉ",
    given_name="Aya",
    phone="+2250700000000",
)
GATEWAY = (504, {}, "<html>Gateway Timeout</html>")


def posts(graph):
    return [path for method, path, *_ in graph.requests if (method, path) == ("POST", "/users")]


def test_a_user_is_created_enabled_to_change_the_password_and_known_by_its_id(graph, writer):
    made = writer.create_user(AYA, PASSWORD)
    body = next(body for method, path, _, _, body in graph.requests if (method, path) == ("POST", "/users"))
    assert body["passwordProfile"] == {"password": PASSWORD.reveal(), "forceChangePasswordNextSignIn": True}
    assert (body["accountEnabled"], body["usageLocation"], body["employeeId"]) == (True, "CI", "100001A")
    assert "department" not in body
    assert (made.id in graph.users, made.upn, made.staff_number) == (True, AYA.upn, "100001A")


@pytest.mark.parametrize("lost", [GATEWAY, (502, {}, None), (500, {}, None), (503, {}, None), (201, {}, "<html>")])
def test_an_answer_lost_after_the_user_was_made_is_recognised_as_ours(graph, writer, lost):
    graph.fail("POST", "^/users$", lost, after=True)
    made = writer.create_user(AYA, PASSWORD)
    assert list(graph.users) == [made.id]
    assert len(posts(graph)) == 1


def test_a_connection_cut_after_the_user_was_made_is_recognised_as_ours(graph, writer):
    graph.fail("POST", "^/users$", None, after=True, drop=True)
    made = writer.create_user(AYA, PASSWORD)
    assert list(graph.users) == [made.id]
    assert len(posts(graph)) == 1


def test_a_lost_answer_that_no_search_shows_yet_ends_in_one_user(graph, writer):
    graph.fail("POST", "^/users$", GATEWAY, after=True)
    graph.unsearchable = 4
    made = writer.create_user(AYA, PASSWORD)
    assert list(graph.users) == [made.id]
    assert len(posts(graph)) == 2


def test_a_post_that_was_lost_on_its_way_is_sent_again_after_a_look(graph, writer):
    graph.fail("POST", "^/users$", GATEWAY)
    made = writer.create_user(AYA, PASSWORD)
    assert list(graph.users) == [made.id]


def test_a_second_creation_of_the_same_person_returns_the_first(graph, writer):
    first = writer.create_user(AYA, PASSWORD)
    assert writer.create_user(AYA, PASSWORD).id == first.id
    assert len(posts(graph)) == 1


def test_an_address_of_somebody_else_is_taken(graph, writer):
    graph.add(userPrincipalName=AYA.upn, employeeId="200002B", displayName="Autre")
    with pytest.raises(AddressTakenError) as caught:
        writer.create_user(AYA, PASSWORD)
    assert "Autre" in caught.value.what.render("en")
    assert posts(graph) == []


def test_an_address_taken_between_the_look_and_the_post_is_taken(graph, writer):
    graph.add(userPrincipalName=AYA.upn, employeeId="200002B", displayName="Autre")
    graph.unsearchable = 2
    with pytest.raises(AddressTakenError):
        writer.create_user(AYA, PASSWORD)
    assert len(posts(graph)) == 1


def test_nobody_gets_a_second_account_under_another_address(graph, writer):
    graph.add(userPrincipalName="a.kouame@douanes.lab", employeeId="100001a")
    with pytest.raises(StaffNumberTakenError):
        writer.create_user(AYA, PASSWORD)
    assert posts(graph) == []


def test_an_upn_that_is_taken_and_never_shows_is_an_unknown_outcome(graph, writer, clock):
    graph.add(userPrincipalName=AYA.upn, employeeId=AYA.staff_number)
    graph.unsearchable = 1000
    with pytest.raises(UnknownOutcomeError):
        writer.create_user(AYA, PASSWORD)
    assert clock.seconds <= writer.endpoint.deadline
    assert len(posts(graph)) == 1


def test_what_was_created_here_is_waited_for_by_its_id_and_never_searched_by_upn(graph, writer, clock):
    graph.hidden["new"] = 3
    made = writer.create_user(AYA, PASSWORD)
    writer.set_usage_location(made.id, "CI")
    assert graph.users[made.id]["usageLocation"] == "CI"
    assert len(clock.waits) == 3
    assert writer.user(made.id).staff_number == "100001A"


def test_a_search_that_lags_behind_finds_what_was_created_here(graph, writer):
    made = writer.create_user(AYA, PASSWORD)
    graph.unsearchable = 2
    assert [one.id for one in writer.users_by_staff_number(["100001A"])["100001A"]] == [made.id]


def test_anybody_else_who_is_absent_is_absent_at_once(graph, writer, clock):
    with pytest.raises(AbsentError):
        writer.set_usage_location("00000000-0000-0000-0000-000000000000", "CI")
    assert clock.waits == []


def test_a_licence_right_after_its_location_is_given_once_the_tenant_believes_it(graph, writer, clock):
    user_id = graph.add(userPrincipalName=AYA.upn)
    writer.set_usage_location(user_id, "CI")
    graph.location_lag = 3
    writer.change_licences(user_id, [SKU], [])
    assert graph.users[user_id]["assignedLicenses"] == [{"skuId": SKU}]
    assert clock.waits


def test_a_licence_without_a_location_is_refused_at_once(graph, writer, clock):
    user_id = graph.add(userPrincipalName=AYA.upn)
    with pytest.raises(UsageLocationError):
        writer.change_licences(user_id, [SKU], [])
    assert clock.waits == []


def test_a_location_that_is_never_believed_ends_at_the_deadline(graph, writer, clock):
    user_id = graph.add(userPrincipalName=AYA.upn, usageLocation="XX")
    graph.location_lag = 10_000
    with pytest.raises(UsageLocationError):
        writer.change_licences(user_id, [SKU], [])
    assert 0 < clock.seconds <= writer.endpoint.deadline


def test_no_seat_left_is_said_as_such(graph, writer):
    user_id, graph.seats = graph.add(userPrincipalName=AYA.upn, usageLocation="CI"), 0
    with pytest.raises(NoSeatError):
        writer.change_licences(user_id, [SKU], [])


def test_both_keys_travel_even_when_one_is_empty(graph, writer):
    user_id = graph.add(userPrincipalName=AYA.upn, usageLocation="CI", assignedLicenses=[{"skuId": SKU}])
    writer.change_licences(user_id, [], [SKU])
    assert graph.requests[-1][-1] == {"addLicenses": [], "removeLicenses": [SKU]}
    assert graph.users[user_id]["assignedLicenses"] == []


def test_a_removal_whose_answer_was_lost_is_done_although_the_second_is_refused(graph, writer):
    user_id = graph.add(userPrincipalName=AYA.upn, assignedLicenses=[{"skuId": SKU}])
    graph.fail("POST", "assignLicense", GATEWAY, after=True)
    writer.change_licences(user_id, [], [SKU])
    assert graph.users[user_id]["assignedLicenses"] == []


def test_a_licence_that_the_user_has_not_is_not_removed_in_silence_with_another_left(graph, writer):
    user_id = graph.add(userPrincipalName=AYA.upn, assignedLicenses=[{"skuId": SKU}])
    with pytest.raises(UnknownLicenceError):
        writer.change_licences(user_id, [], [SKU, "other"])


@pytest.mark.parametrize("lost", [GATEWAY, (500, {}, None), (502, {}, None)])
def test_what_may_be_done_twice_is_repeated_after_a_lost_answer(graph, writer, lost):
    user_id = graph.add(userPrincipalName=AYA.upn)
    graph.fail("PATCH", "^/users/", lost, after=True)
    writer.set_enabled(user_id, enabled=False)
    assert graph.users[user_id]["accountEnabled"] is False
    assert [method for method, *_ in graph.requests] == ["PATCH", "PATCH"]


def test_a_synchronised_user_is_not_disabled_here(graph, writer):
    user_id = graph.add(userPrincipalName=AYA.upn, onPremisesSyncEnabled=True)
    with pytest.raises(DirectoryMasteredError):
        writer.set_enabled(user_id, enabled=False)


def test_a_password_is_reset_to_be_changed_and_sessions_end(graph, writer):
    user_id = graph.add(userPrincipalName=AYA.upn)
    writer.reset_password(user_id, PASSWORD)
    writer.revoke_sessions(user_id)
    assert graph.users[user_id]["passwordProfile"]["forceChangePasswordNextSignIn"] is True
    assert graph.requests[-1][1].endswith("/revokeSignInSessions")


def test_a_mail_goes_out_in_plain_text_from_the_service_mailbox(graph, writer):
    writer.send_mail(Letter("dsi@douanes.lab", "chef@douanes.lab", "Bienvenue", "Bonjour"))
    message = graph.sent[0]["Message"]
    assert message["body"] == {"contentType": "text", "content": "Bonjour"}
    assert message["toRecipients"] == [{"emailAddress": {"address": "chef@douanes.lab"}}]
    assert graph.requests[-1][1] == "/users/dsi%40douanes.lab/sendMail"


def test_a_mail_whose_answer_was_lost_is_not_sent_twice(graph, writer):
    graph.fail("POST", "sendMail", GATEWAY, after=True)
    with pytest.raises(UnknownOutcomeError):
        writer.send_mail(Letter("dsi@douanes.lab", "chef@douanes.lab", "Bienvenue", "Bonjour"))
    assert len(graph.sent) == 1


def test_cloud_sync_is_asked_for_one_object_by_its_dn(graph, writer):
    assert writer.provision_now("CN=Aya,OU=ABJ,DC=douanes,DC=lab")
    subject = {"objectId": "CN=Aya,OU=ABJ,DC=douanes,DC=lab", "objectTypeName": "user"}
    assert graph.requests[-1][-1] == {"parameters": [{"ruleId": "rule-1", "subjects": [subject]}]}


WRITES = {
    "create_user": lambda writer: writer.create_user(AYA, PASSWORD),
    "set_usage_location": lambda writer: writer.set_usage_location("id", "CI"),
    "change_licences": lambda writer: writer.change_licences("id", [SKU], []),
    "set_enabled": lambda writer: writer.set_enabled("id", enabled=True),
    "reset_password": lambda writer: writer.reset_password("id", PASSWORD),
    "revoke_sessions": lambda writer: writer.revoke_sessions("id"),
    "send_mail": lambda writer: writer.send_mail(Letter("a@b.c", "d@e.f", "s", "b")),
    "provision_now": lambda writer: writer.provision_now("CN=x"),
}


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_sent_without_the_permit(graph, writer, permit, name):
    permit.refuses = GateClosedError(T("closed"))
    with pytest.raises(GateClosedError):
        WRITES[name](writer.for_target("100001A"))
    assert graph.http == []
    assert permit.asked == ["100001A"]


def test_a_permit_withdrawn_during_the_look_is_asked_again_before_the_post(graph, writer, permit):
    asked = permit.check

    def check(target):
        asked(target)
        if len(permit.asked) == 2:
            raise GateClosedError(T("revoked"))

    permit.check = check
    with pytest.raises(GateClosedError):
        writer.create_user(AYA, PASSWORD)
    assert posts(graph) == []
