"""The token endpoint, against azure-identity and against what Microsoft publishes of its refusals."""

import json
import time

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from cryptography.hazmat.primitives.asymmetric import rsa
from graph_wire import SCOPE, Caller, error

from dsi_automation.lab.graph import jwt
from dsi_automation.lab.graph.faults import Fault

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def options(graph):
    return {
        "authority": graph.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(graph.ca_file),
    }


def test_azure_identity_signs_in_with_the_certificate_and_reads(graph):
    credential = CertificateCredential(
        graph.tenant_id, graph.client_id, certificate_path=str(graph.certificate), **options(graph)
    )
    caller = Caller(graph)
    caller.session.headers["Authorization"] = f"Bearer {credential.get_token(SCOPE).token}"
    credential.close()
    assert caller.get("/organization").status_code == 200


def test_azure_identity_signs_in_with_the_secret_and_is_told_when_it_is_wrong(graph):
    with ClientSecretCredential(graph.tenant_id, graph.client_id, graph.secret, **options(graph)) as credential:
        _, claims = jwt.parts(credential.get_token(SCOPE).token)
    assert claims["appid"] == graph.client_id
    assert "User.ReadWrite.All" in claims["roles"]
    with (
        ClientSecretCredential(graph.tenant_id, graph.client_id, "wrong", **options(graph)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(SCOPE)


def test_a_refusal_has_the_published_members(graph):
    """sap-automation issue 418 and microsoft-365-agents-toolkit issue 8621 publish this body whole."""
    answer = Caller(graph).token(client_secret="wrong")
    told = answer.json()
    assert answer.status_code == 401
    assert set(told) == {
        "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri",
    }  # fmt: skip
    assert told["error"] == "invalid_client"
    assert told["error_codes"] == [7000215]
    assert told["error_description"].startswith(
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client "
        f"secret value, not the client secret ID, for a secret added to app '{graph.client_id}'."
    )


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({}, 7000218),
        ({"client_id": "11111111-1111-1111-1111-111111111111"}, 700016),
        ({"grant_type": "password"}, 70003),
        ({"scope": "User.Read.All"}, 1002012),
        ({"tenant": "elsewhere.example"}, 90002),
        ({"client_assertion": "x.y", "client_assertion_type": ASSERTION}, 50027),
    ],
)
def test_each_mistake_has_its_number(graph, form, number):
    assert Caller(graph).token(**form).json()["error_codes"] == [number]


def own_assertion(graph, key=None, header=None, **claims):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = graph.certificate.read_bytes()
    certificate = x509.load_pem_x509_certificate(pem)
    from cryptography.hazmat.primitives import hashes

    token = f"{graph.authority}/{graph.tenant_id}/oauth2/v2.0/token"
    said = {"aud": token, "iss": graph.client_id, "sub": graph.client_id, "exp": time.time() + 600, "jti": "1"}
    mine = {"x5t#S256": jwt.encode(certificate.fingerprint(hashes.SHA256()))} if header is None else header
    return jwt.sign(mine, {**said, **claims}, key or load_pem_private_key(pem, None))


@pytest.mark.parametrize(
    ("claims", "number"),
    [({}, None), ({"exp": 1000}, 700024), ({"aud": "https://elsewhere"}, 700023), ({"iss": "somebody"}, 700021)],
)
def test_an_assertion_is_checked_claim_by_claim(graph, claims, number):
    answer = Caller(graph).token(client_assertion=own_assertion(graph, **claims), client_assertion_type=ASSERTION)
    assert answer.json().get("error_codes") == (None if number is None else [number])


def test_an_assertion_signed_by_somebody_else_or_with_an_unknown_certificate_is_refused(graph):
    other = rsa.generate_private_key(65537, 2048)
    for assertion in (own_assertion(graph, key=other), own_assertion(graph, header={"x5t": "AAAA"})):
        told = Caller(graph).token(client_assertion=assertion, client_assertion_type=ASSERTION).json()
        assert told["error_codes"] == [700027]


def test_discovery_names_the_token_endpoint_on_the_same_host(graph):
    caller = Caller(graph)
    url = f"{graph.authority}/{graph.tenant_id}/v2.0/.well-known/openid-configuration"
    told = caller.session.get(url, timeout=30).json()
    assert told["token_endpoint"] == f"{graph.authority}/{graph.tenant_id}/oauth2/v2.0/token"


def test_no_token_a_forged_one_and_an_old_one_are_refused(graph):
    caller = Caller(graph)
    assert error(caller.get("/users"))[:2] == (401, "InvalidAuthenticationToken")
    forged = jwt.sign({}, {"exp": time.time() + 99, "iat": 0, "roles": []}, rsa.generate_private_key(65537, 2048))
    assert error(caller.get("/users", Authorization=f"Bearer {forged}"))[0] == 401
    caller.sign_in()
    assert caller.get("/users").status_code == 200
    graph.control.expire_tokens()
    assert error(caller.get("/users")) == (
        401,
        "InvalidAuthenticationToken",
        "Lifetime validation failed, the token is expired.",
    )
    assert caller.sign_in().get("/users").status_code == 200


def test_the_permissions_of_the_token_decide(graph):
    graph.control.roles("User.Read.All")
    caller = Caller(graph).sign_in()
    assert caller.get("/users").status_code == 200
    denied = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    assert error(caller.post("/users", {})) == denied
    assert error(caller.get("/organization")) == denied
    assert error(caller.get("/users/x/mailboxSettings"))[:2] == (403, "ErrorAccessDenied")


def test_a_password_and_an_account_s_state_have_permissions_of_their_own(graph):
    """Update user, "Permissions for specific scenarios"; the 403 with User.ReadWrite.All alone was met live."""
    graph.control.seed_user(userPrincipalName="a@douanes.lab", displayName="A")
    graph.control.roles("User.ReadWrite.All")
    caller = Caller(graph).sign_in()
    new = {"passwordProfile": {"password": "Other-Pass-77"}}
    assert error(caller.call("PATCH", "/users/a@douanes.lab", new))[0] == 403
    graph.control.roles("User.EnableDisableAccount.All", "User.Read.All")
    caller.sign_in()
    assert caller.call("PATCH", "/users/a@douanes.lab", {"accountEnabled": False}).status_code == 204
    assert error(caller.call("PATCH", "/users/a@douanes.lab", {"accountEnabled": True, **new}))[0] == 403
    assert graph.control.user("a@douanes.lab")["accountEnabled"] is False


def test_a_token_can_be_refused_by_a_fault(graph):
    graph.control.fault(Fault.TOKEN_REFUSED, error="7000222", count=1)
    caller = Caller(graph)
    assert caller.token(client_secret=graph.secret).json()["error_codes"] == [7000222]
    assert caller.sign_in().get("/users").status_code == 200


def test_no_secret_is_in_the_record(graph):
    caller = Caller(graph).sign_in()
    caller.token(client_assertion=own_assertion(graph), client_assertion_type=ASSERTION)
    lines = [json.loads(line) for line in graph.record_file.read_text().splitlines()]
    text = graph.record_file.read_text()
    assert {line["path"] for line in lines[-2:]} == {f"/{graph.tenant_id}/oauth2/v2.0/token"}
    assert lines[-1]["body"]["client_assertion"] == lines[-2]["body"]["client_secret"] == "•••"
    assert graph.secret not in text
    assert "Bearer" not in text
