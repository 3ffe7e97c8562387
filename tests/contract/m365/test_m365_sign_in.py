"""How the application proves who it is, and what is said when it may not come in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dsi_automation.connectors.m365.client import Connection, GraphReader
from dsi_automation.connectors.m365.courier import FIRST_CONTACT
from dsi_automation.connectors.m365.errors import SignInRefusedError, UntrustedError
from dsi_automation.connectors.m365.sign_in import REASONS, roles
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.secrets import Secret


@pytest.fixture
def signing_in(endpoint, clock):
    opened = []

    def open_(**changes):
        opened.append(Connection(replace(endpoint, **changes), clock, clock.pause))
        return GraphReader(opened[-1])

    yield open_
    for connection in opened:
        connection.close()


def refused(code):
    ids = "Trace ID: 0000-aa Correlation ID: 1111-bb Timestamp: x"
    return 401, {}, {"error": "invalid_client", "error_description": f"AADSTS{code}: Something. {ids}"}


def test_a_certificate_signs_in_and_its_end_is_known(graph, signing_in, papers, clock):
    reader = signing_in(secret=None, certificate=papers.app)
    grant = reader.grant()
    assert grant.roles == {"User.Read.All"}
    assert timedelta(days=89) < grant.certificate_ends - clock.now() < timedelta(days=91)


@pytest.mark.parametrize("code", REASONS)
def test_each_reason_of_the_token_endpoint_is_a_sentence(graph, reader, code):
    graph.token_faults = [refused(code)]
    with pytest.raises(SignInRefusedError) as caught:
        reader.tenant()
    assert caught.value.what == REASONS[code][0]
    assert caught.value.detail["aadsts"] == code
    assert (caught.value.detail["trace_id"], caught.value.detail["correlation_id"]) == ("0000-aa", "1111-bb")
    assert graph.tokens == 1


def test_an_unknown_reason_is_still_a_sentence(graph, reader):
    graph.token_faults = [refused("99999")]
    with pytest.raises(SignInRefusedError) as caught:
        reader.tenant()
    assert caught.value.detail["aadsts"] == "99999"
    assert caught.value.next_step is not None


def test_the_reasons_do_not_share_a_sentence():
    assert len({what.render("en") for what, _ in REASONS.values()}) == len(REASONS)


def test_a_wrong_secret_says_nothing_of_it(graph, signing_in):
    with pytest.raises(SignInRefusedError) as caught:
        signing_in(secret=Secret("wrong-secret-of-the-application")).tenant()
    assert "wrong-secret" not in f"{caught.value!r} {caught.value} {caught.value.to_json()} {caught.value.__cause__}"


@pytest.mark.parametrize("fault", [(429, {"Retry-After": "3"}, {}), (503, {}, {"error": "x"}), (500, {}, {})])
def test_a_token_endpoint_that_fails_for_now_is_asked_again_by_the_one_layer_of_retry(graph, reader, clock, fault):
    graph.token_faults = [fault, fault]
    assert reader.tenant().hybrid
    assert graph.tokens == 3
    assert len(clock.waits) == 2


def test_one_token_serves_all(graph, reader):
    reader.tenant(), reader.users(), reader.skus()
    assert graph.tokens == 1


def test_a_token_that_graph_never_accepts_is_a_refusal_after_one_more(graph, reader):
    denied = (401, {}, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}})
    graph.fail("GET", "^/organization", denied, denied)
    with pytest.raises(SignInRefusedError):
        reader.tenant()
    assert graph.tokens == 2


def test_a_token_past_its_end_is_not_used_again(graph, reader):
    graph.expires_in = -1
    reader.tenant(), reader.users()
    assert graph.tokens == 2


def test_an_authority_that_does_not_answer_is_unreachable(signing_in, clock):
    with pytest.raises(UnreachableError):
        signing_in(authority="https://127.0.0.1:1", deadline=5.0).tenant()
    assert clock.seconds <= 5


def test_who_never_answered_is_given_up_soon_and_who_did_is_waited_for(graph, signing_in, clock):
    with pytest.raises(UnreachableError):
        signing_in(authority="https://127.0.0.1:1").tenant()
    assert clock.seconds <= FIRST_CONTACT
    reader = signing_in()
    reader.tenant()
    graph.fail("GET", "^/subscribedSkus", *[None] * 8, drop=True)
    begun = clock.seconds
    reader.skus()
    assert clock.seconds - begun > FIRST_CONTACT


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n"])
def test_a_certificate_that_cannot_be_used_is_named(signing_in, tmp_path, content):
    path = tmp_path / "app.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        signing_in(secret=None, certificate=str(path)).tenant()
    assert str(path) in caught.value.what.render("en")


def test_an_http_authority_is_refused(signing_in):
    with pytest.raises(UsageError):
        signing_in(authority="http://login.example").tenant()


def test_a_ca_file_that_cannot_be_used_is_named(signing_in, tmp_path):
    with pytest.raises(UsageError) as caught:
        signing_in(ca_file=str(tmp_path / "absent.pem")).tenant()
    assert "absent.pem" in caught.value.what.render("en")


def test_a_server_signed_by_nobody_trusted_is_not_given_the_secret_nor_asked_again(graph, signing_in, clock):
    with pytest.raises(UntrustedError) as caught:
        signing_in(ca_file=None).tenant()
    assert not caught.value.retryable
    assert (graph.tokens, clock.seconds) == (0, 0)


@pytest.mark.parametrize("token", ["", "opaque", "a.!!!.c", "a.e30.c", "a.WzFd.c"])
def test_a_token_without_roles_grants_nothing_known(token):
    assert roles(token) == frozenset()
