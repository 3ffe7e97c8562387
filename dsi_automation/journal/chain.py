"""The hash chain: an entry's line is canonical JSON (RFC 8785), its hash is SHA-256 of exactly these bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import redact, redact_json
from dsi_automation.core.text import T
from dsi_automation.journal.model import Draft, Entry, Kind, Signed

GENESIS: Final = "0" * 64
"""What stands as `prev` in the first entry."""


def seal(draft: Draft, seq: int, at: datetime, prev: str) -> Entry:
    """Number, date and chain a draft; its body is redacted before it is hashed.

    Args:
        at: the moment written, to the millisecond.
        prev: the hash of the entry before, or `GENESIS`.

    Raises:
        UsageError: a value JSON cannot carry exactly, or a signed document that is not canonical JSON, that
            holds a secret, or that disagrees with the body.
    """
    try:
        body = redact_json(plain(draft.body))
        signed = None if draft.signed is None else _checked(draft.signed, body)
        line = canonical_bytes(
            {
                "seq": seq,
                "at": iso(at),
                "kind": draft.kind.value,
                "subject": draft.subject,
                "actor": draft.actor,
                "body": body,
                "signed": signed,
                "prev": prev,
            }
        )
    except UsageError:
        raise
    except (ValueError, TypeError) as error:
        raise UsageError(
            T("The entry {kind} holds a value that the journal cannot write exactly.", kind=draft.kind.value),
            next_step=T("Write it as a text: nothing was recorded."),
            detail={"error": redact(str(error))},
        ) from error
    return parse(line.decode())


def line_hash(line: str) -> str:
    """Return the SHA-256 of a line's bytes, in lower-case hexadecimal."""
    return hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()


def parse(line: str) -> Entry:
    """Return the entry a line holds.

    Raises:
        ValueError: it is not the line of an entry this version knows.
        KeyError: a member is missing.
    """
    data = json.loads(line)
    return Entry(
        seq=data["seq"],
        at=parse_iso(data["at"]),
        kind=Kind(data["kind"]),
        subject=data["subject"],
        actor=data["actor"],
        body=data["body"],
        signed=None if data["signed"] is None else Signed(**data["signed"]),
        prev=data["prev"],
        hash=line_hash(line),
        line=line,
    )


def disagreements(document: Any, body: Mapping[str, Any]) -> list[str]:
    """Return the members that a signed document and the body of its entry both have, with other values.

    The body may say more than what was signed; it may not say anything else.
    """
    if not isinstance(document, dict):
        return ["(document)"]
    return sorted(key for key, value in document.items() if key in body and body[key] != value)


def plain(value: Any) -> Any:
    """Return a JSON-like value as plain dicts, lists and strings that UTF-8 can carry.

    Equipment may send half of a surrogate pair; it becomes U+FFFD, so that what happened can still be recorded.
    """
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    return value


def _checked(signed: Signed, body: Mapping[str, Any]) -> dict[str, str]:
    document = json.loads(signed.document)
    if canonical_bytes(document) != signed.document.encode():
        raise UsageError(T("The signed document is not canonical JSON (RFC 8785)."))
    if redact(signed.document) != signed.document:
        raise UsageError(
            T("The signed document holds the value of a secret; nothing was recorded."),
            next_step=T("Name the secret instead, and change a password that is an ordinary word."),
        )
    wrong = disagreements(document, body)
    if wrong:
        raise UsageError(
            T("The entry and its signed document disagree on: {members}.", members=", ".join(wrong)),
        )
    return asdict(signed)
