"""What `dsi doctor` says of the inventory's part about people's accounts."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.load import Inventory

ACCOUNTS: Final = "dsi_accounts"
TENANT: Final = "dsi_m365"

_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")


def account_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of `dsi_accounts`; nothing where no accounts are made."""
    if not inventory.has(ACCOUNTS):
        if inventory.has(TENANT):
            observed = T("missing: without it dsi_m365 is used for nothing")
            yield _check(ACCOUNTS, "accounts", T("People's accounts"), observed, ok=False, warning=True)
        return
    policy = inventory.accounts
    licences = TN("{n} licence", "{n} licences", len(policy.licences))
    observed = T("@{domain}, {licences}", domain=policy.domain, licences=licences)
    yield _check(ACCOUNTS, "accounts", T("People's accounts"), observed)
    yield from _units(inventory, policy)
    yield from _parts(policy)
    if policy.retired_addresses is not None:
        yield _retired(policy.retired_addresses)


def tenant_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of `dsi_m365`, without asking the tenant; nothing where there is none."""
    if not inventory.has(TENANT):
        return
    settings = inventory.tenant
    yield _check(TENANT, "tenant", T("Microsoft 365 tenant"), settings.tenant_id)
    if settings.certificate is not None:
        yield _private_key(settings.certificate)
    if settings.ca_file is not None:
        yield _readable(settings.ca_file)
    yield from _tenant_secrets(inventory, settings)


def _units(inventory: Inventory, policy: AccountPolicy) -> Iterator[Check]:
    """Yield what is wrong with the OUs that accounts go into."""
    title = T("OU of the people")
    sites = inventory.sites
    without = [code for code, site in sites.items() if site.user_ou is None]
    if without:
        observed = T("no user_ou: no account can be made for {sites}", sites=", ".join(without))
        yield _check("dsi_sites", "user_ou", title, observed, ok=False, warning=True)
    for department, code in policy.departments.items():
        if code not in sites:
            observed = T("department {department}: there is no site {code}", department=department, code=code)
            yield _check(ACCOUNTS, "departments", title, observed, ok=False)
    for code, site in sites.items():
        if site.user_ou is not None and site.user_ou.casefold() == policy.leavers_ou.casefold():
            yield _check(code, "user_ou", title, T("it is the OU of those who left"), ok=False)


def _parts(policy: AccountPolicy) -> Iterator[Check]:
    """Yield licences that are one in the tenant: most likely one of them is meant to be another."""
    names: dict[str, list[str]] = {}
    for name, part in policy.licences.items():
        names.setdefault(part.casefold(), []).append(name)
    for same in names.values():
        if len(same) > 1:
            observed = T("{names} are the same licence", names=", ".join(same))
            yield _check(ACCOUNTS, "licences", T("Licences"), observed, ok=False, warning=True)


def _retired(path: str) -> Check:
    """Return whether the file of retired addresses can be read and holds addresses, one a line."""
    title = T("File {path}", path=path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        return _check(ACCOUNTS, "retired_addresses", title, reason_of(error), ok=False)
    except UnicodeDecodeError:
        return _check(ACCOUNTS, "retired_addresses", title, T("it is not UTF-8 text"), ok=False)
    found = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    wrong = [str(number) for number, address in found if address and not _ADDRESS.fullmatch(address)]
    if wrong:
        observed = TN(
            "line {lines} is not a mail address", "lines {lines} are not mail addresses", len(wrong),
            lines=", ".join(wrong[:10]) + (", …" if len(wrong) > 10 else ""),
        )  # fmt: skip
        return _check(ACCOUNTS, "retired_addresses", title, observed, ok=False)
    number = sum(bool(address) for _, address in found)
    observed = TN("{n} address never to be given again", "{n} addresses never to be given again", number)
    return _check(ACCOUNTS, "retired_addresses", title, observed)


def _private_key(path: str) -> Check:
    """Return whether the file of the application's certificate is there, and its owner's alone: it holds the key."""
    title = T("File {path}", path=path)
    try:
        with Path(path).open("rb"):
            mode = stat.S_IMODE(Path(path).stat().st_mode)
    except OSError as error:
        return _check(TENANT, "certificate", title, reason_of(error), ok=False)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        observed = T("it holds a private key that others can read: chmod 600 {path}", path=path)
        return _check(TENANT, "certificate", title, observed, ok=False)
    return _check(TENANT, "certificate", title, T("readable"))


def _readable(path: str) -> Check:
    title = T("File {path}", path=path)
    try:
        with Path(path).open("rb"):
            return _check(TENANT, "ca_file", title, T("readable"))
    except OSError as error:
        return _check(TENANT, "ca_file", title, reason_of(error), ok=False)


def _tenant_secrets(inventory: Inventory, settings: TenantSettings) -> Iterator[Check]:
    for name in ("secret", "certificate_password"):
        source = getattr(settings, name)
        if source is None:
            continue
        title = T("Secret of the application ({name})", name=name)
        try:
            inventory.secret(source)
        except DsiError as error:
            yield _check(TENANT, name, title, str(error), ok=False)
        else:
            yield _check(TENANT, name, title, T("there"))


def _check(
    target: str, name: str, title: Text, observed: Text | str, *, ok: bool = True, warning: bool = False
) -> Check:
    return Check(target, name, title, "", str(observed), ok=ok, source=target, warning=warning)
