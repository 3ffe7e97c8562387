"""Each refusal of Microsoft Graph is a sentence of its own with the next thing to do, and the ids support asks for."""

import pytest

from dsi_automation.connectors.m365 import errors
from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.permissions import NEEDS, OPERATIONS, Call, calls_of, missing
from dsi_automation.connectors.m365.refusals import is_usage_location, not_yet_there, refusal
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

ASK = Ask(Call.CHANGE_LICENCES, "POST", "/users/1/assignLicense", T("change the licences of {id}", id="1"), "1")


def answer(message, *, status=400, code="Request_BadRequest", details=(), inner="innerError"):
    ids = {"request-id": "req-7", "client-request-id": "cli-7"}
    error = {"code": code, "message": message, inner: ids, "details": list(details)}
    return Answer(status, {}, {"error": error})


CONFLICT = "Another object with the same value for property {} already exists."
CASES = {
    "no seat": (answer("Subscription with SKU x does not have any available licenses."), errors.NoSeatError),
    "wrong sku": (answer("License x does not correspond to a valid company License."), errors.UnknownLicenceError),
    "not held": (answer("User does not have a corresponding license."), errors.UnknownLicenceError),
    "location": (
        answer("License assignment cannot be done for user with invalid usage location."),
        errors.UsageLocationError,
    ),
    "plans": (
        answer(
            "License assignment failed because Conflicting Service Plans: EXCHANGE_S_STANDARD, EXCHANGE_S_ENTERPRISE"
        ),
        errors.LicenceConflictError,
    ),
    "dependency": (answer("License assignment failed: DependencyViolation"), errors.LicenceConflictError),
    "upn by detail": (
        answer("Something else", details=[{"code": "ObjectConflict", "target": "userPrincipalName"}]),
        errors.AddressTakenError,
    ),
    "upn by message": (answer(CONFLICT.format("userPrincipalName")), errors.AddressTakenError),
    "proxy address": (answer(CONFLICT.format("proxyAddresses")), errors.AddressTakenError),
    "synced": (
        answer("Unable to update the specified properties for on-premises mastered Directory Sync objects."),
        errors.DirectoryMasteredError,
    ),
    "read-only": (answer("Property 'assignedLicenses' is read-only and cannot be set"), RefusedError),
    "query": (answer("Unsupported or invalid query filter clause", code="Request_UnsupportedQuery"), RefusedError),
    "password": (answer("The specified password does not comply with password complexity requirements."), RefusedError),
    "absent": (answer("Resource 'x' does not exist", status=404, code="Request_ResourceNotFound"), errors.AbsentError),
    "mailbox": (answer("The mailbox is inactive", status=404, code="MailboxNotEnabledForRESTAPI"), errors.AbsentError),
    "token": (answer("Lifetime validation failed", status=401), errors.SignInRefusedError),
    "rights": (
        answer("Insufficient privileges to complete the operation.", status=403, code="Authorization_RequestDenied"),
        errors.PermissionMissingError,
    ),
    "portal": (Answer(302), RefusedError),
    "gateway": (Answer(400, {}, {}, readable=False), RefusedError),
    "other": (answer("A new kind of refusal.", status=412), RefusedError),
}


@pytest.mark.parametrize("name", CASES)
def test_each_refusal_is_a_sentence_with_a_next_step_in_both_languages(name):
    given, kind = CASES[name]
    error = refusal(ASK, given)
    assert type(error) is kind
    for language in ("fr", "en"):
        texts = [text.render(language) for text in (error.what, error.meaning, error.next_step)]
        assert all(texts)
    assert error.on == "1"
    assert error.detail["status"] == given.status


def test_refusals_of_different_causes_do_not_share_a_sentence():
    told = {refusal(ASK, given).what.render("en") for name, (given, _) in CASES.items() if name != "upn by message"}
    assert len(told) == len(CASES) - 1


def test_the_ids_that_support_asks_for_are_kept():
    for inner in ("innerError", "innererror"):
        detail = refusal(ASK, answer("x", inner=inner)).detail
        assert (detail["request_id"], detail["client_request_id"]) == ("req-7", "cli-7")
    from_headers = refusal(ASK, Answer(500, {"request-id": "h"}, {}, readable=False)).detail
    assert from_headers["request_id"] == "h"


def test_the_object_in_the_way_is_named():
    details = [
        {"code": "ObjectConflict", "target": "proxyAddresses"},
        {"code": "ConflictingObjects", "target": "User_8f14e45f-0000-4000-8000-000000000000"},
    ]
    error = refusal(ASK, answer("x", details=details))
    assert error.detail["other_object"].startswith("User_8f14")


@pytest.mark.parametrize("call", Call)
def test_a_missing_permission_is_the_least_one_of_its_call(call):
    ask = Ask(call, "GET", "/x", T("x"))
    error = refusal(ask, answer("Insufficient privileges", status=403))
    assert error.detail["permission"] == NEEDS[call].least
    assert NEEDS[call].least in error.what.render("en")


def test_a_secret_in_a_foreign_message_is_masked():
    password = Secret("Very-Secret-99")
    error = refusal(ASK, answer(f"The password {password.reveal()} is odd", status=412))
    assert "Very-Secret-99" not in str(error) + str(error.to_json())


@pytest.mark.parametrize("error", ["invalid_request", None, [], 7, {"code": None, "message": None, "details": "x"}])
def test_any_shape_of_an_error_survives(error):
    assert isinstance(refusal(ASK, Answer(400, {}, {"error": error})), RefusedError)


def test_what_is_still_being_spread_is_told_from_what_is_absent():
    assert not_yet_there(answer("x", status=404))
    assert not_yet_there(answer("Not a valid reference update."))
    assert not not_yet_there(answer("x"))
    assert is_usage_location(answer("... invalid usage location."))
    assert not is_usage_location(answer("... invalid usage location.", status=403))


def test_a_wider_permission_stands_for_the_least_one():
    assert missing([Call.USERS, Call.SKUS], ["Directory.Read.All"]) == ()
    assert missing([Call.USERS, Call.GROUPS, Call.USERS], []) == ("GroupMember.Read.All", "User.Read.All")


def test_an_operation_names_what_its_site_needs_and_no_more():
    hybrid = calls_of("mailbox.create", hybrid=True, mails=False, sync_job=True)
    cloud = calls_of("mailbox.create", hybrid=False, mails=True, sync_job=True)
    assert Call.CREATE_USER not in hybrid
    assert Call.PROVISION_NOW in hybrid
    assert {Call.CREATE_USER, Call.SEND_MAIL} <= set(cloud)
    assert Call.PROVISION_NOW not in cloud
    assert calls_of("workstation.join", hybrid=True, mails=True, sync_job=True) == ()
    assert set(OPERATIONS) == {"mailbox.check", "mailbox.create", "account.disable", "licence.assign", "licence.remove"}


def test_the_ids_that_microsofts_support_asks_for_are_told_to_people():
    inner = {"request-id": "req-77", "client-request-id": "cli-88"}
    given = Answer(412, {}, {"error": {"code": "X", "message": "no", "innerError": inner}})
    told = refusal(ASK, given).meaning.render("en")
    assert "req-77" in told
    assert "cli-88" in told
