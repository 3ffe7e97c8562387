"""SSH signatures in this process, as OpenSSH's PROTOCOL.sshsig describes them: made and checked without a process.

`ssh-keygen -Y verify` stays the reference: tests hold both together, and a key type not known here goes to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MAGIC: Final = b"SSHSIG"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_HASHES: Final = ("sha256", "sha512")
_WIDTH: Final = 70


class UnknownKeyTypeError(ValueError):
    """A kind of key this module does not know: ask `ssh-keygen`."""


@dataclass(frozen=True, slots=True)
class SshSignature:
    """A signature taken apart.

    Attributes:
        public_key: `ssh-ed25519 AAAA...`.
        hash_name: what the message was hashed with: `sha256` or `sha512`.
        blob: the signature proper, in the encoding of its key type.
    """

    public_key: str
    namespace: str
    hash_name: str
    blob: bytes


def make(key: Ed25519PrivateKey, message: bytes, namespace: str) -> str:
    """Return the armoured signature of `message` for `namespace`, over its SHA-512."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = _string(b"ssh-ed25519") + _string(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    signature = _string(b"ssh-ed25519") + _string(key.sign(_to_sign(message, namespace, "sha512")))
    blob = _MAGIC + struct.pack(">I", 1)
    for part in (public, namespace.encode(), b"", b"sha512", signature):
        blob += _string(part)
    return armour(blob)


def armour(blob: bytes) -> str:
    """Return a signature as text, the way `ssh-keygen` writes it."""
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def dearmour(armoured: str) -> bytes:
    """Return the bytes an armoured signature holds.

    Raises:
        ValueError: it is not one.
    """
    lines = armoured.strip().splitlines()
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:  # begin, one line, end
        raise ValueError("not an armoured SSH signature")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("not an armoured SSH signature") from error


def parse(armoured: str) -> SshSignature:
    """Take an armoured signature apart.

    Raises:
        ValueError: it is not one.
    """
    reader = Reader(dearmour(armoured))
    reader.expect(_MAGIC)
    if reader.number() != 1:
        raise ValueError("not an SSH signature of version 1")
    key, namespace, _reserved, hash_name, blob = (reader.string() for _ in range(5))
    if reader.rest or hash_name.decode() not in _HASHES:
        raise ValueError("not an SSH signature this version reads")
    kind = Reader(key).string().decode()
    return SshSignature(f"{kind} {base64.b64encode(key).decode()}", namespace.decode(), hash_name.decode(), blob)


def holds(signature: SshSignature, message: bytes) -> bool:
    """Tell whether `signature` is that of `message` by the key it names, for the namespace it names.

    Raises:
        UnknownKeyTypeError: the key is of a kind not known here.
        ValueError: the key or the signature is malformed.
    """
    from cryptography.exceptions import InvalidSignature

    key = Reader(base64.b64decode(signature.public_key.split()[1]))
    kind, blob = key.string().decode(), Reader(signature.blob)
    algorithm, raw = blob.string().decode(), blob.string()
    signed = _to_sign(message, signature.namespace, signature.hash_name)
    try:
        _verify(kind, algorithm, key, raw, signed, blob)
    except InvalidSignature:
        return False
    return not blob.rest


def _verify(kind: str, algorithm: str, key: Reader, raw: bytes, signed: bytes, blob: Reader) -> None:
    if kind == "ssh-rsa":
        _rsa(key, algorithm, raw, signed)
    elif algorithm != kind:
        raise ValueError(f"a signature {algorithm} by a key {kind}")
    elif kind == "ssh-ed25519":
        _ed25519(key, raw, signed)
    elif kind.startswith("ecdsa-sha2-"):
        _ecdsa(key, raw, signed)
    elif kind == "sk-ssh-ed25519@openssh.com":
        public = key.string()
        _ed25519(Reader(_string(public)), raw, _hardware(key.string(), signed, blob))
    elif kind == "sk-ecdsa-sha2-nistp256@openssh.com":
        curve, point = key.string(), key.string()
        _ecdsa(Reader(_string(curve) + _string(point)), raw, _hardware(key.string(), signed, blob))
    else:
        raise UnknownKeyTypeError(kind)


def _ed25519(key: Reader, raw: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(key.string()).verify(raw, signed)


def _rsa(key: Reader, algorithm: str, raw: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    # PROTOCOL.sshsig: the algorithm `ssh-rsa`, with SHA-1, must not be accepted.
    chosen: Any = {"rsa-sha2-256": hashes.SHA256, "rsa-sha2-512": hashes.SHA512}.get(algorithm)
    if chosen is None:
        raise ValueError(f"an RSA signature with {algorithm}")
    exponent, modulus = (int.from_bytes(key.string()) for _ in range(2))
    rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(raw, signed, padding.PKCS1v15(), chosen())


def _ecdsa(key: Reader, raw: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    name = key.string().decode()
    curves: dict[str, tuple[Any, Any]] = {
        "nistp256": (ec.SECP256R1, hashes.SHA256),
        "nistp384": (ec.SECP384R1, hashes.SHA384),
        "nistp521": (ec.SECP521R1, hashes.SHA512),
    }
    if name not in curves:
        raise UnknownKeyTypeError(name)
    curve, chosen = curves[name]
    numbers = Reader(raw)
    first, second = (int.from_bytes(numbers.string()) for _ in range(2))
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve(), key.string())
    public.verify(encode_dss_signature(first, second), signed, ec.ECDSA(chosen()))


def _hardware(application: bytes, signed: bytes, blob: Reader) -> bytes:
    """Return what a hardware key signs (PROTOCOL.u2f): it says itself whether somebody touched it.

    Raises:
        ValueError: nobody did; `ssh-keygen` refuses that too.
    """
    flags, counter = blob.take(1), blob.take(4)
    if not flags[0] & 1:
        raise ValueError("the hardware key was not touched")
    return hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(signed).digest()


def _to_sign(message: bytes, namespace: str, hash_name: str) -> bytes:
    digest = hashlib.new(hash_name, message).digest()
    return _MAGIC + b"".join(_string(part) for part in (namespace.encode(), b"", hash_name.encode(), digest))


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class Reader:
    """Reads SSH's binary encoding (RFC 4251, section 5)."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def expect(self, magic: bytes) -> None:
        """Pass over bytes that must be there.

        Raises:
            ValueError: others are.
        """
        if self.take(len(magic)) != magic:
            raise ValueError("not what was expected")

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: there are not that many.
        """
        if len(self.rest) < size:
            raise ValueError("cut short")
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def number(self) -> int:
        """Return the next `uint32`."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """Return the next `string`: its length, then its bytes."""
        return self.take(self.number())
