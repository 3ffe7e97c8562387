"""Microsoft Graph v1.0: which call is meant, who may make it, and its answer.

Source: the Microsoft Graph v1.0 reference, one page per call; each method names its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from dsi_automation.lab.graph import filters, mail, permissions, query
from dsi_automation.lab.graph.errors import BAD, GraphError, bad, not_found, required
from dsi_automation.lab.graph.properties import (
    CONTACTS,
    DELETED,
    GROUPS,
    ORGANIZATION,
    SKU,
    USERS,
    Resource,
)
from dsi_automation.lab.graph.query import Query
from dsi_automation.lab.graph.store import INDEXED, Entry
from dsi_automation.lab.graph.tenant import Tenant

VERSION: Final = "/v1.0"
_WRITES: Final = ("POST", "PATCH", "PUT")
NOTHING: Final = object()
"""The body of a request without one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, by itself or inside a batch.

    Attributes:
        path: below `/v1.0`, as it was sent.
        query: as it was sent.
        headers: as sent, found whatever the case of their names.
        body: parsed; NOTHING when there is none.
        roles: the permissions of the caller's token.
        base: `https://host/v1.0`, as the caller reaches us.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    roles: frozenset[str]
    base: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


type Provision = Callable[[str], Awaitable[dict[str, Any]]]
"""Synchronises one account now, by its DN, and returns `key` and `value` of provisionOnDemand's answer."""


