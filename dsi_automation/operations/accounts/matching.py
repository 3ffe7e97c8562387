"""Who of the two directories a person is: by staff number, then by address; in any doubt a person decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import CloudUser, HolderKind
from dsi_automation.core.text import T
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.names import same_person, same_surname
from dsi_automation.operations.accounts.references import Problems, References


@dataclass(frozen=True, slots=True)
class Match:
    """What a person has already.

    Attributes:
        account: in Active Directory.
        user: in the tenant.
    """

    account: Account | None = None
    user: CloudUser | None = None


def match(person: References, facts: PersonFacts, problems: Problems) -> Match:
    """Return the account and the user that are this person's; what a person must decide is added to `problems`."""
    account = _account(person, facts, problems)
    if problems.found:
        return Match(account)
    return Match(account, _user(person, facts, account, problems))


def refuse_shared(matches: Mapping[str, Match], problems: Mapping[str, Problems]) -> None:
    """Add a problem to each of several targets that were found to be one account or one user."""
    owners: dict[str, list[str]] = {}
    for target, found in matches.items():
        for key in (found.account and found.account.guid, found.user and found.user.id):
            if key:
                owners.setdefault(key, []).append(target)
    for targets in owners.values():
        for target in targets if len(targets) > 1 else ():
            others = ", ".join(sorted(set(targets) - {target}))
            problems[target].add(
                T("{others} and {target} would be one and the same account.", others=others, target=target),
                T("Put the right staff number on the account, then ask again."),
            )


def refuse_deleted(person: References, addresses: Iterable[str], world: AccountsWorld, problems: Problems) -> None:
    """Add a problem when the tenant keeps this very person as a deleted user: made anew, the mails would be lost."""
    for address in addresses:
        for holder in world.cloud_holders.get(address, ()):
            if holder.kind is HolderKind.DELETED_USER and same_number(holder.staff_number, person.target):
                problems.add(
                    T("The tenant keeps this person's deleted user, {name} ({address}).",
                      name=holder.name, address=address),
                    T("Restore it in the admin centre to get its mails back, or delete it for good; after 30 days it"
                      " is gone by itself."),
                )  # fmt: skip
                return


def same_number(one: str | None, other: str) -> bool:
    """Tell whether two spellings are one staff number."""
    return (one or "").strip().casefold() == other.casefold()


def address_of(account: Account) -> str | None:
    """Return an account's mail address, lower case; None when it has none."""
    return account.mail.lower() if account.mail else None


def addresses_of_user(user: CloudUser) -> frozenset[str]:
    """Return every address of a user of the tenant, lower case."""
    proxies = (proxy.partition(":")[2] for proxy in user.proxy_addresses if proxy.lower().startswith("smtp:"))
    return frozenset(one.lower() for one in (user.upn, user.mail, *proxies) if one)


def addresses_of_account(account: Account) -> frozenset[str]:
    """Return every address of an account, lower case."""
    proxies = (proxy.partition(":")[2] for proxy in account.proxy_addresses if proxy.lower().startswith("smtp:"))
    return frozenset(one.lower() for one in (account.upn, account.mail, *proxies) if one)


def _account(person: References, facts: PersonFacts, problems: Problems) -> Account | None:
    numbered = _distinct(facts.by_number, lambda one: one.guid)
    if len(numbered) > 1:
        problems.add(
            T("Several accounts bear the staff number {number}: {names}.",
              number=person.target, names=_listed(one.login for one in numbered)),
            T("Take the number off the wrong ones, then ask again."),
        )  # fmt: skip
        return None
    if numbered:
        found = numbered[0]
        if found.surname and not same_surname(person.name, found.surname):
            _other_surname(person, found.login, found.surname, problems)
        return found
    hits = _distinct(facts.by_address, lambda one: one.guid)
    for one in hits:
        if one.staff_number and one.login.casefold() == person.login.casefold():
            problems.add(
                T("The login {login} is that of somebody else, {name}, staff number {number}.",
                  login=one.login, name=one.display_name or one.name, number=one.staff_number),
                T("Correct that account's login or staff number, then ask again."),
            )  # fmt: skip
            return None
    return _unnumbered(
        person,
        [one for one in hits if not one.staff_number],
        lambda one: (one.login, one.surname, one.given_name),
        problems,
    )


