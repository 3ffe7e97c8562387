"""The multipart body of a sealed exchange (MS-WSMV 2.2.9.1: encrypted message types)."""

from __future__ import annotations

import re
import struct
from typing import Final, Protocol

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

PROTOCOLS: Final = (
    "application/HTTP-SPNEGO-session-encrypted",
    "application/HTTP-Kerberos-session-encrypted",
)
BOUNDARY: Final = b"--Encrypted Boundary"
_OCTETS: Final = b"\tContent-Type: application/octet-stream\r\n"
_LENGTH: Final = re.compile(rb"OriginalContent:[^\r\n]*;Length=(\d+)")


class SealedBodyError(RefusedError):
    """A sealed body that cannot be opened: Windows answers HTTP 400 with an empty body."""


class Sealer(Protocol):
    """What an established NTLM or Kerberos session offers."""

    def seal(self, message: bytes) -> tuple[bytes, bytes]:
        """Return the signature and the sealed message."""
        ...

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Return the clear message."""
        ...


def sealed_protocol(content_type: str) -> str | None:
    """Return the sealing protocol a Content-Type names, or None when the body is not sealed."""
    if not content_type.lower().startswith("multipart/encrypted"):
        return None
    for protocol in PROTOCOLS:
        if f'protocol="{protocol}"'.lower() in content_type.lower():
            return protocol
    raise SealedBodyError(T("The body is sealed with a protocol the simulated workstation does not speak."))


def open_body(body: bytes, sealer: Sealer) -> bytes:
    """Return the envelope inside a sealed body.

    Raises:
        SealedBodyError: the parts, lengths or signature do not fit.
    """
    broken = SealedBodyError(T("The sealed body cannot be opened."))
    parts = body.split(BOUNDARY + b"\r\n", 2)
    if len(parts) != 3 or parts[0].strip() or not parts[2].startswith(_OCTETS):
        raise broken
    stated = _LENGTH.search(parts[1])
    payload = parts[2][len(_OCTETS) :].removesuffix(BOUNDARY + b"--\r\n")
    if stated is None or len(payload) < 4 or len(payload) == len(parts[2]) - len(_OCTETS):
        raise broken
    (length,) = struct.unpack_from("<I", payload)
    if 4 + length > len(payload):
        raise broken
    try:
        message = sealer.unseal(payload[4 : 4 + length], payload[4 + length :])
    except RefusedError as error:
        raise broken from error
    if len(message) != int(stated.group(1)):
        raise broken
    return message


def close_body(message: bytes, sealer: Sealer, protocol: str) -> tuple[bytes, str]:
    """Return a sealed body holding `message`, and its Content-Type."""
    signature, sealed = sealer.seal(message)
    body = b"".join(
        (
            BOUNDARY,
            f"\r\n\tContent-Type: {protocol}\r\n".encode(),
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message)}\r\n".encode(),
            BOUNDARY,
            b"\r\n",
            _OCTETS,
            struct.pack("<I", len(signature)),
            signature,
            sealed,
            BOUNDARY,
            b"--\r\n",
        )
    )
    return body, f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"'
