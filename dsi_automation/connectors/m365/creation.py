"""Creating a user exactly once, although the answer to a POST can be lost.

A UPN is unique: a second POST can make no second user, and Graph answers that the UPN is taken. Whose it is, the
staff number tells. Reads lag behind writes by seconds, so that "not found" proves nothing after a lost answer.
"""

from __future__ import annotations

from collections.abc import Callable

from dsi_automation.connectors.m365 import queries, records
from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.client import Connection
from dsi_automation.connectors.m365.errors import AddressTakenError, StaffNumberTakenError, lost
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.connectors.m365.port import CloudUser, NewCloudUser
from dsi_automation.connectors.m365.refusals import refusal
from dsi_automation.connectors.m365.retry import FIRST, FIRST_LOOK, LONGEST, LONGEST_LOOK
from dsi_automation.core.errors import UnknownOutcomeError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T


def create(connection: Connection, user: NewCloudUser, password: Secret, permitted: Callable[[], None]) -> CloudUser:
    """Create a user, or return the one that an earlier try created.

    Args:
        connection: to the tenant.
        user: what to create.
        password: temporary, to be changed at the first sign-in.
        permitted: raises when the write is not, or no longer, allowed; asked just before each POST.

    Raises:
        AddressTakenError, StaffNumberTakenError: of RefusedError.
        UnknownOutcomeError: the answer was lost and the user does not show before the deadline.
    """
    ends = connection.clock.monotonic() + connection.endpoint.deadline
    ask, wait = _post(connection, user, password), FIRST
    found = _ours(connection, user)
    while found is None:
        permitted()
        try:
            answer = connection.ask(ask)
        except UnknownOutcomeError:
            # Perhaps created. If a read does not show it, another POST tells: the UPN is unique.
            if connection.clock.monotonic() + wait > ends:
                raise
            connection.clock.sleep(wait)
            wait = min(LONGEST, wait * 2)
            found = _ours(connection, user)
            continue
        if answer.status == 201:
            found = _from_answer(user, answer)
        elif answer.status in (400, 409) and answer.fault.names("userPrincipalName"):
            found = _whose(connection, user, ask, answer, ends)
        else:
            raise refusal(ask, answer)
    connection.created[user.staff_number.lower()] = found.id
    connection.created[user.upn.lower()] = found.id
    return found


def _post(connection: Connection, user: NewCloudUser, password: Secret) -> Ask:
    sdk = connection.sdk
    body = {
        "accountEnabled": True,
        "displayName": user.display_name,
        "mailNickname": user.mail_nickname,
        "userPrincipalName": user.upn,
        "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": True},
        "usageLocation": user.usage_location,
        "employeeId": user.staff_number,
        "surname": user.surname,
        "givenName": user.given_name,
        "department": user.department,
        "mobilePhone": user.phone,
    }
    given = {name: value for name, value in body.items() if value is not None}
    doing = T("create the user {upn}", upn=user.upn)
    return Ask(Call.CREATE_USER, "POST", sdk.url(sdk.graph.users), doing, user.staff_number, given, once=True)


def _ours(connection: Connection, user: NewCloudUser) -> CloudUser | None:
    """Return the user with this staff number and this address, or None where neither is known."""
    requests = connection.queries
    number = queries.quoted(user.staff_number)
    by_number, by_upn = (
        [records.user(one) for one in found]
        for found in connection.pages(
            [
                *requests.users_by("employeeId", [user.staff_number]),
                *requests.users_by("userPrincipalName", [user.upn.lower()]),
            ]
        )
    )
    same = next((one for one in (*by_upn, *by_number) if _is(one, user)), None)
    if same is not None:
        return same
    if by_upn:
        raise _taken(user, by_upn[0])
    if by_number:
        raise StaffNumberTakenError(
            T("The staff number {number} is that of {upn}.", number=user.staff_number, upn=by_number[0].upn),
            on=user.staff_number,
            meaning=T("Nobody gets a second account."),
            next_step=T("Plan again: an account that is there is matched by its staff number."),
            detail={"id": by_number[0].id, "filter": number},
        )
    return None


def _whose(connection: Connection, user: NewCloudUser, ask: Ask, answer: Answer, ends: float) -> CloudUser | None:
    """Return the user that has the UPN if it is the one to create; a read may lag behind, and is repeated."""
    wait = FIRST_LOOK
    while True:
        found = _ours(connection, user)
        if found is not None:
            return found
        if connection.clock.monotonic() + wait > ends:
            error = lost(ask.doing, on=ask.on, server=connection.endpoint.base_url, detail={"status": answer.status})
            raise error from refusal(ask, answer)
        connection.clock.sleep(wait)
        wait = min(LONGEST_LOOK, wait * 2)


def _is(one: CloudUser, user: NewCloudUser) -> bool:
    same_number = (one.staff_number or "").lower() == user.staff_number.lower()
    return same_number and one.upn.lower() == user.upn.lower()


def _taken(user: NewCloudUser, other: CloudUser) -> AddressTakenError:
    return AddressTakenError(
        T("{upn} is somebody else's already: {name}.", upn=user.upn, name=other.display_name or other.id),
        on=user.staff_number,
        meaning=T("No user was created."),
        next_step=T("Plan again: the next free address is chosen."),
        detail={"id": other.id},
    )


def _from_answer(user: NewCloudUser, answer: Answer) -> CloudUser:
    """Return the user as it was created: reading it back would find nothing for some seconds."""
    return records.user(
        {
            "employeeId": user.staff_number,
            "accountEnabled": True,
            "usageLocation": user.usage_location,
            "displayName": user.display_name,
            "surname": user.surname,
            "givenName": user.given_name,
            "userPrincipalName": user.upn,
            **{name: value for name, value in answer.data.items() if value is not None},
        }
    )
