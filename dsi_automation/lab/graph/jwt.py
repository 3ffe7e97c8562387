"""JSON Web Tokens, as little as is needed: issue RS256 (RFC 7515, 7519), check RS256 and PS256 (RFC 7518 3.3, 3.5)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


class TokenError(ValueError):
    """The text is no token, or its signature is not that of the key."""


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError(text) from error


def sign(header: dict[str, Any], claims: dict[str, Any], key: RSAPrivateKey) -> str:
    """Return a token signed RS256."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    said = ".".join(
        encode(json.dumps(part, separators=(",", ":")).encode()) for part in ({**header, "alg": "RS256"}, claims)
    )
    return f"{said}.{encode(key.sign(said.encode(), PKCS1v15(), SHA256()))}"


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, the signature not being looked at.

    Raises:
        TokenError: it is no token.
    """
    pieces = token.split(".")
    if len(pieces) != 3:
        raise TokenError(token[:20])
    try:
        header, claims = (json.loads(decode(piece)) for piece in pieces[:2])
    except ValueError as error:
        raise TokenError(token[:20]) from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError(token[:20])
    return header, claims


def verify(token: str, key: RSAPublicKey, algorithm: str) -> None:
    """Check a signature.

    Raises:
        TokenError: it is wrong, or the algorithm is neither RS256 nor PS256.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    padding: AsymmetricPadding
    if algorithm == "RS256":
        padding = PKCS1v15()
    elif algorithm == "PS256":
        padding = PSS(MGF1(SHA256()), SHA256.digest_size)
    else:
        raise TokenError(algorithm)
    said, _, signature = token.rpartition(".")
    try:
        key.verify(decode(signature), said.encode(), padding, SHA256())
    except InvalidSignature as error:
        raise TokenError(algorithm) from error
