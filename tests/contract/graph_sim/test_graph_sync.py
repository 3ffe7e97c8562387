"""The synchronisation, fed by hand: who becomes a user, what follows, who goes."""

import json

import pytest
from graph_wire import Caller, error

from dsi_automation.core.errors import RefusedError
from dsi_automation.lab.graph.faults import Fault
from dsi_automation.lab.graph.settings import SYNC_JOB, SYNC_PRINCIPAL, SYNC_RULE, Hybrid

DN = "CN=KONÉ Awa 100001A,OU=Utilisateurs,OU=ABJ,OU=Sites,DC=ad,DC=douanes,DC=lab"


def account(**changes):
    return {
        "immutable_id": "wMGZ8cYt7kSgvGqGq3JxYQ==",
        "dn": DN,
        "login": "awa.kone",
        "upn": "awa.kone@douanes.lab",
        "mail": "awa.kone@douanes.lab",
        "addresses": ["SMTP:awa.kone@douanes.lab"],
        "staff_number": "100001A",
        "display_name": "KONÉ Awa",
        "enabled": True,
        **changes,
    }


@pytest.fixture
def hybrid(graph):
    graph.control.hybrid(enabled=True, every=0)
    return graph.control


def test_an_account_becomes_a_user_bearing_its_guid(hybrid, caller):
    assert hybrid.sync_users(account()) == {"added": 1, "changed": 0, "removed": 0}
    names = "userPrincipalName,mail,proxyAddresses,employeeId,accountEnabled,onPremisesSyncEnabled,assignedLicenses"
    params = {"$filter": "onPremisesImmutableId eq 'wMGZ8cYt7kSgvGqGq3JxYQ=='", "$select": names}
    assert caller.call("GET", "/users", params=params).json()["value"] == [
        {
            "userPrincipalName": "awa.kone@douanes.lab",
            "mail": "awa.kone@douanes.lab",
            "proxyAddresses": ["SMTP:awa.kone@douanes.lab"],
            "employeeId": "100001A",
            "accountEnabled": True,
            "onPremisesSyncEnabled": True,
            "assignedLicenses": [],
        }
    ]
    told = caller.get("/organization").json()["value"][0]
    assert told["onPremisesSyncEnabled"] is True
    assert told["onPremisesLastSyncDateTime"].endswith("Z")
    assert hybrid.sign_in("awa.kone@douanes.lab", "anything") == "unknown", "passwords do not travel"


def test_a_change_follows_and_no_change_changes_nothing(hybrid):
    hybrid.sync_users(account())
    first = hybrid.user("100001A")
    assert hybrid.sync_users(account()) == {"added": 0, "changed": 0, "removed": 0}
    assert hybrid.sync_users(account(enabled=False))["changed"] == 1
    user = hybrid.user("100001A")
    assert (user["id"], user["accountEnabled"]) == (first["id"], False)


def test_an_account_that_goes_is_deleted_and_comes_back_the_same(hybrid):
    hybrid.sync_users(account())
    first = hybrid.user("100001A")["id"]
    assert hybrid.sync_users(remove=(account()["immutable_id"],))["removed"] == 1
    assert hybrid.user("100001A") is None
    assert [row["id"] for row in hybrid.users(deleted=True)] == [first]
    hybrid.sync_users(account())
    assert hybrid.user("awa.kone@douanes.lab")["id"] == first


def test_what_the_directory_masters_cannot_be_changed_in_the_cloud(hybrid, caller):
    hybrid.sync_users(account())
    user = hybrid.user("100001A")["id"]
    for body in ({"displayName": "X"}, {"accountEnabled": False}, {"passwordProfile": {"password": "Zq8!kdjeur9"}}):
        said = error(caller.call("PATCH", f"/users/{user}", body))
        assert said[0] == 400
        assert said[2].startswith("Unable to update the specified properties for on-premises mastered Directory Sync")
    assert caller.call("PATCH", f"/users/{user}", {"usageLocation": "CI"}).status_code == 204


def test_a_suffix_that_is_not_verified_becomes_the_initial_domain(hybrid):
    hybrid.sync_users(account(upn="awa.kone@ad.douanes.lab"))
    assert hybrid.user("100001A")["userPrincipalName"] == "awa.kone@douaneslab.onmicrosoft.com"


def test_an_address_somebody_else_has_is_kept_out_and_reported(hybrid, caller):
    """Duplicate attribute resiliency; onPremisesProvisioningError resource type."""
    hybrid.seed_group(displayName="X", proxyAddresses=["SMTP:awa.kone@douanes.lab"])
    hybrid.sync_users(account())
    told = caller.get(
        f"/users/{hybrid.user('100001A')['id']}?$select=onPremisesProvisioningErrors,proxyAddresses"
    ).json()
    problem = told["onPremisesProvisioningErrors"][0]
    assert (problem["category"], problem["propertyCausingError"], problem["value"]) == (
        "PropertyConflict",
        "ProxyAddresses",
        "SMTP:awa.kone@douanes.lab",
    )
    assert told["proxyAddresses"] == []
    assert hybrid.sync_users(account())["changed"] == 0


def test_a_cloud_user_with_the_address_is_taken_over(hybrid, caller):
    made = caller.create()
    assert hybrid.sync_users(account())["added"] == 0
    assert hybrid.user("100001A")["id"] == made["id"]


def test_a_stopped_synchronisation_goes_silent(hybrid, caller):
    hybrid.sync_users(account())
    hybrid.fault(Fault.SYNC_STOPPED)
    with pytest.raises(RefusedError):
        hybrid.sync_users(account(enabled=False))
    told = provision(caller).json()
    assert json.loads(told["key"])["result"] == "Failure"


def test_a_tenant_that_is_not_hybrid_does_not_synchronise(graph, caller):
    with pytest.raises(RefusedError):
        graph.control.sync()
    assert provision(caller).status_code == 404


def provision(caller, **changes):
    """Example 2 of "synchronizationJob: provisionOnDemand"."""
    subject = {"objectId": DN, "objectTypeName": "user"}
    body = {"parameters": [{"ruleId": SYNC_RULE, "subjects": [subject]}], **changes}
    return caller.post(f"/servicePrincipals/{SYNC_PRINCIPAL}/synchronization/jobs/{SYNC_JOB}/provisionOnDemand", body)


def test_provisioning_on_demand_answers_in_text_inside_json(hybrid, caller):
    told = provision(caller).json()
    assert set(told) == {"@odata.context", "key", "value"}
    assert json.loads(told["key"])["details"]["errorCode"] == "EntrySynchronizationObjectNotFound"
    assert error(provision(caller, parameters=[]))[0] == 400


def test_somebody_can_be_licensed_from_the_start(graph_of):
    served = graph_of(hybrid=Hybrid(enabled=True, every=0, licensed={"awa.kone": "STANDARDPACK"}))
    control = served.endpoint.control
    control.sync_users(account())
    caller = Caller(served.endpoint).sign_in()
    user = control.user("100001A")
    assert caller.get(f"/users/{user['id']}/mailboxSettings").status_code == 200
    assert user["proxyAddresses"] == ["SMTP:awa.kone@douanes.lab", "smtp:awa.kone@douaneslab.onmicrosoft.com"]
    assert control.sync_users(account())["changed"] == 0
