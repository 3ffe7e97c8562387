"""The reference of every variable and key, written from the models themselves: docs/reference/inventory.md.

Run `python -m dsi_automation.inventory.reference FILE`; a test fails when the file is not what the models say.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAliasType, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dsi_automation.inventory import (
    account_model,
    application_model,
    backup_model,
    model,
    network_model,
    rule_model,
    schedule_model,
    source_model,
)
from dsi_automation.inventory.durations import short
from dsi_automation.inventory.hosts import HostVariables, WindowsVariables
from dsi_automation.inventory.ssh_hosts import SshVariables

INTRODUCTION: Final = """\
# The inventory: every variable and key

<!-- Written by `python -m dsi_automation.inventory.reference`. Do not edit: change the models. -->

An inventory is a folder: `hosts.yml` (any inventory Ansible reads), `group_vars/`, `host_vars/`, and beside them
`people.yml`, `approval_policy.yml`, `dsi.yml` and `schedules.yml`. `inventories/example` shows all of it, commented;
`dsi init` writes a copy to start from; `dsi doctor` checks it. A key nobody knows, a key written twice and a value of
the wrong type are errors, all told at once with file, line and key.

`dsi_sites`, `dsi_directory`, `dsi_workstation`, `dsi_credentials`, `dsi_accounts`, `dsi_m365`, `dsi_repositories`,
`dsi_backups`, `dsi_backup`, `dsi_media`, `dsi_mail`, `dsi_applications`, `dsi_sources`, `dsi_rules`, `dsi_network` and
`dsi_links` hold for the whole inventory: set them for the group `all`. `dsi_accounts` and `dsi_m365` are needed for
people's accounts only, `dsi_repositories` to `dsi_media` for backups only, the three from `dsi_applications` for SYDAM
World and its like, the last two for routers. Paths are relative to the inventory's folder. Durations: `30s`, `90m`,
`24h`, `7d`, `1d12h`, or ISO 8601.

