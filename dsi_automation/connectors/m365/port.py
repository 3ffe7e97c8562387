"""What operations ask of a Microsoft 365 tenant: typed reads, and the writes on users and their licences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class TenantEndpoint:
    """Where Microsoft Graph answers and how to prove who asks.

    Exactly one of `certificate`, `secret` and `managed_identity` is set.

    Attributes:
        tenant_id: the tenant's GUID or one of its domains.
        client_id: the application registration (or the user-assigned managed identity).
        base_url: `https://graph.microsoft.com/v1.0`, that of a national cloud, or a test's.
        authority: `https://login.microsoftonline.com`, that of a national cloud, or a test's.
        scope: `https://graph.microsoft.com/.default` or the national cloud's.
        ca_file: the CA that signed both servers' certificates, PEM; None for the system's.
        certificate: a PEM file with the application's certificate and its private key.
        certificate_password: of that private key.
        timeout: seconds for one answer.
        deadline: seconds for one call with all its retries; a longer Retry-After ends it at once.
        public_authority: false for an authority that Microsoft's discovery does not know (a test's).
    """

    tenant_id: str
    client_id: str
    base_url: str
    authority: str
    scope: str
    ca_file: str | None = None
    certificate: str | None = None
    certificate_password: Secret | None = None
    secret: Secret | None = None
    managed_identity: bool = False
    timeout: float = 30.0
    deadline: float = 300.0
    public_authority: bool = True


@dataclass(frozen=True, slots=True)
class Tenant:
    """The organisation (GET /organization).

    Attributes:
        domains: verified domains, lower case, the default one first.
        initial_domain: `douanes.onmicrosoft.com`.
        hybrid: whether accounts are synchronised from an Active Directory (onPremisesSyncEnabled).
        last_sync: when the synchronisation last spoke.
    """

    id: str
    name: str
    domains: tuple[str, ...]
    initial_domain: str
    hybrid: bool
    last_sync: datetime | None


@dataclass(frozen=True, slots=True)
class Sku:
    """A subscribed licence (GET /subscribedSkus).

    Attributes:
        id: its skuId, a GUID.
        part_number: `O365_BUSINESS_ESSENTIALS`, `STANDARDPACK`, ...
        enabled: whether it may be assigned now: capabilityStatus Enabled, or Warning (a period of grace).
        total: seats bought: prepaidUnits enabled and in warning; suspended ones do not count.
        used: consumedUnits.
        service_plans: the names of its service plans, `EXCHANGE_S_STANDARD` among them when it brings a mailbox.
    """

    id: str
    part_number: str
    enabled: bool
    total: int
    used: int
    service_plans: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        """Return how many seats may still be assigned."""
        return max(0, self.total - self.used) if self.enabled else 0

    @property
    def has_mailbox(self) -> bool:
        """Tell whether it brings an Exchange Online mailbox."""
        return any(name.startswith("EXCHANGE_S_") and name != "EXCHANGE_S_FOUNDATION" for name in self.service_plans)


@dataclass(frozen=True, slots=True)
class LicenceState:
    """One element of licenseAssignmentStates.

    Attributes:
        state: `Active`, `ActiveWithError`, `Disabled`, `Error`.
        error: `None`, `CountViolation`, `MutuallyExclusiveViolation`, ...
        by_group: the group it comes from; None when it was assigned directly.
    """

    sku_id: str
    state: str
    error: str
    by_group: str | None
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class AssignedPlan:
    """One element of assignedPlans."""

    service: str
    status: str
    assigned_at: datetime | None


@dataclass(frozen=True, slots=True)
class CloudUser:
    """A user of the tenant.

    Attributes:
        upn: userPrincipalName, as the tenant writes it.
        proxy_addresses: `SMTP:` primary and `smtp:` others, as the tenant writes them.
        staff_number: employeeId.
        synced: whether an Active Directory masters it (onPremisesSyncEnabled).
        immutable_id: onPremisesImmutableId: base64 of the objectGUID of its Active Directory account.
        licences: skuIds of assignedLicenses.
        provisioning_errors: unresolved serviceProvisioningErrors and onPremisesProvisioningErrors, as sentences.
        sessions_valid_from: signInSessionsValidFromDateTime, moved on by a revocation.
        must_change: forceChangePasswordNextSignIn of passwordProfile, which is null once the password is changed.
    """

    id: str
    upn: str
    mail: str | None
    display_name: str | None
    surname: str | None
    given_name: str | None
    staff_number: str | None
    enabled: bool
    usage_location: str | None
    synced: bool
    immutable_id: str | None
    proxy_addresses: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    licence_states: tuple[LicenceState, ...] = ()
    plans: tuple[AssignedPlan, ...] = ()
    provisioning_errors: tuple[str, ...] = ()
    created_at: datetime | None = None
    sessions_valid_from: datetime | None = None
    must_change: bool = False


class HolderKind(StrEnum):
    """What holds an address in the tenant."""

    USER = "user"
    GROUP = "group"
    CONTACT = "contact"
    DELETED_USER = "deleted_user"


@dataclass(frozen=True, slots=True)
class TenantHolder:
    """An object of the tenant that holds an address: as its UPN, its mail or one of its proxyAddresses."""

    kind: HolderKind
    id: str
    name: str
    staff_number: str | None = None
    surname: str | None = None


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What GET /users/{id}/mailboxSettings said.

    Attributes:
        ready: it answered 200.
        code: the error's code otherwise: `MailboxNotEnabledForRESTAPI`, ...
    """

    ready: bool
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class NewCloudUser:
    """A user to create in a tenant without synchronisation; created enabled, to change the password at first use."""

    upn: str
    mail_nickname: str
    display_name: str
    staff_number: str
    usage_location: str
    surname: str | None = None
    given_name: str | None = None
    department: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in plain text."""

    sender: str
    to: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class SyncTarget:
    """The Entra Cloud Sync job that synchronises one object on demand.

    Attributes:
        service_principal: object id of the configuration's service principal.
        job: id of its synchronisation job.
        rule: id of that job's rule.
    """

    service_principal: str
    job: str
    rule: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What the application may do in the tenant: the roles of its token."""

    roles: frozenset[str] = field(default_factory=frozenset)
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exchanges:
    """How much was exchanged so far: HTTP requests sent, and requests within them (a batch carries up to 20)."""

    http: int = 0
    inner: int = 0
    retries: int = 0


