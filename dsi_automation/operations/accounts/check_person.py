"""What `mailbox.check` says of one person: in which state both accounts are, and why the mailbox is not ready. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import CloudUser, MailboxState, Sku
from dsi_automation.core.clock import iso
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.readiness import Condition, conditions, first_missing, mailbox_sku
from dsi_automation.operations.accounts.waiting import span


@dataclass(frozen=True, slots=True)
class Person:
    """What both directories hold about one person.

    Attributes:
        accounts, users: of each, one at most when all is well.
        mailbox: whether the mailbox of the one user answers; None when nobody asked.
    """

    target: str
    accounts: tuple[Account, ...]
    users: tuple[CloudUser, ...]
    mailbox: MailboxState | None

    @property
    def account(self) -> Account | None:
        """Return the account, when there is one."""
        return self.accounts[0] if self.accounts else None

    @property
    def user(self) -> CloudUser | None:
        """Return the user, when there is one."""
        return self.users[0] if self.users else None

    @property
    def address(self) -> str:
        """Return the address the mailbox is to have: the directory's where it masters it, else the tenant's own."""
        account, user = self.account, self.user
        if account is not None and account.mail and (user is None or user.synced):
            return account.mail
        return (user and (user.mail or user.upn)) or self.target

    @property
    def off(self) -> bool:
        """Tell whether the person was switched off: somebody who left."""
        return any(not one.enabled for one in (self.account, self.user) if one is not None)


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What is the same for everybody.

    Attributes:
        server: the directory's name.
        last_sync: when the synchronisation last spoke.
    """

    skus: tuple[Sku, ...]
    hybrid: bool
    last_sync: datetime | None
    server: str
    now: datetime


def checks(person: Person, world: Tenancy) -> Iterator[Check]:
    """Return everything that was compared about one person."""
    several = next((found for found in (person.accounts, person.users) if len(found) > 1), None)
    if several is not None or (person.account is None and person.user is None):
        yield _who(person, world)
        return
    yield from _account(person, world)
    yield from _user(person, world)
    user = person.user
    if user is None:
        return
    if person.off:
        # What somebody who left still needs for a mailbox is no advice to anybody.
        yield in_short(person, world)
        return
    source = f"Graph /users/{user.id}"
    for one in needs(person, world):
        where = f"{source}/mailboxSettings" if one.name == "mailbox" else source
        yield Check(person.target, one.name, one.title, one.expected, told(one, world.now), one.ok, where)


def in_short(person: Person, world: Tenancy) -> Check:
    """Return one comparison for the list of everybody: whether the mailbox is ready, and else the first reason.

    Who has no licence that brings a mailbox, and who left, is worth telling and is no failure.
    """
    user, title, yes = person.user, T("Mailbox"), str(T("ready"))
    source = f"Graph /users/{user.id}" if user is not None else f"LDAP {world.server}"
    if len(person.accounts) > 1 or len(person.users) > 1:
        return _who(person, world)
    if user is None:
        lacking = str(_not_synchronised(world))
        return Check(person.target, "mailbox", title, yes, lacking, ok=False, source=source, warning=True)
    held = mailbox_sku(user, world.skus)
    if person.off:
        off = T("switched off, with the licence {licence}", licence=held.part_number) if held else T("switched off")
        return Check(person.target, "mailbox", title, yes, str(off), held is None, source, warning=True)
    lacking_one = first_missing(needs(person, world))
    if lacking_one is None:
        return Check(person.target, "mailbox", title, yes, yes, ok=True, source=source)
    observed = told(lacking_one, world.now)
    return Check(person.target, "mailbox", title, yes, observed, ok=False, source=source, warning=held is None)


def needs(person: Person, world: Tenancy) -> Sequence[Condition]:
    """Return the conditions of a person's mailbox; none for somebody the tenant does not know."""
    user = person.user
    return () if user is None else conditions(user, person.mailbox, mailbox_sku(user, world.skus), person.address)


def told(condition: Condition, now: datetime) -> str:
    """Return what was observed, what it means, and for how long it has been so."""
    text: Text | str = condition.observed
    if condition.missing is not None:
        text = T("{observed}: {missing}", observed=condition.observed, missing=condition.missing)
        if str(condition.observed) == "-":
            text = condition.missing
    age = condition.age(now)
    return str(text if age is None else T("{state}, for {span}", state=text, span=span(age)))


def facts(person: Person, world: Tenancy) -> dict[str, Any]:
    """Return what is known of one person as data."""
    account, user = person.account, person.user
    parts = {sku.id: sku.part_number for sku in world.skus}
    return {
        "account": None
        if account is None
        else {
            "dn": account.dn,
            "login": account.login,
            "enabled": account.enabled,
            "mail": account.mail,
            "staff_number": account.staff_number,
            "must_change": account.must_change,
            "last_logon": None if account.last_logon is None else iso(account.last_logon),
        },
        "user": None
        if user is None
        else {
            "id": user.id,
            "upn": user.upn,
            "mail": user.mail,
            "enabled": user.enabled,
            "synced": user.synced,
            "usage_location": user.usage_location,
            "licences": [parts.get(one, one) for one in user.licences],
        },
        "conditions": [one.to_json(world.now) for one in needs(person, world)],
    }


def _who(person: Person, world: Tenancy) -> Check:
    found = [*(one.dn for one in person.accounts), *(one.upn for one in person.users)]
    nobody = T("neither the directory nor the tenant knows it: check the staff number, login or address")
    observed = T("several: {names}", names="; ".join(found)) if found else nobody
    source = f"LDAP {world.server}, Graph /users"
    return Check(person.target, "known", T("One person"), "1", str(observed), ok=False, source=source)


def _account(person: Person, world: Tenancy) -> Iterator[Check]:
    account, source, title = person.account, f"LDAP {world.server}", T("Directory account")
    on = str(T("enabled"))
    if account is None:
        observed = str(T("none: a user of the cloud alone"))
        yield Check(person.target, "account", title, on, observed, ok=False, source=source, warning=True)
        return
    observed = on if account.enabled else str(T("disabled ({mark})", mark=account.mark or "-"))
    yield Check(person.target, "account", title, on, observed, account.enabled, source)


def _user(person: Person, world: Tenancy) -> Iterator[Check]:
    user, account, title, on = person.user, person.account, T("User in the tenant"), str(T("enabled"))
    if user is None:
        yield Check(person.target, "user", title, on, str(_not_synchronised(world)), ok=False, source="Graph /users")
        return
    source = f"Graph /users/{user.id}"
    observed = on if user.enabled else str(T("blocked from signing in"))
    yield Check(person.target, "user", title, on, observed, user.enabled, source)
    if user.synced and account is not None:
        title, expected, found = T("Linked to the account"), account.immutable_id, user.immutable_id or "-"
        yield Check(person.target, "linked", title, expected, found, expected == found, source)
    title, found = T("Usage location"), user.usage_location or str(T("none: no licence can be assigned"))
    yield Check(person.target, "location", title, str(T("set")), found, user.usage_location is not None, source)


def _not_synchronised(world: Tenancy) -> Text:
    if not world.hybrid:
        return T("none: the account exists in the directory only")
    if world.last_sync is None:
        return T("none: the synchronisation never spoke")
    ago = span((world.now - world.last_sync).total_seconds())
    return T("none: not synchronised; the synchronisation last spoke {ago} ago", ago=ago)
