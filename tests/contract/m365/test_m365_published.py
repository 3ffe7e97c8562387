"""Every request of the connector, as the simulator records it, is in Microsoft's published description of Graph."""

import pytest
from graph_published import differences, recorded

from dsi_automation.connectors.m365.client import Connection
from dsi_automation.connectors.m365.port import Letter, NewCloudUser, SyncTarget, TenantEndpoint
from dsi_automation.connectors.m365.writer import GraphWriter
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.graph.loopback import LoopbackGraph
from dsi_automation.lab.graph.settings import SYNC_JOB, SYNC_PRINCIPAL, SYNC_RULE

PASSWORD = Secret("Tempo-raire-7712")
AYA = NewCloudUser(
    "aya@douanes.lab", "aya", "N'GUESSAN Aya", "100001A", "CI", "N'GUESSAN", "Aya", "Brigade", "+2250700000000"
)
TEXT = {"body": {"contentType": "Text"}}
CALLS = {
    ("GET", "organization"), ("GET", "subscribedSkus"), ("GET", "users"), ("GET", "groups"), ("GET", "contacts"),
    ("GET", "directory/deletedItems/graph.user"), ("GET", "users/*"), ("GET", "users/*/mailboxSettings"),
    ("POST", "users"), ("PATCH", "users/*"), ("POST", "users/*/assignLicense"),
    ("POST", "users/*/revokeSignInSessions"), ("POST", "users/*/sendMail"), ("POST", "$batch"),
    ("POST", "servicePrincipals/*/synchronization/jobs/*/provisionOnDemand"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Return what is recorded of a life of an account with everything the connector can ask."""
    with LoopbackGraph(tmp_path_factory.mktemp("published")) as served:
        tenant = served.endpoint
        endpoint = TenantEndpoint(
            tenant_id=tenant.tenant_id,
            client_id=tenant.client_id,
            base_url=tenant.base_url,
            authority=tenant.authority,
            scope="https://graph.microsoft.com/.default",
            ca_file=str(tenant.ca_file),
            certificate=str(tenant.certificate),
            public_authority=False,
        )
        tenant.control.seed_user(userPrincipalName="dsi@douanes.lab", licences=["STANDARDPACK"], mailboxReady=True)
        with GraphWriter(Connection(endpoint, SystemClock()), Permit(), SYNC) as agent:
            everything(agent)
        return recorded(tenant.record_file)


class Permit:
    run_id = "RUN-1"

    def check(self, target):
        """Allow it."""


SYNC = SyncTarget(SYNC_PRINCIPAL, SYNC_JOB, SYNC_RULE)


def everything(agent):
    agent.tenant()
    sku = next(one for one in agent.skus() if one.part_number == "STANDARDPACK")
    agent.holders([f"n'{number}@douanes.lab" for number in range(7)])
    made = agent.create_user(AYA, PASSWORD)
    assert agent.user(made.id).must_change
    agent.users()
    agent.users_by_staff_number(["100001A", "o'neil"])
    agent.users_by_immutable_id(["C72jjzxu4UW87R6Ho4LS1w=="])
    agent.users_by_address([AYA.upn])
    agent.set_usage_location(made.id, "CI")
    agent.change_licences(made.id, [sku.id], [])
    agent.mailboxes([made.id, "dsi@douanes.lab"])
    agent.change_licences(made.id, [], [sku.id])
    agent.reset_password(made.id, PASSWORD)
    agent.revoke_sessions(made.id)
    agent.set_enabled(made.id, enabled=False)
    agent.send_mail(Letter("dsi@douanes.lab", "chef@douanes.lab", "Bienvenue", "Bonjour"))
    with pytest.raises(DsiError):  # this tenant is not hybrid; the request is what counts
        agent.provision_now("CN=x,DC=ad")


def kind(line):
    parts = line["path"].removeprefix("/v1.0/").split("/")
    changing = {"users": (1,), "servicePrincipals": (1, 4)}.get(parts[0], ())
    return line["method"], "/".join("*" if place in changing else part for place, part in enumerate(parts))


def test_the_requests_are_those_of_the_description(lines):
    assert {kind(line) for line in lines} == CALLS
    assert [found for line in lines for found in differences(line)] == []


def test_a_line_has_what_is_needed_to_hold_it_against_a_description_and_no_secret(lines):
    for line in lines:
        assert {"method", "path", "query", "headers", "body"} <= set(line)
        assert not {"authorization", "cookie"} & {name.lower() for name in line["headers"]}
        assert PASSWORD.reveal() not in str(line)


@pytest.mark.parametrize(
    "line",
    [
        {"method": "GET", "path": "/v1.0/users", "query": "$skip=3", "body": None},
        {"method": "GET", "path": "/v1.0/users", "query": "$select=id,matricule", "body": None},
        {"method": "GET", "path": "/v1.0/users", "query": "$filter=matricule eq 'x'", "body": None},
        {"method": "GET", "path": "/v1.0/users/1/mailbox", "query": "", "body": None},
        {"method": "PUT", "path": "/v1.0/users/1", "query": "", "body": {}},
        {"method": "PATCH", "path": "/v1.0/users/1", "query": "", "body": {"usage_location": "CI"}},
        {"method": "PATCH", "path": "/v1.0/users/1", "query": "", "body": {"accountEnabled": "false"}},
        {"method": "POST", "path": "/v1.0/users/1/assignLicense", "query": "", "body": {"addLicenses": []}},
        {"method": "POST", "path": "/v1.0/users/1/sendMail", "query": "", "body": {"Message": TEXT}},
    ],
    ids=lambda line: f"{line['method']} {line['path'][6:]} {line['query']}{line['body'] or ''}",
)  # fmt: skip
def test_what_the_description_does_not_have_is_seen(line):
    assert differences(line)
