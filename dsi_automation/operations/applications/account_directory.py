"""Logins that are memberships of the directory: one group for each profile, the Windows account is the login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsi_automation.connectors.applications.logins import Login
from dsi_automation.connectors.directory.accounts import Account, AccountReader, AccountWriter, is_member
from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.text import T
from dsi_automation.operations.accounts.subject import one_of

SEPARATOR: Final = ", "
"""Between profiles, where an account has several: between two groups, or by hand."""


def find(login: str, groups: Mapping[str, str], accounts: AccountReader) -> Login | None:
    """Return a login, not active where its Windows account has no profile; None without a Windows account.

    Args:
        groups: profile to the DN of its group.

    Raises:
        DsiError: several accounts are called so, or the directory does not answer.
    """
    account = _account(login, accounts)
    if account is None:
        return None
    profiles = [profile for profile, group in sorted(groups.items()) if is_member(account, group)]
    return Login(
        account.login,
        account.display_name or account.name,
        SEPARATOR.join(profiles) or None,
        account.department,
        active=bool(profiles) and account.enabled,
        must_change=False,
    )


def profiles_of(login: Login | None) -> frozenset[str]:
    """Return the profiles a login of the directory has."""
    return frozenset(((login and login.profile) or "").split(SEPARATOR)) - {""}


def give(login: str, profile: str | None, groups: Mapping[str, str], accounts: AccountWriter) -> None:
    """Leave an account one profile, or none: it is put into the new group before it is taken out of others.

    Raises:
        NotCompliantError: there is no such account.
        DsiError: the directory refuses.
    """
    account = _account(login, accounts)
    if account is None:
        raise NotCompliantError(T("The directory has no account {login}.", login=login), on=login)
    if profile is not None:
        accounts.join_group(account.guid, groups[profile])
    for other, group in groups.items():
        if other != profile:
            accounts.leave_group(account.guid, group)


def _account(login: str, accounts: AccountReader) -> Account | None:
    return one_of([one for one in accounts.by_name([login])[login] if one.login.casefold() == login.casefold()], login)
