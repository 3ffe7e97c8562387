"""Whatever is sent, the tenant answers or refuses: it never breaks, and a refusal changes nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.graph import batch
from dsi_automation.lab.graph.errors import GraphError
from dsi_automation.lab.graph.service import NOTHING, Answer, Call, Service
from dsi_automation.lab.graph.settings import ROLES, SYNC_JOB, SYNC_PRINCIPAL, App, Delays, GraphSettings, Seeds
from dsi_automation.lab.graph.tenant import Tenant

TYPED = {"content-type": "application/json"}
AWA = "aaaaaaaa-0000-0000-0000-000000000001"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("awa@douanes.lab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile", "mail", "businessPhones",
     "usageLocation", "employeeId", "identities", "@odata.type", "onPremisesImmutableId"]
)  # fmt: skip
GOOD = {
    "accountEnabled": True,
    "displayName": "Yao",
    "mailNickname": "yao",
    "userPrincipalName": "yao@douanes.lab",
    "passwordProfile": {"password": "Zq8!kdjeur9"},
}
PROFILES = st.fixed_dictionaries({"passwordProfile": JSON | st.fixed_dictionaries({"password": JSON})})
USERS = st.dictionaries(NAMES, JSON, max_size=6) | PROFILES
NEW_USERS = USERS | st.builds(lambda changes: {**GOOD, **changes}, st.dictionaries(NAMES, JSON, max_size=1) | PROFILES)
LICENCES = st.fixed_dictionaries(
    {
        "addLicenses": JSON | st.lists(st.fixed_dictionaries({"skuId": JSON, "disabledPlans": JSON}), max_size=2),
        "removeLicenses": JSON,
    }
)
RECIPIENTS = JSON | st.lists(st.fixed_dictionaries({"emailAddress": JSON | st.fixed_dictionaries({"address": JSON})}))
MAILS = st.fixed_dictionaries(
    {"message": JSON | st.fixed_dictionaries({"subject": JSON, "body": JSON, "toRecipients": RECIPIENTS})}
)
SUBJECTS = st.fixed_dictionaries(
    {"parameters": JSON | st.lists(st.fixed_dictionaries({"ruleId": JSON, "subjects": JSON}))}
)


def made():
    here = Path("unused")
    tenant = Tenant(
        GraphSettings(
            address="127.0.0.1",
            certificate_file=here,
            key_file=here,
            control_socket=here,
            app=App(),
            delays=Delays(create=0, location=0, licence=0, mailbox=0),
            seeds=Seeds(users=[{"id": AWA, "userPrincipalName": "awa@douanes.lab", "mailboxReady": True}]),
        ),
        SystemClock(),
    )
    tenant.fill()

    async def provision(dn):
        return {"key": dn, "value": ""}

    return tenant, Service(tenant, provision)


def call(method, path, body=NOTHING, query=""):
    return Call(method, path, query, TYPED, body, frozenset(ROLES), "https://127.0.0.1/v1.0")


def outcome(service, asked):
    return run(service.answer(asked))


def run(coroutine):
    """Run what waits for nothing, without the price of a loop; return its answer or refusal."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    except GraphError as refusal:
        return refusal
    raise AssertionError("it waits for something")


SYNC = f"/servicePrincipals/{SYNC_PRINCIPAL}/synchronization/jobs/{SYNC_JOB}/provisionOnDemand"


@pytest.mark.parametrize(
    ("method", "path", "bodies"),
    [
        ("POST", "/users", NEW_USERS),
        ("PATCH", f"/users/{AWA}", USERS),
        ("POST", f"/users/{AWA}/assignLicense", LICENCES),
        ("POST", f"/users/{AWA}/sendMail", MAILS),
        ("POST", SYNC, SUBJECTS),
    ],
)
def test_any_body_is_answered_or_refused_and_a_refusal_changes_nothing(method, path, bodies):
    @settings(max_examples=100)
    @given(bodies | JSON)
    def holds(body):
        tenant, service = made()
        before = tenant.store.dump()
        result = outcome(service, call(method, path, body))
        assert 200 <= result.status < 500
        if isinstance(result, GraphError):
            assert tenant.store.dump() == before

    holds()


@given(st.text(max_size=30), st.text(max_size=40))
def test_any_path_and_query_is_answered_or_refused(path, query):
    _, service = made()
    for method in ("GET", "POST", "DELETE"):
        assert outcome(service, call(method, "/users/" + path.replace("?", ""), query=query)).status < 500
    assert outcome(service, call("GET", "/users", query=f"$filter={query}")).status < 500


MEMBERS = st.sampled_from(["id", "method", "url", "headers", "body", "dependsOn"])
ITEMS = st.lists(st.dictionaries(MEMBERS, JSON | st.just("GET"), max_size=6), max_size=3)


@given(JSON | st.fixed_dictionaries({"requests": JSON | ITEMS}))
def test_any_batch_is_answered_or_refused(body):
    async def item(identifier, asked, blocked):
        return blocked or Answer(200, {})

    answer = run(batch.answer(call("POST", "/$batch", body), item))
    if isinstance(answer, GraphError):
        assert answer.status == 400
    else:
        assert len(answer.body["responses"]) == len(body["requests"])
