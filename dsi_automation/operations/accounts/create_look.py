"""What `mailbox.create` reads before it decides: a few exchanges for the whole batch, nothing person by person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dsi_automation.connectors.directory.accounts import Account, AccountReader, Holder
from dsi_automation.connectors.m365.port import CloudUser, HolderKind, TenantHolder, TenantReader
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.accounts.addresses import is_free, numbered_addresses
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.matching import address_of, addresses_of_user, match
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.references import LONGEST_MANAGER, Problems, References, read_references
from dsi_automation.operations.tools import Look

ACCOUNT_CLASSES: Final = frozenset({"user", "inetOrgPerson"})
"""Object classes of the directory that people's accounts have."""


def observe(
    targets: Sequence[str], inputs: MailboxInputs, look: Look, observer: Observer
) -> Observed[PersonFacts, AccountsWorld | None]:
    """Look at both directories for all targets.

    A directory or a tenant that does not answer is a failure of every target, with its reason.

    Raises:
        UsageError: the inventory is wrong, or the extra `m365` is missing.
    """
    try:
        batch = Batch(targets, inputs, look)
        observer.notify(Event("look.progress", T("Reading the directory and the tenant.")))
        batch.search()
        observer.notify(Event("look.progress", T("Reading who has the addresses.")))
        batch.ask_addresses()
        return Observed(batch.facts(), {}, batch.world())
    except UsageError:
        raise
    except DsiError as error:
        return Observed({}, dict.fromkeys(targets, error), None)


