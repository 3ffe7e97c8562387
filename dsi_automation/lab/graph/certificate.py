"""The certificate an application proves itself with: self-signed, with its private key in the same file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from dsi_automation.core.clock import Clock
from dsi_automation.lab.ca import BACKDATE, write_private


def make_application_certificate(path: Path, clock: Clock, name: str = "dsi-automation", days: int = 365) -> bool:
    """Make an application's certificate and RSA key in one PEM file, 0600, unless it is there.

    Microsoft's token endpoint takes RS256 and PS256 only, hence RSA ("Application authentication certificate
    credentials").

    Returns:
        Whether it was made.
    """
    if path.exists():
        return False
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, (private + certificate.public_bytes(Encoding.PEM)).decode())
    return True
