"""Canonical JSON (RFC 8785): one value, one sequence of bytes, one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import rfc8785

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None


def canonical_bytes(value: Json) -> bytes:
    """Return `value` as canonical JSON in UTF-8.

    Raises:
        ValueError: a number that JSON cannot carry exactly, or a value that is not JSON.
    """
    return rfc8785.dumps(_plain(value))


def digest(value: Json) -> str:
    """Return the SHA-256 of `value` in canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
