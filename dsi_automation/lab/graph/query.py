"""Query options: read from the request's own text, checked, and applied to a list: page by page.

Sources: Microsoft Graph, "Use query parameters to customize responses", "Paging Microsoft Graph data in your app".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from dsi_automation.lab.graph import filters
from dsi_automation.lab.graph.errors import bad, unsupported
from dsi_automation.lab.graph.properties import Resource

PAGE: Final = 100
LARGEST_PAGE: Final = 999
LIST: Final = frozenset({"$select", "$filter", "$top", "$skiptoken", "$count", "$orderby"})
ONE: Final = frozenset({"$select"})
_KNOWN: Final = LIST | {"$expand", "$search", "$skip", "$format", "$deltatoken", "$apply", "$compute"}


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request.

    Attributes:
        select: names asked for; empty for the default set.
        after: the sequence number of the last object of the page before.
        pairs: every option as it was sent, for the link to the next page.
    """

    select: tuple[str, ...] = ()
    condition: filters.Node | None = None
    top: int = PAGE
    after: int = 0
    count: bool = False
    order: tuple[str, bool] | None = None
    pairs: tuple[tuple[str, str], ...] = field(default=())


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of a query string, decoded, in their order."""
    found = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.append((unquote_plus(name), unquote_plus(value)))
    return tuple(found)


def read(
    text: str, resource: Resource | None, names: Iterable[str], headers: Mapping[str, str], *, allowed: frozenset[str]
) -> Query:
    """Return the options of a request.

    Args:
        text: the query string as it was sent.
        resource: what is asked for; None where nothing can be filtered.
        names: the properties that $select knows.
        headers: the request's, found whatever the case of their names.
        allowed: options that this resource serves.

    Raises:
        GraphError: one is unknown, twice there, not served here, or wrong.
    """
    sent = pairs(text)
    options = {name: value for name, value in sent if name.startswith("$")}
    if len(options) != sum(1 for name, _ in sent if name.startswith("$")):
        raise bad(
            "Query option was specified more than once, but it must be specified at most once.", code="BadRequest"
        )
    for name in options:
        if name not in _KNOWN:
            raise bad(f"The query parameter '{name}' is not supported.", code="BadRequest")
        if name not in allowed:
            raise unsupported(f"'{name}' is not supported by the service.")
    eventual = headers.get("consistencylevel", "").lower() == "eventual"
    counted = options.get("$count", "false").lower()
    if counted not in ("true", "false"):
        raise bad(f"Invalid value '{options['$count']}' for $count query option found.", code="BadRequest")
    advanced = eventual and counted == "true"
    condition = None
    if "$filter" in options and resource is not None:
        condition = filters.parse(options["$filter"])
        filters.check(condition, resource, advanced=advanced)
    return Query(
        select=_select(options.get("$select"), resource, set(names)),
        condition=condition,
        top=_top(options.get("$top")),
        after=_after(options.get("$skiptoken")),
        count=advanced,
        order=_order(options.get("$orderby"), advanced=advanced, filtered=condition is not None),
        pairs=sent,
    )


def _select(text: str | None, resource: Resource | None, known: set[str]) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    entity = resource.entity if resource is not None else "entity"
    for name in names:
        if name not in known and name != "*":
            raise bad(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                f"'microsoft.graph.{entity}'.",
                code="BadRequest",
            )
    return () if "*" in names else names


def _top(text: str | None) -> int:
    if text is None:
        return PAGE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise unsupported(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def _after(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("RFNwdAoAAQ"))
    except (ValueError, binascii.Error) as error:
        raise bad(
            "The specified page token value has expired or is not valid.", code="Directory_ExpiredPageToken"
        ) from (error)


def token(sequence: int) -> str:
    """Return the $skiptoken that goes on after this object."""
    return base64.urlsafe_b64encode(f"RFNwdAoAAQ{sequence}".encode()).decode()


def _order(text: str | None, *, advanced: bool, filtered: bool) -> tuple[str, bool] | None:
    if text is None:
        return None
    name, _, way = text.partition(" ")
    if name not in ("displayName", "userPrincipalName", "deletedDateTime") or way not in ("", "asc", "desc"):
        raise unsupported()
    if (filtered or name == "deletedDateTime") and not advanced:
        raise unsupported("Sorting not supported for current query.")
    return name, way == "desc"


def context(base: str, entity_set: str, query: Query, *, one: bool = False) -> str:
    """Return `@odata.context`."""
    chosen = f"({','.join(query.select)})" if query.select else ""
    return f"{base}/$metadata#{entity_set}{chosen}{'/$entity' if one else ''}"


def next_link(base: str, path: str, query: Query, last: int) -> str:
    """Return the address of the next page: what was sent, with another $skiptoken."""
    kept = [(name, value) for name, value in query.pairs if name != "$skiptoken"]
    sent = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in kept)
    return f"{base}{path}?{sent}{'&' if sent else ''}$skiptoken={token(last)}"


def shown(row: Mapping[str, Any], query: Query, default: Iterable[str]) -> dict[str, Any]:
    """Return the properties that were asked for."""
    names = query.select or tuple(default)
    return {name: row[name] for name in names if name in row}
