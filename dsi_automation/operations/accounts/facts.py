"""What is observed about people's accounts, in both directories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dsi_automation.connectors.directory.accounts import Account, Holder, PasswordState
from dsi_automation.connectors.m365.port import CloudUser, MailboxState, Sku, Tenant, TenantHolder
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.model import Site
from dsi_automation.operations.envelopes import Envelope


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What both directories hold about one person.

    Attributes:
        by_number: Active Directory accounts with the staff number.
        by_address: Active Directory accounts that have one of the person's possible addresses.
        cloud_by_number, cloud_by_address: the same in the tenant.
        cloud_linked: users of the tenant whose immutable id is that of one of `by_number` or `by_address`.
        mailbox: whether the mailbox of the one matched user answers; None when there is none to ask.
        envelope: the hand-over in preparation.
        password: what the directory says of the sealed password; None when it was not tried.
    """

    by_number: tuple[Account, ...] = ()
    by_address: tuple[Account, ...] = ()
    cloud_by_number: tuple[CloudUser, ...] = ()
    cloud_by_address: tuple[CloudUser, ...] = ()
    cloud_linked: tuple[CloudUser, ...] = ()
    mailbox: MailboxState | None = None
    envelope: Envelope | None = None
    password: PasswordState | None = None


@dataclass(frozen=True, slots=True)
class AccountsWorld:
    """What concerns all persons of a plan together.

    Attributes:
        holders: who holds each possible address in Active Directory, lower case.
        cloud_holders: the same in the tenant.
        issued: whose each address ever was; see `Look.issued_addresses`.
        managers: the account found for each manager named, or None.
        missing_ous: OUs of the inventory that the directory does not have.
    """

    policy: AccountPolicy
    settings: TenantSettings
    sites: Mapping[str, Site]
    tenant: Tenant
    skus: tuple[Sku, ...]
    holders: Mapping[str, tuple[Holder, ...]]
    cloud_holders: Mapping[str, tuple[TenantHolder, ...]]
    issued: Mapping[str, str]
    managers: Mapping[str, Account | None]
    missing_ous: frozenset[str]
    looked_at: datetime
