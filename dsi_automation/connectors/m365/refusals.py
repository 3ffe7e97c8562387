"""A refusal of Microsoft Graph as a sentence with the next thing to do.

The status decides first, then the message: `code` is nearly always `Request_BadRequest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dsi_automation.connectors.m365.asks import Answer, Ask, GraphFault
from dsi_automation.connectors.m365.errors import (
    AbsentError,
    AddressTakenError,
    DirectoryMasteredError,
    LicenceConflictError,
    NoSeatError,
    PermissionMissingError,
    SignInRefusedError,
    UnknownLicenceError,
    UsageLocationError,
)
from dsi_automation.connectors.m365.permissions import NEEDS
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text

_LONGEST: Final = 500
"""Characters of a foreign message that are kept: a gateway's page can be long."""

NO_SEAT: Final = "does not have any available licenses"
UNKNOWN_SKU: Final = "does not correspond to a valid company License"
USAGE_LOCATION: Final = "invalid usage location"
NO_SUCH_LICENCE: Final = "does not have a corresponding license"


def is_usage_location(answer: Answer) -> bool:
    """Tell whether a licence was refused for the country, which also happens for seconds after it was set."""
    return answer.status == 400 and USAGE_LOCATION in answer.fault.message


def not_yet_there(answer: Answer) -> bool:
    """Tell whether an answer is what an object made just now gives until every server knows it."""
    unknown_reference = answer.status == 400 and "Not a valid reference update" in answer.fault.message
    return answer.status == 404 or unknown_reference


