"""What is handed over of an account that is ready: its settings, and the temporary password that nobody has seen yet.

Looks only. Who may see what, in which order it is recorded and shown, is the business of `dsi mailbox handover`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsi_automation.connectors.directory.accounts import Account, PasswordState
from dsi_automation.connectors.m365.port import MailboxState, Sku
from dsi_automation.core.errors import DsiError, NotCompliantError, RefusedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.operations.accounts.letter import letter_for
from dsi_automation.operations.accounts.readiness import conditions, first_missing, mailbox_sku
from dsi_automation.operations.accounts.subject import Subject, one_of, one_user
from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class Settings:
    """An account whose mailbox is ready.

    Attributes:
        asked: the word it was asked by.
        target: its staff number where it has one, which is also its envelope's name.
        letter: what the hand-over letter says of it.
        in_cloud: whether the tenant keeps a password of its own for it, synchronised from nowhere.
    """

    asked: str
    target: str
    letter: MailboxLetter
    in_cloud: bool = False


class Sealed(StrEnum):
    """What became of the temporary password in an envelope."""

    GIVEN = "given"
    """It is there, and the directory wants it changed: it may be handed over."""
    CLOUD = "cloud"
    """It is that of the mailbox alone, which was made in the cloud: the Windows account has one of its own."""
    NONE = "none"
    """No password is inside."""
    CHANGED = "changed"
    """It is no longer the account's: the person, or somebody, has set another."""


_UNFIT: Final[Mapping[PasswordState, Text]] = {
    PasswordState.GOOD: T(
        "the directory does not ask for it to be changed: it was just changed, or somebody took the rule away"
    ),
    PasswordState.DISABLED: T("the account is disabled"),
    PasswordState.EXPIRED: T("the account has expired"),
    PasswordState.LOCKED: T("the account is locked after too many wrong passwords"),
}


def settings_of(asked: Sequence[str], look: Look) -> Mapping[str, Settings | DsiError]:
    """Look at accounts anew, all together, in both directories.

    Args:
        asked: staff numbers, logins or addresses.

    Returns:
        For each, its settings, or why it cannot be handed over.

    Raises:
        UnreachableError, RefusedError: a directory as a whole does not answer, or lets nobody in.
    """
    subjects = _subjects(asked, look)
    tenant = look.tenant()
    users = [found.user for found in subjects.values() if isinstance(found, Subject) and found.user is not None]
    skus, mailboxes = tenant.skus(), tenant.mailboxes([user.id for user in users])
    return {
        name: found if isinstance(found, DsiError) else _guarded(_settings, name, found, look, skus, mailboxes)
        for name, found in subjects.items()
    }


def try_passwords(found: Sequence[Settings], look: Look) -> Mapping[str, tuple[Sealed, Secret | None] | DsiError]:
    """Try the sealed password of each account against the directory, once each: a wrong one counts for the lockout.

    Returns:
        By target: what became of the password, with the one that was tried; or why it is kept back.
    """
    with ThreadPoolExecutor(max(1, min(look.workers, len(found) or 1))) as pool:
        tried = list(pool.map(lambda one: _guarded(_try_password, one, look), found))
    return {one.target: result for one, result in zip(found, tried, strict=True)}


def _guarded[**P, T_](function: Callable[P, T_], *args: P.args, **named: P.kwargs) -> T_ | DsiError:
    """Return what a function returns, or the error it raises: one person's trouble is that person's row."""
    try:
        return function(*args, **named)
    except DsiError as error:
        return error


def _subjects(asked: Sequence[str], look: Look) -> Mapping[str, Subject | DsiError]:
    """Find everybody by few searches: by staff number, else by login or address; linked by the immutable id."""
    accounts, tenant = look.accounts(), look.tenant()
    by_number, by_name = accounts.by_staff_number(asked), accounts.by_name(asked)
    found = {name: _guarded(_account, name, by_number[name], by_name[name]) for name in asked}
    known = [account for account in found.values() if isinstance(account, Account)]
    linked = tenant.users_by_immutable_id([account.immutable_id for account in known])
    numbers = tenant.users_by_staff_number([name for name in asked if "@" not in name])
    addresses = [*(name for name in asked if "@" in name), *(one.mail for one in known if one.mail)]
    by_address = tenant.users_by_address(list(dict.fromkeys(addresses)))

    def subject(name: str, account: Account | None) -> Subject:
        searches = [
            [] if account is None else linked[account.immutable_id],
            numbers.get(name, ()),
            by_address.get((account and account.mail) or name, ()),
        ]
        return Subject(account, next((user for users in searches if (user := one_user(users, name))), None))

    return {
        name: account if isinstance(account, DsiError) else _guarded(subject, name, account)
        for name, account in found.items()
    }


