"""`mailbox.check`: in which state are people's mailboxes, why is one not ready, and which seats are left? Read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.operation import ALL, Inputs, ReadOnlyOperation, Report, TargetKind
from dsi_automation.operations.accounts import check_person, check_seats, known_look
from dsi_automation.operations.accounts.check_person import Person, Tenancy
from dsi_automation.operations.accounts.readiness import mailbox_sku
from dsi_automation.operations.tools import Look


class MailboxCheckInputs(Inputs):
    """`mailbox.check` asks for nothing but its targets."""


class MailboxCheck(ReadOnlyOperation[MailboxCheckInputs, Look]):
    """Looks at people by staff number, login or address; without a target at everybody, and at the seats."""

    name: ClassVar[str] = "mailbox.check"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "E"
    summary: ClassVar[Text] = T("Check mail accounts: directory, tenant, licence, mailbox; and the seats that are left")
    inputs_model: ClassVar[type[Inputs]] = MailboxCheckInputs
    target_kind: ClassVar[TargetKind] = TargetKind.ACCOUNT
    may_look_at_all: ClassVar[bool] = True

    def check(self, targets: Sequence[str], inputs: MailboxCheckInputs, look: Look, observer: Observer) -> Report:
        """Look at everybody asked together: a few exchanges for many people, and no password is ever tried.

        When one of the two directories does not answer, nothing can be said of anybody.
        """
        del inputs
        try:
            return self._check(targets, look, observer)
        except DsiError as error:
            return Report(tuple(targets), (), dict.fromkeys(targets, error))

    def _check(self, targets: Sequence[str], look: Look, observer: Observer) -> Report:
        world = _tenancy(look)
        named = [target for target in dict.fromkeys(targets) if target != ALL]
        people = _named(named, look, observer)
        checks: list[Check] = []
        facts: dict[str, Mapping[str, Any]] = {}
        if ALL in targets:
            # Whoever is named as well is looked at in full.
            everybody = _everybody(look, world, observer)
            known = {one.id for person in people for one in person.users}
            known |= {one.guid for person in people for one in person.accounts}
            others = [person for person in everybody if not known & _identities(person)]
            checks += _tenant_checks(everybody, world, look, facts)
            checks += [check_person.in_short(person, world) for person in others]
            facts |= {person.target: check_person.facts(person, world) for person in others}
            named = [ALL, *named, *(person.target for person in others)]
        checks += [check for person in people for check in check_person.checks(person, world)]
        facts |= {person.target: check_person.facts(person, world) for person in people}
        return Report(tuple(named), tuple(checks), {}, facts)


def _tenancy(look: Look) -> Tenancy:
    tenant = look.tenant().tenant()
    return Tenancy(
        skus=tuple(look.tenant().skus()),
        hybrid=tenant.hybrid,
        last_sync=tenant.last_sync,
        server=look.accounts().endpoint.server,
        now=look.clock.now(),
    )


def _named(targets: Sequence[str], look: Look, observer: Observer) -> list[Person]:
    if not targets:
        return []
    _tell(len(targets), observer)
    known = known_look.read(targets, look.accounts(), look.tenant())
    ids = [one.id for found in known.values() for one in found.users]
    boxes = look.tenant().mailboxes(list(dict.fromkeys(ids))) if ids else {}
    return [
        Person(target, found.accounts, found.users, boxes.get(found.users[0].id) if found.users else None)
        for target, found in known.items()
    ]


def _everybody(look: Look, world: Tenancy, observer: Observer) -> list[Person]:
    """Return everybody who has a staff number or a licence with a mailbox, in either directory.

    Accounts of services have neither, and are not looked at.
    """
    accounts = [one for one in look.accounts().all_accounts() if one.staff_number]
    users = [one for one in look.tenant().users() if one.staff_number or mailbox_sku(one, world.skus) is not None]
    pairs = _pairs(accounts, users)
    asked = [user.id for user in users if mailbox_sku(user, world.skus) is not None]
    _tell(len(pairs), observer)
    boxes = look.tenant().mailboxes(asked) if asked else {}
    return [
        Person(name, own, theirs, boxes.get(theirs[0].id) if theirs else None)
        for name, (own, theirs) in sorted(pairs.items())
    ]


def _pairs(
    accounts: Sequence[Account], users: Sequence[CloudUser]
) -> dict[str, tuple[tuple[Account, ...], tuple[CloudUser, ...]]]:
    """Return the accounts and users of each person: by immutable id, else by staff number, else a user alone."""
    by_id = {account.immutable_id: (account.staff_number or account.login).upper() for account in accounts}
    found: dict[str, tuple[list[Account], list[CloudUser]]] = {}
    for account in accounts:
        found.setdefault(by_id[account.immutable_id], ([], []))[0].append(account)
    for user in users:
        name = by_id.get(user.immutable_id or "") or (user.staff_number or "").upper() or user.upn
        found.setdefault(name, ([], []))[1].append(user)
    return {name: (tuple(own), tuple(theirs)) for name, (own, theirs) in found.items()}


def _tenant_checks(
    everybody: Sequence[Person], world: Tenancy, look: Look, facts: dict[str, Mapping[str, Any]]
) -> list[Check]:
    policy, users = look.account_policy, [user for person in everybody for user in person.users]
    found = check_seats.lists(everybody, world, policy)
    seats = check_seats.seat_facts(policy, world.skus, users)
    facts[ALL] = {"people": len(everybody), "seats": seats, **found}
    return [*check_seats.seat_checks(policy, world.skus), *check_seats.list_checks(found)]


def _identities(person: Person) -> set[str]:
    return {*(one.id for one in person.users), *(one.guid for one in person.accounts)}


def _tell(people: int, observer: Observer) -> None:
    text = TN("Looking at {n} person in both directories.", "Looking at {n} people in both directories.", people)
    observer.notify(Event("look.started", text, done=0, total=people))
