"""The multipart body of a sealed exchange (MS-WSMV 2.2.9.1: encrypted message types)."""

from __future__ import annotations

import re
import struct
from typing import Final, Protocol

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

CREDSSP: Final = "application/HTTP-CredSSP-session-encrypted"
PROTOCOLS: Final = (
    "application/HTTP-SPNEGO-session-encrypted",
    "application/HTTP-Kerberos-session-encrypted",
    CREDSSP,
)
_LARGEST_PART: Final = 16384
"""Bytes of clear text in one part of a CredSSP body: one TLS record (MS-WSMV 2.2.9.1.3)."""
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
    if not content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted")):
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
    end = BOUNDARY + b"--\r\n"
    parts = body.removesuffix(end).split(BOUNDARY + b"\r\n")
    if not body.endswith(end) or parts[0].strip() or len(parts) < 3 or len(parts) % 2 == 0:
        raise _broken()
    return b"".join(_open_part(head, part, sealer) for head, part in zip(parts[1::2], parts[2::2], strict=True))


def close_body(message: bytes, sealer: Sealer, protocol: str) -> tuple[bytes, str]:
    """Return a sealed body holding `message`, and its Content-Type."""
    size = _LARGEST_PART if protocol == CREDSSP else max(len(message), 1)
    parts = [message[at : at + size] for at in range(0, len(message), size)] or [b""]
    kind = "multipart/encrypted" if len(parts) == 1 else "multipart/x-multi-encrypted"
    body = b"".join(_close_part(part, sealer, protocol) for part in parts) + BOUNDARY + b"--\r\n"
    return body, f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"'


def _open_part(head: bytes, part: bytes, sealer: Sealer) -> bytes:
    stated, payload = _LENGTH.search(head), part.removeprefix(_OCTETS)
    if stated is None or len(payload) < 4 or payload is part:
        raise _broken()
    (length,) = struct.unpack_from("<I", payload)
    if 4 + length > len(payload):
        raise _broken()
    try:
        message = sealer.unseal(payload[4 : 4 + length], payload[4 + length :])
    except RefusedError as error:
        raise _broken() from error
    if len(message) != int(stated.group(1)):
        raise _broken()
    return message


def _close_part(message: bytes, sealer: Sealer, protocol: str) -> bytes:
    signature, sealed = sealer.seal(message)
    return b"".join(
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
        )
    )


def _broken() -> SealedBodyError:
    return SealedBodyError(T("The sealed body cannot be opened."))
