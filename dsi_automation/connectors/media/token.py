"""What a medium says of itself, sealed with the rotation's password: a foreign, altered or cloned medium is told.

The seal is an HMAC-SHA256 under a key that scrypt makes of the password of the copies: guessing the password from the
medium is as slow as guessing it from the repository beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.connectors.media.port import MediumSettings, Token
from dsi_automation.core.canonical import Json, canonical_bytes
from dsi_automation.core.text import T, Text

FORMAT: Final = "dsi.medium/1"
_N: Final = 1 << 14


def made(settings: MediumSettings, identity: str, registered_at: str, run: str) -> dict[str, Json]:
    """Return the token of a medium that is registered now.

    Args:
        identity: UUID of its filesystem, or its serial.
    """
    token: dict[str, Json] = {
        "format": FORMAT,
        "id": secrets.token_hex(16),
        "name": settings.name,
        "title": settings.title,
        "kind": settings.kind,
        "identity": identity,
        "label": settings.label,
        "rotation": settings.rotation,
        "registered_at": registered_at,
        "registered_by": run,
    }
    return sealed(settings, token)


def sealed(settings: MediumSettings, token: Mapping[str, Json]) -> dict[str, Json]:
    """Return a token with its seal renewed."""
    bare = {name: value for name, value in token.items() if name != "seal"}
    return {**bare, "seal": _seal(settings, bare)}


def parsed(text: bytes) -> dict[str, Any] | None:
    """Return the token a file or a record holds; None when it is none."""
    try:
        token = json.loads(text)
    except ValueError:
        return None
    return token if isinstance(token, dict) and str(token.get("format", "")).startswith("dsi.") else None


def judged(settings: MediumSettings, token: Mapping[str, Any] | None, identity: str) -> tuple[Token, Text | None]:
    """Return what a token is worth for the medium of the inventory, and what is wrong with it, a sentence."""
    if token is None:
        return Token.FOREIGN, T("its token cannot be read")
    bare = {name: value for name, value in token.items() if name != "seal"}
    if not hmac.compare_digest(_seal(settings, bare), str(token.get("seal", ""))):
        return Token.FOREIGN, T("its token was not sealed by this department, or was altered since")
    if token.get("identity") != identity:
        return Token.FOREIGN, T("its content was copied from another medium, {identity}", identity=token["identity"])
    if token.get("name") != settings.name:
        return Token.FOREIGN, T("it was registered as {name}", name=token["name"])
    return Token.OURS, None


def _seal(settings: MediumSettings, bare: Mapping[str, Any]) -> str:
    password = "" if settings.password is None else settings.password().reveal()
    salt = f"dsi-medium:{bare.get('id')}".encode()
    key = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=8, p=1)
    return hmac.new(key, canonical_bytes(dict(bare)), hashlib.sha256).hexdigest()
