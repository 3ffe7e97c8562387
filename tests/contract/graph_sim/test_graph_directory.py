"""The synchronisation from a real Active Directory: the session lab's Samba, over LDAPS."""

import base64
import json

import ldap3
import pytest
from graph_wire import Caller, error

from dsi_automation.lab.accounts import ADMINISTRATOR, READER, Passwords
from dsi_automation.lab.graph.settings import SYNC_JOB, SYNC_PRINCIPAL, SYNC_RULE, DirectorySource, Hybrid
from dsi_automation.lab.layout import BASE_DN, DC_NAME, DOMAIN
from dsi_automation.lab.ldap import LabDirectory

OU = f"OU=Utilisateurs,OU=BKE,OU=Sites,{BASE_DN}"
ELSEWHERE = f"OU=Utilisateurs,OU=SPY,OU=Sites,{BASE_DN}"
NAME = "CN=ESSAI Synchro 777001Z"


@pytest.fixture
def directory(lab):
    """Give a connection that may write, with no account of this test's left behind."""
    with LabDirectory.bind(lab.layout, ADMINISTRATOR, lab.passwords) as bound:
        connection = bound.connection
        yield connection
        for ou in (OU, ELSEWHERE):
            connection.delete(f"{NAME},{ou}")


@pytest.fixture
def synced(lab, graph_of):
    """Serve a tenant that one OU is synchronised to, on demand."""
    source = DirectorySource(
        host=lab.layout.dc_address,
        ca_file=lab.layout.ca_file,
        valid_names=[DC_NAME, lab.layout.dc_address],
        user=f"{READER}@{DOMAIN}",
        password_file=Passwords(lab.passwords.folder).file(READER),
        bases=[OU],
    )
    return graph_of(hybrid=Hybrid(enabled=True, every=0, directory=source)).endpoint


def add(directory):
    attributes = {
        "sAMAccountName": "777001z",
        "userPrincipalName": f"synchro.essai@{DOMAIN}",
        "mail": "synchro.essai@douanes.lab",
        "employeeID": "777001Z",
        "displayName": "ESSAI Synchro",
        "sn": "ESSAI",
        "givenName": "Synchro",
        "userAccountControl": "514",
    }
    assert directory.add(f"{NAME},{OU}", ["user"], attributes), directory.result
    directory.search(f"{NAME},{OU}", "(objectClass=*)", ldap3.BASE, attributes=["objectGUID"])
    return base64.b64encode(directory.response[0]["raw_attributes"]["objectGUID"][0]).decode()


def test_an_account_of_samba_becomes_a_user_follows_it_and_goes(directory, synced):
    control = synced.control
    before = control.sync()
    assert before["added"] > 0, "the users of the lab"
    assert control.sync(full=False) == {"added": 0, "changed": 0, "removed": 0}
    immutable = add(directory)
    assert control.sync(full=False)["added"] == 1
    caller = Caller(synced).sign_in()
    params = {"$filter": f"onPremisesImmutableId eq '{immutable}'", "$select": "id,employeeId,accountEnabled,mail"}
    found = caller.call("GET", "/users", params=params).json()["value"]
    assert [(row["employeeId"], row["accountEnabled"], row["mail"]) for row in found] == [
        ("777001Z", False, "synchro.essai@douanes.lab")
    ]
    user = control.user("777001Z")
    assert user["onPremisesDistinguishedName"] == f"{NAME},{OU}"
    assert user["onPremisesSecurityIdentifier"].startswith("S-1-5-21-")
    assert user["userPrincipalName"] == "synchro.essai@douaneslab.onmicrosoft.com", "the suffix is not verified"
    assert directory.modify(f"{NAME},{OU}", {"department": [(ldap3.MODIFY_REPLACE, ["Caisse"])]})
    assert control.sync(full=False) == {"added": 0, "changed": 1, "removed": 0}
    assert control.user("777001Z")["department"] == "Caisse"
    assert directory.modify_dn(f"{NAME},{OU}", NAME, new_superior=ELSEWHERE)
    assert control.sync(full=False)["removed"] == 1, "out of scope"
    assert [row["id"] for row in control.users(deleted=True)] == [found[0]["id"]]


def test_one_account_is_provisioned_on_demand(directory, synced):
    add(directory)
    caller = Caller(synced).sign_in()
    path = f"/servicePrincipals/{SYNC_PRINCIPAL}/synchronization/jobs/{SYNC_JOB}/provisionOnDemand"

    def ask(dn):
        subject = {"objectId": dn, "objectTypeName": "user"}
        return caller.post(path, {"parameters": [{"ruleId": SYNC_RULE, "subjects": [subject]}]})

    results = [
        json.loads(ask(dn).json()["key"])["result"] for dn in (f"{NAME},{OU}", f"{NAME},{OU}", f"CN=x,{OU}", "x")
    ]
    assert results == ["Success", "Skipped", "Failure", "Failure"]
    user = synced.control.user("777001Z")
    assert error(caller.call("PATCH", f"/users/{user['id']}", {"accountEnabled": True}))[0] == 400


def test_cycles_come_by_themselves(directory, synced):
    add(directory)
    synced.control.hybrid(enabled=True, every=0.05)
    waited = 0
    while synced.control.user("777001Z") is None:
        waited += 1
        assert waited < 5000
    assert synced.control.info()["last_sync"] is not None
