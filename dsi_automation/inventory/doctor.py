"""What `dsi doctor` says of the inventory: every file, person, rule, site, host and secret looked at, none shown."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory import people as people_file
from dsi_automation.inventory import policy as policy_file
from dsi_automation.inventory.account_doctor import ACCOUNTS, TENANT, account_checks, tenant_checks
from dsi_automation.inventory.application_doctor import APPLICATIONS, SOURCES, application_checks, source_checks
from dsi_automation.inventory.backup_doctor import BACKUPS, backup_checks
from dsi_automation.inventory.described import GLOBAL_NAMES
from dsi_automation.inventory.hosts import HOST_NAMES
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.naming import name_for
from dsi_automation.inventory.near import near
from dsi_automation.inventory.network_doctor import NETWORK, network_checks
from dsi_automation.inventory.people import People, may_sign
from dsi_automation.inventory.policy import unsatisfiable
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.schedule_doctor import schedule_checks
from dsi_automation.inventory.schedules import FILE as SCHEDULES
from dsi_automation.inventory.settings import Settings

KEY_WARNING: Final = timedelta(days=30)
"""How long before a person's last key ends its period that is told."""


def inventory_checks(inventory: Inventory, settings: Settings, now: datetime) -> list[Check]:
    """Return everything there is to say about an inventory; never raises for what is wrong in it."""
    checks = [*_settings(settings), *_permissions(inventory)]
    parts: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        (people_file.FILE, lambda: _people(inventory, now)),
        (policy_file.FILE, lambda: _policy(inventory, now)),
        ("dsi_sites", lambda: _sites(inventory)),
        ("dsi_directory", lambda: _directory(inventory)),
        ("dsi_workstation", lambda: _workstation(inventory)),
        ("dsi_credentials", lambda: _secrets(inventory)),
        (ACCOUNTS, lambda: account_checks(inventory)),
        (TENANT, lambda: tenant_checks(inventory)),
        (BACKUPS, lambda: backup_checks(inventory)),
        (APPLICATIONS, lambda: application_checks(inventory)),
        (SOURCES, lambda: source_checks(inventory)),
        (NETWORK, lambda: network_checks(inventory)),
        (inventory.source.name, lambda: _hosts(inventory)),
        (SCHEDULES, lambda: schedule_checks(inventory)),
    )
    told: set[str] = set()
    for name, look in parts:
        # What several parts stumble over (hosts.yml unreadable, say) is told once.
        found = _guarded(name, look)
        checks += [check for check in found if check.ok or check.observed not in told]
        told |= {check.observed for check in found if not check.ok}
    return checks


