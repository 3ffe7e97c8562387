"""The documents people sign, as canonical JSON: what they bind, and how one is read back.

A request binds the journal, the targets, the plan by its digest and by the SHA-256 of the whole plan document
(words included), and when it may run. A decision binds the SHA-256 of the request as signed, and the head of
the journal its signer saw, so that a journal rewritten afterwards contradicts a signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from dsi_automation.core.canonical import Json, canonical_bytes, digest
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import T
from dsi_automation.engine.closed import closed
from dsi_automation.engine.model import (
    AcceptanceOrder,
    HandedItem,
    MediumOrder,
    MediumState,
    RequestKind,
    StandingBounds,
    Window,
)
from dsi_automation.journal.model import Entry, Signed

REQUEST: Final = "dsi-request"
DECISION: Final = "dsi-decision"
RUN: Final = "dsi-run"
CUSTODY: Final = "dsi-custody"
ACCEPTANCE: Final = "dsi-acceptance"
FORMATS: Final = {
    REQUEST: "dsi.request/1",
    DECISION: "dsi.decision/1",
    RUN: "dsi.run/1",
    CUSTODY: "dsi.custody/1",
    ACCEPTANCE: "dsi.acceptance/1",
}


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of the journal somebody saw."""

    seq: int
    hash: str


def request_document(
    *,
    journal: str,
    request: str,
    plan: Plan,
    environment: str,
    kind: RequestKind,
    reason: str,
    window: Window,
    bounds: StandingBounds | None,
    person: str,
    made_at: datetime,
) -> str:
    """Return what a requester signs."""
    return text(
        {
            "format": FORMATS[REQUEST],
            "journal": journal,
            "request": request,
            "operation": plan.operation,
            "version": plan.version,
            "targets": list(plan.targets),
            "environment": environment,
            "plan_digest": plan.digest,
            "plan_sha256": plan_sha256(plan),
            "kind": str(kind),
            "reason": reason,
            "window": {"not_before": _moment(window.not_before), "not_after": _moment(window.not_after)},
            "bounds": None if bounds is None else _bounds(bounds),
            "person": person,
            "made_at": iso(made_at),
        }
    )


def decision_document(
    *,
    journal: str,
    request: str,
    decision: str,
    plan_digest: str,
    request_sha256: str,
    comment: str,
    person: str,
    at: datetime,
    head: Head,
) -> str:
    """Return what somebody who approves, refuses, revokes or ratifies signs."""
    return text(
        {
            "format": FORMATS[DECISION],
            "journal": journal,
            "request": request,
            "decision": decision,
            "plan_digest": plan_digest,
            "request_sha256": request_sha256,
            "comment": comment,
            "person": person,
            "at": iso(at),
            "head": {"seq": head.seq, "hash": head.hash},
        }
    )


def run_document(
    *, journal: str, run: str, request: str, plan_digest: str, targets: Sequence[str], person: str, at: datetime
) -> str:
    """Return what the person who starts or resumes a run signs."""
    return text(
        {
            "format": FORMATS[RUN],
            "journal": journal,
            "run": run,
            "request": request,
            "plan_digest": plan_digest,
            "targets": list(targets),
            "person": person,
            "at": iso(at),
        }
    )


def custody_document(
    *,
    journal: str,
    handover: str,
    operation: str,
    items: Sequence[HandedItem],
    to: str | None,
    person: str,
    at: datetime,
    head: Head,
) -> str:
    """Return what the person who hands accounts over signs, before a password is revealed; it holds none."""
    return text(
        {
            "format": FORMATS[CUSTODY],
            "journal": journal,
            "handover": handover,
            "operation": operation,
            "items": [
                {"target": item.target, "address": item.address, "how": str(item.how), "run": item.run}
                for item in items
            ],
            "to": to,
            "person": person,
            "at": iso(at),
            "head": {"seq": head.seq, "hash": head.hash},
        }
    )


def medium_document(
    *, journal: str, move: str, order: MediumOrder, before: MediumState, person: str, at: datetime, head: Head
) -> str:
    """Return what the person who moves a medium signs: from where to where, to whom, and what it holds."""
    return text(
        {
            "format": FORMATS[CUSTODY],
            "journal": journal,
            "move": move,
            **order.to_json(),
            "before": str(before),
            "person": person,
            "at": iso(at),
            "head": {"seq": head.seq, "hash": head.hash},
        }
    )


def acceptance_document(
    *, journal: str, acceptance: str, order: AcceptanceOrder, person: str, at: datetime, head: Head
) -> str:
    """Return what somebody who judges a release at a stage signs: which archive, and the run that deployed it."""
    return text(
        {
            "format": FORMATS[ACCEPTANCE],
            "journal": journal,
            "acceptance": acceptance,
            "source": order.source,
            "release": order.release,
            "sha256": order.sha256,
            "stage": order.stage,
            "run": order.run,
            "verdict": str(order.verdict),
            "comment": order.comment.strip(),
            "person": person,
            "at": iso(at),
            "head": {"seq": head.seq, "hash": head.hash},
        }
    )


def text(value: Mapping[str, Json]) -> str:
    """Return a document as the one sequence of bytes that is signed."""
    return canonical_bytes(value).decode()


def sha256(document: str) -> str:
    """Return the SHA-256 of a document, hexadecimal: what `sha256sum` prints for its bytes."""
    return hashlib.sha256(document.encode()).hexdigest()


def plan_sha256(plan: Plan) -> str:
    """Return the SHA-256 of the whole plan document, words in every language included."""
    return digest(plan.to_json())


def content(signed: Signed) -> dict[str, Any]:
    """Return what a signed document says, without any check: for display."""
    loaded: dict[str, Any] = json.loads(signed.document)
    return loaded


def read(entry: Entry, namespace: str) -> dict[str, Any]:
    """Return the document of an entry, after making sure it is one of ours for this purpose.

    Raises:
        GateClosedError: unsigned, for another purpose, of another format, or not in canonical form.
    """
    document = _sound(entry.signed, namespace)
    if document is None:
        raise closed(
            "document",
            T("Line {seq} of the journal does not hold the signed document it should.", seq=entry.seq),
            T("Have the journal looked at: `dsi journal verify`."),
        )
    return document


def window_of(document: Mapping[str, Any]) -> Window:
    """Return the window a request document holds."""
    held = document["window"]
    return Window(*(None if held[key] is None else parse_iso(held[key]) for key in ("not_before", "not_after")))


def bounds_of(document: Mapping[str, Any]) -> StandingBounds | None:
    """Return the bounds a request document holds."""
    held = document["bounds"]
    if held is None:
        return None
    return StandingBounds(
        until=date.fromisoformat(held["until"]),
        daily_from=time.fromisoformat(held["daily_from"]),
        daily_until=time.fromisoformat(held["daily_until"]),
        time_zone=held["time_zone"],
        weekdays=tuple(held["weekdays"]),
    )


def _sound(signed: Signed | None, namespace: str) -> dict[str, Any] | None:
    if signed is None or signed.namespace != namespace:
        return None
    try:
        document = content(signed)
        same = document["format"] == FORMATS[namespace] and text(document) == signed.document
    except (ValueError, KeyError, TypeError):
        return None
    return document if same else None


def _bounds(bounds: StandingBounds) -> dict[str, Json]:
    return {
        "until": bounds.until.isoformat(),
        "daily_from": bounds.daily_from.isoformat(),
        "daily_until": bounds.daily_until.isoformat(),
        "time_zone": bounds.time_zone,
        "weekdays": list(bounds.weekdays),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