The file that `retired_addresses` names holds one mail address per line, in UTF-8; what follows a `#` is a remark.
"""
SECTIONS: Final[tuple[tuple[str, str, type[BaseModel]], ...]] = (
    ("Variables of a host or group", "", HostVariables),
    ("Variables of a Windows host", "Read for hosts with `ansible_connection: winrm`.", WindowsVariables),
    ("Variables of a host reached over SSH", "Read for hosts with `ansible_connection: ssh`.", SshVariables),
    ("`dsi_sites`", "`dsi_sites` is a mapping of site code to:", model.Site),
    ("`naming` of a site", "", model.NamingRule),
    ("`dsi_directory`", "", model.DirectorySettings),
    ("`dsi_workstation`", "", model.WorkstationPolicy),
    ("`dsi_credentials`", "`dsi_credentials` is a mapping of name to:", model.CredentialSource),
    ("`password` of an account", "", model.SecretSource),
    ("`dsi_accounts`", "", account_model.AccountPolicy),
    ("`help_desk` of `dsi_accounts`", "", account_model.HelpDesk),
    ("`dsi_m365`", "Exactly one of `certificate`, `secret` and `managed_identity`.", account_model.TenantSettings),
    ("`sync_job` of `dsi_m365`", "", account_model.SyncJob),
    ("`dsi_repositories`", "`dsi_repositories` is a mapping of name to:", backup_model.Repository),
    (
        "`dsi_backups`: files",
        "`dsi_backups` is a mapping of name to one of three kinds. A standing approval binds all that is said of it.",
        backup_model.FilesBackup,
    ),
    ("`dsi_backups`: PostgreSQL", "", backup_model.PostgresBackup),
    ("`dsi_backups`: Oracle", "", backup_model.OracleBackup),
    ("`retention` of a backup", "", backup_model.Retention),
    ("`retry` of a backup", "", backup_model.Retry),
    ("`verification` of a backup", "", backup_model.Verification),
    ("`checks` of a PostgreSQL backup", "", backup_model.QueryCheck),
    ("`dsi_backup`", "", backup_model.BackupSettings),
    ("`dsi_media`", "", backup_model.MediaSettings),
    ("A disk of `dsi_media`", "", backup_model.DiskMedium),
    ("A tape of `dsi_media`", "", backup_model.TapeMedium),
    ("A rotation of `dsi_media`", "", backup_model.Rotation),
    ("`dsi_mail`", "", backup_model.MailSettings),
    ("`dsi_applications`", "`dsi_applications` is a mapping of name to:", application_model.Application),
    ("`servers` of an application", "", application_model.ApplicationServer),
    ("`service`: systemd", "", application_model.SystemdService),
    ("`service`: Windows", "", application_model.WindowsService),
    ("`service`: a script", "", application_model.ScriptService),
    ("`database` of an application", "", application_model.ApplicationDatabase),
    ("`locks` of an application", "", application_model.LockRule),
    ("`before` and `after` of an application", "", application_model.Conditions),
    ("`commands` of conditions", "", application_model.CommandCheck),
    ("`connection_test` of an application", "", application_model.ConnectionTest),
    ("A step of the connection test", "", application_model.WebStep),
    ("`when_not_conclusive` of an application", "", application_model.NotConclusive),
    ("`notice` of an application", "", application_model.Notice),
    ("`message` of a notice", "", application_model.Message),
    ("`deployment` of an application", "", application_model.Deployment),
    ("`accounts` of an application", "", application_model.ApplicationAccounts),
    ("`store` of accounts: SQL", "", application_model.SqlAccounts),
    ("`store` of accounts: LDAP", "", application_model.LdapAccounts),
    ("`documents` of accounts", "Each case has a list.", application_model.Documents),
    ("A document", "", application_model.RequiredDocument),
    ("`dsi_sources`", "`dsi_sources` is a mapping of name to:", source_model.Sources),
    ("`releases`: archives", "", source_model.ReleaseArchives),
    ("`releases`: git", "", source_model.ReleaseTags),
    ("`stages` of sources", "", source_model.Stage),
    ("`dsi_rules`", "`dsi_rules` is a mapping of name to:", rule_model.RuleSet),
    ("`columns` of a rule set", "", rule_model.RuleColumn),
    (
        "`dsi_router`",
        "A variable of each host of the group `routers`; its site is `dsi_site`.",
        network_model.RouterDescription,
    ),
    ("`management` of a router", "", network_model.ManagementAccess),
    ("`legacy` of a router", "", network_model.LegacyAlgorithms),
    ("`dsi_network`", "", network_model.NetworkSettings),
    ("`sites` of the network", "A mapping of site code to:", network_model.SiteNetwork),
    ("`coordinates` of a site", "", network_model.Coordinates),
    ("`probe` of a site", "", network_model.ProbeHost),
    ("`operators` of the network", "A mapping of name to:", network_model.Operator),
    ("`access` of the network", "", network_model.AccessPolicy),
    ("`denied` accesses", "", network_model.DeniedAccess),
    ("`rollout` of the network", "", network_model.Rollout),
    ("`dsi_links`", "`dsi_links` is a mapping of name to:", network_model.Link),
    ("`ends` of a circuit", "", network_model.LinkEnd),
    ("`people.yml`", "", model.PeopleFile),
    ("A person", "", model.Person),
    ("A key of a person", "", model.PersonKey),
    ("`approval_policy.yml`", "", model.ApprovalPolicy),
    ("A rule of the policy", "", model.Rule),
    ("`standing` of a rule", "", model.StandingRule),
    ("`emergency` of a rule", "", model.EmergencyRule),
    ("`dsi.yml`", "", model.SettingsFile),
    ("`schedules.yml`", "The file may be absent.", schedule_model.SchedulesFile),
    ("A schedule", "", schedule_model.Schedule),
    ("A step of a schedule", "", schedule_model.ScheduledStep),
    ("`clock_change` of a schedule", "", schedule_model.ClockChange),
)


def reference() -> str:
    """Return the reference in Markdown."""
    return INTRODUCTION + "".join(line + "\n" for section in SECTIONS for line in _section(*section))


def _section(title: str, lead: str, described: type[BaseModel]) -> Iterator[str]:
    meanings = attributes(described)
    summary = (inspect.getdoc(described) or "").split("\n\n")[0].replace("\n", " ")
    yield from ("", f"## {title}", "", f"{summary} {lead}".strip(), "")
    yield from ("| key | type | default | meaning |", "| --- | --- | --- | --- |")
    for name, field in described.model_fields.items():
        yield f"| `{name}` | {_type(field.annotation, field.metadata)} | {_default(field)} | {meanings[name]} |"


def attributes(described: type[BaseModel]) -> dict[str, str]:
    """Return what the docstring of a model, or of one it extends, says about each of its attributes."""
    inherited = [
        attributes(base) for base in described.__bases__ if base is not BaseModel and hasattr(base, "model_fields")
    ]
    section = (inspect.getdoc(described) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        start = re.match(r" {4}(\w+(?:, \w+)*): (.*)", line)
        if start:
            name = start[1]
            found[name] = start[2]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    own = {one: text for names, text in found.items() for one in names.split(", ")}
    return {name: text for of in (*inherited, own) for name, text in of.items()}


def _type(annotation: Any, metadata: list[Any] | tuple[Any, ...] = ()) -> str:
    limits = "".join(f", {word} {limit}" for word, limit in _limits(metadata))
    if isinstance(annotation, TypeAliasType):
        names = {
            "Duration": "duration",
            "IsoDate": "date",
            "WindowsVersion": "version",
            "DistinguishedName": "DN",
            "Pattern": "regular expression",
            "Domain": "domain",
            "Zone": "time zone",
            "Cron": "cron expression",
        }
        return names.get(annotation.__name__) or _type(annotation.__value__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], arguments[1:])
    if annotation is Any:
        return "any value"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {Union, UnionType}:
        return " or ".join(_type(part) for part in arguments if part is not NoneType)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping of {_type(arguments[0])} to {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"mapping ({annotation.__name__})"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}[annotation] + limits


def _limits(metadata: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    parts = [part for item in metadata for part in (getattr(item, "metadata", None) or [item])]
    for part in parts:
        for attribute, word in (("gt", "more than"), ("ge", "at least"), ("le", "at most")):
            if getattr(part, attribute, None) is not None:
                yield word, getattr(part, attribute)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, timedelta):
        return f"`{short(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
