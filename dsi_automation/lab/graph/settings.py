"""What the simulated tenant is told at its start: a JSON file, as these types describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field

TENANT_ID: Final = "5d9a1c3e-7b24-4c8e-9f10-d5a100000001"
CLIENT_ID: Final = "5d9a1c3e-7b24-4c8e-9f10-d5a100000002"
SYNC_PRINCIPAL: Final = "5d9a1c3e-7b24-4c8e-9f10-d5a100000003"
"""The service principal of Entra Cloud Sync (`id`)."""
SYNC_JOB: Final = "AD2AADProvisioning.5d9a1c3e7b244c8e9f10d5a100000004"
"""Its synchronisation job's id."""
SYNC_RULE: Final = "5d9a1c3e-7b24-4c8e-9f10-d5a100000005"
"""The id of the job's rule for users."""

ROLES: Final = (
    "User.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User.RevokeSessions.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "GroupMember.Read.All",
    "OrgContact.Read.All",
    "MailboxSettings.Read",
    "Mail.Send",
    "Synchronization.ReadWrite.All",
)
"""What the application may do unless told otherwise: what the operations need, no Directory.ReadWrite.All."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Delays(_Model):
    """How long Microsoft takes, seconds.

    Attributes:
        create: from a 201 to the object being found by reads; until then 404, and lists leave it out.
        location: from a usage location that was set to licences accepting it.
        licence: from assignLicense to licenseAssignmentStates and assignedPlans telling it.
        mailbox: from assignLicense to the mailbox: `mail` and proxyAddresses filled, mailboxSettings 200.
    """

    create: float = Field(default=0.3, ge=0)
    location: float = Field(default=0.3, ge=0)
    licence: float = Field(default=0.2, ge=0)
    mailbox: float = Field(default=0.5, ge=0)


class ServicePlan(_Model):
    """A part of a licence; its GUID is made from its name when not given."""

    name: str
    service: str
    id: str = ""

    @property
    def plan_id(self) -> str:
        """Return its GUID."""
        return self.id or str(uuid5(NAMESPACE_URL, f"serviceplan:{self.name}"))


class SkuSeed(_Model):
    """A subscription: how many seats of which licence.

    Attributes:
        status: capabilityStatus: Enabled, Warning, Suspended, LockedOut, Deleted.
    """

    part_number: str
    id: str
    seats: int = Field(ge=0)
    plans: list[ServicePlan]
    status: str = "Enabled"


def office_skus() -> list[SkuSeed]:
    """Return the three Office 365 subscriptions of the lab, with Microsoft's own GUIDs.

    Source: Microsoft, "Product names and service plan identifiers for licensing".
    """
    exchange = {
        "STANDARDPACK": ("EXCHANGE_S_STANDARD", "9aaf7827-d63c-4b61-89c3-182f06f82e5c"),
        "DESKLESSPACK": ("EXCHANGE_S_DESKLESS", "4a82b400-a79f-41a4-b4e2-e94f5787b113"),
        "ENTERPRISEPACK": ("EXCHANGE_S_ENTERPRISE", "efb87545-963c-4e0d-99df-69c6916d9eb0"),
    }
    skus = {
        "STANDARDPACK": ("18181a46-0d4e-45cd-891e-60aabd171b4e", 300),
        "DESKLESSPACK": ("4b585984-651b-448a-9e53-3b10f069cf7f", 50),
        "ENTERPRISEPACK": ("6fd2c87f-b296-42f0-b197-1e91e994b900", 10),
    }
    return [
        SkuSeed(
            part_number=name,
            id=sku,
            seats=seats,
            plans=[
                ServicePlan(name=exchange[name][0], id=exchange[name][1], service="exchange"),
                ServicePlan(name="TEAMS1", id="57ff2da0-773e-42df-b2af-ffb7a2317929", service="TeamspaceAPI"),
            ],
        )
        for name, (sku, seats) in skus.items()
    ]


class App(_Model):
    """The application's registration.

    Attributes:
        certificate_file: PEM with the certificate that client assertions are signed with; a private key in the same
            file is not read.
        secret_file: a file that holds the client secret; None when it has none.
        roles: application permissions granted by an administrator.
        token_seconds: how long an access token is good for.
    """

    client_id: str = CLIENT_ID
    name: str = "dsi-automation"
    certificate_file: Path | None = None
    secret_file: Path | None = None
    roles: list[str] = Field(default_factory=lambda: list(ROLES))
    token_seconds: float = Field(default=3599, gt=0)


class DirectorySource(_Model):
    """The Active Directory that is synchronised, over LDAPS.

    Attributes:
        host: its address, as a socket wants it.
        valid_names: what its certificate may be for.
        user: who binds: `svc-lecture@ad.douanes.lab`.
        password_file: a file that holds that account's password.
        bases: DNs of the OUs in scope; users below them are synchronised.
    """

    host: str
    port: int = 636
    ca_file: Path
    valid_names: list[str]
    user: str
    password_file: Path
    bases: list[str] = Field(min_length=1)
    timeout: float = 10.0


class Hybrid(_Model):
    """The synchronisation.

    Attributes:
        enabled: whether the tenant says onPremisesSyncEnabled.
        every: seconds between automatic cycles; 0 for on demand only.
        directory: where from; None to be fed through the control socket.
        licensed: sAMAccountName -> part number: who gets a licence and a ready mailbox when first synchronised.
    """

    enabled: bool = True
    every: float = Field(default=5.0, ge=0)
    directory: DirectorySource | None = None
    principal_id: str = SYNC_PRINCIPAL
    job_id: str = SYNC_JOB
    rule_id: str = SYNC_RULE
    licensed: dict[str, str] = Field(default_factory=dict)


class Seeds(_Model):
    """Objects that are there from the start, as Graph's own JSON (`userPrincipalName`, `proxyAddresses`, ...).

    A user may bear `licences` (part numbers) and `mailboxReady` besides Graph's properties.
    """

    users: list[dict[str, Any]] = Field(default_factory=list)
    groups: list[dict[str, Any]] = Field(default_factory=list)
    contacts: list[dict[str, Any]] = Field(default_factory=list)
    deleted_users: list[dict[str, Any]] = Field(default_factory=list)


class GraphSettings(_Model):
    """Everything: `python -m dsi_automation.lab.graph SETTINGS.json`.

    Attributes:
        address: where it listens; a name or an IP that the certificate is for.
        port: 443 in the lab; 0 takes a free one, told by `GraphControl.info()`.
        certificate_file: the server's certificate, PEM.
        key_file: its key, PEM.
        control_socket: the socket of `GraphControl`.
        record_file: where each request is written, JSON lines; None records in memory only.
        state_file: where the tenant is kept across restarts; None keeps nothing.
        domains: verified domains, the default one first.
        initial_domain: the one of Microsoft's own, verified too.
    """

    address: str
    port: int = 443
    certificate_file: Path
    key_file: Path
    control_socket: Path
    record_file: Path | None = None
    state_file: Path | None = None
    tenant_id: str = TENANT_ID
    tenant_name: str = "Douanes (lab)"
    domains: list[str] = Field(default_factory=lambda: ["douanes.lab"], min_length=1)
    initial_domain: str = "douaneslab.onmicrosoft.com"
    app: App
    skus: list[SkuSeed] = Field(default_factory=office_skus)
    delays: Delays = Field(default_factory=Delays)
    hybrid: Hybrid = Field(default_factory=Hybrid)
    seeds: Seeds = Field(default_factory=Seeds)


def service_mailbox(address: str = "dsi@douanes.lab") -> dict[str, Any]:
    """Return the seed of the shared mailbox that the department's mails come from."""
    return {
        "userPrincipalName": address,
        "displayName": "Direction des systèmes d’information",
        "mailNickname": address.partition("@")[0],
        "accountEnabled": False,
        "mailboxReady": True,
    }


