"""The requests that read: each with its `$select`, its filter quoted, at most 15 clauses in one filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.m365 import records
from dsi_automation.connectors.m365.asks import LOW_PRIORITY, Answer, Ask
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.connectors.m365.port import HolderKind
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.connectors.m365.sdk import Sdk

type Query = dict[str, str | int | bool]

CLAUSES: Final = 15
"""Clauses that Graph takes in one filter."""
PAGE: Final = 999
"""Users in one page, the most there can be."""
ADVANCED: Final = {"ConsistencyLevel": "eventual"}
"""With `$count=true`, what Graph wants for the filters it calls advanced."""


class Queries:
    """Makes the requests, their URLs by the SDK's request builders."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self._graph = sdk.graph

    def organisation(self) -> Ask:
        """Return the request for the organisation."""
        url = self._sdk.url(self._graph.organization, {"select": ",".join(records.TENANT_FIELDS)})
        return Ask(Call.ORGANISATION, "GET", url, T("read the organisation"), batch=True)

    def skus(self) -> Ask:
        """Return the request for the subscribed licences, which knows no `$filter`."""
        url = self._sdk.url(self._graph.subscribed_skus, {"select": ",".join(records.SKU_FIELDS)})
        return Ask(Call.SKUS, "GET", url, T("read the subscribed licences"), batch=True)

    def user(self, user_id: str, fields: Sequence[str] = records.USER_FIELDS, **options: Any) -> Ask:
        """Return the request for one user; `options` as of `Ask`."""
        url = self._sdk.user_url(user_id, fields=fields)
        doing = T("read the user {id}", id=user_id)
        return Ask(Call.USERS, "GET", url, doing, user_id, batch=True, **options)

    def users(self) -> Ask:
        """Return the request for the first page of all users."""
        query: Query = {"select": ",".join(records.USER_FIELDS), "top": PAGE}
        url, doing = self._sdk.url(self._graph.users, query), T("read every user")
        return Ask(Call.USERS, "GET", url, doing, headers=LOW_PRIORITY, batch=True)

    def mailbox(self, user_id: str) -> Ask:
        """Return the request that tells whether a mailbox answers."""
        url = self._sdk.user_url(user_id, "mailbox_settings", ("timeZone",))
        return Ask(Call.MAILBOX, "GET", url, T("read the mailbox of {id}", id=user_id), user_id, batch=True)

    def users_by(self, property_: str, values: Sequence[str]) -> Iterator[Ask]:
        """Return the requests for the users whose property has one of these values."""
        doing = T("search for users by {property}", property=property_)
        for some in batched(values, CLAUSES):
            yield self._users(" or ".join(f"{property_} eq {quoted(value)}" for value in some), doing)

    def users_by_address(self, addresses: Sequence[str]) -> Iterator[Ask]:
        """Return the requests for the users with one of these addresses as UPN, mail or proxy address."""
        for filter_ in address_filters(addresses, upn=True):
            yield self._users(filter_, T("search for users by address"))

    def holders(self, addresses: Sequence[str]) -> Iterator[tuple[HolderKind, Ask]]:
        """Return the requests for what holds one of these addresses.

        Deleted users are all asked for: their UPN is prefixed, a filter would not find it, and there are those of
        30 days only.
        """
        doing = T("search for what holds an address")
        holder, with_upn = ",".join(records.HOLDER_FIELDS), ",".join(records.USER_HOLDER_FIELDS)
        for filter_ in address_filters(addresses, upn=True):
            url = self._sdk.url(self._graph.users, {"filter": filter_, "select": with_upn})
            yield HolderKind.USER, Ask(Call.USERS, "GET", url, doing, batch=True)
        for filter_ in address_filters(addresses, upn=False):
            url = self._sdk.url(self._graph.groups, {"filter": filter_, "select": holder})
            yield HolderKind.GROUP, Ask(Call.GROUPS, "GET", url, doing, batch=True)
            url = self._sdk.url(self._graph.contacts, {"filter": filter_, "select": holder})
            yield HolderKind.CONTACT, Ask(Call.CONTACTS, "GET", url, doing, batch=True)
        url = self._sdk.url(self._graph.directory.deleted_items.graph_user, {"select": with_upn, "top": PAGE})
        yield HolderKind.DELETED_USER, Ask(Call.DELETED_USERS, "GET", url, T("read the deleted users"), batch=True)

    def _users(self, filter_: str, doing: Text) -> Ask:
        query: Query = {"filter": filter_, "select": ",".join(records.USER_FIELDS), "top": PAGE}
        return Ask(Call.USERS, "GET", self._sdk.url(self._graph.users, query), doing, batch=True)


def next_page(ask: Ask, answer: Answer, base_url: str) -> Ask | None:
    """Return the request for the page after an answer; None after the last.

    A link to another server is not followed: it would be asked with this tenant's token.
    """
    link = answer.data.get("@odata.nextLink")
    if not isinstance(link, str) or not link.startswith(f"{base_url}/"):
        return None
    return Ask(ask.call, "GET", link.removeprefix(base_url), ask.doing, ask.on, headers=ask.headers, batch=True)


def advanced(ask: Ask, answer: Answer) -> Ask | None:
    """Return the request once more as an advanced query, where Graph says that it must be one; else None."""
    if answer.fault.code != "Request_UnsupportedQuery" or "ConsistencyLevel" in ask.headers or "?" not in ask.url:
        return None
    return Ask(
        ask.call,
        "GET",
        f"{ask.url}&$count=true",
        ask.doing,
        ask.on,
        headers={**ask.headers, **ADVANCED},
        batch=ask.batch,
    )


def quoted(value: str) -> str:
    """Return a value as a string of an OData filter: quotes doubled."""
    return "'" + value.replace("'", "''") + "'"


def address_filters(addresses: Sequence[str], *, upn: bool) -> Iterator[str]:
    """Return filters that together find every object with one of these addresses."""
    clauses: list[Callable[[str], str]] = [
        lambda value: f"mail eq {quoted(value)}",
        lambda value: f"proxyAddresses/any(x:x eq {quoted('smtp:' + value)})",
    ]
    if upn:
        clauses.insert(0, lambda value: f"userPrincipalName eq {quoted(value)}")
    for some in batched(addresses, CLAUSES // len(clauses)):
        yield " or ".join(clause(address.lower()) for address in some for clause in clauses)