def detail_of(ask: Ask, answer: Answer) -> dict[str, Any]:
    """Return the facts that Microsoft's support asks for."""
    fault = answer.fault
    facts = {
        "call": ask.call.value,
        "status": answer.status,
        "graph_code": fault.code,
        "message": redact(fault.message)[:_LONGEST],
        "request_id": fault.request_id,
        "client_request_id": fault.client_request_id,
        "throttle_scope": answer.headers.get("x-ms-throttle-scope"),
        "throttle_information": answer.headers.get("x-ms-throttle-information"),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def refusal(ask: Ask, answer: Answer) -> RefusedError:
    """Return the error for an answer that is not what was asked for."""
    fault = answer.fault
    for applies, kind, what, meaning, next_step in _TABLE:
        if applies(answer, fault):
            return _error(kind, ask, answer, what, meaning, next_step)
    if answer.status == 401:
        return _error(
            SignInRefusedError,
            ask,
            answer,
            T("Microsoft Graph does not accept the application's token."),
            None,
            T("Check tenant_id, client_id and cloud in the inventory: `dsi doctor m365`."),
        )
    if answer.status == 403:
        return _forbidden(ask, answer)
    if answer.status == 404:
        return _error(
            AbsentError,
            ask,
            answer,
            T("The object is not in the tenant."),
            T("It may have been deleted, or the synchronisation has not brought it yet."),
            T("Look again: `dsi mailbox check`."),
        )
    return _other(ask, answer, fault)


def _forbidden(ask: Ask, answer: Answer) -> RefusedError:
    need = NEEDS[ask.call].least
    error = _error(
        PermissionMissingError,
        ask,
        answer,
        T("The application lacks a permission in the tenant: {permission}.", permission=need),
        None,
        T(
            "Have an administrator of the tenant grant {permission} (application permission) in the Entra admin "
            "centre, with admin consent; `dsi doctor m365` lists all that are needed.",
            permission=need,
        ),
    )
    error.detail["permission"] = need
    return error


def _other(ask: Ask, answer: Answer, fault: GraphFault) -> RefusedError:
    if not answer.readable or not (fault.code or fault.message):
        return _error(
            RefusedError,
            ask,
            answer,
            T("The answer is not one of Microsoft Graph's (HTTP {status}).", status=answer.status),
            T("Something between this machine and Microsoft 365 may have answered in its place: a proxy, a portal."),
            T("Check base_url in the inventory and the proxy."),
        )
    said = redact(fault.message)[:_LONGEST] or fault.code
    return _error(
        RefusedError,
        ask,
        answer,
        T("Microsoft 365 refused: {said}", said=said),
        None,
        T("Give the request id of the details to Microsoft's support if the sentence does not say enough."),
    )


def _error(
    kind: type[RefusedError], ask: Ask, answer: Answer, what: Text, meaning: Text | None, next_step: Text
) -> RefusedError:
    tried = T("This was not done: {doing}.", doing=ask.doing)
    full = tried if meaning is None else T("{first} {second}", first=meaning, second=tried)
    detail = detail_of(ask, answer)
    if "request_id" in detail:
        # Told to people as well: Microsoft's support asks for them first.
        ids = T(
            "For Microsoft's support: request-id {request_id}, client-request-id {client_request_id}.",
            request_id=detail["request_id"],
            client_request_id=detail.get("client_request_id", "-"),
        )
        full = T("{first} {second}", first=full, second=ids)
    if other := answer.fault.other_object:
        detail["other_object"] = other
    return kind(what, on=ask.on, meaning=full, next_step=next_step, detail=detail)


type _Row = tuple[Callable[[Answer, GraphFault], bool], type[RefusedError], Text, Text | None, Text]


def _says(*parts: str) -> Callable[[Answer, GraphFault], bool]:
    return lambda answer, fault: answer.status in (400, 409) and any(part in fault.message for part in parts)


_TABLE: Final[tuple[_Row, ...]] = (
    (
        _says(NO_SEAT),
        NoSeatError,
        T("No seat of this licence is left."),
        T("The account is kept; it has no mailbox until it has a licence."),
        T("Buy seats or free some (`dsi licence list`, `dsi licence remove`), then resume the run."),
    ),
    (
        _says(UNKNOWN_SKU),
        UnknownLicenceError,
        T("The tenant has no subscription for this licence."),
        None,
        T("Correct dsi_accounts.licences in the inventory: `dsi licence list` shows what the tenant has."),
    ),
    (
        _says(NO_SUCH_LICENCE),
        UnknownLicenceError,
        T("The user does not have this licence directly."),
        T("It may come from a group."),
        T("Look at the account: `dsi mailbox check`; a licence that comes from a group is removed there."),
    ),
    (
        _says(USAGE_LOCATION),
        UsageLocationError,
        T("The licence cannot be given: the user's country of use is missing, or not one of the licence's."),
        None,
        T("Check dsi_accounts.usage_location in the inventory, a two-letter code as in CI, and plan again."),
    ),
    (
        _says("Conflicting Service Plans", "MutuallyExclusiveViolation"),
        LicenceConflictError,
        T("The user has another licence that brings the same services."),
        T("Two licences with a mailbox exclude each other."),
        T("Remove the other licence first (`dsi licence remove`), or keep it and give none."),
    ),
    (
        _says("DependencyViolation", "depends on the service plan"),
        LicenceConflictError,
        T("The licence needs, or is needed by, another licence of the user."),
        None,
        T("Look at the account's licences: `dsi mailbox check`."),
    ),
    (
        lambda answer, fault: answer.status in (400, 409) and fault.names("userPrincipalName"),
        AddressTakenError,
        T("Somebody else has this address already."),
        T("Another object of the tenant has it as its sign-in name."),
        T("Plan again: the next free address is chosen."),
    ),
    (
        lambda answer, fault: answer.status in (400, 409) and (fault.names("proxyAddresses") or fault.names("mail")),
        AddressTakenError,
        T("Another object of the tenant has one of the user's addresses."),
        T("Users, groups, contacts and deleted users share one list of addresses."),
        T("Find it by the address in the Exchange admin centre and take the address off it, or plan again."),
    ),
    (
        _says("on-premises mastered", "Directory Sync objects"),
        DirectoryMasteredError,
        T("The user comes from the Active Directory, where this must be changed."),
        None,
        T("Change it in the Active Directory and let the synchronisation carry it."),
    ),
    (
        _says("is read-only and cannot be set"),
        RefusedError,
        T("The tenant does not let this property be set so."),
        T("This is a fault of the toolkit."),
        T("Report it with the details."),
    ),
    (
        lambda _, fault: fault.code == "Request_UnsupportedQuery",
        RefusedError,
        T("The tenant does not support this search."),
        T("This is a fault of the toolkit."),
        T("Report it with the details."),
    ),
    (
        _says("password does not comply", "PasswordProfile", "password complexity"),
        RefusedError,
        T("The tenant does not accept the password."),
        None,
        T("Raise dsi_accounts.password_length in the inventory, or check the tenant's banned words."),
    ),
    (
        lambda answer, fault: answer.status == 404 and fault.code == "MailboxNotEnabledForRESTAPI",
        AbsentError,
        T("The mailbox is not there: not ready yet, deleted, or still on a server of the department."),
        None,
        T("Wait and look again: `dsi mailbox check`."),
    ),
)