def lab_settings(
    *,
    address: str,
    server: tuple[Path, Path],
    control_socket: Path,
    record_file: Path,
    state_file: Path,
    app_certificate: Path,
    directory: DirectorySource | None,
    port: int = 443,
    licensed: dict[str, str] | None = None,
    every: float = 5.0,
    seeds: Seeds | None = None,
) -> GraphSettings:
    """Return the settings of a lab's tenant; everything else is the default above.

    Args:
        address: where it listens.
        server: the server's certificate and key (`Authority.issue(...)`).
        app_certificate: PEM of the application (`m365/app.pem`).
        directory: the lab's Active Directory; None for a tenant fed by hand.
        licensed: sAMAccountName -> part number, who has a mailbox from the start.
        every: seconds between synchronisation cycles.
        seeds: what is there from the start; the mailbox dsi@douanes.lab when not given.
    """
    certificate, key = server
    return GraphSettings(
        address=address,
        port=port,
        certificate_file=certificate,
        key_file=key,
        control_socket=control_socket,
        record_file=record_file,
        state_file=state_file,
        app=App(certificate_file=app_certificate),
        hybrid=Hybrid(enabled=directory is not None, every=every, directory=directory, licensed=licensed or {}),
        seeds=seeds or Seeds(users=[service_mailbox()]),
    )
