"""Users: creating, changing, deleting, and who holds an address, as Microsoft documents and others have met it."""

import pytest
from graph_wire import PASSWORD, Caller, error, new_user

from dsi_automation.core.errors import RefusedError


def test_a_user_is_made_as_in_microsoft_s_example(caller):
    """Create user, example 1: 201, the default properties, and no password in the answer."""
    made = caller.create()
    assert made["@odata.context"].endswith("/v1.0/$metadata#users/$entity")
    assert set(made) == {
        "@odata.context", "id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone",
        "officeLocation", "preferredLanguage", "surname", "userPrincipalName",
    }  # fmt: skip
    assert PASSWORD not in caller.get(f"/users/{made['id']}?$select=passwordProfile,displayName").text


def test_reads_find_a_new_user_only_after_a_while(caller, graph):
    graph.control.delays(create=3600)
    made = caller.create()
    assert error(caller.get(f"/users/{made['id']}")) == (
        404,
        "Request_ResourceNotFound",
        f"Resource '{made['id']}' does not exist or one of its queried reference-property objects are not present.",
    )
    assert caller.get("/users?$filter=userPrincipalName eq 'awa.kone@douanes.lab'").json()["value"] == []
    assert caller.get("/users").json()["value"] == []
    assert error(caller.call("PATCH", f"/users/{made['id']}", {"usageLocation": "CI"}))[0] == 404
    assert error(caller.post("/users", new_user()))[0] == 400, "but its name is taken at once"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mailNickname": None}, "A value is required for property 'mailNickname' of resource 'User'."),
        ({"passwordProfile": None}, "A value is required for property 'passwordProfile' of resource 'User'."),
        ({"employeeId": "1" * 17}, "Invalid value specified for property 'employeeId' of resource 'User'."),
        ({"usageLocation": "Côte"}, "Invalid value specified for property 'usageLocation' of resource 'User'."),
        ({"mobile_phone": None}, "Property 'mobile_phone' does not exist"),
        ({"assignedLicenses": []}, "Property 'assignedLicenses' is read-only and cannot be set."),
        ({"proxyAddresses": ["SMTP:a@b"]}, "Property 'proxyAddresses' is read-only and cannot be set."),
        ({"accountEnabled": "yes"}, "Cannot convert the literal"),
        ({"userPrincipalName": "awa@elsewhere.example"}, "The domain portion of the userPrincipalName property"),
        ({"userPrincipalName": "koné@douanes.lab"}, "Invalid value specified for property 'userPrincipalName'"),
        ({"userPrincipalName": "a..b@douanes.lab"}, "Invalid value specified for property 'userPrincipalName'"),
        ({"userPrincipalName": "a" * 65 + "@douanes.lab"}, "Invalid value specified for property 'userPrincipalName'"),
        ({"passwordProfile": {"password": "weak"}}, "The specified password does not comply with password complexity"),
        ({"passwordProfile": {"password": "Awa.kone-2026"}}, "The specified password does not comply"),
        ({"onPremisesImmutableId": "a_b"}, "Invalid value specified for property 'onPremisesImmutableId'"),
        ({"displayName": "a\x00b"}, "Invalid value specified for property 'displayName'"),
    ],
)  # fmt: skip
def test_what_microsoft_refuses_is_refused_and_nothing_is_made(caller, graph, changes, said):
    status, _, message = error(caller.post("/users", new_user(**changes)))
    assert status == 400
    assert message.startswith(said)
    assert graph.control.users() == []


def test_a_body_must_be_json_and_say_so(caller):
    url = caller.endpoint.base_url + "/users"
    assert "Empty Payload" in caller.session.post(url, timeout=30).text
    assert "Content-Type header" in caller.session.post(url, data=b"{}", timeout=30).text
    headers = {"Content-Type": "application/json"}
    assert "Unable to read JSON" in caller.session.post(url, data=b"{,", headers=headers, timeout=30).text


def test_a_taken_name_is_told_as_published(caller):
    """microsoft-graph-docs issue 1508."""
    caller.create()
    told = caller.post("/users", new_user(userPrincipalName="AWA.Kone@douanes.lab")).json()["error"]
    assert told["code"] == "Request_BadRequest"
    assert told["message"] == "Another object with the same value for property userPrincipalName already exists."
    assert (told["details"][0]["code"], told["details"][0]["target"]) == ("ObjectConflict", "userPrincipalName")
    assert set(told["innerError"]) == {"date", "request-id", "client-request-id"}


@pytest.mark.parametrize("kind", ["seed_user", "seed_group", "seed_contact", "seed_deleted_user"])
def test_an_address_is_taken_whoever_holds_it(caller, graph, kind):
    """microsoft-graph-docs-contrib issue 8421: the second detail names the other object."""
    own = {"userPrincipalName": "other@douanes.lab"} if "user" in kind else {}
    held = getattr(graph.control, kind)(displayName="X", proxyAddresses=["smtp:awa.kone@douanes.lab"], **own)
    told = caller.post("/users", new_user()).json()["error"]
    assert told["message"] == "Another object with the same value for property proxyAddresses already exists."
    assert [detail["code"] for detail in told["details"]] == ["ObjectConflict", "ConflictingObjects"]
    assert told["details"][1]["target"].endswith(f"_{held['id']}")