class Service:
    """Answers calls for one tenant."""

    def __init__(self, tenant: Tenant, provision: Provision) -> None:
        self._tenant = tenant
        self._provision = provision

    async def answer(self, call: Call) -> Answer:
        """Carry a call out.

        Raises:
            GraphError: it is refused.
        """
        self._tenant.settle()
        segments = [unquote(part) for part in call.path.strip("/").split("/")]
        segments[-1] = segments[-1].removeprefix("microsoft.graph.") if len(segments) == 3 else segments[-1]
        match segments:
            case ["servicePrincipals", principal, "synchronization", "jobs", job, "provisionOnDemand"]:
                _only(call, "POST")
                return await self._provision_on_demand(call, principal, job)
            case ["users", *rest]:
                return self._users(call, rest)
            case ["organization" | "subscribedSkus" | "groups" | "contacts" | "directory", *_]:
                _only(call, "GET")
                return self._reads(call, segments)
            case _:
                raise bad(f"Resource not found for the segment '{segments[0]}'.", code="BadRequest")

    def _reads(self, call: Call, segments: list[str]) -> Answer:
        match segments:
            case ["organization"]:
                permissions.need(call.roles, permissions.ORGANIZATION)
                return self._organization(call)
            case ["subscribedSkus"]:
                permissions.need(call.roles, permissions.SKUS)
                return self._skus(call)
            case ["groups"]:
                permissions.need(call.roles, permissions.GROUPS)
                return self._list(call, GROUPS, self._tenant.store.live("group"))
            case ["contacts"]:
                permissions.need(call.roles, permissions.CONTACTS)
                return self._list(call, CONTACTS, self._tenant.store.live("contact"))
            case ["directory", "deletedItems", "user" | "graph.user"]:
                permissions.need(call.roles, permissions.READ_USERS)
                return self._list(call, DELETED, self._tenant.store.deleted())
            case ["directory", "deletedItems", key]:
                permissions.need(call.roles, permissions.READ_USERS)
                return self._one(call, self._tenant.user(key, deleted=True), key, DELETED)
            case [*_, last]:
                raise bad(f"Resource not found for the segment '{last}'.", code="BadRequest")
            case _:
                raise bad("Resource not found.", code="BadRequest")

    def _users(self, call: Call, rest: list[str]) -> Answer:
        match rest:
            case []:
                _only(call, "GET", "POST")
                return self._create(call) if call.method == "POST" else self._all_users(call)
            case ["$count"]:
                _only(call, "GET")
                return self._count(call)
            case [key]:
                _only(call, "GET", "PATCH", "DELETE")
                return self._user(call, key)
            case [key, action]:
                return self._action(call, key, action)
            case _:
                raise bad(f"Resource not found for the segment '{rest[-1]}'.", code="BadRequest")

    def _all_users(self, call: Call) -> Answer:
        """List users ("List users")."""
        permissions.need(call.roles, permissions.READ_USERS)
        return self._list(call, USERS, self._tenant.store.live("user"))

    def _count(self, call: Call) -> Answer:
        """Count users ("List users", example with /$count); the answer is text."""
        permissions.need(call.roles, permissions.READ_USERS)
        if call.headers.get("consistencylevel", "").lower() != "eventual":
            raise bad("$count is not currently supported.", code=BAD)
        asked = query.read(
            f"{call.query}&$count=true", USERS, USERS.properties, call.headers, allowed=frozenset({"$filter", "$count"})
        )
        found = self._found(USERS, self._tenant.store.live("user"), asked)
        return Answer(200, str(len(found)), {"Content-Type": "text/plain"})

    def _create(self, call: Call) -> Answer:
        """Create a user ("Create user"): 201 with the default properties."""
        permissions.need(call.roles, permissions.CREATE_USERS)
        _no_options(call)
        entry = self._tenant.rules.create(_object(call))
        shown = {
            "@odata.context": query.context(call.base, "users", Query(), one=True),
            **query.shown(self._tenant.row(entry), Query(), USERS.default),
        }
        return Answer(201, shown, {"Location": f"{call.base}/users/{entry.id}"})

    def _user(self, call: Call, key: str) -> Answer:
        """Get, update or delete a user ("Get a user", "Update user", "Delete a user")."""
        if call.method == "GET":
            permissions.need(call.roles, permissions.READ_USERS)
            return self._one(call, self._tenant.user(key), key, USERS)
        _no_options(call)
        if call.method == "DELETE":
            permissions.need(call.roles, permissions.DELETE_USERS)
            self._tenant.rules.delete(self._found_user(key))
            return Answer(204)
        body = _object(call)
        permissions.need_for_change(call.roles, body)
        self._tenant.rules.change(self._found_user(key), body)
        return Answer(204)

    def _action(self, call: Call, key: str, action: str) -> Answer:
        match action:
            case "assignLicense":
                _only(call, "POST")
                permissions.need(call.roles, permissions.LICENSE)
                return self._assign(call, key)
            case "reprocessLicenseAssignment":
                _only(call, "POST")
                permissions.need(call.roles, permissions.LICENSE)
                return self._told(call, self._found_user(key))
            case "revokeSignInSessions":
                _only(call, "POST")
                permissions.need(call.roles, permissions.REVOKE)
                self._tenant.rules.revoke(self._found_user(key))
                return Answer(200, {"@odata.context": f"{call.base}/$metadata#Edm.Boolean", "value": True})
            case "sendMail":
                _only(call, "POST")
                permissions.need_exchange(call.roles, permissions.MAIL)
                mail.send(self._tenant, self._mailbox(key), _object(call))
                return Answer(202)
            case "mailboxSettings":
                _only(call, "GET")
                permissions.need_exchange(call.roles, permissions.MAILBOX)
                context = f"{call.base}/$metadata#users('{key}')/mailboxSettings"
                return Answer(200, mail.settings(self._mailbox(key), context))
            case _:
                raise bad(f"Resource not found for the segment '{action}'.", code="BadRequest")

    def _assign(self, call: Call, key: str) -> Answer:
        """Add and remove licences ("user: assignLicense"): 200 with the user."""
        _no_options(call)
        entry = self._found_user(key)
        self._tenant.licences.assign(entry, _object(call))
        return self._told(call, entry)

    def _told(self, call: Call, entry: Entry) -> Answer:
        names = (*USERS.default, "accountEnabled", "assignedLicenses", "assignedPlans", "usageLocation")
        shown = query.shown(self._tenant.row(entry), Query(), names)
        return Answer(200, {"@odata.context": query.context(call.base, "users", Query(), one=True), **shown})

    def _organization(self, call: Call) -> Answer:
        """Tell the organisation ("List organizations")."""
        asked = query.read(call.query, None, ORGANIZATION, call.headers, allowed=query.ONE)
        row = {**dict.fromkeys(ORGANIZATION), **self._tenant.organization()}
        for name in ("assignedPlans", "provisionedPlans", "businessPhones", "technicalNotificationMails"):
            row[name] = row[name] or []
        return _collection(call, "organization", asked, [query.shown(row, asked, ORGANIZATION)])

    def _skus(self, call: Call) -> Answer:
        """Tell the subscriptions ("List subscribedSkus": $select only)."""
        asked = query.read(call.query, None, SKU, call.headers, allowed=query.ONE)
        settings = self._tenant.settings
        rows = self._tenant.licences.rows(settings.tenant_id, settings.tenant_name)
        return _collection(call, "subscribedSkus", asked, [query.shown(row, asked, SKU) for row in rows])

    def _one(self, call: Call, entry: Entry | None, key: str, resource: Resource) -> Answer:
        asked = query.read(call.query, resource, resource.properties, call.headers, allowed=query.ONE)
        if entry is None:
            raise not_found(key)
        shown = query.shown(self._tenant.row(entry), asked, resource.default)
        return Answer(200, {"@odata.context": query.context(call.base, "users", asked, one=True), **shown})

    def _list(self, call: Call, resource: Resource, entries: Iterable[Entry]) -> Answer:
        asked = query.read(call.query, resource, resource.properties, call.headers, allowed=query.LIST)
        found = self._found(resource, entries, asked)
        start = next((at for at, (entry, _) in enumerate(found) if entry.sequence == asked.after), -1) + 1
        if asked.after and not start:  # the last one told is gone meanwhile: go on after its place
            start = sum(entry.sequence < asked.after for entry, _ in found)
        page = found[start : start + asked.top]
        rows = [query.shown(row or self._tenant.row(entry), asked, resource.default) for entry, row in page]
        answer = _collection(call, resource.entity_set, asked, rows)
        if asked.count:
            answer.body["@odata.count"] = len(found)
        if len(found) > start + asked.top:
            answer.body["@odata.nextLink"] = query.next_link(call.base, call.path, asked, page[-1][0].sequence)
        answer.body["value"] = answer.body.pop("value")
        return answer

    def _found(
        self, resource: Resource, entries: Iterable[Entry], asked: Query
    ) -> list[tuple[Entry, dict[str, Any] | None]]:
        """Return the objects that fit, in order, with their row where it was needed."""
        seen = self._tenant.visible
        condition = asked.condition
        found: list[tuple[Entry, dict[str, Any] | None]]
        if condition is None:
            found = [(entry, None) for entry in entries if seen(entry)]
        else:
            found = []
            for entry in self._candidates(resource, entries, condition):
                if seen(entry) and filters.matches(condition, row := self._tenant.row(entry)):
                    found.append((entry, row))
        if asked.order is not None:
            name, backwards = asked.order
            found.sort(key=lambda pair: str(pair[0].props.get(name, "")).lower(), reverse=backwards)
        return found

    def _candidates(self, resource: Resource, entries: Iterable[Entry], condition: filters.Node) -> list[Entry]:
        keys = filters.lookups(condition, INDEXED)
        if keys is None:
            return list(entries)
        kinds = {"user": "user", "group": "group", "orgContact": "contact"}
        found = {entry.id: entry for name, value in keys for entry in self._tenant.store.find(name, value)}
        kept = (
            entry
            for entry in found.values()
            if entry.kind == kinds[resource.entity] and (entry.deleted_at is not None) is (resource is DELETED)
        )
        return sorted(kept, key=lambda entry: entry.sequence)

    def _found_user(self, key: str) -> Entry:
        entry = self._tenant.user(key)
        if entry is None:
            raise not_found(key)
        return entry

    def _mailbox(self, key: str) -> Entry:
        entry = self._tenant.user(key)
        if entry is None:
            raise mail.invalid_user(key)
        return entry

    async def _provision_on_demand(self, call: Call, principal: str, job: str) -> Answer:
        """Synchronise one account now ("synchronizationJob: provisionOnDemand", example 2)."""
        permissions.need(call.roles, permissions.SYNCHRONIZATION)
        hybrid = self._tenant.settings.hybrid
        if (principal.lower(), job) != (hybrid.principal_id.lower(), hybrid.job_id) or not self._tenant.hybrid:
            raise not_found(job)
        dn = _subject(_object(call), hybrid.rule_id)
        told = await self._provision(dn)
        kind = "microsoft.synchronization.stringKeyStringValuePair"
        return Answer(200, {"@odata.context": f"https://syncfabric.windowsazure.com/api/$metadata#{kind}", **told})


