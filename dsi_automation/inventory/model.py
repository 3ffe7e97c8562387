"""The inventory as the toolkit sees it, once read and validated."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


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


class CredentialSource(Strict):
    """An account and where its password is."""

    user: str
    password: SecretSource


class NamingRule(Strict):
    """How workstations of a site are named: a template with one `{number}` and its width, at most 15 characters.

    `template: "ABJ-PC-{number:04}"` means ABJ-PC-0001 and so on, from `first` upwards.
    """

    template: str
    first: int = 1


class Site(Strict):
    """A site: its name, the OU of its workstations, and how these are named."""

    code: str
    name: str
    workstation_ou: str
    naming: NamingRule


class WorkstationPolicy(Strict):
    """What a workstation must be (procedure C); the guide's thresholds are the defaults.

    Attributes:
        minimum_windows: lowest accepted version, as `10.0` or with a build, `10.0.19045`.
        minimum_ram_gib: installed memory in GiB: the sum of the modules.
        minimum_free_disk_gib: free space on the system drive, GiB.
        support_warning_days: warn when the end of support is nearer than this, days.
        supported_until: end of support by build, ISO date: overrides and extends the built-in table.
    """

    minimum_windows: str = "10.0"
    minimum_ram_gib: Annotated[float, Field(gt=0)] = 4
    minimum_free_disk_gib: Annotated[float, Field(ge=0)] = 10
    support_warning_days: int = 180
    supported_until: dict[str, str] = {}
    reboot_timeout_seconds: int = 900


class DirectorySettings(Strict):
    """The domain controller to talk to, and the accounts used."""

    domain: str
    netbios: str
    server: str
    address: str | None = None
    port: int = 636
    ca_file: str | None = None
    read_credential: str
    join_credential: str
    timeout_seconds: float = 10


class Environment(StrEnum):
    """What a target is for; policy depends on it."""

    PRODUCTION = "production"
    TRAINING = "training"
    TEST = "test"


class Person(Strict):
    r"""Somebody known to the gate.

    Attributes:
        id: short identifier used in records, `k.kouassi`.
        staff_number: the matricule; two entries with one matricule are one person and refused.
        logins: every spelling of this person's accounts: `DOUANES\kkouassi`, `kkouassi@douanes.example`.
        keys: SSH public keys, with the period each is good for.
    """

    id: str
    name: str
    staff_number: str
    roles: tuple[str, ...]
    logins: tuple[str, ...] = ()
    mail: str | None = None
    keys: tuple[PersonKey, ...]


class PersonKey(Strict):
    """An SSH public key, and the ISO dates between which it may sign."""

    key: str
    valid_from: str | None = None
    valid_until: str | None = None


class EmergencyRule(Strict):
    """Who may act first and be ratified afterwards, by whom and within what time."""

    roles: tuple[str, ...]
    ratifiers: tuple[str, ...]
    ratify_within: timedelta


class StandingRule(Strict):
    """Whether a standing approval may be given, and for how long at most."""

    allowed: bool = False
    longest: timedelta = timedelta(days=92)


class Rule(Strict):
    """What one operation needs in one environment.

    Attributes:
        requesters: roles that may ask and run.
        approvers: roles that may approve.
        approvals: how many different persons must approve.
        valid_for: how long an approval may wait for its run.
    """

    requesters: tuple[str, ...]
    approvers: tuple[str, ...]
    approvals: Annotated[int, Field(ge=1)] = 1
    valid_for: timedelta = timedelta(days=7)
    standing: StandingRule = StandingRule()
    emergency: EmergencyRule | None = None


class ApprovalPolicy(Strict):
    """Who decides on what. An operation or environment not listed is refused: default deny."""

    version: Literal[1]
    operations: dict[str, dict[Environment, Rule]]


Person.model_rebuild()
