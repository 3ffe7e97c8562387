"""The inventory as everybody uses it: opened once, each part read when it is first asked for.

`people` and `policy` need no Ansible and cost milliseconds; hosts cost the import of ansible-core once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text
from dsi_automation.inventory import people, policy, secrets
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings, MailSettings
from dsi_automation.inventory.described import GLOBAL_NAMES, unknown_credential
from dsi_automation.inventory.hosts import HOST_NAMES, WINDOWS_NAMES, HostVariables, Target, WindowsVariables
from dsi_automation.inventory.model import (
    ApprovalPolicy,
    CredentialSource,
    DirectorySettings,
    SecretSource,
    Site,
    WorkstationPolicy,
)
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.network_parts import NetworkParts
from dsi_automation.inventory.problems import InventoryError, Problem, explain
from dsi_automation.inventory.schedules import FILE as SCHEDULES_FILE
from dsi_automation.inventory.schedules import load_schedules, rhythm
from dsi_automation.inventory.settings import Settings
from dsi_automation.inventory.ssh_hosts import SSH_NAMES, SshVariables

if TYPE_CHECKING:
    from dsi_automation.inventory.ansible_source import AnsibleSource

_PASSWORD_NAME: Final = re.compile(r"ansible_(\w+_)?(pass|password)")


class Inventory(NetworkParts):
    """One inventory folder."""

    def __init__(self, source: Path, environ: Mapping[str, str], *, vault_password_file: Path | None = None) -> None:
        """Remember where it is; nothing is read yet.

        Args:
            source: the hosts file (`Settings.inventory`).
            environ: the environment variables, for secrets that are there.
            vault_password_file: the one that environment or dsi.yml name (`Settings.vault_password_file`).
        """
        self.source = source
        self.home = source.parent
        self._environ = environ
        self._vault_password_file = vault_password_file
        self._targets: dict[str, Target] = {}

    @classmethod
    def open(cls, settings: Settings, environ: Mapping[str, str]) -> Inventory:
        """Return the inventory the settings point to."""
        return cls(settings.inventory.value, environ, vault_password_file=settings.vault_password_file.value)

    @cached_property
    def people(self) -> people.People:
        """Return everybody the gate knows."""
        return people.load_people(self.home / people.FILE)

    @cached_property
    def policy(self) -> ApprovalPolicy:
        """Return who decides on what."""
        return policy.load_policy(self.home / policy.FILE)

    @cached_property
    def ansible(self) -> AnsibleSource:
        """Return hosts, groups and variables as Ansible reads them."""
        from dsi_automation.inventory.ansible_source import AnsibleSource

        return AnsibleSource(self.source, self._vault_password_file)

    @cached_property
    def sites(self) -> Mapping[str, Site]:
        """Return the sites by their codes."""
        value = self._globals.get("dsi_sites", {})
        if isinstance(value, dict):
            value = {code: {"code": code, **body} if isinstance(body, dict) else body for code, body in value.items()}
        sites: dict[str, Site] = self._validated(dict[str, Site], "dsi_sites", value)
        wrong = [
            self._problem(None, ("dsi_sites", code, "code"), T("the code differs from the key of the site."))
            for code, site in sites.items()
            if site.code != code
        ]
        if wrong:
            raise InventoryError(wrong)
        return sites

    @cached_property
    def directory(self) -> DirectorySettings:
        """Return the domain; its `ca_file` as an absolute path.

        Raises:
            InventoryError: it is not described, or an account it names is not in `dsi_credentials`.
        """
        self._must_have("dsi_directory", T("the variable dsi_directory describes the domain; it is missing."))
        settings: DirectorySettings = self._validated(
            DirectorySettings, "dsi_directory", self._globals["dsi_directory"]
        )
        wrong = [
            self._problem(None, ("dsi_directory", key), unknown_credential(name, self.credentials))
            for key in ("read_credential", "join_credential")
            if (name := getattr(settings, key)) not in self.credentials
        ]
        if wrong:
            raise InventoryError(wrong)
        if settings.ca_file is None:
            return settings
        return settings.model_copy(update={"ca_file": self._absolute(settings.ca_file)})

    @cached_property
    def workstation_policy(self) -> WorkstationPolicy:
        """Return what a workstation must be."""
        found: WorkstationPolicy = self._validated(
            WorkstationPolicy, "dsi_workstation", self._globals.get("dsi_workstation", {})
        )
        return found

    @cached_property
    def accounts(self) -> AccountPolicy:
        """Return how people's accounts are made.

        Raises:
            InventoryError: it is not said, or names a credential that is not in `dsi_credentials`.
        """
        self._must_have("dsi_accounts", T("the variable dsi_accounts says how accounts are made; it is missing."))
        found: AccountPolicy = self._validated(AccountPolicy, "dsi_accounts", self._globals["dsi_accounts"])
        if found.write_credential not in self.credentials:
            path = ("dsi_accounts", "write_credential")
            raise InventoryError(
                [self._problem(None, path, unknown_credential(found.write_credential, self.credentials))]
            )
        if found.retired_addresses is None:
            return found
        return found.model_copy(update={"retired_addresses": self._absolute(found.retired_addresses)})

    @cached_property
    def tenant(self) -> TenantSettings:
        """Return the Microsoft 365 tenant; its files as absolute paths.

        Raises:
            InventoryError: it is not described.
        """
        self._must_have("dsi_m365", T("the variable dsi_m365 describes the Microsoft 365 tenant; it is missing."))
        found: TenantSettings = self._validated(TenantSettings, "dsi_m365", self._globals["dsi_m365"])
        files = {name: getattr(found, name) for name in ("certificate", "ca_file")}
        return found.model_copy(update={name: self._absolute(path) for name, path in files.items() if path})

    @property
    def has_tenant(self) -> bool:
        """Tell whether a Microsoft 365 tenant is described.

        Raises:
            InventoryError: no, but a variable's name is so near that it was meant to be: nothing is left out silently.
        """
        return self._described(
            "dsi_m365", T("the variable dsi_m365 describes the Microsoft 365 tenant; it is missing.")
        )

    @cached_property
    def backup_plan(self) -> BackupPlan:
        """Return the backup plan; empty where the inventory has none.

        Raises:
            InventoryError: its parts do not fit together, or it is meant by a name that is misspelled.
        """
        found: dict[str, Any] = {}
        for key, name in (("repositories", "dsi_repositories"), ("backups", "dsi_backups"), ("media", "dsi_media")):
            if self._described(name, T("the variable {name} is part of the backup plan; it is missing.", name=name)):
                kind = BackupPlan.model_fields[key].annotation
                found[key] = self._validated(kind, name, self._globals[name])
        if found.get("backups"):
            found["rhythm"] = rhythm(load_schedules(self.home / SCHEDULES_FILE))
        plan: BackupPlan = self._validated(BackupPlan, "dsi_backups", found)
        return plan

    @cached_property
    def backup_settings(self) -> BackupSettings:
        """Return what concerns all backups."""
        found: BackupSettings = self._validated(BackupSettings, "dsi_backup", self._globals.get("dsi_backup", {}))
        return found

    @cached_property
    def mail(self) -> MailSettings | None:
        """Return the mail relay; None where none is described.

        Raises:
            InventoryError: its credential is not in `dsi_credentials`.
        """
        if not self._described("dsi_mail", T("the variable dsi_mail describes the mail relay; it is missing.")):
            return None
        found: MailSettings = self._validated(MailSettings, "dsi_mail", self._globals["dsi_mail"])
        if found.credential is not None and found.credential not in self.credentials:
            path = ("dsi_mail", "credential")
            raise InventoryError([self._problem(None, path, unknown_credential(found.credential, self.credentials))])
        if found.ca_file is None:
            return found
        return found.model_copy(update={"ca_file": self._absolute(found.ca_file)})

    @cached_property
    def credentials(self) -> Mapping[str, CredentialSource]:
        """Return the accounts by their names, and where the password of each is."""
        found: dict[str, CredentialSource] = self._validated(
            dict[str, CredentialSource], "dsi_credentials", self._globals.get("dsi_credentials", {})
        )
        return found

    def credential(self, name: str) -> CredentialSource:
        """Return one account.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.credentials:
            raise UsageError(
                T("dsi_credentials holds no account named {name}.", name=name),
                next_step=did_you_mean(name, self.credentials),
            )
        return self.credentials[name]

    def secret(self, source: SecretSource, target: str | None = None) -> Secret:
        """Return a secret itself; call it when the equipment is about to be handed it.

        Raises:
            UsageError: it is not where it should be.
        """
        return secrets.resolve(source, self.home, self._environ, self, target)

    def vault_value(self, name: str, target: str | None) -> Secret:
        """Return the value of a variable encrypted with Ansible Vault.

        Raises:
            UsageError: it is not set, is in clear, or cannot be decrypted.
        """
        ciphertext = self.ansible.ciphertext(target, name)
        if ciphertext is not None:
            return self.ansible.vault.decrypt(name, ciphertext)
        value = self.ansible.decrypted_with_its_file(target, name)
        if value is not None:
            return Secret(value)
        if not self.ansible.is_set(target, name):
            raise UsageError(
                T("The encrypted variable {name} is not in the inventory.", name=name),
                next_step=T("Make it with: ansible-vault encrypt_string --stdin-name {name}", name=name),
            )
        raise InventoryError([self._problem(target, (name,), _in_clear(name))])

    def select(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the hosts that Ansible host patterns choose, in the inventory's order.

        Raises:
            UsageError: a name is unknown, or nothing is chosen.
        """
        return self.ansible.select(patterns)

    def target(self, name: str) -> Target:
        """Return one host.

        Raises:
            UsageError: there is none of that name. InventoryError: its variables are wrong.
        """
        if name not in self.ansible.hosts:
            raise UsageError(
                T("The inventory knows no host “{name}”.", name=name),
                next_step=did_you_mean(name, self.ansible.hosts),
            )
        return self._checked(name)

    def targets(self, patterns: Sequence[str]) -> tuple[Target, ...]:
        """Return the hosts that patterns choose.

        Raises:
            UsageError: as `select`. InventoryError: with every problem of every host chosen.
        """
        found: list[Target] = []
        problems: list[Problem] = []
        for name in self.select(patterns):
            try:
                found.append(self._checked(name))
            except InventoryError as error:
                problems += error.problems
        if problems:
            raise InventoryError(list(dict.fromkeys(problems)))
        return tuple(found)

    def site_of(self, target: Target) -> Site:
        """Return a host's site.

        Raises:
            UsageError: the inventory gives it none.
        """
        if target.site is None:
            raise UsageError(
                T("The inventory gives {name} no site.", name=target.name),
                on=target.name,
                next_step=T("Set dsi_site for it or for its group, to one of: {sites}.", sites=", ".join(self.sites)),
            )
        return self.sites[target.site]

    def _checked(self, name: str) -> Target:
        """Return a host, checked the first time it is asked for."""
        if name not in self._targets:
            self._targets[name] = self._target(name)
        return self._targets[name]

    def _target(self, name: str) -> Target:
        problems = list(self._misplaced(name))
        if problems:
            raise InventoryError(problems)
        common = self._host_model(name, HostVariables, HOST_NAMES)
        windows = None
        if common.ansible_connection.rpartition(".")[2] == "winrm":
            variables = self._host_model(name, WindowsVariables, WINDOWS_NAMES)
            windows = variables.host(name, common.dsi_credential, self.home)
            if common.dsi_credential is None and windows.transport not in {"certificate", "kerberos"}:
                text = T("this key is required: the account to log in with, a name in dsi_credentials.")
                problems.append(self._problem(name, ("dsi_credential",), text))
        if common.dsi_credential is not None and common.dsi_credential not in self.credentials:
            problems.append(
                self._problem(name, ("dsi_credential",), unknown_credential(common.dsi_credential, self.credentials))
            )
        if common.dsi_site is not None and common.dsi_site not in self.sites:
            text = T(
                "“{site}” is not a site of dsi_sites ({sites}).", site=common.dsi_site, sites=", ".join(self.sites)
            )
            problems.append(self._problem(name, ("dsi_site",), text))
        ssh = None
        if common.ansible_connection.rpartition(".")[2] == "ssh":
            ssh = self._host_model(name, SshVariables, SSH_NAMES).host(name, common.dsi_credential, self.home)
        if problems:
            raise InventoryError(problems)
        groups = tuple(str(group) for group in self.ansible.raw(name)["group_names"])
        return Target(name, groups, common.dsi_site, common.dsi_environment, windows, ssh)

    def _misplaced(self, name: str) -> Iterable[Problem]:
        """Yield passwords in clear, and settings of the whole inventory that one host would have otherwise."""
        raw, common = self.ansible.raw(name), self.ansible.raw(None)
        for variable, value in raw.items():
            if not _PASSWORD_NAME.fullmatch(variable) or not isinstance(value, str) or not value or "{{" in value:
                continue
            if self.ansible.decrypted_with_its_file(name, variable) is None:
                yield self._problem(name, (variable,), _in_clear(variable))
        for variable in GLOBAL_NAMES:
            if variable in raw and raw[variable] is not common.get(variable) and raw[variable] != common.get(variable):
                text = T("this variable is one for the whole inventory: move it to group_vars/all.yml.")
                yield self._problem(name, (variable,), text)

    def _host_model[ModelT: BaseModel](self, name: str, model: type[ModelT], names: Iterable[str]) -> ModelT:
        values = self.ansible.values(name, names)
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise InventoryError([self._problem(name, path, text) for path, text in explain(error)]) from error


def _in_clear(name: str) -> Text:
    return T(
        "this password is in clear: encrypt it with ansible-vault encrypt_string --stdin-name {name}, and change it.",
        name=name,
    )
