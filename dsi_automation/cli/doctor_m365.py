"""`dsi doctor m365`: may the application do what the operations need, and is the tenant as the inventory says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from dsi_automation.cli.findings import Finding, Look, guarded
from dsi_automation.cli.moments import local
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.connectors.directory.accounts import AccountReader
    from dsi_automation.connectors.m365.port import Grant, Sku, Tenant, TenantReader
    from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
    from dsi_automation.inventory.model import Site

CERTIFICATE_WARNING: Final = timedelta(days=30)
"""How long before the end of the certificate that is told: registering the next one takes an administrator."""
SYNC_DEAD: Final = timedelta(hours=3)
"""A synchronisation runs every 30 minutes; Microsoft itself warns after three hours (Entra Connect Health)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined."""

    settings: TenantSettings
    policy: AccountPolicy
    reader: TenantReader
    now: datetime


def examine_m365(session: Session) -> Iterator[Finding]:
    """Yield what is found about the tenant and the account that writes in the directory.

    Raises:
        InventoryError: the inventory describes no tenant, or not how accounts are made.
        UsageError: the extra `m365` is not installed.
    """
    inventory, look = session.toolkit.inventory, session.toolkit.equipment.look()
    subject = Subject(inventory.tenant, inventory.accounts, look.tenant(), session.clock.now())
    yield from tenant_findings(subject)

    def writer() -> AccountReader:
        from dsi_automation.connectors.directory.account_client import LdapAccountReader

        return LdapAccountReader(look.directory_endpoint(subject.policy.write_credential))

    yield from directory_findings(subject.policy, list(inventory.sites.values()), writer)


def tenant_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what is found about the tenant; what depends on an answer that did not come is left out."""
    from dsi_automation.connectors.m365.sign_in import certificate_ends

    path = subject.settings.certificate
    if path is None:
        yield Finding("m365.certificate", T("certificate"), "ok", T("none: the application signs in by another way"))
    else:
        yield from guarded(
            "m365.certificate", T("certificate"), lambda: [_certificate(certificate_ends(path), subject.now)]
        )
    grant: Look[Grant] = Look(subject.reader.grant)
    yield from guarded("m365.sign_in", T("sign-in of the application"), lambda: [_signed_in(grant())])
    if grant.value is None:
        return
    tenant: Look[Tenant] = Look(subject.reader.tenant)
    yield from guarded("m365.tenant", T("tenant"), lambda: [_tenant(tenant())])
    # Where the tenant cannot be read yet, nothing is asked for that only one without synchronisation needs.
    hybrid = tenant.value is None or tenant.value.hybrid
    yield from permission_findings(subject, grant.value, hybrid=hybrid)
    if tenant.value is None:
        return
    yield _domain(subject.policy, tenant.value)
    yield from _synchronisation(subject, tenant.value)
    yield from guarded("m365.licences", T("licences"), lambda: _licences(subject.policy, subject.reader.skus()))
    yield from guarded("m365.sender", T("service mailbox"), lambda: [_sender(subject)])


def permission_findings(subject: Subject, grant: Grant, *, hybrid: bool) -> Iterator[Finding]:
    """Yield for each operation what it needs and lacks, then what the application holds beyond that."""
    from dsi_automation.connectors.m365.permissions import NEEDS, OPERATIONS, calls_of, missing

    settings = subject.settings
    needed: set[str] = set()
    for operation in OPERATIONS:
        calls = calls_of(
            operation, hybrid=hybrid, mails=settings.sender is not None, sync_job=settings.sync_job is not None
        )
        least = {NEEDS[call].least for call in calls}
        lacking = missing(calls, grant.roles)
        needed |= least
        title = T("permissions for {operation}", operation=operation)
        name = f"m365.permissions.{operation}"
        if lacking:
            yield Finding(
                name,
                title,
                "problem",
                T("missing: {names} (of {all})", names=", ".join(lacking), all=", ".join(sorted(least))),
                T("Add these application permissions of Microsoft Graph to the registration, and grant admin consent."),
                ExitCode.NOT_COMPLIANT,
            )
        else:
            yield Finding(name, title, "ok", ", ".join(sorted(least)))
    beyond = sorted(grant.roles - needed)
    if beyond:
        yield Finding(
            "m365.permissions.beyond",
            T("permissions beyond what is needed"),
            "warning",
            ", ".join(beyond),
            T("Take them away, once the least ones are granted: whoever gets hold of the certificate has them all."),
        )


def directory_findings(
    policy: AccountPolicy, sites: Sequence[Site], writer: Callable[[], AccountReader]
) -> Iterator[Finding]:
    """Yield whether the account that makes accounts can sign in to the directory, and sees where they go."""
    units = {"leavers_ou": policy.leavers_ou} | {site.code: site.user_ou for site in sites if site.user_ou}

    def examine() -> Iterator[Finding]:
        reader = writer()
        absent = [dn for dn in dict.fromkeys(units.values()) if not reader.exists(dn)]
        yield Finding("directory.write", T("account that writes in the directory"), "ok", reader.endpoint.user)
        for dn in absent:
            yield Finding(
                "directory.ou",
                T("OU of accounts"),
                "problem",
                T("the directory has no {dn}, or the account may not see it", dn=dn),
                T("Create it, or correct user_ou of the site or leavers_ou of dsi_accounts."),
                ExitCode.NOT_COMPLIANT,
            )

    yield from guarded("directory.write", T("account that writes in the directory"), examine)