def _guarded(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    found: list[Check] = []
    try:
        found.extend(look())
    except InventoryError as error:
        found += [_failed(name, "valid", T("Content"), str(problem.sentence())) for problem in error.problems]
    except DsiError as error:
        found.append(_failed(name, "valid", T("Content"), str(error)))
    return found


def _settings(settings: Settings) -> Iterator[Check]:
    shown: tuple[tuple[str, Text, object, Text], ...] = (
        ("inventory", T("Inventory"), settings.inventory.value, settings.inventory.source),
        ("state_dir", T("State folder"), settings.state_dir.value, settings.state_dir.source),
        (
            "vault_password_file",
            T("Ansible Vault password"),
            settings.vault_password_file.value or T("none"),
            settings.vault_password_file.source,
        ),
        ("language", T("Language"), settings.language.value, settings.language.source),
        ("workers", T("Targets looked at at once"), settings.workers.value, settings.workers.source),
    )
    for name, title, value, source in shown:
        yield Check("dsi.yml", name, title, "", str(value), ok=True, source=str(source))


def _permissions(inventory: Inventory) -> Iterator[Check]:
    """Whoever can write these files decides who approves what."""
    folders = [inventory.home / "group_vars", inventory.home / "host_vars"]
    files = [
        inventory.home,
        inventory.source,
        *(inventory.home / name for name in (people_file.FILE, policy_file.FILE, SCHEDULES)),
    ]
    files += [path for folder in folders if folder.is_dir() for path in (folder, *sorted(folder.rglob("*")))]
    open_to: dict[str, list[str]] = {"others": [], "group": []}
    for path in files:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0
        if mode & stat.S_IWOTH:
            open_to["others"].append(str(path))
        elif mode & stat.S_IWGRP:
            open_to["group"].append(str(path))
    expected = str(T("written by their owner only"))
    for who, paths in open_to.items():
        observed = str(T("chmod go-w {paths}", paths=" ".join(paths))) if paths else expected
        yield Check(
            str(inventory.home),
            f"writable_by_{who}",
            T("Files of the inventory that others may write")
            if who == "others"
            else T("Files of the inventory that their group may write"),
            expected,
            observed,
            ok=not paths,
            source="stat",
            warning=who == "group",
        )


def _people(inventory: Inventory, now: datetime) -> Iterator[Check]:
    people = inventory.people
    count = str(TN("{n} person", "{n} persons", len(people)))
    yield _passed(people_file.FILE, "people", T("People known to the gate"), count)
    for person in people:
        good = any(may_sign(key, now) for key in person.keys)
        lasting = any(may_sign(key, now + KEY_WARNING) for key in person.keys)
        if not good:
            observed = T("no key that may sign today: can neither ask nor approve")
        elif not lasting:
            observed = TN("the last key ends within {n} day", "the last key ends within {n} days", KEY_WARNING.days)
        else:
            continue
        yield _warned(person.id, "key", T("Signing key"), str(observed))


def _policy(inventory: Inventory, now: datetime) -> Iterator[Check]:
    policy = inventory.policy
    count = str(TN("{n} operation", "{n} operations", len(policy.operations)))
    yield _passed(policy_file.FILE, "policy", T("Operations that may be approved"), count)
    people: People = inventory.people
    for finding in unsatisfiable(policy, people, now):
        observed = f"{finding.path}: {finding.text}"
        make = _failed if finding.blocking else _warned
        yield make(policy_file.FILE, "satisfiable", T("A rule that can be followed"), observed)


def _sites(inventory: Inventory) -> Iterator[Check]:
    sites = inventory.sites
    yield _passed("dsi_sites", "sites", T("Sites"), ", ".join(sites) or str(T("none")))
    first_names = Counter(name_for(site.naming, site.naming.first) for site in sites.values())
    units = Counter(site.workstation_ou.casefold() for site in sites.values())
    for code, site in sites.items():
        if first_names[name_for(site.naming, site.naming.first)] > 1:
            yield _failed(code, "naming", T("Naming rule"), str(T("another site gives the same names")))
        if units[site.workstation_ou.casefold()] > 1:
            yield _warned(code, "ou", T("OU of the workstations"), str(T("another site uses the same OU")))


def _directory(inventory: Inventory) -> Iterator[Check]:
    directory = inventory.directory
    yield _passed("dsi_directory", "directory", T("Domain"), f"{directory.domain} ({directory.server})")
    if directory.ca_file is not None:
        yield _readable("dsi_directory", directory.ca_file)


def _workstation(inventory: Inventory) -> Iterator[Check]:
    policy = inventory.workstation_policy
    observed = f"Windows {policy.minimum_windows}, {policy.minimum_ram_gib:g} GiB, {policy.minimum_free_disk_gib:g} GiB"
    yield _passed("dsi_workstation", "workstation", T("What a workstation must be"), observed)


def _secrets(inventory: Inventory) -> Iterator[Check]:
    for name, credential in inventory.credentials.items():
        source = credential.password
        kind = next(kind for kind in ("file", "env", "vault") if getattr(source, kind))
        title = T("Password of {user}", user=credential.user)
        try:
            inventory.secret(source)
        except DsiError as error:
            yield _failed(name, "secret", title, str(error))
        else:
            yield _passed(name, "secret", title, f"{kind}: {getattr(source, kind)}")


def _hosts(inventory: Inventory) -> Iterator[Check]:
    names = inventory.ansible.hosts
    yield _passed(inventory.source.name, "hosts", T("Hosts"), str(TN("{n} host", "{n} hosts", len(names))))
    files: set[str] = set()
    for name in names:
        try:
            target = inventory.target(name)
        except InventoryError as error:
            for problem in error.problems:
                yield _failed(name, "variables", T("Variables"), str(problem.sentence()))
            continue
        if target.windows is not None:
            files |= {path for path in (target.windows.ca_file, target.windows.certificate) if path}
            if target.site is None:
                yield _warned(name, "site", T("Site"), str(T("none: the host cannot be joined to the domain")))
    for path in sorted(files):
        yield _readable(inventory.source.name, path)
    yield from _misspelt(inventory)


def _misspelt(inventory: Inventory) -> Iterator[Check]:
    known = (*HOST_NAMES, *GLOBAL_NAMES, "dsi_router", "dsi_ssh_known_hosts")
    set_somewhere = {variable for name in inventory.ansible.hosts for variable in inventory.ansible.raw(name)}
    for variable in sorted(set_somewhere - set(known)):
        close = near(variable, known, most=1) if variable.startswith("dsi_") else []
        if close:
            observed = T("{variable} is not read; did you mean {near}?", variable=variable, near=close[0])
            yield _warned(variable, "spelling", T("Spelling of a variable"), str(observed))


def _readable(target: str, path: str) -> Check:
    title = T("File {path}", path=path)
    try:
        with Path(path).open("rb"):
            return _passed(target, "file", title, str(T("readable")))
    except FileNotFoundError:
        return _failed(target, "file", title, str(T("it does not exist")))
    except OSError as error:
        return _failed(target, "file", title, str(reason_of(error)))


def _passed(target: str, name: str, title: Text, observed: str) -> Check:
    return Check(target, name, title, "", observed, ok=True, source=target)


def _failed(target: str, name: str, title: Text, observed: str) -> Check:
    return Check(target, name, title, "", observed, ok=False, source=target)


def _warned(target: str, name: str, title: Text, observed: str) -> Check:
    return Check(target, name, title, "", observed, ok=False, source=target, warning=True)