class TenantReader(Protocol):
    """The read half. May be used from several threads; what they ask at once travels in batches of 20."""

    @property
    def endpoint(self) -> TenantEndpoint:
        """Return where it reads."""
        ...

    @property
    def exchanges(self) -> Exchanges:
        """Return how much was exchanged so far."""
        ...

    def tenant(self, *, anew: bool = False) -> Tenant:
        """Return the organisation; asked once per reader.

        Args:
            anew: ask again: when the synchronisation last spoke changes while one waits for it.

        Raises:
            UnreachableError: no answer before the deadline. RefusedError: the tenant said no, its reason as a sentence.
        """
        ...

    def skus(self) -> Sequence[Sku]:
        """Return the subscribed licences, read anew at each call."""
        ...

    def grant(self) -> Grant:
        """Return what the application may do, and how long its certificate is good for."""
        ...

    def user(self, user_id: str) -> CloudUser | None:
        """Return a user by its id, or None."""
        ...

    def users(self) -> Sequence[CloudUser]:
        """Return every user, however many pages that takes."""
        ...

    def users_by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each employeeId; every number asked is a key."""
        ...

    def users_by_immutable_id(self, immutable_ids: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each onPremisesImmutableId; every one asked is a key."""
        ...

    def users_by_address(self, addresses: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each address as UPN, mail or proxy address; every one asked is a key."""
        ...

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[TenantHolder]]:
        """Return who holds each address: users, groups, contacts and deleted users; every one asked is a key."""
        ...

    def mailboxes(self, user_ids: Sequence[str]) -> Mapping[str, MailboxState]:
        """Return whether the mailbox of each user answers."""
        ...


class TenantWriter(TenantReader, Protocol):
    """The write half. Each call checks its permit first, is sent once, and is repeated only where nothing was done.

    Every method raises `UnknownOutcomeError` when the answer was lost and a read does not tell, and `RefusedError`
    with the tenant's reason.
    """

    def for_target(self, target: str) -> TenantWriter:
        """Return a writer on behalf of one target: the name that the permit is asked about."""
        ...

    def create_user(self, user: NewCloudUser, password: Secret) -> CloudUser:
        """Create a user; one that is there with the same staff number, because an answer was lost, is returned.

        Raises:
            AddressTakenError: of RefusedError; somebody else has the address.
        """
        ...

    def set_usage_location(self, user_id: str, country: str) -> None:
        """Set usageLocation, in a call of its own."""
        ...

    def change_licences(self, user_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Assign and remove licences, by skuId; a usage location set just now is waited for.

        Raises:
            NoSeatError: of RefusedError; no seat is left.
        """
        ...

    def set_enabled(self, user_id: str, *, enabled: bool) -> None:
        """Allow or forbid signing in; not for a synchronised user, whom its directory masters."""
        ...

    def reset_password(self, user_id: str, password: Secret) -> None:
        """Set a temporary password, to be changed at the next sign-in; not for a synchronised user."""
        ...

    def revoke_sessions(self, user_id: str) -> None:
        """End every session of a user."""
        ...

    def send_mail(self, letter: Letter) -> None:
        """Send a mail from a service mailbox."""
        ...

    def provision_now(self, directory_dn: str) -> bool:
        """Ask Entra Cloud Sync to synchronise one object now; false where the settings name no job.

        Source: POST /servicePrincipals/{id}/synchronization/jobs/{job}/provisionOnDemand.
        """
        ...
