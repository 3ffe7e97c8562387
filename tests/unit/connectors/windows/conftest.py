"""A server over TLS that does, request by request, what the test says: what a simulator would not do."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.core.secrets import Secret

type Behaviour = Callable[["Scripted", ssl.SSLSocket, bytes], bool]


class Scripted:
    """Each request is handled by the next behaviour; one that returns False closes the connection."""

    def __init__(self, certificate: Path) -> None:
        self.requests: list[bytes] = []
        self.heads: list[str] = []
        self.connections = 0
        self.script: queue.SimpleQueue[Behaviour] = queue.SimpleQueue()
        self.over = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def will(self, *behaviours: Behaviour) -> None:
        for behaviour in behaviours:
            self.script.put(behaviour)

    def close(self) -> None:
        if self.over.is_set():
            return
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self.connections += 1
                self._open.append(connection)
                while (request := self._request(connection)) is not None:
                    self.requests.append(request)
                    if not self.script.get_nowait()(self, connection, request):
                        return
        except (OSError, queue.Empty):
            plain.close()

    def _request(self, connection: ssl.SSLSocket) -> bytes | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return None
            head += byte
        self.heads.append(head.decode())
        length, body = int(re.search(rb"(?i)content-length: (\d+)", head)[1]), b""
        while len(body) < length:
            body += connection.recv(length - len(body))
        return body


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> tuple[Path, Path]:
    """A CA, a server certificate for 127.0.0.1 with its key; beside them `stranger.pem`, a CA of the same name."""
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime.now(dt.UTC)

    def certificate(name: str, key, issuer: str, signer, *extensions) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(signer, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = certificate("lab CA", ca_key, "lab CA", ca_key, x509.BasicConstraints(ca=True, path_length=None), usage)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = certificate("ws", key, "lab CA", ca_key, alternative)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stranger = certificate("lab CA", key, "lab CA", key, x509.BasicConstraints(ca=True, path_length=None), usage)
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "stranger.pem").write_bytes(stranger.public_bytes(pem))
    (folder / "server.pem").write_bytes(secret + server.public_bytes(pem))
    return folder / "ca.pem", folder / "server.pem"


@pytest.fixture
def server(certificates) -> Iterator[Scripted]:
    scripted = Scripted(certificates[1])
    yield scripted
    scripted.close()


@pytest.fixture
def endpoint(server, certificates) -> WindowsEndpoint:
    return WindowsEndpoint(
        "ws1",
        "127.0.0.1",
        server.port,
        "https",
        Transport.BASIC,
        "Administrateur",
        Secret("canary-password"),
        ca_file=str(certificates[0]),
        read_timeout=5.0,
    )
