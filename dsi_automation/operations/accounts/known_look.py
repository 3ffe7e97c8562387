"""The look at accounts that exist already: everything about all targets of a plan, in few exchanges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dsi_automation.connectors.directory.accounts import Account, AccountReader
from dsi_automation.connectors.m365.port import CloudUser, Sku, TenantReader
from dsi_automation.core.errors import DsiError
from dsi_automation.core.plan import Blocker
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Observed
from dsi_automation.inventory.account_model import AccountPolicy
from dsi_automation.inventory.model import Site
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class Known:
    """What both directories hold under one name: of each, one at most when all is well.

    Attributes:
        accounts: of the directory, found by staff number, else by login or address.
        users: of the tenant, found by the immutable id of those, else by staff number, else by address.
    """

    accounts: tuple[Account, ...] = ()
    users: tuple[CloudUser, ...] = ()

    @property
    def account(self) -> Account | None:
        """Return the account, when there is one."""
        return self.accounts[0] if self.accounts else None

    @property
    def user(self) -> CloudUser | None:
        """Return the user, when there is one."""
        return self.users[0] if self.users else None


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all targets of a plan together.

    Attributes:
        hybrid: whether the tenant is synchronised from the directory.
        has_tenant: whether there is a tenant; false where the inventory describes the directory alone.
        leavers_ou_exists: whether the directory has the leavers' OU.
    """

    policy: AccountPolicy
    sites: Mapping[str, Site]
    skus: tuple[Sku, ...]
    hybrid: bool
    leavers_ou_exists: bool
    looked_at: datetime
    has_tenant: bool = True


def observe(targets: Sequence[str], look: Look, *, tenant_needed: bool = True) -> Observed[Known, World | None]:
    """Look at all targets together; when a directory does not answer, no target can be judged.

    Args:
        targets: the accounts.
        look: the read half.
        tenant_needed: false where the directory's part can be done on a site without a tenant.
    """
    try:
        tenant = look.tenant() if tenant_needed or look.has_tenant else None
        policy = look.account_policy
        facts = read(targets, look.accounts(), tenant)
        world = World(
            policy=policy,
            sites=look.site_codes,
            skus=() if tenant is None else tuple(tenant.skus()),
            hybrid=tenant is not None and tenant.tenant().hybrid,
            leavers_ou_exists=look.accounts().exists(policy.leavers_ou),
            looked_at=look.clock.now(),
            has_tenant=tenant is not None,
        )
    except DsiError as error:
        return Observed({}, dict.fromkeys(targets, error), None)
    return Observed(facts, {}, world)


def read(targets: Sequence[str], accounts: AccountReader, tenant: TenantReader | None) -> dict[str, Known]:
    """Return what both directories, or the only one there is, hold about each target, read now."""
    by_number = accounts.by_staff_number(targets)
    unknown = [target for target in targets if not by_number[target]]
    by_name = accounts.by_name(unknown) if unknown else {}
    found = {target: tuple(by_number[target] or by_name[target]) for target in targets}
    users = {} if tenant is None else _users(found, tenant)
    return {target: Known(found[target], users.get(target, ())) for target in targets}


def _users(found: Mapping[str, tuple[Account, ...]], tenant: TenantReader) -> dict[str, tuple[CloudUser, ...]]:
    """Return the users of each target, by the surest sign there is: each is asked for those still missing only."""
    users: dict[str, tuple[CloudUser, ...]] = dict.fromkeys(found, ())
    signs = (
        (tenant.users_by_immutable_id, lambda _, own: [one.immutable_id for one in own]),
        (tenant.users_by_staff_number, _numbers),
        (tenant.users_by_address, _addresses),
    )
    for ask, sign_of in signs:
        wanted = {target: sign_of(target, own) for target, own in found.items() if not users[target]}
        every = list(dict.fromkeys(sign for signs_ in wanted.values() for sign in signs_))
        answers = ask(every) if every else {}
        for target, own_signs in wanted.items():
            known = {user.id: user for sign in own_signs for user in answers[sign]}
            users[target] = tuple(known.values())
    return users


def _numbers(target: str, own: tuple[Account, ...]) -> list[str]:
    every = [*(one.staff_number for one in own), target]
    return list(dict.fromkeys(one for one in every if one and "@" not in one))


def _addresses(target: str, own: tuple[Account, ...]) -> list[str]:
    every = [*(one.mail or one.upn for one in own), target]
    return list(dict.fromkeys(one for one in every if one and "@" in one))


def refuse_doubtful(target: str, known: Known, decided: Decided, *, has_tenant: bool = True) -> None:
    """Block a target that is nobody, or that several answer to."""
    names = [one.dn for one in known.accounts] if len(known.accounts) > 1 else [one.upn for one in known.users]
    if len(names) > 1:
        decided.blockers.append(
            Blocker(
                target,
                T("Several accounts are {target}: {names}.", target=target, names="; ".join(sorted(names))),
                T("Correct the staff number or the address of the wrong one, then ask again."),
            )
        )
    if not known.accounts and not known.users:
        nobody = T("The directory has no account {target}.", target=target)
        if has_tenant:
            nobody = T("Neither the directory nor the tenant has an account {target}.", target=target)
        decided.blockers.append(
            Blocker(
                target,
                nobody,
                T("Check the staff number, the login or the address."),
            )
        )


def refuse_twice(targets: Sequence[str], facts: Mapping[str, Known]) -> dict[str, Blocker]:
    """Return a blocker for each target that is the same person as one before it, under another name."""
    seen: dict[str, str] = {}
    blockers: dict[str, Blocker] = {}
    for target in sorted(target for target in targets if target in facts):
        known = facts[target]
        for identity in {*(one.guid for one in known.accounts), *(one.id for one in known.users)}:
            first = seen.setdefault(identity, target)
            if first != target:
                blockers[target] = Blocker(
                    target,
                    T("{target} is the same person as {other}.", target=target, other=first),
                    T("Name each person once."),
                )
    return blockers
