"""What disabling an account takes, decided from facts alone (procedure L)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.directory.names import is_below, leaf, parent
from dsi_automation.connectors.m365.port import CloudUser, Sku
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Observed
from dsi_automation.inventory.account_model import LeaverLicence
from dsi_automation.operations.accounts.known_look import (
    Known,
    World,
    refuse_doubtful,
    refuse_twice,
)
from dsi_automation.operations.accounts.readiness import states_of
from dsi_automation.operations.decided import Decided

MARK: Final = "dsi account.disable"
"""What the toolkit notes in an account it disabled (adminDescription), followed by when."""
SKEW: Final = timedelta(seconds=60)
"""By how much the tenant's clock may be behind ours, and the second it cuts its moments down to."""
PRIVILEGED: Final = frozenset(
    name.casefold()
    for name in (
        "Domain Admins", "Enterprise Admins", "Schema Admins",
        "Admins du domaine", "Administrateurs de l’entreprise", "Administrateurs de l'entreprise",
        "Administrateurs du schéma",
    )
)  # fmt: skip
"""Groups whose members are no ordinary people, in English and French; and all of CN=Builtin."""


def decide_all(
    targets: Sequence[str], licence: LeaverLicence | None, observed: Observed[Known, World | None]
) -> dict[str, Decided]:
    """Return what disabling each of these accounts takes; nothing about those that could not be looked at."""
    world, twice = observed.shared, refuse_twice(targets, observed.facts)
    decided: dict[str, Decided] = {}
    for target in targets:
        if target not in observed.facts or world is None:
            continue
        if target in twice:
            decided[target] = Decided(blockers=[twice[target]])
            continue
        decided[target] = decide(target, observed.facts[target], licence or world.policy.leaver_licence, world)
    return decided


def decide(target: str, known: Known, licence: LeaverLicence, world: World) -> Decided:
    """Return what one account takes."""
    decided = Decided()
    refuse_doubtful(target, known, decided, has_tenant=world.has_tenant)
    if not decided.blockers:
        _refuse_others(target, known, world, decided)
    if decided.blockers:
        return decided
    account, user = known.account, known.user
    if account is not None:
        _disable(target, account, decided)
    if user is not None:
        _close(target, user, account, decided)
        _licences(target, user, licence, world.skus, decided)
    else:
        reason = T("The tenant has no user {target}.", target=target)
        if not world.has_tenant:
            reason = T("The inventory describes no Microsoft 365 tenant (dsi_m365): nothing is done in the cloud.")
        decided.non_actions.append(NonAction(target, "revoke_sessions", reason))
    if account is not None:
        _move(target, account, world, decided)
    return decided


def marked_at(account: Account | None) -> datetime | None:
    """Return when the toolkit disabled an account, from its mark; None when it did not."""
    mark = account.mark if account is not None else None
    if mark is None or not mark.startswith(f"{MARK} "):
        return None
    try:
        return parse_iso(mark.removeprefix(f"{MARK} "))
    except ValueError:
        return None


def is_disabled(account: Account) -> bool:
    """Tell whether the toolkit disabled an account, and it still is."""
    return not account.enabled and marked_at(account) is not None


def sessions_ended(user: CloudUser, account: Account | None) -> bool:
    """Tell whether a user's sessions ended after the account was disabled; unknown without a directory's mark."""
    at = marked_at(account)
    if at is None:
        # A user of the tenant alone bears no mark: once it is disabled, nothing renews a session.
        return account is None and not user.enabled
    return revoked_since(user, at)


def revoked_since(user: CloudUser, moment: datetime) -> bool:
    """Tell whether a user's sessions were ended at that moment or later, as far as both clocks can tell.

    A user that nobody's sessions were ever taken from has them valid from its creation on: that ended none.
    """
    since, made = user.sessions_valid_from, user.created_at
    if since is None or since < moment - SKEW:
        return False
    return made is None or since > made


def direct_licences(user: CloudUser, skus: Sequence[Sku]) -> tuple[Sku, ...]:
    """Return the licences assigned to a user directly: those by a group go when the group does."""
    return tuple(sku for sku in skus if sku.id in user.licences and not by_group(user, sku))


def by_group(user: CloudUser, sku: Sku) -> bool:
    """Tell whether a licence comes from groups alone."""
    groups = [state.by_group for state in states_of(user, sku.id)]
    return bool(groups) and all(groups)


def _refuse_others(target: str, known: Known, world: World, decided: Decided) -> None:
    """Block accounts that are no person's of the sites: service accounts, administrators."""
    account, user = known.account, known.user
    ous = [site.user_ou for site in world.sites.values() if site.user_ou is not None]
    leavers = world.policy.leavers_ou
    if account is not None:
        if not any(is_below(account.dn, ou) for ou in (*ous, leavers)):
            decided.blockers.append(
                Blocker(
                    target,
                    T("The account {dn} is in no site’s OU for people: a service account perhaps.", dn=account.dn),
                    T("If it is a person’s, move it into the OU of the site first; else do this by hand."),
                )
            )
        decided.blockers.extend(_privileged(target, account))
        if not world.leavers_ou_exists:
            decided.blockers.append(
                Blocker(
                    target,
                    T("The organisational unit {ou} does not exist in the directory.", ou=leavers),
                    T("Create it, or correct leavers_ou in dsi_accounts."),
                )
            )
    elif user is not None and (user.synced or not user.staff_number):
        reason = (
            T("{upn} is synchronised from a directory, where its account was not found.", upn=user.upn)
            if user.synced
            else T("{upn} has no staff number: a service account or an administrator perhaps.", upn=user.upn)
        )
        decided.blockers.append(Blocker(target, reason, T("Look at it with a person who knows it, and do it by hand.")))


