"""The inventory's part about people's accounts: the rules for addresses, and the Microsoft 365 tenant."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.model import DistinguishedName, Duration, Environment, NonEmpty, SecretSource, Strict
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.problems import WrongValueError


def _pattern(value: str) -> str:
    import re

    try:
        re.compile(value)
    except re.error as error:
        raise WrongValueError(T("a regular expression is expected.")) from error
    return value


def _domain(value: str) -> str:
    parts = value.lower().split(".")
    if len(parts) < 2 or not all(part and part.isascii() and part.replace("-", "").isalnum() for part in parts):
        raise WrongValueError(T("a domain name is expected, as in douanes.example."))
    return value.lower()


type Pattern = Annotated[str, AfterValidator(_pattern)]
type Domain = Annotated[str, AfterValidator(_domain)]


class LeaverLicence(StrEnum):
    """What becomes of the licence of somebody who leaves."""

    KEEP = "keep"
    FREE = "free"


class HelpDesk(Strict):
    """Whom to call, as the hand-over letter prints it.

    Attributes:
        name: of the help desk.
        phone: its telephone number.
        mail: its address.
    """

    name: NonEmpty
    phone: str | None = None
    mail: str | None = None


class AccountPolicy(Strict):
    """How accounts of people are made and ended (procedures E and L): the content of `dsi_accounts`.

    Attributes:
        environment: what the accounts are for; the approval policy depends on it.
        domain: of the addresses, `douanes.example`: a verified domain of the tenant and a UPN suffix of the forest.
        write_credential: name in `dsi_credentials` of the account that creates, disables and moves accounts.
        staff_number: what a staff number (matricule) looks like, a regular expression on the whole of it.
        usage_location: two-letter country of the licences (ISO 3166-1).
        licence: name in `licences` of the licence given when the request names none.
        licences: name used here, and the part number of the tenant (`skuPartNumber`).
        departments: the site of each department, its code: for a row that names its department and no site.
        leavers_ou: distinguished name of the OU of people who left.
        service_ous: OUs of service accounts and servers, which the report of the directory leaves out.
        leaver_licence: `keep` or `free`.
        retired_addresses: file of addresses never to be given again, one per line, relative to the inventory.
        help_desk: whom to call.
        organisation: as the letters print it.
        webmail: address of the webmail, as the letters print it.
        sign_in_idle: how long an account may go without a logon before the report names it.
        password_length: characters of a temporary password.
    """

    environment: Environment = Environment.PRODUCTION
    domain: Domain
    write_credential: NonEmpty
    staff_number: Pattern = r"[0-9]{4,8}[A-Z]?"
    usage_location: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CI"
    licence: NonEmpty
    licences: Annotated[dict[NonEmpty, NonEmpty], Field(min_length=1)]
    departments: dict[NonEmpty, NonEmpty] = {}  # noqa: RUF012  # pydantic copies it
    leavers_ou: DistinguishedName
    service_ous: tuple[DistinguishedName, ...] = ()
    leaver_licence: LeaverLicence = LeaverLicence.KEEP
    retired_addresses: str | None = None
    help_desk: HelpDesk
    organisation: NonEmpty = "Direction Générale des Douanes"
    webmail: NonEmpty = "https://outlook.office.com"
    sign_in_idle: Duration = timedelta(days=90)
    password_length: Annotated[int, Field(ge=12, le=64)] = 16

    @model_validator(mode="after")
    def _known_licence(self) -> AccountPolicy:
        if self.licence not in self.licences:
            text = T("licence names “{name}”, which licences does not hold.", name=self.licence)
            raise WrongValueError(T("{text} {hint}", text=text, hint=did_you_mean(self.licence, self.licences)))
        return self


class Cloud(StrEnum):
    """Where the tenant lives (Microsoft's national clouds)."""

    GLOBAL = "global"
    US_GOVERNMENT = "us_government"
    US_DEFENSE = "us_defense"
    CHINA = "china"


class SyncJob(Strict):
    """The Entra Cloud Sync job that can be asked to synchronise one person now.

    Attributes:
        service_principal: object id of the service principal of the configuration.
        job: id of the synchronisation job.
        rule: id of its synchronisation rule.
    """

    service_principal: NonEmpty
    job: NonEmpty
    rule: NonEmpty


class TenantSettings(Strict):
    """The Microsoft 365 tenant and the application that works in it: the content of `dsi_m365`.

    Attributes:
        tenant_id: GUID of the tenant, or one of its domains.
        client_id: GUID of the application registration, or of a user-assigned managed identity.
        certificate: PEM file with the application's certificate and private key, relative to the inventory.
        certificate_password: of that private key, when it has one.
        secret: the application's secret, where there is no certificate.
        managed_identity: sign in as the machine's managed identity.
        cloud: which of Microsoft's clouds.
        base_url, authority: other addresses than the cloud's, for a test tenant.
        ca_file: CA of those addresses, PEM, relative to the inventory.
        sender: the service mailbox mails go out from; none are sent without.
        sync_job: the Cloud Sync job to hurry on, where there is one.
        sync_deadline: how long a new account may take to arrive from the Active Directory.
        ready_deadline: how long a mailbox may take to be ready.
        poll: how long to wait between two looks at something that is being prepared.
        timeout_seconds: for one answer, seconds.
        retry_seconds: for one call with all its retries, seconds.
    """

    tenant_id: NonEmpty
    client_id: NonEmpty
    certificate: NonEmpty | None = None
    certificate_password: SecretSource | None = None
    secret: SecretSource | None = None
    managed_identity: bool = False
    cloud: Cloud = Cloud.GLOBAL
    base_url: NonEmpty | None = None
    authority: NonEmpty | None = None
    ca_file: NonEmpty | None = None
    sender: NonEmpty | None = None
    sync_job: SyncJob | None = None
    sync_deadline: Duration = timedelta(hours=1)
    ready_deadline: Duration = timedelta(hours=1)
    poll: Duration = timedelta(seconds=30)
    timeout_seconds: Annotated[float, Field(gt=0)] = 30
    retry_seconds: Annotated[float, Field(gt=0)] = 300

    @model_validator(mode="after")
    def _one_proof(self) -> TenantSettings:
        if sum((self.certificate is not None, self.secret is not None, self.managed_identity)) != 1:
            raise WrongValueError(T("exactly one of certificate, secret and managed_identity is expected."))
        return self
