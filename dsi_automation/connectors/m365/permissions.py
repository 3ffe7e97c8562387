"""Which application permission each call to Microsoft Graph needs: the least one, and those that include it.

Source: the permissions table of each call in Microsoft's reference; the least one is what `dsi doctor m365` asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Call(StrEnum):
    """A kind of call, as far as permissions go."""

    ORGANISATION = "organisation"
    SKUS = "skus"
    USERS = "users"
    GROUPS = "groups"
    CONTACTS = "contacts"
    DELETED_USERS = "deleted_users"
    MAILBOX = "mailbox"
    CREATE_USER = "create_user"
    SET_LOCATION = "set_location"
    CHANGE_LICENCES = "change_licences"
    SET_ENABLED = "set_enabled"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # the name of a call
    REVOKE_SESSIONS = "revoke_sessions"
    SEND_MAIL = "send_mail"
    PROVISION_NOW = "provision_now"


@dataclass(frozen=True, slots=True)
class Need:
    """What one call needs.

    Attributes:
        least: the least permission that suffices.
        others: wider ones that include it.
    """

    least: str
    others: frozenset[str] = frozenset()

    def met_by(self, roles: Iterable[str]) -> bool:
        """Tell whether the roles of a token suffice."""
        held = set(roles)
        return self.least in held or not self.others.isdisjoint(held)


def _need(least: str, *others: str) -> Need:
    return Need(least, frozenset(others))


_READ: Final = ("Directory.Read.All", "Directory.ReadWrite.All")

NEEDS: Final[Mapping[Call, Need]] = MappingProxyType(
    {
        Call.ORGANISATION: _need("Organization.Read.All", "Organization.ReadWrite.All", *_READ),
        Call.SKUS: _need(
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "LicenseAssignment.Read.All",
            "LicenseAssignment.ReadWrite.All",
            *_READ,
        ),
        Call.USERS: _need("User.Read.All", "User.ReadUpdate.All", "User.ReadWrite.All", *_READ),
        Call.GROUPS: _need(
            "GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", *_READ
        ),
        Call.CONTACTS: _need("OrgContact.Read.All", *_READ),
        Call.DELETED_USERS: _need("User.Read.All", "User.ReadUpdate.All", "User.ReadWrite.All", *_READ),
        Call.MAILBOX: _need("MailboxSettings.Read", "MailboxSettings.ReadWrite"),
        Call.CREATE_USER: _need("User.ReadWrite.All", "User.Create", "Directory.ReadWrite.All"),
        Call.SET_LOCATION: _need("User.ReadWrite.All", "User.ReadUpdate.All", "Directory.ReadWrite.All"),
        Call.CHANGE_LICENCES: _need("LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
        Call.SET_ENABLED: _need("User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
        Call.RESET_PASSWORD: _need("User-PasswordProfile.ReadWrite.All"),
        Call.REVOKE_SESSIONS: _need("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
        Call.SEND_MAIL: _need("Mail.Send"),
        Call.PROVISION_NOW: _need("Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy"),
    }
)

_LOOK: Final = (Call.ORGANISATION, Call.SKUS, Call.USERS, Call.MAILBOX)

OPERATIONS: Final[Mapping[str, tuple[Call, ...]]] = MappingProxyType(
    {
        "mailbox.check": _LOOK,
        "mailbox.create": (
            *_LOOK,
            Call.GROUPS,
            Call.CONTACTS,
            Call.DELETED_USERS,
            Call.CREATE_USER,
            Call.RESET_PASSWORD,
            Call.SET_LOCATION,
            Call.CHANGE_LICENCES,
            Call.SEND_MAIL,
            Call.PROVISION_NOW,
        ),
        "account.disable": (*_LOOK, Call.SET_ENABLED, Call.REVOKE_SESSIONS, Call.CHANGE_LICENCES, Call.PROVISION_NOW),
        "licence.assign": (*_LOOK, Call.CHANGE_LICENCES, Call.SET_LOCATION),
        "licence.remove": (*_LOOK, Call.CHANGE_LICENCES),
    }
)


def calls_of(operation: str, *, hybrid: bool, mails: bool, sync_job: bool) -> tuple[Call, ...]:
    """Return the calls an operation makes on one site.

    Args:
        operation: as in `OPERATIONS`; one that is not there makes none.
        hybrid: whether an Active Directory masters the accounts: nothing is then created or disabled in the cloud, and
            no password is set there.
        mails: whether the settings name a sender.
        sync_job: whether the settings name a Cloud Sync job.
    """
    left_out: set[Call] = set()
    if hybrid:
        left_out |= {Call.CREATE_USER, Call.SET_ENABLED, Call.RESET_PASSWORD}
    if not mails:
        left_out.add(Call.SEND_MAIL)
    if not (hybrid and sync_job):
        left_out.add(Call.PROVISION_NOW)
    return tuple(call for call in OPERATIONS.get(operation, ()) if call not in left_out)


def missing(calls: Iterable[Call], roles: Iterable[str]) -> tuple[str, ...]:
    """Return the permissions to grant, the least ones, so that these calls can be made; sorted, each once."""
    held = frozenset(roles)
    return tuple(sorted({NEEDS[call].least for call in calls if not NEEDS[call].met_by(held)}))
