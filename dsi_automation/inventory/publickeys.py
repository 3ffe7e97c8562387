"""SSH public keys as text: syntax, strength, and one spelling for each key (RFC 4253 6.6, RFC 5656, RFC 8709)."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.inventory.problems import WrongValueError

SMALLEST_RSA: Final = 3072
"""Bits; what NIST SP 800-57 asks for signatures until after 2030."""

_CURVES: Final = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_ED25519_BYTES: Final = 32


def canonical_key(text: str) -> str:
    """Return `type base64` of a public key, without options, comment or padding differences.

    Raises:
        WrongValueError: it is no public key of a kind that is good enough to sign with.
    """
    parts = text.split()
    if len(parts) < 2:
        raise WrongValueError(T("an SSH public key is expected: the one line of a .pub file."))
    kind, encoded = parts[0], parts[1]
    try:
        blob = base64.b64decode(encoded, validate=True)
        fields = _fields(blob)
    except (binascii.Error, struct.error) as error:
        raise WrongValueError(T("this SSH public key is damaged: copy the one line of the .pub file again.")) from error
    if not fields or fields[0] != kind.encode():
        raise WrongValueError(T("this SSH public key is damaged: copy the one line of the .pub file again."))
    _check(kind, fields[1:])
    return f"{kind} {base64.b64encode(blob).decode()}"


def _check(kind: str, fields: list[bytes]) -> None:
    sound = False
    if kind in {"ssh-ed25519", "sk-ssh-ed25519@openssh.com"}:
        sound = len(fields) == (1 if kind.startswith("ssh") else 2) and len(fields[0]) == _ED25519_BYTES
    elif kind.startswith("ecdsa-sha2-") or kind == "sk-ecdsa-sha2-nistp256@openssh.com":
        sound = len(fields) == (2 if kind.startswith("ecdsa") else 3) and _is_point(kind, fields[0], fields[1])
    elif kind == "ssh-rsa":
        sound = len(fields) == 2  # exponent and modulus
        if sound and int.from_bytes(fields[1]).bit_length() < SMALLEST_RSA:
            raise WrongValueError(T("this RSA key is too short: at least {bits} bits are expected.", bits=SMALLEST_RSA))
    else:
        raise WrongValueError(
            T("keys of the kind {kind} are not accepted: make one with ssh-keygen -t ed25519.", kind=kind[:40])
        )
    if not sound:
        raise WrongValueError(T("this SSH public key is damaged: copy the one line of the .pub file again."))


def _is_point(kind: str, curve: bytes, point: bytes) -> bool:
    """Tell whether an uncompressed point has the size of its curve; OpenSSH checks that it lies on it."""
    size = _CURVES.get(curve.decode("ascii", "replace"))
    return size == len(point) and point[:1] == b"\x04" and curve.decode() in kind


def _fields(blob: bytes) -> list[bytes]:
    """Return the length-prefixed strings of an SSH key blob (RFC 4251 5)."""
    fields, at = [], 0
    while at < len(blob):
        (size,) = struct.unpack_from(">I", blob, at)
        at += 4
        if at + size > len(blob):
            raise struct.error("a field goes past the end")
        fields.append(blob[at : at + size])
        at += size
    return fields
