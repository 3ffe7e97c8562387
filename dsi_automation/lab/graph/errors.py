"""What Graph refuses and how it says so: one exception, and Microsoft's own sentences.

Sources: Microsoft Graph, "Error responses and resource types" (the body's shape); the exchanges published in
microsoft-graph-docs issue 1508 and microsoft-graph-docs-contrib issue 8421 (conflicts); "Combine multiple HTTP requests
using JSON batching" (403, 405).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

BAD: Final = "Request_BadRequest"
UNSUPPORTED: Final = "Request_UnsupportedQuery"


@dataclass(eq=False)
class GraphError(Exception):
    """A refusal, to be answered as Graph answers it."""

    status: int
    code: str
    message: str
    details: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str, client_request_id: str, now: float) -> dict[str, Any]:
        """Return the JSON body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        error["innerError"] = {
            "date": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return {"error": error}


def bad(message: str, *details: Mapping[str, str], code: str = BAD) -> GraphError:
    """Return a 400."""
    return GraphError(400, code, message, details)


def invalid_value(name: str, resource: str = "User") -> GraphError:
    """Return the 400 for a value that breaks a property's rule."""
    message = f"Invalid value specified for property '{name}' of resource '{resource}'."
    return bad(message, {"code": "InvalidValue", "target": name, "message": message})


def required(name: str) -> GraphError:
    """Return the 400 for a property that is missing or empty."""
    return bad(f"A value is required for property '{name}' of resource 'User'.")


def conflict(name: str, holder: str | None = None) -> GraphError:
    """Return the 400 for a value that another object has; `holder`: `User_<guid>` names it."""
    message = f"Another object with the same value for property {name} already exists."
    details = [{"code": "ObjectConflict", "message": message, "target": name}]
    if holder is not None:
        details.append({"code": "ConflictingObjects", "message": message, "target": holder})
    return bad(message, *details)


def not_found(key: str) -> GraphError:
    """Return the 404 of the directory."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def no_mailbox() -> GraphError:
    """Return Exchange Online's 404 for a user who has no mailbox there, or not yet."""
    return GraphError(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def denied() -> GraphError:
    """Return the directory's 403 for an application without the permission."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def denied_by_exchange() -> GraphError:
    """Return Exchange Online's 403 for an application without the permission."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def bad_token(message: str) -> GraphError:
    """Return the 401 for a token that is missing, wrong or too old."""
    challenge = {"WWW-Authenticate": 'Bearer realm="", client_id="00000003-0000-0000-c000-000000000000"'}
    return GraphError(401, "InvalidAuthenticationToken", message, headers=challenge)


def unsupported(message: str = "Unsupported Query.") -> GraphError:
    """Return the 400 for a query that the directory does not serve."""
    return bad(message, code=UNSUPPORTED)