def _privileged(target: str, account: Account) -> Iterator[Blocker]:
    for group in account.groups:
        name = leaf(group)
        if name.casefold() in PRIVILEGED or _is_builtin(group):
            yield Blocker(
                target,
                T("{name} is a member of {group}: an administrator.", name=account.name, group=name),
                T("Take the account out of that group first, or do this by hand."),
            )


def _is_builtin(group: str) -> bool:
    """Tell whether a group is one of Windows' own (CN=Builtin)."""
    container = parent(group)
    return bool(container) and leaf(container).casefold() == "builtin"


def _disable(target: str, account: Account, decided: Decided) -> None:
    if is_disabled(account):
        decided.non_actions.append(
            NonAction(
                target,
                "disable_account",
                T("{login} is disabled already ({mark}).", login=account.login, mark=account.mark),
            )
        )
        return
    args = {
        "login": account.login,
        "staff_number": account.staff_number,
        "groups": sorted(account.groups, key=str.casefold),
    }
    title = T("Disable the account {login}", login=account.login)
    reason: Text = T("The person leaves; the account is enabled.")
    if not account.enabled:
        title = T("Note in the account {login} when it was found disabled", login=account.login)
        reason = T("It is disabled, but not by the toolkit: sessions are ended from now on.")
    undo = T("Enable the account again; its groups are in the record of this action.")
    decided.actions.append(Action(target, "disable_account", args, title, reason, undo))


def _close(target: str, user: CloudUser, account: Account | None, decided: Decided) -> None:
    if user.enabled or not sessions_ended(user, account):
        decided.actions.append(
            Action(
                target,
                "revoke_sessions",
                {"upn": user.upn},
                T("End every session of {upn}", upn=user.upn),
                T("Whoever is signed in stays so until then, whatever the account."),
            )
        )
    else:
        decided.non_actions.append(
            NonAction(target, "revoke_sessions", T("The sessions of {upn} have ended.", upn=user.upn))
        )
    if not user.enabled:
        decided.non_actions.append(
            NonAction(target, "disable_cloud_user", T("{upn} is forbidden to sign in already.", upn=user.upn))
        )
    elif user.synced:
        decided.actions.append(
            Action(
                target,
                "synchronise",
                {"upn": user.upn},
                T("Wait until the synchronisation forbids {upn} to sign in", upn=user.upn),
                T("The tenant follows the directory: nobody else may disable this user."),
            )
        )
    else:
        decided.actions.append(
            Action(
                target,
                "disable_cloud_user",
                {"upn": user.upn},
                T("Forbid {upn} to sign in", upn=user.upn),
                T("The person leaves; the user is of the tenant alone."),
                T("Allow it again in the admin centre."),
            )
        )


def _licences(target: str, user: CloudUser, licence: LeaverLicence, skus: Sequence[Sku], decided: Decided) -> None:
    held = [sku for sku in skus if sku.id in user.licences]
    grouped = [sku.part_number for sku in held if by_group(user, sku)]
    if grouped:
        reason = T(
            "{licences} comes from a group: it goes when the person leaves the group.", licences=", ".join(grouped)
        )
        decided.non_actions.append(NonAction(target, "remove_licences", reason))
    direct = sorted(direct_licences(user, skus), key=lambda sku: sku.part_number)
    names = ", ".join(sku.part_number for sku in direct)
    if direct and licence is LeaverLicence.FREE:
        decided.actions.append(
            Action(
                target,
                "remove_licences",
                {
                    "upn": user.upn,
                    "sku_ids": [sku.id for sku in direct],
                    "part_numbers": [sku.part_number for sku in direct],
                },
                T("Free the licence {licences} of {upn}", licences=names, upn=user.upn),
                T("The licence of who leaves is freed; Microsoft keeps the mailbox for 30 days."),
                T("Assign it again within 30 days: the mailbox comes back with its mails."),
            )
        )
    elif direct:
        decided.non_actions.append(
            NonAction(target, "remove_licences", T("The licence {licences} is kept.", licences=names))
        )
    elif not held:
        decided.non_actions.append(NonAction(target, "remove_licences", T("{upn} has no licence.", upn=user.upn)))


def _move(target: str, account: Account, world: World, decided: Decided) -> None:
    ou = world.policy.leavers_ou
    if is_below(account.dn, ou):
        decided.non_actions.append(
            NonAction(target, "move_to_leavers", T("{login} is in {ou} already.", login=account.login, ou=ou))
        )
        return
    # Last: where the synchronisation leaves that OU out, the tenant deletes the user at its next cycle.
    decided.actions.append(
        Action(
            target,
            "move_to_leavers",
            {"login": account.login, "ou": ou},
            T("Move the account {login} into {ou}", login=account.login, ou=ou),
            T("Accounts of people who left are kept there."),
            T("Move it back to {ou}.", ou=parent(account.dn)),
        )
    )
