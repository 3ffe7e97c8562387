"""Which application permissions each call needs: any one of a set, told by the token's `roles`.

Sources: the permissions table of each call's page in the Microsoft Graph v1.0 reference; for accountEnabled and
passwordProfile, "Update user", "Permissions for specific scenarios".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from dsi_automation.lab.graph.errors import denied, denied_by_exchange

type AnyOf = frozenset[str]

_DIRECTORY_READ: Final = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_DIRECTORY: Final = frozenset({"Directory.ReadWrite.All"})
READ_USERS: Final = _DIRECTORY_READ | {"User.Read.All", "User.ReadWrite.All", "User.ReadUpdate.All"}
CREATE_USERS: Final = _DIRECTORY | {"User.ReadWrite.All", "User.Create"}
UPDATE_USERS: Final = _DIRECTORY | {"User.ReadWrite.All", "User.ReadUpdate.All"}
DELETE_USERS: Final = _DIRECTORY | {"User.ReadWrite.All", "User.DeleteRestore.All"}
ENABLE: Final = frozenset({"User.EnableDisableAccount.All"})
PASSWORD: Final = frozenset({"User-PasswordProfile.ReadWrite.All"})
LICENSE: Final = _DIRECTORY | {"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"}
REVOKE: Final = _DIRECTORY | {"User.RevokeSessions.All", "User.ReadWrite.All"}
ORGANIZATION: Final = _DIRECTORY_READ | {"Organization.Read.All", "Organization.ReadWrite.All"}
SKUS: Final = ORGANIZATION | {"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All"}
GROUPS: Final = _DIRECTORY_READ | {
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
}
CONTACTS: Final = _DIRECTORY_READ | {"OrgContact.Read.All"}
MAILBOX: Final = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
MAIL: Final = frozenset({"Mail.Send"})
SYNCHRONIZATION: Final = frozenset({"Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy"})


def need(roles: Collection[str], wanted: AnyOf) -> None:
    """Refuse a caller of the directory who has none of these permissions.

    Raises:
        GraphError: Authorization_RequestDenied.
    """
    if wanted.isdisjoint(roles):
        raise denied()


def need_exchange(roles: Collection[str], wanted: AnyOf) -> None:
    """Refuse a caller of Exchange Online who has none of these permissions.

    Raises:
        GraphError: ErrorAccessDenied.
    """
    if wanted.isdisjoint(roles):
        raise denied_by_exchange()


def need_for_change(roles: Collection[str], body: Mapping[str, Any]) -> None:
    """Refuse a PATCH of a user: a password and the rest each need their own permission.

    Raises:
        GraphError: Authorization_RequestDenied.
    """
    names = {name for name in body if name != "@odata.type"}
    if "passwordProfile" in names:
        need(roles, PASSWORD)
    rest = names - {"passwordProfile"}
    if rest == {"accountEnabled"} and not ENABLE.isdisjoint(roles) and not READ_USERS.isdisjoint(roles):
        return
    if rest or not names:
        need(roles, UPDATE_USERS)
