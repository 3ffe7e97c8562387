"""Licences and mailboxes: seats, refusals as others have met them, and what arrives later."""

import pytest
from graph_wire import DESKLESS, ENTERPRISE, STANDARD, error

from dsi_automation.lab.graph.faults import Fault


def seats(caller, name="STANDARDPACK"):
    rows = caller.get("/subscribedSkus?$select=skuPartNumber,consumedUnits,prepaidUnits,capabilityStatus").json()[
        "value"
    ]
    return next(row for row in rows if row["skuPartNumber"] == name)


def test_a_licence_takes_a_seat_and_brings_a_mailbox_later(caller, graph):
    graph.control.delays(licence=3600, mailbox=3600)
    user = caller.create()["id"]
    answer = caller.license(user, add=(STANDARD,))
    assert answer.status_code == 200
    assert answer.json()["assignedLicenses"] == [{"disabledPlans": [], "skuId": STANDARD}]
    assert seats(caller)["consumedUnits"] == 1
    select = "$select=licenseAssignmentStates,assignedPlans,provisionedPlans,mail"
    told = caller.get(f"/users/{user}?{select}").json()
    assert (told["licenseAssignmentStates"], told["assignedPlans"], told["mail"]) == ([], [], None)
    graph.control.delays(licence=0)
    told = caller.get(f"/users/{user}?{select}").json()
    assert [(row["skuId"], row["state"], row["error"]) for row in told["licenseAssignmentStates"]] == [
        (STANDARD, "Active", "None")
    ]
    exchange = [row for row in told["provisionedPlans"] if row["service"] == "exchange"]
    assert [row["provisioningStatus"] for row in exchange] == ["PendingInput"]
    assert error(caller.get(f"/users/{user}/mailboxSettings")) == (
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def test_a_mailbox_that_is_ready_has_its_addresses(caller):
    user = caller.create()["id"]
    caller.license(user, add=(STANDARD,))
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 200
    told = caller.get(f"/users/{user}?$select=mail,proxyAddresses,assignedPlans").json()
    assert told["mail"] == "awa.kone@douanes.lab"
    assert told["proxyAddresses"] == ["SMTP:awa.kone@douanes.lab", "smtp:awa.kone@douaneslab.onmicrosoft.com"]
    assert ("exchange", "Enabled") in [(plan["service"], plan["capabilityStatus"]) for plan in told["assignedPlans"]]


@pytest.mark.parametrize("missing", ["addLicenses", "removeLicenses"])
def test_both_keys_are_needed(caller, missing):
    """msgraph-sdk-powershell issue 3229."""
    user = caller.create()["id"]
    body = {"addLicenses": [], "removeLicenses": []}
    del body[missing]
    status, _, message = error(caller.post(f"/users/{user}/assignLicense", body))
    assert status == 400
    assert missing in message


def test_the_refusals_are_those_people_have_met(caller, graph):
    """Texts: CIPP issues 783, 4408 (location), 5489 (null skuId), microsoft-graph-docs issue 2853 (no GUID).

    Those about seats, unknown licences and conflicts are from public code.
    """
    user = caller.create()["id"]
    graph.control.seats("ENTERPRISEPACK", 0)
    assert "does not have any available licenses" in error(caller.license(user, add=(ENTERPRISE,)))[2]
    body = {"addLicenses": [{"skuId": None}], "removeLicenses": []}
    assert error(caller.post(f"/users/{user}/assignLicense", body))[0] == 400
    unknown = "11111111-1111-1111-1111-111111111111"
    assert "does not correspond to a valid company License" in error(caller.license(user, add=(unknown,)))[2]
    assert error(caller.license(user, remove=(STANDARD,)))[2] == "User does not have a corresponding license."
    assert "expected type 'Edm.Guid'" in error(caller.license(user, add=("u86tgb54",)))[2]
    conflict = error(caller.license(user, add=(STANDARD, DESKLESS)))[2]
    assert conflict.endswith("Conflicting Service Plans: EXCHANGE_S_DESKLESS, EXCHANGE_S_STANDARD")
    assert graph.control.user(user)["assignedLicenses"] == []


def test_a_change_of_licence_in_one_call_is_no_conflict(caller, graph):
    user = caller.create()["id"]
    caller.license(user, add=(STANDARD,))
    assert caller.license(user, add=(DESKLESS,), remove=(STANDARD,)).status_code == 200
    assert seats(caller)["consumedUnits"] == 0
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 200, "the mailbox stays"


def test_the_same_licence_twice_takes_one_seat(caller):
    user = caller.create()["id"]
    assert [caller.license(user, add=(STANDARD,)).status_code for _ in range(2)] == [200, 200]
    assert seats(caller)["consumedUnits"] == 1


def test_a_location_set_just_now_is_not_good_yet(caller, graph):
    user = caller.create(usageLocation=None)["id"]
    graph.control.delays(location=3600)
    assert caller.call("PATCH", f"/users/{user}", {"usageLocation": "CI"}).status_code == 204
    said = (400, "Request_BadRequest", "License assignment cannot be done for user with invalid usage location.")
    assert error(caller.license(user, add=(STANDARD,))) == said
    graph.control.reset()


def test_the_last_seat_is_given_once(caller, graph):
    graph.control.seats("STANDARDPACK", 1)
    first, second = (caller.create(name)["id"] for name in ("a.a", "b.b"))
    assert caller.license(first, add=(STANDARD,)).status_code == 200
    assert caller.license(second, add=(STANDARD,)).status_code == 400
    caller.call("DELETE", f"/users/{first}")
    assert caller.license(second, add=(STANDARD,)).status_code == 200, "a deleted user's seat is free"
    graph.control.seats("STANDARDPACK", 9, status="Suspended")
    third = caller.create("c.c")["id"]
    assert caller.license(third, add=(STANDARD,)).status_code == 400
    assert seats(caller)["prepaidUnits"] == {"enabled": 0, "suspended": 9, "warning": 0, "lockedOut": 0}


def test_a_licence_can_fail_in_the_background(caller, graph):
    graph.control.fault(Fault.LICENCE_ERROR, error="CountViolation", user="awa*", count=1)
    user = caller.create()["id"]
    assert caller.license(user, add=(STANDARD,)).status_code == 200
    told = caller.get(f"/users/{user}?$select=licenseAssignmentStates,assignedLicenses").json()
    assert [(row["state"], row["error"]) for row in told["licenseAssignmentStates"]] == [("Error", "CountViolation")]
    assert told["assignedLicenses"] == []
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 404


def test_a_mailbox_never_gets_ready_while_the_fault_lasts(caller, graph):
    graph.control.fault(Fault.MAILBOX_NEVER_READY, user="awa*")
    user = caller.create()["id"]
    caller.license(user, add=(STANDARD,))
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 404
    assert graph.control.user(user)["mailbox"] == "coming"


def test_a_mailbox_whose_address_was_taken_meanwhile_says_why(caller, graph):
    graph.control.delays(mailbox=3600)
    user = caller.create()["id"]
    graph.control.seed_contact(displayName="X", proxyAddresses=["smtp:awa.kone@douanes.lab"])
    caller.license(user, add=(STANDARD,))
    caller.license(user, remove=(STANDARD,))
    graph.control.delays(mailbox=0)
    caller.license(user, add=(STANDARD,))
    told = caller.get(f"/users/{user}?$select=serviceProvisioningErrors,mail").json()
    assert told["serviceProvisioningErrors"][0]["isResolved"] is False
    assert "awa.kone@douanes.lab" in told["serviceProvisioningErrors"][0]["errorDetail"]
    assert told["mail"] is None


def test_removing_the_licence_ends_the_mailbox(caller):
    user = caller.create()["id"]
    caller.license(user, add=(STANDARD,))
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 200
    caller.license(user, remove=(STANDARD,))
    assert caller.get(f"/users/{user}/mailboxSettings").status_code == 404


def test_subscriptions_cannot_be_filtered(caller):
    assert error(caller.get("/subscribedSkus?$filter=skuPartNumber eq 'X'"))[0] == 400
