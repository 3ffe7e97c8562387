"""The rules an object of the directory is held against: one finding for each that it breaks. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.directory.accounts import Account, ComputerAccount
from dsi_automation.connectors.directory.names import parent
from dsi_automation.core.clock import iso
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.account_model import AccountPolicy
from dsi_automation.operations.directory.places import Places

LAG: Final = timedelta(days=14)
"""By how much lastLogonTimestamp may lag behind the last logon (MS-ADTS, ms-DS-Logon-Time-Sync-Interval)."""
IN_PREPARATION: Final = "dsi mailbox.create"
"""The mark of an account that `mailbox.create` has made and may not have enabled yet."""

TITLES: Final = {
    "computer_ou": T("Organisational unit of the computer"),
    "computer_name": T("Name of the computer"),
    "never_logged_on": T("Never logged on"),
    "idle": T("Last logon too long ago"),
    "never_expires": T("Password never expires"),
    "user_ou": T("Organisational unit of the account"),
    "staff_number": T("Staff number"),
    "same_staff_number": T("Staff number of several accounts"),
    "login": T("Login"),
    "cn": T("Name of the account"),
    "disabled": T("Disabled, but not among the leavers"),
    "enabled_leaver": T("Enabled among the leavers"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that an object breaks.

    Attributes:
        warning: worth telling, but no fault: accounts from before the rule are named otherwise.
    """

    rule: str
    expected: str
    observed: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """What objects are held against.

    Attributes:
        grace: how long an object may be there without a first logon.
        shared: staff numbers that several accounts have, folded.
    """

    places: Places
    policy: AccountPolicy
    now: datetime
    grace: timedelta
    shared: frozenset[str] = frozenset()


def shared_numbers(accounts: Iterable[Account]) -> frozenset[str]:
    """Return the staff numbers that several accounts have: Active Directory does not keep them unique."""
    counted = Counter(one.staff_number.casefold() for one in accounts if one.staff_number)
    return frozenset(number for number, times in counted.items() if times > 1)


def of_computer(computer: ComputerAccount, measure: Measure) -> Iterator[Finding]:
    """Yield what is wrong with a computer object."""
    places = measure.places
    by_name, by_place = places.site_of_name(computer.name), places.site_of_computer(computer.dn)
    if by_name is None:
        expected = places.sites[by_place].naming.template if by_place else _any(_templates(places))
        yield Finding("computer_name", expected, computer.name)
    if by_place is None or by_place != (by_name or by_place):
        expected = places.sites[by_name].workstation_ou if by_name else str(T("the OU of a site’s workstations"))
        yield Finding("computer_ou", expected, parent(computer.dn))
    yield from _logons(computer, measure)
    if computer.never_expires:
        yield Finding("never_expires", str(T("a password that is renewed")), str(T("never expires")))


def of_account(account: Account, measure: Measure) -> Iterator[Finding]:
    """Yield what is wrong with a person's account."""
    places, left = measure.places, measure.places.is_leaver(account.dn)
    if not left and places.site_of_user(account.dn) is None:
        yield Finding("user_ou", str(T("the OU of a site’s people, or that of the leavers")), parent(account.dn))
    yield from _identity(account, measure)
    if account.enabled and left:
        yield Finding("enabled_leaver", str(T("disabled")), str(T("enabled")))
    if not account.enabled and not left and not _in_preparation(account, measure):
        yield Finding("disabled", measure.policy.leavers_ou, parent(account.dn))
    if account.enabled:
        yield from _logons(account, measure)
        if account.never_expires:
            yield Finding("never_expires", str(T("a password that is renewed")), str(T("never expires")))


def _identity(account: Account, measure: Measure) -> Iterator[Finding]:
    number, form = account.staff_number, measure.policy.staff_number
    if number is not None and number.casefold() in measure.shared:
        yield Finding("same_staff_number", str(T("one account")), number)
    if number is None or not re.fullmatch(form, number):
        yield Finding("staff_number", form, number or str(T("none")))
        return
    # Both are what mailbox.create gives; an account from before it keeps its own, and that is no fault.
    if account.login.casefold() != number.casefold():
        yield Finding("login", number.lower(), account.login, warning=True)
    if account.name.rpartition(" ")[2].casefold() != number.casefold():
        yield Finding("cn", f"… {number}", account.name, warning=True)


def _logons(one: Account | ComputerAccount, measure: Measure) -> Iterator[Finding]:
    if one.last_logon is None:
        if _age(one.created_at, measure.now) > measure.grace:
            made = iso(one.created_at) if one.created_at else "-"
            yield Finding("never_logged_on", _days(measure.grace), str(T("none since {made}", made=made)))
    elif one.enabled and measure.now - one.last_logon > measure.policy.sign_in_idle + LAG:
        yield Finding("idle", _days(measure.policy.sign_in_idle), iso(one.last_logon))


def _in_preparation(account: Account, measure: Measure) -> bool:
    return account.mark == IN_PREPARATION and _age(account.created_at, measure.now) <= measure.grace


def _age(made: datetime | None, now: datetime) -> timedelta:
    # A reader that may not see when an object was made cannot excuse it for being new.
    return timedelta.max if made is None else now - made


def _days(duration: timedelta) -> str:
    text: Text = T("within {n} days", n=duration.days)
    return str(text)


def _templates(places: Places) -> list[str]:
    return sorted({site.naming.template for site in places.sites.values()})


def _any(texts: list[str]) -> str:
    return ", ".join(texts)