def _subject(body: Mapping[str, Any], rule: str) -> str:
    match body:
        case {
            "parameters": [{"ruleId": str(asked), "subjects": [{"objectId": str(dn), "objectTypeName": str(kind)}]}]
        } if asked.lower() == rule.lower() and kind.lower() == "user":
            return dn
        case {"parameters": [{"ruleId": _, "subjects": [_]}]}:
            raise bad("The rule or the type of the subject is not known to this job.", code="BadRequest")
        case _:
            raise required("parameters")


def _collection(call: Call, entity_set: str, asked: Query, rows: list[dict[str, Any]]) -> Answer:
    return Answer(200, {"@odata.context": query.context(call.base, entity_set, asked), "value": rows})


def _only(call: Call, *methods: str) -> None:
    if call.method not in methods:
        raise GraphError(405, BAD, "Specified HTTP method is not allowed for the request target.")


def _no_options(call: Call) -> None:
    query.read(call.query, None, (), call.headers, allowed=frozenset())


def _object(call: Call) -> Mapping[str, Any]:
    """Return the body, an object.

    Raises:
        GraphError: there is none, it is none, or its type is not said.
    """
    if call.body is NOTHING:
        raise bad("Empty Payload. JSON content expected.", code="BadRequest")
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise bad(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.", code="BadRequest"
        )
    if not isinstance(call.body, dict):
        raise bad(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            "JSON format.",
            code="BadRequest",
        )
    return call.body