def _certificate(ends: datetime | None, now: datetime) -> Finding:
    name, title = "m365.certificate", T("certificate")
    following = T("Make a new one, add it to the registration, then put it in place: docs/how-to/mailbox-accounts.md.")
    if ends is None:
        return Finding(name, title, "warning", T("its end could not be read"), following)
    left = ends - now
    if left <= timedelta(0):
        found = T("it is over since {moment}", moment=local(ends))
        return Finding(name, title, "problem", found, following, ExitCode.NOT_COMPLIANT)
    days = TN("good until {moment}, {n} day left", "good until {moment}, {n} days left", left.days, moment=local(ends))
    if left < CERTIFICATE_WARNING:
        return Finding(name, title, "warning", days, following)
    return Finding(name, title, "ok", days)


def _signed_in(grant: Grant) -> Finding:
    found = TN("done; {n} permission granted", "done; {n} permissions granted", len(grant.roles))
    return Finding("m365.sign_in", T("sign-in of the application"), "ok", found)


def _tenant(tenant: Tenant) -> Finding:
    if tenant.hybrid:
        found = T("{name}: hybrid, its accounts come from an Active Directory", name=tenant.name)
    else:
        found = T("{name}: its accounts are made in the cloud", name=tenant.name)
    return Finding("m365.tenant", T("tenant"), "ok", found)


def _domain(policy: AccountPolicy, tenant: Tenant) -> Finding:
    title = T("domain of the addresses")
    if policy.domain in tenant.domains:
        return Finding("m365.domain", title, "ok", T("{domain} is verified", domain=policy.domain))
    return Finding(
        "m365.domain",
        title,
        "problem",
        T(
            "{domain} is not a verified domain of the tenant ({known})",
            domain=policy.domain,
            known=", ".join(tenant.domains),
        ),
        T("Verify it in the Microsoft 365 admin centre, or correct domain in dsi_accounts."),
        ExitCode.NOT_COMPLIANT,
    )


def _synchronisation(subject: Subject, tenant: Tenant) -> Iterator[Finding]:
    name, title = "m365.synchronisation", T("synchronisation")
    if not tenant.hybrid:
        if subject.settings.sync_job is not None:
            yield Finding(name, title, "warning", T("none runs, although dsi_m365 names a sync_job"))
        return
    following = T(
        "On the server of Entra Connect or of the Cloud Sync agent: is its service started, does it reach the internet?"
    )
    if tenant.last_sync is None:
        yield Finding(name, title, "problem", T("it has never run"), following, ExitCode.NOT_COMPLIANT)
    elif subject.now - tenant.last_sync > SYNC_DEAD:
        found = T("it has been silent since {moment}: accounts wait in vain", moment=local(tenant.last_sync))
        yield Finding(name, title, "problem", found, following, ExitCode.NOT_COMPLIANT)
    else:
        yield Finding(name, title, "ok", T("it last ran {moment}", moment=local(tenant.last_sync)))


def _licences(policy: AccountPolicy, skus: Sequence[Sku]) -> Iterator[Finding]:
    by_part = {sku.part_number.casefold(): sku for sku in skus}
    for name, part in policy.licences.items():
        yield _licence(name, part, by_part.get(part.casefold()), [sku.part_number for sku in skus])


def _licence(name: str, part: str, sku: Sku | None, known: Sequence[str]) -> Finding:
    from dsi_automation.inventory.near import did_you_mean

    key, title = f"m365.licence.{name}", T("licence {name}", name=name)
    if sku is None:
        found = T("the tenant has no {part}", part=part)
        return Finding(key, title, "problem", found, did_you_mean(part, known), ExitCode.NOT_COMPLIANT)
    if not sku.enabled:
        found = T("{part} is suspended: no seat of it may be assigned", part=part)
        return Finding(key, title, "problem", found, T("Have the subscription renewed."), ExitCode.NOT_COMPLIANT)
    if not sku.has_mailbox:
        found = T("{part} brings no mailbox", part=part)
        following = T("Name another part number in dsi_accounts.licences.")
        return Finding(key, title, "problem", found, following, ExitCode.NOT_COMPLIANT)
    seats = TN(
        "{part}: {n} seat free of {total}", "{part}: {n} seats free of {total}", sku.free, part=part, total=sku.total
    )
    if not sku.free:
        return Finding(key, title, "warning", seats, T("Buy seats, or free some: dsi mailbox check."))
    return Finding(key, title, "ok", seats)


def _sender(subject: Subject) -> Finding:
    title, sender = T("service mailbox"), subject.settings.sender
    if sender is None:
        return Finding("m365.sender", title, "ok", T("none: the letters are printed, no mail is sent"))
    users = subject.reader.users_by_address([sender])[sender]
    state = subject.reader.mailboxes([users[0].id])[users[0].id] if len(users) == 1 else None
    if state is not None and state.ready:
        return Finding("m365.sender", title, "ok", T("{address} answers", address=sender))
    found: Text = T("nobody has the address {address}", address=sender)
    if users:
        code = "" if state is None else state.code or ""
        found = T("the mailbox of {address} does not answer ({code})", address=sender, code=code or len(users))
    following = T("Give it a licence, or name another mailbox in sender of dsi_m365.")
    return Finding("m365.sender", title, "problem", found, following, ExitCode.NOT_COMPLIANT)
