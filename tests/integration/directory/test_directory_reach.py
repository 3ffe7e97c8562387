"""Why a directory cannot be reached is said plainly, on real sockets and real TLS."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dsi_automation.connectors.directory.client import LdapReader
from dsi_automation.connectors.directory.errors import CertificateRefusedError
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.secrets import Secret

SERVER = "dc1.ad.douanes.lab"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


class Authority:
    """A CA without an Authority Key Identifier, as many a site's is: Python 3.13's strictness refuses those."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA du site")])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, *extensions, start=NOW - 2 * DAY, end=NOW + DAY):
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(end)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def context(self, *names, **validity):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dc1")])
        chain, key_file = self.folder / "server.pem", self.folder / "server.key"
        certificate = self._sign(subject, key, x509.SubjectAlternativeName(names), **validity)
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key_file)
        return context


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def listen():
    """Start servers on the loopback that meet each connection with a given function."""
    started = []

    def start(meet):
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                with link:
                    meet(link)

        thread = threading.Thread(target=serve)
        thread.start()
        started.append((listener, thread))
        return listener.getsockname()[1]

    yield start
    for listener, thread in started:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def endpoint(port, ca_file, **changes):
    fields = {"address": "127.0.0.1", "timeout": 5.0, "password": Secret("canari-7Kx"), **changes}
    return DirectoryEndpoint(
        "ad.douanes.lab", "DOUANES", SERVER, "svc@ad.douanes.lab", port=port, ca_file=str(ca_file), **fields
    )


def failure(end, kind=UnreachableError):
    with pytest.raises(kind) as caught, LdapReader(end) as reader:
        reader.user("awa.kone")
    said = caught.value.to_json()
    assert all(said[part] for part in ("what", "next_step"))
    assert "canari" not in str(said)
    return caught.value


def speaking(context, seen):
    """Return a server that completes TLS, keeps what it is sent first, and hangs up."""

    def meet(link):
        try:
            with context.wrap_socket(link, server_side=True) as secured:
                seen.append(secured.recv(4096))
        except OSError as error:
            seen.append(error)

    return meet


NAMED = x509.DNSName(SERVER)


@pytest.mark.parametrize(
    ("names", "validity", "code"),
    [
        ([x509.DNSName("dc2.ad.douanes.lab")], {}, 62),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], {}, 62),
        ([x509.DNSName("*.douanes.lab")], {}, 62),
        ([NAMED], {"end": NOW - DAY}, 10),
        ([NAMED], {"start": NOW + DAY / 2}, 9),
    ],
    ids=["other-name", "address-only", "wildcard-too-high", "expired", "not-yet-valid"],
)
def test_a_certificate_that_does_not_prove_the_name_is_refused_before_the_password_is_sent(
    authority, listen, names, validity, code
):
    seen = []
    port = listen(speaking(authority.context(*names, **validity), seen))
    error = failure(endpoint(port, authority.file), CertificateRefusedError)
    assert error.detail["verify_code"] == code
    assert not error.retryable
    assert not any(isinstance(sent, bytes) and b"canari" in sent for sent in seen)


def test_a_certificate_of_another_ca_is_refused(authority, listen, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    port = listen(speaking(other.context(NAMED), []))
    assert failure(endpoint(port, authority.file), CertificateRefusedError).detail["verify_code"] in {7, 20}


def test_a_ca_without_key_identifier_is_accepted_and_the_name_checked_though_an_address_is_given(authority, listen):
    seen = []
    port = listen(speaking(authority.context(NAMED), seen))
    error = failure(endpoint(port, authority.file))
    assert not isinstance(error, CertificateRefusedError)
    assert b"svc@ad.douanes.lab" in seen[0]


def test_without_a_ca_file_only_the_system_s_are_trusted(authority, listen):
    port = listen(speaking(authority.context(NAMED), []))
    end = DirectoryEndpoint(
        "ad.douanes.lab", "D", SERVER, "svc@x", Secret("canari-7Kx"), address="127.0.0.1", port=port
    )
    assert failure(end, CertificateRefusedError).detail["verify_code"] in {19, 20, 21}


def test_a_port_nobody_listens_on(authority):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert isinstance(failure(endpoint(port, authority.file)).__cause__, ConnectionRefusedError)


def test_a_name_the_dns_does_not_know(authority):
    assert "gaierror" in failure(endpoint(636, authority.file, address="dc1.invalid")).detail["reason"]


def test_a_name_no_dns_could_know(authority):
    failure(endpoint(636, authority.file, address="a" * 70 + ".lab"))


def test_a_server_that_accepts_and_says_nothing_is_given_up_after_the_timeout(authority, listen):
    release = threading.Event()
    port = listen(lambda link: release.wait(20))
    try:
        error = failure(endpoint(port, authority.file, timeout=0.2))
    finally:
        release.set()
    assert "timed out" in error.detail["reason"]


def test_a_server_that_does_not_speak_tls(authority, listen):
    port = listen(lambda link: link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert failure(endpoint(port, authority.file)).retryable


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_a_ca_file_that_cannot_be_used_is_a_usage_error(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    assert str(path) in str(failure(endpoint(636, path), UsageError))


def test_an_empty_password_is_never_sent_for_a_server_would_take_it_as_anonymous(authority, listen):
    seen = []
    port = listen(speaking(authority.context(NAMED), seen))
    failure(endpoint(port, authority.file, password=Secret("")), UsageError)
    assert seen == []
