"""The inventory as the toolkit sees it, once read and validated."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory import template
from dsi_automation.inventory.durations import parse_duration
from dsi_automation.inventory.problems import WrongValueError


class Encrypted:
    """Stands for a value encrypted with Ansible Vault: known to be there, not decrypted."""

    __slots__ = ()


def _iso_date(value: object) -> object:
    """Return an ISO date as text; YAML makes a date of it when it is not between quotes."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise WrongValueError(T("a date is expected, as in 2026-12-31.")) from error


def _version(value: str) -> str:
    parts = value.split(".")
    if not 2 <= len(parts) <= 4 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise WrongValueError(T("a Windows version is expected, as in 10.0 or 10.0.19045."))
    return value


def _dn(value: str) -> str:
    if not value or not all("=" in part for part in value.replace("\\,", "").split(",")):
        raise WrongValueError(
            T("a distinguished name is expected, as in OU=Postes,OU=ABJ,DC=ad,DC=douanes,DC=example.")
        )
    return value


def _template(value: str) -> str:
    template.parse(value)
    return value


type Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
type IsoDate = Annotated[str, BeforeValidator(_iso_date)]
type WindowsVersion = Annotated[str, AfterValidator(_version)]
type DistinguishedName = Annotated[str, AfterValidator(_dn)]
type NonEmpty = Annotated[str, Field(min_length=1)]
type Roles = Annotated[tuple[NonEmpty, ...], Field(min_length=1)]


