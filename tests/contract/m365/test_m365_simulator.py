"""The connector and the lab's Graph simulator hold to the same shapes: a whole life of an account, and its troubles."""

import json

import pytest

from dsi_automation.connectors.m365.client import Connection
from dsi_automation.connectors.m365.errors import (
    AddressTakenError,
    NoSeatError,
    PermissionMissingError,
    SignInRefusedError,
)
from dsi_automation.connectors.m365.port import HolderKind, Letter, NewCloudUser, TenantEndpoint
from dsi_automation.connectors.m365.writer import GraphWriter
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UnknownOutcomeError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.graph.faults import Fault
from dsi_automation.lab.graph.loopback import LoopbackGraph

PASSWORD = Secret("Tempo-raire-7712")
AYA = NewCloudUser(
    "aya@douanes.lab", "aya", "KOUAMÉ Aya", "100001A", "CI", "KOUAMÉ", "Aya", "Brigade", "+2250700000000"
)


@pytest.fixture(scope="module")
def simulated():
    with LoopbackGraph() as served:
        yield served.endpoint


@pytest.fixture
def tenant(simulated):
    simulated.control.reset()
    return simulated


@pytest.fixture
def agent(tenant, permit):
    endpoint = TenantEndpoint(
        tenant_id=tenant.tenant_id,
        client_id=tenant.client_id,
        base_url=tenant.base_url,
        authority=tenant.authority,
        scope="https://graph.microsoft.com/.default",
        ca_file=str(tenant.ca_file),
        certificate=str(tenant.certificate),
        public_authority=False,
        timeout=10,
        deadline=20,
    )
    with GraphWriter(Connection(endpoint, SystemClock()), permit) as made:
        yield made


def sku(agent):
    return next(one for one in agent.skus() if one.part_number == "STANDARDPACK")


def asked(tenant, method):
    lines = [json.loads(line) for line in tenant.record_file.read_text().splitlines()]
    return [line for line in lines if line["method"] == method]


def test_an_account_lives_from_its_creation_to_its_end(tenant, agent):
    standard = sku(agent)
    assert not agent.tenant().hybrid
    made = agent.create_user(AYA, PASSWORD)
    assert agent.user(made.id).staff_number == "100001A"
    agent.set_usage_location(made.id, "CI")
    agent.change_licences(made.id, [standard.id], [])
    assert agent.user(made.id).licences == (standard.id,)
    assert sku(agent).free == standard.free - 1
    assert agent.users_by_staff_number(["100001a"])["100001a"][0].id == made.id
    assert agent.users_by_address(["AYA@douanes.lab"])["AYA@douanes.lab"][0].id == made.id
    agent.reset_password(made.id, PASSWORD)
    agent.revoke_sessions(made.id)
    agent.set_enabled(made.id, enabled=False)
    agent.change_licences(made.id, [], [standard.id])
    ended = agent.user(made.id)
    assert (ended.enabled, ended.licences) == (False, ())
    assert made.id in {one.id for one in agent.users()}


def test_everything_that_holds_an_address_is_found(tenant, agent):
    tenant.control.seed_user(userPrincipalName="n'guessan@douanes.lab", displayName="N'Guessan")
    tenant.control.seed_group(displayName="Tous", mail="tous@douanes.lab", proxyAddresses=["SMTP:tous@douanes.lab"])
    tenant.control.seed_contact(displayName="Hors", mail="h@x.ci", proxyAddresses=["SMTP:hors@douanes.lab"])
    tenant.control.seed_deleted_user(userPrincipalName="parti@douanes.lab", displayName="Parti")
    addresses = [f"{name}@douanes.lab" for name in ("N'GUESSAN", "tous", "hors", "parti", "libre")]
    kinds = [[one.kind for one in holders] for holders in agent.holders(addresses).values()]
    assert kinds == [[HolderKind.USER], [HolderKind.GROUP], [HolderKind.CONTACT], [HolderKind.DELETED_USER], []]


def test_a_504_after_the_commit_is_recognised_as_ours(tenant, agent):
    tenant.control.fault(Fault.STATUS, method="POST", path="/users", status=504, after_commit=True, count=1)
    made = agent.create_user(AYA, PASSWORD)
    assert [one.id for one in agent.users() if one.staff_number == "100001A"] == [made.id]


def test_a_cut_after_the_commit_is_recognised_as_ours(tenant, agent):
    tenant.control.fault(Fault.CUT, method="POST", path="/users", after_commit=True, count=1)
    made = agent.create_user(AYA, PASSWORD)
    assert [one.id for one in agent.users() if one.staff_number == "100001A"] == [made.id]


def test_an_address_of_somebody_else_is_taken(tenant, agent):
    tenant.control.take_address(AYA.upn)
    with pytest.raises(AddressTakenError):
        agent.create_user(AYA, PASSWORD)


def test_seats_run_out_by_name(tenant, agent):
    tenant.control.seats("STANDARDPACK", 0)
    made = agent.create_user(AYA, PASSWORD)
    with pytest.raises(NoSeatError):
        agent.change_licences(made.id, [sku(agent).id], [])


@pytest.mark.parametrize("where", ["outer", "item"])
@pytest.mark.parametrize("retry_after", ["0.2", "0", None])
def test_throttling_is_waited_out_by_itself_and_in_a_batch(tenant, agent, where, retry_after):
    ids = [tenant.control.seed_user(userPrincipalName=f"u{n}@douanes.lab")["id"] for n in range(25)]
    tenant.control.fault(Fault.THROTTLE, method=None, where=where, count=2, retry_after=retry_after)
    assert not any(state.ready for state in agent.mailboxes(ids).values())
    assert agent.exchanges.retries >= 2


def test_a_missing_permission_is_named(tenant, agent):
    tenant.control.roles("User.Read.All", "GroupMember.Read.All")
    with pytest.raises(PermissionMissingError) as caught:
        agent.holders(["a@douanes.lab"])
    assert caught.value.detail["permission"] == "OrgContact.Read.All"
    assert caught.value.detail["request_id"]
    assert agent.grant().roles == {"User.Read.All", "GroupMember.Read.All"}


def test_a_refused_token_is_a_sentence(tenant, agent):
    tenant.control.fault(Fault.TOKEN_REFUSED, error="700027")
    with pytest.raises(SignInRefusedError) as caught:
        agent.tenant()
    assert caught.value.detail["aadsts"] == "700027"


def test_a_token_that_ended_meanwhile_is_replaced_also_before_a_creation(tenant, agent):
    agent.tenant()
    tenant.control.expire_tokens()
    made = agent.create_user(AYA, PASSWORD)
    tenant.control.expire_tokens()
    agent.set_usage_location(made.id, "CI")
    assert agent.user(made.id).usage_location == "CI"


def test_a_mail_is_sent_once_or_not_known(tenant, agent):
    tenant.control.seed_user(userPrincipalName="dsi@douanes.lab", licences=["STANDARDPACK"], mailboxReady=True)
    agent.send_mail(Letter("dsi@douanes.lab", "chef@douanes.lab", "Bienvenue", "Bonjour"))
    tenant.control.fault(Fault.STATUS, method="POST", path="/users/*/sendMail", status=504, after_commit=True, count=1)
    with pytest.raises(UnknownOutcomeError):
        agent.send_mail(Letter("dsi@douanes.lab", "chef@douanes.lab", "Bienvenue", "Bonjour"))
    assert len(asked(tenant, "POST")) >= 2
