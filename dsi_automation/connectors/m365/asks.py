"""One request to Microsoft Graph, and what came of it: values without I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text

LOW_PRIORITY: Final[Mapping[str, str]] = MappingProxyType({"x-ms-throttle-priority": "low"})
"""For bulk work: it is throttled before a person's mail is (learn.microsoft.com/graph/throttling)."""


@dataclass(frozen=True, slots=True)
class GraphFault:
    """The `error` of a body, as far as it could be read.

    Attributes:
        details: its details: code and target of each.
    """

    code: str = ""
    message: str = ""
    details: tuple[tuple[str, str], ...] = ()
    request_id: str | None = None
    client_request_id: str | None = None

    def names(self, property_: str) -> bool:
        """Tell whether the error is about a property that is taken by another object."""
        conflict = any(code == "ObjectConflict" and target == property_ for code, target in self.details)
        return conflict or f"same value for property {property_} already exists" in self.message

    @property
    def other_object(self) -> str | None:
        """Return the object in the way, `User_<guid>`, where the tenant names it (ConflictingObjects)."""
        named = (target for code, target in self.details if code == "ConflictingObjects" and target)
        return next(named, None)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: of a request by itself, or of one item of a batch.

    Attributes:
        headers: names in lower case.
        data: the JSON object of the body; empty when there is none.
        readable: false when there is a body that is not a JSON object (a gateway's page).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    readable: bool = True

    @property
    def ok(self) -> bool:
        """Tell whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def fault(self) -> GraphFault:
        """Return the error in the body; an empty one when the body holds none."""
        return _fault(self.data.get("error"), self.headers)

    @classmethod
    def from_bytes(cls, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Return the answer of a request by itself, whatever its body is."""
        lowered = {name.lower(): value for name, value in headers.items()}
        if not content.strip():
            return cls(status, lowered)
        try:
            data = json.loads(content)
        except ValueError:
            data = None
        return cls(status, lowered, data, readable=True) if isinstance(data, dict) else cls(status, lowered, {}, False)  # noqa: FBT003

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Answer | None:
        """Return the answer of one element of a batch's `responses`; None when it has no status."""
        try:
            status = int(item["status"])
        except (KeyError, TypeError, ValueError):
            return None
        given = item.get("headers")
        headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        body = item.get("body")
        if body is None:
            return cls(status, headers)
        return cls(status, headers, body) if isinstance(body, dict) else cls(status, headers, {}, readable=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer came.

    Attributes:
        cause: what the transport said.
        sent: whether the request may have reached Microsoft; false where the connection or the token failed.
        retry_after: what the token endpoint asked for, when it was that which throttled.
    """

    cause: Exception
    sent: bool
    retry_after: str | None = None


type Outcome = Answer | Broken


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        call: what it is, for the permission it needs.
        url: below the base URL, `/users?$select=id`; or a page's own absolute URL.
        doing: what is being done, for a sentence: `read the user {id}`.
        on: what it is about, for the error.
        body: values of type `Secret` are revealed when it is sent.
        once: a second time would do it twice: after a lost answer it is not sent again.
        batch: it may travel with others.
        writes: the object it changes; two changes of one object never travel in one batch, which runs in no order.
        again: answers after which it is sent again although they are final for others (an object made just now).
    """

    call: Call
    method: str
    url: str
    doing: Text
    on: str | None = None
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    batch: bool = False
    writes: str | None = None
    again: Callable[[Answer], bool] | None = None

    @property
    def reads_only(self) -> bool:
        """Tell whether it changes nothing."""
        return self.method == "GET"

    def content(self) -> bytes | None:
        """Return the body as it is sent."""
        return None if self.body is None else encode(self.body)


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a body as bytes, its secrets revealed."""
    return json.dumps(body, default=_reveal).encode()


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(type(value).__name__)


def _fault(error: object, headers: Mapping[str, str]) -> GraphFault:
    request_id, client_id = headers.get("request-id"), headers.get("client-request-id")
    if not isinstance(error, dict):
        # The token endpoint and some gateways write `"error": "invalid_request"`.
        return GraphFault(code=str(error or ""), request_id=request_id, client_request_id=client_id)
    inner = error.get("innerError") or error.get("innererror") or {}
    inner = inner if isinstance(inner, dict) else {}
    given = error.get("details")
    details = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return GraphFault(
        code=str(error.get("code") or ""),
        message=str(error.get("message") or ""),
        details=tuple((str(one.get("code") or ""), str(one.get("target") or "")) for one in details),
        request_id=inner.get("request-id") or request_id,
        client_request_id=inner.get("client-request-id") or client_id,
    )