class Strict(BaseModel):
    """A closed schema: a key nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretSource(Strict):
    """Where a secret is: exactly one of a file, an environment variable, or an Ansible Vault value.

    Attributes:
        file: path of a file holding the secret alone, readable by its owner only; relative to the inventory.
        env: name of an environment variable.
        vault: name of an inventory variable encrypted with `ansible-vault`.
    """

    file: str | None = None
    env: str | None = None
    vault: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _never_in_clear(cls, value: Any) -> Any:
        if isinstance(value, Encrypted):
            raise WrongValueError(
                T("give the encrypted value a variable of its own and name that variable here, after vault:.")
            )
        if not isinstance(value, dict):
            raise WrongValueError(
                T("a password is never written here in clear: say where it is, with one of file:, env: or vault:.")
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretSource:
        if sum(bool(place) for place in (self.file, self.env, self.vault)) != 1:
            raise WrongValueError(T("exactly one of file, env and vault is expected."))
        return self


class CredentialSource(Strict):
    """An account and where its password is.

    Attributes:
        user: its name, as the equipment wants it: `Administrateur`, `svc-jonction@ad.douanes.example`.
        password: where its password is, never the password.
    """

    user: NonEmpty
    password: SecretSource


class NamingRule(Strict):
    """How workstations of a site are named: a template with one `{number}` and its width, at most 15 characters.

    `template: "ABJ-PC-{number:04}"` means ABJ-PC-0001 and so on, from `first` upwards.

    Attributes:
        template: capital letters, digits, hyphens and one `{number}`; `:04` gives it four digits, never more.
        first: the lowest number.
    """

    template: Annotated[str, AfterValidator(_template)]
    first: Annotated[int, Field(ge=0)] = 1


class Site(Strict):
    """A site: its name, the OU of its workstations, and how these are named.

    Attributes:
        code: its key in `dsi_sites`; need not be repeated.
        name: what people call it.
        workstation_ou: distinguished name of the OU its workstations belong in.
        naming: how its workstations are named.
        user_ou: distinguished name of the OU its people's accounts belong in; None where none are made.
    """

    code: NonEmpty
    name: NonEmpty
    workstation_ou: DistinguishedName
    naming: NamingRule
    user_ou: DistinguishedName | None = None


class WorkstationPolicy(Strict):
    """What a workstation must be (procedure C); the guide's thresholds are the defaults.

    Attributes:
        minimum_windows: lowest accepted version, as `10.0` or with a build, `10.0.19045`.
        minimum_ram_gib: installed memory in GiB: the sum of the modules.
        minimum_free_disk_gib: free space on the system drive, GiB.
        support_warning_days: warn when the end of support is nearer than this, days.
        supported_until: end of support by build, ISO date: overrides and extends the built-in table.
        reboot_timeout_seconds: how long a machine may take to come back after a restart, seconds.
        settle_seconds: how long a change whose answer was lost may still be under way on the machine, seconds.
    """

    minimum_windows: WindowsVersion = "10.0"
    minimum_ram_gib: Annotated[float, Field(gt=0)] = 4
    minimum_free_disk_gib: Annotated[float, Field(ge=0)] = 10
    support_warning_days: Annotated[int, Field(ge=0)] = 180
    supported_until: dict[str, IsoDate] = {}
    reboot_timeout_seconds: Annotated[int, Field(gt=0)] = 900
    settle_seconds: Annotated[int, Field(ge=0)] = 60


class DirectorySettings(Strict):
    """The domain controller to talk to, and the accounts used.

    Attributes:
        domain: DNS name of the domain, `ad.douanes.example`.
        netbios: its short name, `DOUANES`.
        server: DNS name of a domain controller; its certificate must bear it.
        address: the address to connect to, when the name is not to be resolved.
        port: LDAPS port.
        ca_file: the CA that signed the controller's certificate, PEM, relative to the inventory; None for the system's.
        read_credential: name in `dsi_credentials` of the account that reads.
        join_credential: name in `dsi_credentials` of the account that joins machines.
        timeout_seconds: for a connection and for one answer, seconds.
    """

    domain: NonEmpty
    netbios: Annotated[str, Field(min_length=1, max_length=15)]
    server: NonEmpty
    address: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 636
    ca_file: str | None = None
    read_credential: NonEmpty
    join_credential: NonEmpty
    timeout_seconds: Annotated[float, Field(gt=0)] = 10


class Environment(StrEnum):
    """What a target is for; policy depends on it."""

    PRODUCTION = "production"
    TRAINING = "training"
    TEST = "test"


class Person(Strict):
    r"""Somebody known to the gate.

    Attributes:
        id: short identifier used in records, `k.kouassi`; `controller` is the controller's own.
        name: first and last name.
        staff_number: the matricule; two entries with one matricule are one person and refused.
        logins: every spelling of this person's accounts: `DOUANES\kkouassi`, `kkouassi@douanes.example`.
        roles: what the person is; policy names roles.
        mail: where to write to.
        keys: SSH public keys, with the period each is good for; without any, the person can neither ask nor approve.
    """

    id: NonEmpty
    name: NonEmpty
    staff_number: NonEmpty
    roles: tuple[NonEmpty, ...]
    logins: tuple[NonEmpty, ...] = ()
    mail: str | None = None
    keys: tuple[PersonKey, ...] = ()


class PersonKey(Strict):
    """An SSH public key, and the ISO dates between which it may sign.

    Attributes:
        key: the line of the `.pub` file: Ed25519, ECDSA, RSA of at least 3072 bits, or on a security key.
        valid_from: first day, UTC.
        valid_until: last day, included, UTC.
    """

    key: NonEmpty
    valid_from: IsoDate | None = None
    valid_until: IsoDate | None = None

    @model_validator(mode="after")
    def _in_order(self) -> PersonKey:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise WrongValueError(T("valid_until comes before valid_from."))
        return self


class PeopleFile(Strict):
    """The content of `people.yml`.

    Attributes:
        version: of this file's form.
        roles: the roles that exist and what each is called; when given, a person's roles must be among them.
        people: everybody the gate knows.
    """

    version: Literal[1] = 1
    roles: dict[str, str] = {}
    people: tuple[Person, ...]


class EmergencyRule(Strict):
    """Who may act first and be ratified afterwards, by whom and within what time.

    Attributes:
        roles: who may act first.
        ratifiers: who may ratify; never the person who acted.
        ratify_within: how long they have.
    """

    roles: Roles
    ratifiers: Roles
    ratify_within: Duration


class StandingRule(Strict):
    """Whether a standing approval may be given, and for how long at most.

    Attributes:
        allowed: whether it may.
        longest: how far its last day may be.
    """

    allowed: bool = False
    longest: Duration = timedelta(days=92)


class Rule(Strict):
    """What one operation needs in one environment.

    Attributes:
        requesters: roles that may ask and run.
        approvers: roles that may approve.
        approvals: how many different persons must approve.
        valid_for: how long an approval may wait for its run.
        standing: whether a standing approval may be given.
        emergency: who may act first and be ratified afterwards; None for nobody.
    """

    requesters: Roles
    approvers: Roles
    approvals: Annotated[int, Field(ge=1)] = 1
    valid_for: Duration = timedelta(days=7)
    standing: StandingRule = StandingRule()
    emergency: EmergencyRule | None = None


class ApprovalPolicy(Strict):
    """Who decides on what. An operation or environment not listed is refused: default deny.

    Attributes:
        version: of this file's form.
        operations: operation, then environment (`production`, `training`, `test`), then rule.
    """

    version: Literal[1]
    operations: dict[str, dict[Environment, Rule]]


class SettingsFile(Strict):
    """The content of `dsi.yml`: where this controller keeps things. Every key is optional.

    Attributes:
        state_dir: folder of the journal, the controller's key and the checkpoints; relative to the inventory.
        database_url: SQLAlchemy URL of the journal, without a password (libpq reads ~/.pgpass).
        language: what people read, `fr` or `en`.
        vault_password_file: file (or program) that gives the Ansible Vault password; relative to the inventory.
        workers: how many targets are looked at at once.
    """

    state_dir: NonEmpty | None = None
    database_url: NonEmpty | None = None
    language: Literal["fr", "en"] | None = None
    vault_password_file: NonEmpty | None = None
    workers: Annotated[int, Field(ge=1, le=1000)] = 50


Person.model_rebuild()
PeopleFile.model_rebuild()