@dataclass
class Batch:
    """One look at everybody.

    Attributes:
        people: the targets whose references are right in themselves; the others need no look.
        addresses: of each of them, those to be looked up.
    """

    targets: Sequence[str]
    inputs: MailboxInputs
    look: Look
    people: dict[str, References] = field(init=False, default_factory=dict)
    addresses: dict[str, list[str]] = field(init=False, default_factory=dict)
    _managers: dict[str, Account | None] = field(init=False, default_factory=dict)
    _by_number: dict[str, Sequence[Account]] = field(init=False, default_factory=dict)
    _cloud_by_number: dict[str, Sequence[CloudUser]] = field(init=False, default_factory=dict)
    _by_name: dict[str, Sequence[Account]] = field(init=False, default_factory=dict)
    _cloud_by_address: dict[str, Sequence[CloudUser]] = field(init=False, default_factory=dict)
    _linked: dict[str, Sequence[CloudUser]] = field(init=False, default_factory=dict)
    _holders: dict[str, tuple[Holder, ...]] = field(init=False, default_factory=dict)
    _cloud_holders: dict[str, tuple[TenantHolder, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        look, rows = self.look, self.inputs.rows()
        self._rows = rows
        self._policy, self._sites, self._settings = look.account_policy, look.site_codes, look.tenant_settings
        self._issued = look.issued_addresses
        self._accounts: AccountReader = look.accounts()
        self._cloud: TenantReader = look.tenant()
        self._tenant = self._cloud.tenant()
        self._skus = tuple(self._cloud.skus())
        for target in self.targets:
            person, _ = read_references(target, rows.get(target, ()), self._policy, self._sites)
            if person is not None:
                self.people[target] = person

    def search(self) -> None:
        """Find everybody by staff number, the managers with them."""
        named = {row.manager for target in self.targets for row in self._rows.get(target, ())}
        managers = sorted(one for one in named if one and one.isprintable() and len(one) <= LONGEST_MANAGER)
        numbers = {one: one.upper() for one in managers if re.fullmatch(self._policy.staff_number, one.upper())}
        asked = sorted({*self.people, *numbers.values()})
        self._by_number = dict(self._accounts.by_staff_number(asked)) if asked else {}
        self._cloud_by_number = dict(self._cloud.users_by_staff_number(sorted(self.people))) if self.people else {}
        self._managers = {one: _only(self._by_number.get(number, ())) for one, number in numbers.items()}
        logins = [person.login for target, person in self.people.items() if not self._by_number.get(target)]
        names = sorted({*logins, *(one for one in managers if self._managers.get(one) is None)})
        self._by_name = dict(self._accounts.by_name(names)) if names else {}
        self._managers |= {one: self._managers.get(one) or _only(self._by_name[one]) for one in managers}

    def ask_addresses(self) -> None:
        """Find who has the addresses that people have or may be given, and who is linked to whom."""
        for target, person in self.people.items():
            own = [address_of(one) or (one.upn or "").lower() for one in self._by_number.get(target, ())]
            own += [address for one in self._cloud_by_number.get(target, ()) for address in addresses_of_user(one)]
            if not self._by_number.get(target):
                own += person.natural_addresses(self._policy.domain)
            self.addresses[target] = sorted({*own} - {""})
        self._ask(address for own in self.addresses.values() for address in own)
        found = [one for target in self.people for one in self._accounts_of(target)]
        ids = sorted({one.immutable_id for one in found})
        self._linked = dict(self._cloud.users_by_immutable_id(ids)) if ids else {}
        # Those who did not come by number have addresses of their own as well.
        more = {address_of(one) or (one.upn or "").lower() for one in found} - {""}
        for target in self.people:
            self.addresses[target] += sorted(
                {address_of(one) or "" for one in self._accounts_of(target)} - {"", *self.addresses[target]}
            )
        numbered = (address for one in self._without_one() for address in numbered_addresses(one, self._policy.domain))
        self._ask([*more, *numbered])

    def facts(self) -> dict[str, PersonFacts]:
        """Return what is known of each target; nothing of those whose references are wrong."""
        known = {target: self._facts_of(target) for target in self.people}
        matches = {target: match(self.people[target], one, Problems(target)) for target, one in known.items()}
        users = {target: found.user.id for target, found in matches.items() if found.user is not None}
        states = self._cloud.mailboxes(sorted(set(users.values()))) if users else {}
        envelopes = self.look.envelopes()
        facts: dict[str, PersonFacts] = {}
        for target in self.targets:
            if target not in known:
                facts[target] = PersonFacts()
                continue
            one, account, envelope = known[target], matches[target].account, envelopes.find(target)
            password = None
            # Only a reset needs to know whether the sealed password is set already; a wrong try counts towards lockout.
            if self.inputs.reset and account is not None and account.enabled and envelope is not None:
                sealed = envelopes.peek(target)
                password = self._accounts.password_state(account.login, sealed) if sealed is not None else None
            facts[target] = PersonFacts(
                one.by_number,
                one.by_address,
                one.cloud_by_number,
                one.cloud_by_address,
                one.cloud_linked,
                states.get(users.get(target, "")),
                envelope,
                password,
            )
        return facts

    def world(self, *, whole: bool = True) -> AccountsWorld:
        """Return what concerns everybody; not `whole`: as far as the addresses, without a look at the OUs."""
        ous = sorted({person.ou for person in self.people.values()}) if whole else []
        return AccountsWorld(
            policy=self._policy,
            settings=self._settings,
            sites=self._sites,
            tenant=self._tenant,
            skus=self._skus,
            holders=dict(self._holders),
            cloud_holders=dict(self._cloud_holders),
            issued=self._issued,
            managers=dict(self._managers),
            missing_ous=frozenset(ou for ou in ous if not self._accounts.exists(ou)),
            looked_at=self.look.clock.now(),
        )

    def _ask(self, addresses: Iterable[str]) -> None:
        """Look addresses up in both directories; the accounts and users behind them as well."""
        asked = sorted({*addresses} - set(self._holders))
        if not asked:
            return
        self._holders |= {address: tuple(found) for address, found in self._accounts.holders(asked).items()}
        self._cloud_holders |= {address: tuple(found) for address, found in self._cloud.holders(asked).items()}
        people = [address for address in asked if any(one.kind in ACCOUNT_CLASSES for one in self._holders[address])]
        self._by_name |= self._accounts.by_name(people) if people else {}
        users = [
            address for address in asked if any(one.kind is HolderKind.USER for one in self._cloud_holders[address])
        ]  # fmt: skip
        self._cloud_by_address |= self._cloud.users_by_address(users) if users else {}

    def _without_one(self) -> list[References]:
        """Return those to whom the name alone may give no address: the staff number's end is looked up for them."""
        world = self.world(whole=False)
        domain = self._policy.domain
        everybody = {
            target: read_references(target, rows, self._policy, self._sites)[0] for target, rows in self._rows.items()
        }
        asked: dict[str, int] = {}
        for person in everybody.values():
            for address in person.natural_addresses(domain) if person is not None else ():
                asked[address] = asked.get(address, 0) + 1
        return [
            person
            for target, person in self.people.items()
            if not self._by_number.get(target)
            and not self._cloud_by_number.get(target)
            and not any(
                is_free(address, target, world) and asked[address] == 1 for address in person.natural_addresses(domain)
            )
        ]

    def _accounts_of(self, target: str) -> list[Account]:
        found = {one.guid: one for one in self._by_number.get(target, ())}
        if not found:
            for name in (self.people[target].login, *self.addresses[target]):
                found |= {one.guid: one for one in self._by_name.get(name, ())}
        return list(found.values())

    def _facts_of(self, target: str) -> PersonFacts:
        found = self._accounts_of(target)
        numbered = tuple(self._by_number.get(target, ()))
        cloud = {
            user.id: user for address in self.addresses[target] for user in self._cloud_by_address.get(address, ())
        }
        linked = {user.id: user for one in found for user in self._linked.get(one.immutable_id, ())}
        return PersonFacts(
            by_number=numbered,
            by_address=() if numbered else tuple(found),
            cloud_by_number=tuple(self._cloud_by_number.get(target, ())),
            cloud_by_address=tuple(cloud.values()),
            cloud_linked=tuple(linked.values()),
        )


def _only(found: Sequence[Account]) -> Account | None:
    distinct: Mapping[str, Account] = {one.guid: one for one in found}
    return next(iter(distinct.values())) if len(distinct) == 1 else None
