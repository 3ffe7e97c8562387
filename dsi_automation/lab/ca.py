"""The lab's certificate authority, and the certificates it issues to the domain controller and the workstations.

Python 3.13 verifies in strict X.509 mode (`VERIFY_X509_STRICT`): an authority needs a Subject Key Identifier and key
usage, what it issues an Authority Key Identifier, and names must be in Subject Alternative Name (RFC 5280 4.2.1).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.core.clock import Clock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

VALIDITY: Final = timedelta(days=365)
BACKDATE: Final = timedelta(hours=1)
"""Certificates start in the past, so that a client whose clock is a little behind accepts them."""


class Authority:
    """The lab's certificate authority: a key and a certificate in a folder, made once."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Keep where the authority is; `ensure` makes it."""
        self.folder = folder
        self.clock = clock

    @property
    def certificate_file(self) -> Path:
        """The certificate clients trust, PEM."""
        return self.folder / "ca.pem"

    @property
    def key_file(self) -> Path:
        """The authority's key, PEM, 0600."""
        return self.folder / "ca.key"

    def ensure(self) -> bool:
        """Make the authority if it is not there.

        Returns:
            Whether it was made.
        """
        if self.certificate_file.exists() and self.key_file.exists():
            return False
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Autorité de certification du lab DSI")
        builder = _builder(name, name, key, self.clock.now())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        _write_key(self.key_file, key)
        _write_certificate(self.certificate_file, builder, key)
        return True

    def issue(self, label: str, dns_names: Iterable[str], addresses: Iterable[str]) -> tuple[Path, Path]:
        """Issue a server certificate, or return the one issued under this label before.

        Args:
            label: the name of its files.
            dns_names: the names it is for; the first is its common name too.
            addresses: the IP addresses it is for.

        Returns:
            The certificate's file and the key's, PEM.
        """
        certificate, key_file = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        if certificate.exists() and key_file.exists():
            return certificate, key_file
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        names = list(dns_names)
        authority, authority_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = [
            *(x509.DNSName(name) for name in names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
        ]
        builder = _builder(_name(names[0]), authority.subject, key, self.clock.now())
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName(alternative), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        _write_key(key_file, key)
        _write_certificate(certificate, builder, authority_key)
        return certificate, key_file

    def issue_application(self, name: str, path: Path) -> bool:
        """Issue the certificate an application signs in with, with its key in the same file, unless it is there.

        RSA, because Microsoft's sign-in takes assertions signed with RS256 or PS256 only.

        Returns:
            Whether it was made.
        """
        if path.exists():
            return False
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from cryptography.x509.oid import ExtendedKeyUsageOID

        authority, authority_key = self._load()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        builder = _builder(_name(name), authority.subject, key, self.clock.now())
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, pem.decode())
        return True

    def _load(self) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self.key_file.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError(type(key).__name__)
        return x509.load_pem_x509_certificate(self.certificate_file.read_bytes()), key


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CI"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab DSI"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey | RSAPrivateKey, now: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: EllipticCurvePrivateKey) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, pem.decode())


def _write_certificate(path: Path, builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def write_private(path: Path, content: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(content)
    temporary.rename(path)