def test_a_deleted_user_frees_its_name_but_not_its_addresses(caller, graph):
    made = caller.create()
    assert caller.call("DELETE", f"/users/{made['id']}").status_code == 204
    assert error(caller.get(f"/users/{made['id']}"))[0] == 404
    deleted = caller.get("/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName").json()["value"]
    name = made["id"].replace("-", "") + "awa.kone@douanes.lab"
    assert deleted == [{"id": made["id"], "userPrincipalName": name}]
    again = caller.create()
    graph.control.update_user(again["id"], licences=["STANDARDPACK"])
    caller.get("/users")
    caller.call("DELETE", f"/users/{again['id']}")
    assert "proxyAddresses" in error(caller.post("/users", new_user()))[2]


def test_a_change_is_all_or_nothing_and_clears_with_null(caller, graph):
    made = caller.create(department="Visite", mobilePhone="+2250102030405")
    refused = caller.call("PATCH", f"/users/{made['id']}", {"department": "Caisse", "employeeId": "1" * 17})
    assert refused.status_code == 400
    assert graph.control.user(made["id"])["department"] == "Visite"
    changed = caller.call("PATCH", "/users/awa.kone@douanes.lab", {"department": "Caisse", "mobilePhone": None})
    assert (changed.status_code, changed.content) == (204, b"")
    user = graph.control.user(made["id"])
    assert (user["department"], user["mobilePhone"]) == ("Caisse", None)


def test_the_password_is_checked_and_must_change(caller, graph):
    made = caller.create()
    assert graph.control.sign_in("awa.kone@douanes.lab", PASSWORD) == "must_change"
    assert graph.control.sign_in("awa.kone@douanes.lab", "wrong") == "wrong"
    body = {"passwordProfile": {"password": "Second-Pass-9", "forceChangePasswordNextSignIn": False}}
    assert caller.call("PATCH", f"/users/{made['id']}", body).status_code == 204
    assert graph.control.sign_in("awa.kone@douanes.lab", "Second-Pass-9") == "ok"
    caller.call("PATCH", f"/users/{made['id']}", {"accountEnabled": False})
    assert graph.control.sign_in("awa.kone@douanes.lab", "Second-Pass-9") == "disabled"


def test_revoking_sessions_moves_their_start(caller, graph):
    graph.control.seed_user(userPrincipalName="a@douanes.lab", signInSessionsValidFromDateTime="2026-01-01T00:00:00Z")
    answer = caller.post("/users/a@douanes.lab/revokeSignInSessions", {})
    assert answer.json() == {"@odata.context": f"{caller.endpoint.base_url}/$metadata#Edm.Boolean", "value": True}
    assert graph.control.user("a@douanes.lab")["signInSessionsValidFromDateTime"] > "2026-06"


def test_mails_leave_from_a_mailbox_that_exists(caller, graph):
    graph.control.seed_user(userPrincipalName="dsi@douanes.lab", displayName="DSI", mailboxReady=True)
    graph.control.seed_user(userPrincipalName="no@douanes.lab", displayName="No")
    message = {
        "subject": "Votre messagerie",
        "body": {"contentType": "Text", "content": "Bonjour"},
        "toRecipients": [{"emailAddress": {"address": "chef@example.ci"}}],
    }
    sent = {"message": message, "saveToSentItems": False}
    assert (caller.post("/users/dsi@douanes.lab/sendMail", sent).status_code) == 202
    assert [(mail["from"], mail["message"]) for mail in graph.control.mails()] == [("dsi@douanes.lab", message)]
    assert error(caller.post("/users/no@douanes.lab/sendMail", sent))[1] == "MailboxNotEnabledForRESTAPI"
    assert error(caller.post("/users/x@douanes.lab/sendMail", sent))[1] == "ErrorInvalidUser"
    nobody = {"message": {**message, "toRecipients": []}}
    assert error(caller.post("/users/dsi@douanes.lab/sendMail", nobody))[1] == "ErrorInvalidRecipients"


def test_request_ids_come_back(caller):
    answer = caller.get("/users/nobody", **{"client-request-id": "my-own-id"})
    inner = answer.json()["error"]["innerError"]
    assert inner["client-request-id"] == answer.headers["client-request-id"] == "my-own-id"
    assert inner["request-id"] == answer.headers["request-id"]


def test_a_seed_with_a_property_that_graph_does_not_have_is_refused(graph):
    with pytest.raises(RefusedError, match="nickname"):
        graph.control.seed_user(userPrincipalName="a@douanes.lab", nickname="x")


def test_the_organisation_is_told(graph):
    told = (
        Caller(graph).sign_in().get("/organization?$select=id,verifiedDomains,onPremisesSyncEnabled").json()["value"][0]
    )
    assert [(domain["name"], domain["isDefault"], domain["isInitial"]) for domain in told["verifiedDomains"]] == [
        ("douanes.lab", True, False),
        ("douaneslab.onmicrosoft.com", False, True),
    ]
    assert told["onPremisesSyncEnabled"] is None
