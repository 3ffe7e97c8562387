"""What a person has already, and why it may be no account to go on with."""

from __future__ import annotations

from dsi_automation.connectors.m365.port import HolderKind
from dsi_automation.core.text import T
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.matching import (
    Match,
    address_of,
    addresses_of_account,
    addresses_of_user,
)
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.references import Problems, References
from dsi_automation.operations.accounts.subject import is_ours


def check_in_use(
    person: References,
    found: Match,
    facts: PersonFacts,
    world: AccountsWorld,
    problems: Problems,
    inputs: MailboxInputs,
) -> None:
    """Add what forbids going on with a person's account: it was switched off, or cannot get a new password."""
    account, user = found.account, found.user
    if account is not None and not account.enabled and not in_making(person, found, facts):
        problems.add(
            T("The account {login} is disabled, and not by a creation that is under way.", login=account.login),
            T("Ask why: somebody who left? Whoever may decide enables it, then ask again."),
        )
    if user is not None and not user.enabled and not user.synced and user.immutable_id is None:
        problems.add(
            T("The tenant's user {upn} is blocked from signing in.", upn=user.upn),
            T("Ask why: somebody who left? Whoever may decide unblocks it, then ask again."),
        )
    if inputs.reset and account is None and user is not None and world.tenant.hybrid and not inputs.in_cloud:
        problems.add(
            T("The user {upn} is in the cloud only: the directory has no password of it to reset.", upn=user.upn),
            T("Ask with -i in_cloud=true to reset the password in the cloud."),
        )


def in_making(person: References, found: Match, facts: PersonFacts) -> bool:
    """Tell whether an account is one that we made and never handed over, disabled until it has its password."""
    account, envelope = found.account, facts.envelope
    handed_over = envelope is not None and (envelope.delivered_at is not None or envelope.opened_at is not None)
    return (
        account is not None
        and not account.enabled
        and is_ours(account, person.target)
        and account.last_logon is None
        and not handed_over
    )


def own_address(person: References, found: Match, world: AccountsWorld, problems: Problems) -> str | None:
    """Return the address a person has, lower case; None when there is none, or it cannot be used."""
    account, user = found.account, found.user
    if account is not None:
        own = addresses_of_account(account) | (addresses_of_user(user) if user is not None else frozenset())
        upn = (account.upn or "").lower()
        address = address_of(account) or (upn if upn.partition("@")[2] in world.tenant.domains else None)
    elif user is not None:
        own, address = addresses_of_user(user), (user.mail or user.upn).lower()
    else:
        return None
    if address is None:
        problems.add(
            T("The account of {target} has no mail address.", target=person.target),
            T("Put one into its attribute mail, in {domain}, then ask again.", domain=world.policy.domain),
        )
        return None
    if address.partition("@")[2] not in world.tenant.domains:
        problems.add(
            T("The address of {target}, {address}, is of a domain that the tenant does not have.",
              target=person.target, address=address),
            T("Correct the attribute mail of the account, then ask again."),
        )  # fmt: skip
        return None
    if person.address and person.address not in own:
        problems.add(
            T("{target} has the address {found} already, not {asked}.",
              target=person.target, found=address, asked=person.address),
            T("Ask with that address or with none; another one is added in the directory."),
        )  # fmt: skip
        return None
    # Of somebody in doubt the tenant's user was not looked for: it would be taken for a rival.
    if user is None and account is not None and not problems.found:
        _check_rivals(address, account.guid, world, problems)
    return address


def _check_rivals(address: str, guid: str, world: AccountsWorld, problems: Problems) -> None:
    """Add who else has the address of an account that the tenant does not know yet: it would not get it there."""
    rivals = [one.name for one in world.holders.get(address, ()) if one.guid != guid]
    rivals += [one.name for one in world.cloud_holders.get(address, ()) if one.kind is not HolderKind.DELETED_USER]
    if rivals:
        problems.add(
            T("The account's address {address} is also that of {names}.",
              address=address, names=", ".join(sorted(set(rivals)))),
            T("Take it off one of them, then ask again."),
        )  # fmt: skip