def _user(person: References, facts: PersonFacts, account: Account | None, problems: Problems) -> CloudUser | None:
    numbered = _distinct(facts.cloud_by_number, lambda one: one.id)
    linked = [
        one
        for one in _distinct(facts.cloud_linked, lambda one: one.id)
        if account is not None and one.immutable_id == account.immutable_id
    ]
    known = _distinct([*linked, *numbered], lambda one: one.id)
    if len(known) > 1:
        problems.add(
            T("Several users of the tenant may be this person: {names}.", names=_listed(one.upn for one in known)),
            T("Take the staff number off the wrong ones, or link the right one to the directory's account."),
        )
        return None
    if not known:
        return _user_by_address(person, facts, account, problems)
    found = known[0]
    if found.staff_number and not same_number(found.staff_number, person.target):
        _disagree(person, found, problems)
    elif found.surname and not same_surname(person.name, found.surname):
        _other_surname(person, found.upn, found.surname, problems)
    elif not linked and not _may_be_one(account, found):
        _disagree(person, found, problems)
    return found


def _user_by_address(
    person: References, facts: PersonFacts, account: Account | None, problems: Problems
) -> CloudUser | None:
    """Return the user that has one of the person's addresses; that of another account is a homonym's."""
    elsewhere = {one.immutable_id for one in facts.by_address if account is None or one.guid != account.guid}
    hits = [
        one for one in _distinct(facts.cloud_by_address, lambda one: one.id) if one.immutable_id not in elsewhere
    ]  # fmt: skip
    if account is not None:
        own = addresses_of_account(account)
        hits = [one for one in hits if own & addresses_of_user(one)]
        for one in hits:
            if one.staff_number and not same_number(one.staff_number, person.target):
                _disagree(person, one, problems)
                return None
    found = _unnumbered(
        person,
        [one for one in hits if not one.staff_number],
        lambda one: (one.upn, one.surname, one.given_name),
        problems,
    )
    if found is not None and not _may_be_one(account, found):
        _disagree(person, found, problems)
    return found


def _may_be_one(account: Account | None, user: CloudUser) -> bool:
    """Tell whether a user that is not linked to the account may be the same person's.

    A user that an account masters has that account and no other; without an account it would have been found. One
    of the cloud is linked by the synchronisation, where their addresses meet (Entra Connect, soft match).
    """
    if account is None:
        return not user.synced and user.immutable_id is None
    return user.immutable_id is None and bool(addresses_of_account(account) & addresses_of_user(user))


def _unnumbered[ObjectT](
    person: References,
    hits: list[ObjectT],
    names: Callable[[ObjectT], tuple[str, str | None, str | None]],
    problems: Problems,
) -> ObjectT | None:
    """Return the one object without a staff number that is this person by name."""
    if not hits:
        return None
    advice = T("If it is this person, put the staff number on it; if not, give this person an address: “address”.")
    if len(hits) > 1:
        problems.add(
            T("Several accounts without a staff number may be this person: {names}.",
              names=_listed(names(one)[0] for one in hits)),
            advice,
        )  # fmt: skip
        return None
    title, surname, given = names(hits[0])
    if not same_person(person.name, surname, given):
        shown = " ".join(part for part in (surname, given) if part) or "-"
        problems.add(
            T("{title} ({name}) has this person's address or login, no staff number, and another name.",
              title=title, name=shown),
            advice,
        )  # fmt: skip
        return None
    return hits[0]


def _other_surname(person: References, title: str, surname: str, problems: Problems) -> None:
    problems.add(
        T("{title} bears the staff number {number}, but its last name is {surname}, not {asked}.",
          title=title, number=person.target, surname=surname, asked=person.name.last),
        T("Ask whoever keeps the register: after a marriage correct the last name on the account, or the request;"
          " otherwise the staff number."),
    )  # fmt: skip


def _disagree(person: References, user: CloudUser, problems: Problems) -> None:
    problems.add(
        T("The directory and the tenant do not agree on who {upn} is: there its staff number is {found}, here {asked}.",
          upn=user.upn, found=user.staff_number or "-", asked=person.target)
        if not same_number(user.staff_number, person.target)
        else T("The tenant's {upn} bears the staff number {number}, and is not the user of the directory's account.",
               upn=user.upn, number=person.target),
        T("Put the staff number on the right account of the directory, or take it off the wrong user, then ask again."),
    )  # fmt: skip


def _distinct[ObjectT](found: Iterable[ObjectT], key: Callable[[ObjectT], str]) -> list[ObjectT]:
    return [one for _, one in sorted({key(one): one for one in found}.items())]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
