"""The accepting side of NTLMv2 with sealing (MS-NLMP), written from the specification.

Not the client's own library on purpose: a mistake there would otherwise agree with itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

SIGNATURE: Final = b"NTLMSSP\0"
_UNICODE, _SIGN, _SEAL, _EXTENDED = 0x1, 0x10, 0x20, 0x80000
_VERSION, _BITS_128, _KEY_EXCHANGE = 0x02000000, 0x20000000, 0x40000000
_ALWAYS: Final = 0x4 | 0x200 | 0x8000 | 0x20000 | 0x800000  # target, NTLM, always sign, type server, target info
_KEPT: Final = _UNICODE | _SIGN | _SEAL | _EXTENDED | _VERSION | _BITS_128 | _KEY_EXCHANGE | 0x80000000
_WINDOWS_VERSION: Final = bytes((10, 0)) + struct.pack("<H", 19041) + b"\0\0\0\x0f"
_EPOCH_1601: Final = 11644473600
_AV_FLAGS, _AV_BINDINGS = 6, 10
_MIC_AT: Final = slice(72, 88)

type HashOf = Callable[[str, str], bytes | None]
"""Given a user and a domain as the client wrote them, the NT hash of that account or None."""


class NtlmRefusedError(RefusedError):
    """The token is not acceptable: malformed, an old variant, or the wrong password."""


def _refuse(why: str) -> NtlmRefusedError:
    return NtlmRefusedError(T("The simulated workstation refuses the NTLM sign-in ({why}).", why=why))


def _rc4(key: bytes) -> Callable[[bytes], bytes]:
    return Cipher(ARC4(key), mode=None).encryptor().update


def _hmac_md5(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "md5")


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def bindings_hash(certificate_sha256: bytes) -> bytes:
    """Return the MD5 of the `tls-server-end-point` channel bindings of a certificate (RFC 5929, MS-NLMP 3.1.5)."""
    data = b"tls-server-end-point:" + certificate_sha256
    return _md5(struct.pack("<5I", 0, 0, 0, 0, len(data)) + data)


class Sealer:
    """The two keyed streams of an established session: wraps what goes out, unwraps what comes in (MS-NLMP 3.4)."""

    def __init__(self, session_key: bytes) -> None:
        def keys(direction: str) -> tuple[bytes, bytes]:
            magic = f"session key to {direction} %s key magic constant\0"
            return _md5(session_key + (magic % "signing").encode()), _md5(session_key + (magic % "sealing").encode())

        self._sign_in, self._seal_in = keys("client-to-server")
        self._sign_out, self._seal_out = keys("server-to-client")
        self._stream_in, self._stream_out = _rc4(self._seal_in), _rc4(self._seal_out)
        self._sequence_in = self._sequence_out = 0

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check the signature of SPNEGO's list of methods, after which the stream begins anew (MS-SPNG 3.3.5.1).

        Raises:
            NtlmRefusedError: it is not this session's.
        """
        sequence = struct.pack("<I", self._sequence_in)
        checksum = self._stream_in(_hmac_md5(self._sign_in, sequence + message)[:8])
        self._sequence_in += 1
        self._stream_in = _rc4(self._seal_in)
        if not hmac.compare_digest(signature, b"\x01\0\0\0" + checksum + sequence):
            raise _refuse("mechListMIC")

    def sign(self, message: bytes) -> bytes:
        """Return the signature of SPNEGO's list of methods, after which the stream begins anew."""
        sequence = struct.pack("<I", self._sequence_out)
        checksum = self._stream_out(_hmac_md5(self._sign_out, sequence + message)[:8])
        self._sequence_out += 1
        self._stream_out = _rc4(self._seal_out)
        return b"\x01\0\0\0" + checksum + sequence

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Return the clear message.

        Raises:
            NtlmRefusedError: the signature does not fit (wrong key, wrong order, changed on the way).
        """
        message = self._stream_in(sealed)
        sequence = struct.pack("<I", self._sequence_in)
        checksum = self._stream_in(_hmac_md5(self._sign_in, sequence + message)[:8])
        self._sequence_in += 1
        if not hmac.compare_digest(signature, b"\x01\0\0\0" + checksum + sequence):
            raise _refuse("signature")
        return message

    def seal(self, message: bytes) -> tuple[bytes, bytes]:
        """Return the signature and the sealed message."""
        sealed = self._stream_out(message)
        sequence = struct.pack("<I", self._sequence_out)
        checksum = self._stream_out(_hmac_md5(self._sign_out, sequence + message)[:8])
        self._sequence_out += 1
        return b"\x01\0\0\0" + checksum + sequence, sealed


@dataclass(frozen=True, slots=True)
class NtlmIdentity:
    """Who proved to know the password, as the client wrote it."""

    user: str
    domain: str


class NtlmAcceptor:
    """One NTLM exchange on one connection.

    Args:
        computer: the machine's NetBIOS name, told in the challenge.
        dns_name: its DNS name.
        hash_of: looks an account's NT hash up.
        bindings: the expected channel bindings' hash on HTTPS; checked when the client sends one (CbtHardeningLevel
            Relaxed, WinRM's default).
    """

    def __init__(self, computer: str, dns_name: str, hash_of: HashOf, bindings: bytes | None = None) -> None:
        self._computer = computer
        self._dns_name = dns_name
        self._hash_of = hash_of
        self._bindings = bindings
        self._negotiate = self._challenge = self._server_challenge = b""

    @property
    def challenged(self) -> bool:
        """Tell whether the challenge has been given, so that the next token is the proof."""
        return bool(self._challenge)

    def challenge(self, token: bytes) -> bytes:
        """Answer NEGOTIATE_MESSAGE with CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2)."""
        if len(token) < 16 or not token.startswith(SIGNATURE + b"\x01\0\0\0"):
            raise _refuse("negotiate")
        (asked,) = struct.unpack_from("<I", token, 12)
        if asked & (_UNICODE | _EXTENDED) != _UNICODE | _EXTENDED:
            raise _refuse("flags")
        self._server_challenge = secrets.token_bytes(8)
        name = self._computer.encode("utf-16-le")
        info = self._target_info()
        self._challenge = (
            SIGNATURE
            + struct.pack("<IHHI", 2, len(name), len(name), 56)
            + struct.pack("<I", (asked & _KEPT) | _ALWAYS)
            + self._server_challenge
            + b"\0" * 8
            + struct.pack("<HHI", len(info), len(info), 56 + len(name))
            + _WINDOWS_VERSION
            + name
            + info
        )
        self._negotiate = token
        return self._challenge

    def authenticate(self, token: bytes) -> tuple[NtlmIdentity, Sealer]:
        """Check AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3, 3.3.2) and return who it is and the session's sealer.

        Raises:
            NtlmRefusedError: malformed, NTLMv1, anonymous, an unknown account or the wrong password.
        """
        if len(token) < 88 or not token.startswith(SIGNATURE + b"\x03\0\0\0"):
            raise _refuse("authenticate")
        response, domain, user, key = (_field(token, at) for at in (20, 28, 36, 52))
        (flags,) = struct.unpack_from("<I", token, 60)
        identity = NtlmIdentity(user.decode("utf-16-le", "replace"), domain.decode("utf-16-le", "replace"))
        if len(response) < 44:
            raise _refuse("NTLMv1")
        account_hash = self._hash_of(identity.user, identity.domain)
        if account_hash is None:
            raise _refuse("account")
        owf = _hmac_md5(account_hash, (identity.user.upper() + identity.domain).encode("utf-16-le"))
        proof, blob = response[:16], response[16:]
        if not hmac.compare_digest(proof, _hmac_md5(owf, self._server_challenge + blob)):
            raise _refuse("password")
        session_key = _hmac_md5(owf, proof)
        if flags & _KEY_EXCHANGE and flags & (_SIGN | _SEAL):
            session_key = _rc4(session_key)(key)
        self._check_pairs(_pairs(blob[28:]), session_key, token)
        return identity, Sealer(session_key)

    def _check_pairs(self, pairs: dict[int, bytes], session_key: bytes, token: bytes) -> None:
        if int.from_bytes(pairs.get(_AV_FLAGS, b""), "little") & 2:
            unsigned = token[: _MIC_AT.start] + b"\0" * 16 + token[_MIC_AT.stop :]
            if not hmac.compare_digest(
                token[_MIC_AT], _hmac_md5(session_key, self._negotiate + self._challenge + unsigned)
            ):
                raise _refuse("MIC")
        sent = pairs.get(_AV_BINDINGS, b"")
        if self._bindings is not None and sent.strip(b"\0") and sent != self._bindings:
            raise _refuse("channel bindings")

    def _target_info(self) -> bytes:
        computer, dns_name = self._computer.encode("utf-16-le"), self._dns_name.encode("utf-16-le")
        filetime = struct.pack("<Q", int((time.time() + _EPOCH_1601) * 10_000_000))
        pairs = ((2, computer), (1, computer), (4, dns_name), (3, dns_name), (7, filetime), (0, b""))
        return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs)


def _field(token: bytes, at: int) -> bytes:
    length, _, offset = struct.unpack_from("<HHI", token, at)
    if offset + length > len(token):
        raise _refuse("authenticate")
    return token[offset : offset + length]


def _pairs(data: bytes) -> dict[int, bytes]:
    """Return the attribute-value pairs of a client's challenge (MS-NLMP 2.2.2.1)."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == 0:
            break
        found[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found
