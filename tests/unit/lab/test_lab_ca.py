"""The lab's certificates pass the strictest verification Python has."""

import ssl
from datetime import UTC, datetime

import pytest

from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.ca import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("ca"), SystemClock())
    made.ensure()
    return made


def handshake(server, client, name):
    """Do a TLS handshake in memory; raises what the client finds wrong."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        waiting = []
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting.append(end)
        if not waiting:
            return ends[0].getpeercert()
    raise AssertionError("the handshake does not end")


@pytest.fixture(scope="module")
def server(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("dc1", ["dc1.ad.douanes.lab"], ["198.18.0.10"]))
    return context


@pytest.mark.parametrize("name", ["dc1.ad.douanes.lab", "198.18.0.10"])
def test_a_strict_client_accepts_the_certificate_by_name_and_by_address(authority, server, name):
    client = ssl.create_default_context(cafile=str(authority.certificate_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert handshake(server, client, name)["subject"]


def test_a_client_that_expects_another_name_refuses(authority, server):
    client = ssl.create_default_context(cafile=str(authority.certificate_file))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "other.ad.douanes.lab")


def test_a_client_without_the_lab_authority_refuses(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context(), "dc1.ad.douanes.lab")


def test_keys_are_readable_by_their_owner_only(authority):
    _, key = authority.issue("dc1", ["dc1.ad.douanes.lab"], [])
    assert {path.stat().st_mode & 0o777 for path in (key, authority.key_file)} == {0o600}


def test_what_was_made_once_stays(authority):
    before = authority.certificate_file.read_bytes(), authority.issue("ws", ["ws"], [])[0].read_bytes()
    assert authority.ensure() is False
    assert (authority.certificate_file.read_bytes(), authority.issue("ws", ["ws"], [])[0].read_bytes()) == before


def test_certificates_are_good_now_and_for_a_year(authority, server):
    client = ssl.create_default_context(cafile=str(authority.certificate_file))
    found = handshake(server, client, "198.18.0.10")
    begins, ends = (ssl.cert_time_to_seconds(found[key]) for key in ("notBefore", "notAfter"))
    now = datetime.now(UTC).timestamp()
    assert begins < now < ends
    assert 364 < (ends - begins) / 86400 < 366
