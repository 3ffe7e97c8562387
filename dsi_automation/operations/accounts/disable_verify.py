"""The independent look after `account.disable`: both directories, read anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.directory.names import is_below, parent
from dsi_automation.connectors.m365.port import CloudUser, Sku
from dsi_automation.core.clock import iso
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.account_model import LeaverLicence
from dsi_automation.operations.accounts.disable_plan import SKEW, direct_licences, marked_at, sessions_ended
from dsi_automation.operations.accounts.known_look import read
from dsi_automation.operations.tools import Look


def verify(plan: Plan, licence: LeaverLicence | None, look: Look) -> Sequence[Check]:
    """Return what the accounts of the plan look like now."""
    accounts, policy = look.accounts(), look.account_policy
    tenant = look.tenant() if look.has_tenant else None
    facts = read(plan.targets, accounts, tenant)
    skus = () if tenant is None else tenant.skus()
    is_freed = (licence or policy.leaver_licence) is LeaverLicence.FREE
    checks: list[Check] = []
    for target in plan.targets:
        account, user = facts[target].account, facts[target].user
        if account is not None or any(action.kind == "disable_account" for action in plan.actions_for(target)):
            checks += _directory(target, account, policy.leavers_ou, f"LDAP {accounts.endpoint.server}")
        if user is not None:
            checks += _tenant(target, user, account, skus, is_freed=is_freed)
    return checks


def _directory(target: str, account: Account | None, leavers_ou: str, source: str) -> Iterator[Check]:
    enabled = account is None or account.enabled
    yield Check(
        target, "disabled", T("Account of the directory"), str(T("disabled")),
        str(T("absent") if account is None else T("enabled") if enabled else T("disabled")), ok=not enabled,
        source=source,
    )  # fmt: skip
    where = "-" if account is None else parent(account.dn)
    placed = account is not None and is_below(account.dn, leavers_ou)
    yield Check(target, "ou", T("Organisational unit"), leavers_ou, where, ok=placed, source=source)


def _tenant(
    target: str, user: CloudUser, account: Account | None, skus: Sequence[Sku], *, is_freed: bool
) -> Iterator[Check]:
    source = "Graph /users"
    yield Check(
        target, "cloud_disabled", T("Account of the tenant"), str(T("disabled")),
        str(T("enabled") if user.enabled else T("disabled")), ok=not user.enabled, source=source,
    )  # fmt: skip
    since, at = user.sessions_valid_from, marked_at(account)
    expected: Text | str = "-" if at is None else f"≥ {iso(at - SKEW)}"
    yield Check(
        target, "sessions", T("Sessions ended"), str(expected), "-" if since is None else iso(since),
        ok=sessions_ended(user, account), source=source,
    )  # fmt: skip
    held = ", ".join(sorted(sku.part_number for sku in direct_licences(user, skus)))
    if is_freed:
        yield Check(target, "licences", T("Licences assigned directly"), "-", held or "-", ok=not held, source=source)
