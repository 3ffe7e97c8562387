"""Finding one person in both directories, the way every act and every proof does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsi_automation.connectors.directory.accounts import Account, AccountReader
from dsi_automation.connectors.m365.port import CloudUser, TenantReader
from dsi_automation.core.errors import RefusedError, WorldChangedError
from dsi_automation.core.text import T

MARK = "dsi mailbox.create"
"""What `mailbox.create` notes in the accounts it makes (adminDescription)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One person: the account of the directory, and the user of the tenant."""

    account: Account | None
    user: CloudUser | None


def find_account(reader: AccountReader, target: str, address: str | None = None) -> Account | None:
    """Return somebody's account: by staff number, else by the target as login or address, else by `address`.

    Raises:
        RefusedError: two accounts answer; a person must say which.
    """
    found = one_of(reader.by_staff_number([target])[target], target)
    if found is not None:
        return found
    names = [target] if address is None or address == target else [target, address]
    by_name = reader.by_name(names)
    return next((one for one in (one_of(by_name[name], target) for name in names) if one is not None), None)


def find_user(
    reader: TenantReader, account: Account | None, target: str, address: str | None = None
) -> CloudUser | None:
    """Return somebody's user: by the immutable id of the account, else by staff number, else by address.

    Raises:
        RefusedError: two users answer; a person must say which.
    """
    if account is not None:
        linked = one_user(reader.users_by_immutable_id([account.immutable_id])[account.immutable_id], target)
        if linked is not None:
            return linked
    numbers = dict.fromkeys(one for one in (account and account.staff_number, target) if one and "@" not in one)
    for number in numbers:
        found = one_user(reader.users_by_staff_number([number])[number], target)
        if found is not None:
            return found
    own = address or (target if "@" in target else None) or (account and (account.mail or account.upn))
    return None if not own else one_user(reader.users_by_address([own])[own], target)


def find(accounts: AccountReader, tenant: TenantReader, target: str, address: str | None = None) -> Subject:
    """Return somebody as both directories know them."""
    account = find_account(accounts, target, address)
    return Subject(account, find_user(tenant, account, target, address))


def required_account(reader: AccountReader, target: str, address: str | None = None) -> Account:
    """Return somebody's account.

    Raises:
        WorldChangedError: it is not there, although the plan says it is or was to be made before.
    """
    account = find_account(reader, target, address)
    if account is None:
        raise WorldChangedError(
            T("The directory has no account of {target} any more.", target=target),
            on=target,
            meaning=T("Somebody removed it since the plan was made."),
            next_step=T("Ask who removed it, then make a new plan."),
        )
    return account


def required_user(reader: TenantReader, account: Account | None, target: str, address: str | None = None) -> CloudUser:
    """Return somebody's user of the tenant.

    Raises:
        WorldChangedError: it is not there, although the plan says it is or was to be made before.
    """
    user = find_user(reader, account, target, address)
    if user is None:
        raise WorldChangedError(
            T("The tenant has no user for {target} any more.", target=target),
            on=target,
            meaning=T("Somebody removed it since the plan was made, or the synchronisation left it out."),
            next_step=T("Ask who removed it, then make a new plan."),
        )
    return user


def is_ours(account: Account, target: str) -> bool:
    """Tell whether an account was made by `mailbox.create` for this person."""
    return account.mark == MARK and (account.staff_number or "").upper() == target.upper()


def one_of(found: Sequence[Account], target: str) -> Account | None:
    """Return the only account of a search, or None.

    Raises:
        RefusedError: there are several.
    """
    if len(found) > 1:
        raise _several(target, [account.dn for account in found])
    return found[0] if found else None


def one_user(found: Sequence[CloudUser], target: str) -> CloudUser | None:
    """Return the only user of a search, or None.

    Raises:
        RefusedError: there are several.
    """
    if len(found) > 1:
        raise _several(target, [user.upn for user in found])
    return found[0] if found else None


def _several(target: str, names: Sequence[str]) -> RefusedError:
    return RefusedError(
        T("Several accounts are {target}: {names}.", target=target, names="; ".join(names)),
        on=target,
        meaning=T("The toolkit does not choose between people."),
        next_step=T("Correct the staff number or the address of the wrong one, then ask again."),
        detail={"candidates": list(names)},
    )
