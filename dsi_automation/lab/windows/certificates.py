"""HTTPS certificates of the simulated workstations, issued by the lab's CA when their port opens."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.spec import Tls


@dataclass(frozen=True, slots=True)
class ServerTls:
    """A port's TLS side: the context, and the SHA-256 of the certificate for channel bindings (RFC 5929)."""

    context: ssl.SSLContext
    certificate_sha256: bytes


class Authority:
    """The CA, read once.

    Raises:
        UsageError: its files cannot be read or are not a certificate and its key.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        try:
            self._certificate = x509.load_pem_x509_certificate(tls.ca_certificate.read_bytes())
            key = serialization.load_pem_private_key(tls.ca_key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(T("The lab's CA in {path} cannot be used.", path=tls.ca_certificate)) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise UsageError(T("The lab's CA in {path} cannot be used.", path=tls.ca_certificate))
        self._key = key

    def issue(self, names: list[str], address: str) -> ServerTls:
        """Return the TLS side for a machine of these names at this address; the key never stays on disk."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        alternatives = [*(x509.DNSName(name) for name in names), x509.IPAddress(ip_address(address))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._certificate.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self._tls.client_ca is not None:
            context.load_verify_locations(self._tls.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        descriptor, path = tempfile.mkstemp(suffix=".pem")  # OpenSSL through Python reads keys from files only
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(path)
        finally:
            Path(path).unlink()
        der = certificate.public_bytes(serialization.Encoding.DER)
        return ServerTls(context, hashlib.sha256(der).digest())
