"""`POST /$batch`: up to twenty calls in one, each with its own answer, told in any order.

Sources: Microsoft Graph, "Combine multiple HTTP requests using JSON batching", "Throttling and batching".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from secrets import SystemRandom
from typing import Any, Final

from multidict import CIMultiDict

from dsi_automation.lab.graph.errors import bad
from dsi_automation.lab.graph.service import NOTHING, Answer, Call

LARGEST: Final = 20
_MEMBERS: Final = frozenset({"id", "method", "url", "headers", "body", "dependsOn"})
_METHODS: Final = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})

type Run = Callable[[str, Call, Answer | None], Awaitable[Answer]]
"""Carries one item out, by its id, unless its answer is given already, and records it; never raises GraphError."""


async def answer(call: Call, run: Run) -> Answer:
    """Answer a batch.

    Raises:
        GraphError: it is malformed, as a whole.
    """
    items = _items(call)
    answers: dict[str, Answer] = {}
    for item in items:
        failed = [name for name in item.get("dependsOn", ()) if answers[name.lower()].status >= 400]
        blocked = _failed(failed[0]) if failed else None
        answers[item["id"].lower()] = await run(item["id"], _call(item, call), blocked)
    told = [_told(item["id"], answers[item["id"].lower()]) for item in items]
    SystemRandom().shuffle(told)
    return Answer(200, {"responses": told})


def _items(call: Call) -> list[dict[str, Any]]:
    body = call.body
    if not isinstance(body, dict) or set(body) != {"requests"} or not isinstance(body["requests"], list):
        raise bad("Invalid batch payload format.", code="BadRequest")
    items = body["requests"]
    if not items:
        raise bad("Empty Payload. JSON content expected.", code="BadRequest")
    if len(items) > LARGEST:
        message = f"Number of batch request steps exceeds the maximum value of {LARGEST}."
        raise bad(message, code="MaximumValueExceeded")
    seen: set[str] = set()
    for item in items:
        _check(item, seen)
        seen.add(item["id"].lower())
    return items


def _check(item: Any, before: set[str]) -> None:
    if not isinstance(item, dict) or set(item) - _MEMBERS:
        raise bad("Invalid batch payload format.", code="BadRequest")
    identifier, method, url = item.get("id"), item.get("method"), item.get("url")
    if not isinstance(identifier, str) or not identifier:
        raise bad("Request Id cannot be null or empty.", code="BadRequest")
    if identifier.lower() in before:
        raise bad(f"Request Id {identifier} has to be unique in a batch.", code="BadRequest")
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise bad(f"Request Id {identifier} has no valid method.", code="BadRequest")
    if not isinstance(url, str) or not url or "://" in url.partition("?")[0] or url.lstrip("/").startswith("$batch"):
        raise bad(f"Request Id {identifier}: the url must be relative to the version segment.", code="BadRequest")
    headers = item.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise bad(f"Request Id {identifier}: headers must be name and text.", code="BadRequest")
    typed = any(name.lower() == "content-type" for name in headers)
    if (method.upper() in ("POST", "PATCH", "PUT") or "body" in item) and not (typed and "body" in item):
        raise bad(f"Write request id : {identifier} does not contain Content-Type header or body.", code="BadRequest")
    parents = item.get("dependsOn", [])
    if not isinstance(parents, list) or any(not isinstance(one, str) or one.lower() not in before for one in parents):
        raise bad(f"Request Id {identifier} depends on a request that is not before it.", code="BadRequest")


def _call(item: Mapping[str, Any], outer: Call) -> Call:
    path, _, query = item["url"].partition("?")
    return Call(
        method=item["method"].upper(),
        path="/" + path.lstrip("/"),
        query=query,
        headers=CIMultiDict(item.get("headers", {})),
        body=item.get("body", NOTHING),
        roles=outer.roles,
        base=outer.base,
    )


def _failed(parent: str) -> Answer:
    message = f"This request depends on the request {parent}, which failed."
    return Answer(424, {"error": {"code": "FailedDependency", "message": message}})


def _told(identifier: str, answer: Answer) -> dict[str, Any]:
    headers = {"Cache-Control": "no-cache", **answer.headers}
    if answer.body is None:
        return {"id": identifier, "status": answer.status, "headers": headers, "body": None}
    return {
        "id": identifier,
        "status": answer.status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": answer.body,
    }