def _account(name: str, by_number: Sequence[Account], by_name: Sequence[Account]) -> Account | None:
    return one_of(by_number, name) or one_of(by_name, name)


def _settings(
    asked: str, subject: Subject, look: Look, skus: Sequence[Sku], mailboxes: Mapping[str, MailboxState]
) -> Settings:
    """Return what is handed over of one account.

    Raises:
        NotCompliantError: there is none, or it is not ready.
    """
    account, user = subject.account, subject.user
    if user is None:
        raise _nobody(asked, account)
    address = (account and account.mail) or user.mail or user.upn
    if not user.enabled or (account is not None and not account.enabled):
        raise NotCompliantError(
            T("The account of {address} is disabled.", address=address),
            on=asked,
            next_step=T("See why: dsi mailbox check {target}", target=asked),
        )
    sku = mailbox_sku(user, skus)
    lacking = first_missing(conditions(user, mailboxes.get(user.id), sku, address))
    if lacking is not None:
        raise NotCompliantError(
            T("The mailbox of {address} is not ready: {missing}.", address=address, missing=lacking.missing or "-"),
            on=asked,
            next_step=T("Look again later: dsi mailbox check {target}", target=asked),
        )
    number = ((account and account.staff_number) or user.staff_number or asked).upper()
    licence = None if sku is None else sku.part_number
    must_change = account is not None and account.must_change
    letter = letter_for(number, address, account, user, licence, look, must_change=must_change)
    return Settings(asked, number, letter, in_cloud=not user.synced)


def _try_password(found: Settings, look: Look) -> tuple[Sealed, Secret | None]:
    """Return the sealed password, once the directory has said that it is right and must be changed (773).

    Raises:
        RefusedError: it is right, or may be, and is not fit to be handed over.
    """
    password = look.envelopes().peek(found.target)
    if password is None:
        return Sealed.NONE, None
    if found.letter.login is None:
        # Nobody can ask the cloud: the user was made there with the rule to change it at the first sign-in.
        return Sealed.GIVEN, password
    state = look.accounts().password_state(found.letter.login, password)
    if state is PasswordState.MUST_CHANGE:
        return Sealed.GIVEN, password
    if state is PasswordState.WRONG:
        changed = _changed(found, look, password)
        return (Sealed.CLOUD if found.in_cloud else Sealed.CHANGED), changed
    raise RefusedError(
        T("The temporary password of {target} is kept back: {why}.", target=found.target, why=_UNFIT[state]),
        on=found.target,
        next_step=T("Put that right, or have a new one made: mailbox.create with reset. Its envelope stays closed."),
    )


def _changed(found: Settings, look: Look, password: Secret) -> Secret:
    """Return a password that is the account's no longer.

    Raises:
        RefusedError: it may be one that is not the account's yet.
    """
    envelope = look.envelopes().find(found.target)
    if envelope is not None and envelope.delivered_at is None:
        raise RefusedError(
            T("The run that gives {target} its password is not over.", target=found.target),
            on=found.target,
            meaning=T("The password in the envelope is not that of the account yet."),
            next_step=T("Wait for it, or finish it: “dsi runs” lists them, then dsi resume RUN."),
        )
    return password


def _nobody(asked: str, account: Account | None) -> NotCompliantError:
    if account is None:
        what = T("Neither directory has an account of {target}.", target=asked)
        following = T("Check the spelling, or plan the account: dsi mailbox create")
    else:
        what = T("The tenant does not have {address} yet.", address=account.mail or account.login)
        following = T("See how far it is: dsi mailbox check {target}", target=asked)
    return NotCompliantError(what, on=asked, next_step=following)
