"""Answers become the port's values whatever they leave out, and filters are written so that nothing escapes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.m365 import records
from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.clouds import CLOUDS
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.connectors.m365.queries import CLAUSES, address_filters, advanced, next_page, quoted
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.inventory.account_model import Cloud


@given(st.text())
def test_a_quoted_value_is_one_string_of_the_filter(value):
    assert re.fullmatch(r"'(?:[^']|'')*'", quoted(value), re.DOTALL)
    assert quoted(value)[1:-1].replace("''", "'") == value


@given(st.lists(st.sampled_from(["a@b.c", "N'G@d.e", "x y@z"]), max_size=40), st.booleans())
def test_every_address_is_in_exactly_one_filter_of_at_most_15_clauses(addresses, upn):
    filters = list(address_filters(addresses, upn=upn))
    assert all(one.count(" or ") < CLAUSES for one in filters)
    mails = [clause for one in filters for clause in one.split(" or ") if clause.startswith("mail eq ")]
    assert mails == [f"mail eq {quoted(address.lower())}" for address in addresses]


def test_an_empty_user_is_a_user_without_anything():
    user = records.user({})
    assert (user.enabled, user.synced, user.licences, user.mail, user.created_at) == (False, False, (), None, None)


def test_a_user_is_read_whole():
    user = records.user(
        {
            "id": "1",
            "onPremisesSyncEnabled": True,
            "assignedLicenses": [{"skuId": "s", "disabledPlans": []}],
            "licenseAssignmentStates": [{"skuId": "s", "state": "Active", "error": "None", "assignedByGroup": None}],
            "assignedPlans": [{"service": "exchange", "capabilityStatus": "Enabled"}],
            "serviceProvisioningErrors": [
                {"isResolved": False, "serviceInstance": "exchange/EURPR", "errorDetail": "broken"},
                {"isResolved": True, "serviceInstance": "old"},
            ],
            "onPremisesProvisioningErrors": [
                {"category": "PropertyConflict", "propertyCausingError": "ProxyAddresses", "value": "SMTP:a@b.c"}
            ],
            "createdDateTime": "2026-11-21T19:30:00.1234567Z",
            "signInSessionsValidFromDateTime": "0001-01-01T00:00:00Z",
        }
    )
    assert user.synced
    assert (user.licences, user.licence_states[0].state, user.plans[0].service) == (("s",), "Active", "exchange")
    assert user.provisioning_errors == ("exchange/EURPR: broken", "PropertyConflict: ProxyAddresses SMTP:a@b.c")
    assert user.created_at.second == 0
    assert user.sessions_valid_from is None


@pytest.mark.parametrize(
    ("status", "enabled"), [("Enabled", True), ("Warning", True), ("Suspended", False), ("LockedOut", False)]
)
def test_a_licence_in_its_period_of_grace_may_be_given_and_a_suspended_one_not(status, enabled):
    units = {"enabled": 10, "warning": 5, "suspended": 3}
    sku = records.sku({"skuId": "s", "capabilityStatus": status, "consumedUnits": 4, "prepaidUnits": units})
    assert (sku.enabled, sku.total, sku.free) == (enabled, 15, 11 if enabled else 0)


def test_a_deleted_user_holds_the_address_that_its_prefix_hides():
    user_id = "8f14e45f-aaaa-4000-8000-000000000000"
    data = {"id": user_id, "userPrincipalName": user_id.replace("-", "") + "A.Kone@douanes.lab", "mail": "B@c.d"}
    assert {"a.kone@douanes.lab", "b@c.d"} <= records.addresses(data)


def test_sip_addresses_are_no_mail_addresses():
    assert records.addresses({"proxyAddresses": ["SIP:a@b.c", "SMTP:D@e.f", "X500:/o=x"]}) == {"d@e.f"}


READ = Ask(Call.USERS, "GET", "/users?$select=id", T("read"))


@pytest.mark.parametrize("link", ["https://other/v1.0/users", "https://graph/v1.0.evil/users", 7, None])
def test_only_a_link_to_the_same_server_is_followed(link):
    assert next_page(READ, Answer(200, {}, {"@odata.nextLink": link}), "https://graph/v1.0") is None


def test_a_next_page_is_asked_below_the_base_url():
    page = next_page(READ, Answer(200, {}, {"@odata.nextLink": "https://g/v1.0/users?$skiptoken=x"}), "https://g/v1.0")
    assert page.url == "/users?$skiptoken=x"


def test_a_query_is_made_an_advanced_one_only_once():
    refused = Answer(400, {}, {"error": {"code": "Request_UnsupportedQuery"}})
    once = advanced(READ, refused)
    assert once.url.endswith("&$count=true")
    assert once.headers == {"ConsistencyLevel": "eventual"}
    assert advanced(once, refused) is None
    assert advanced(READ, Answer(400)) is None


def test_every_cloud_of_the_inventory_has_its_three_addresses():
    assert set(CLOUDS) == {cloud.value for cloud in Cloud}
    for addresses in CLOUDS.values():
        assert addresses.base_url.endswith("/v1.0")
        assert addresses.scope == addresses.base_url.removesuffix("v1.0") + ".default"
        assert addresses.authority.startswith("https://login.")


def test_a_body_shows_its_secrets_to_the_wire_alone():
    ask = Ask(Call.CREATE_USER, "POST", "/users", T("x"), body={"passwordProfile": {"password": Secret("Abcd-1234")}})
    assert b"Abcd-1234" in ask.content()
    assert "Abcd-1234" not in repr(ask)


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b'"x"', b"\xff\xfe", b"{"])
def test_a_body_that_is_no_object_survives(content):
    answer = Answer.from_bytes(200, {"X-A": "b"}, content)
    assert (answer.readable, answer.data, answer.headers) == (False, {}, {"x-a": "b"})
    assert answer.fault.code == ""


def test_an_item_of_a_batch_survives_in_any_shape():
    assert Answer.from_item({"id": "1"}) is None
    assert Answer.from_item({"status": "429", "headers": {"Retry-After": 3}}).headers == {"retry-after": "3"}
    assert not Answer.from_item({"status": 200, "body": "PGh0bWw+"}).readable
