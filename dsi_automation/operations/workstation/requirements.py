"""What procedure C asks of a workstation, compared with what it is: pure functions on facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.core.clock import iso
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.model import Site, WorkstationPolicy
from dsi_automation.inventory.naming import matches
from dsi_automation.operations.workstation.facts import GIB, WorkstationFacts
from dsi_automation.operations.workstation.support import supported_until

WORKSTATION: Final = 1
"""Win32_OperatingSystem.ProductType of a workstation; 2 is a domain controller, 3 a server."""

_TITLES: Final = {
    "system": T("Windows version"),
    "ram": T("Installed memory"),
    "name": T("Name"),
    "domain": T("Domain"),
    "disk": T("Free disk space"),
    "reboot": T("Pending restart"),
    "support": T("Microsoft support"),
    "last_boot": T("Last start"),
    "user": T("Logged-on user"),
}


def specifications(target: str, facts: WorkstationFacts, policy: WorkstationPolicy) -> tuple[Check, Check]:
    """Return the two comparisons that decide whether a machine may join: its system and its memory."""
    system = facts.product_type == WORKSTATION and _version(facts.version) >= _version(policy.minimum_windows)
    kind = "" if facts.product_type == WORKSTATION else str(T(" (a server)"))
    return (
        _check(
            target,
            "system",
            expected=f"≥ {policy.minimum_windows}",
            observed=f"{facts.version} {facts.caption}{kind}".strip(),
            ok=system,
            source="CIM Win32_OperatingSystem",
        ),
        _check(
            target,
            "ram",
            expected=f"≥ {policy.minimum_ram_gib:g} GiB",
            observed=f"{facts.installed_ram / GIB:.3g} GiB",
            ok=facts.installed_ram >= policy.minimum_ram_gib * GIB,
            source="CIM Win32_PhysicalMemory",
        ),
    )


def remedy(check: Check) -> Text:
    """Return what to do about a specification that is not met (procedure C: upgrade or replace)."""
    if check.name == "ram":
        return T("Add memory to the machine or replace it, then ask again.")
    return T("Upgrade Windows or replace the machine, then ask again.")


def everything(
    target: str,
    facts: WorkstationFacts,
    site: Site,
    domain: str,
    policy: WorkstationPolicy,
    now: datetime,
    *,
    require_domain: bool,
) -> Iterator[Check]:
    """Yield every comparison of `workstation.check` for one machine.

    Args:
        require_domain: count a machine that is in no domain yet as not compliant; otherwise it is a warning, since
            joining it is the next step of procedure C. Membership of another domain is never compliant.
    """
    yield from specifications(target, facts, policy)
    yield _check(
        target, "name", expected=site.naming.template, observed=facts.final_name,
        ok=matches(site.naming, facts.final_name), source="CIM Win32_ComputerSystem",
    )  # fmt: skip
    yield _check(
        target, "domain", expected=domain, observed=facts.domain if facts.joined else str(T("none")),
        ok=facts.joined and facts.domain.lower() == domain.lower(), source="CIM Win32_ComputerSystem",
        warning=not facts.joined and not require_domain,
    )  # fmt: skip
    yield _check(
        target, "disk", expected=f"≥ {policy.minimum_free_disk_gib:g} GiB", observed=f"{facts.free_disk / GIB:.1f} GiB",
        ok=facts.free_disk >= policy.minimum_free_disk_gib * GIB, source="CIM Win32_LogicalDisk",
    )  # fmt: skip
    yield _check(
        target, "reboot", expected=str(T("none")), observed=", ".join(facts.reboot_reasons) or str(T("none")),
        ok=not facts.reboot_reasons, source="CIM StdRegProv", warning=True,
    )  # fmt: skip
    yield _support(target, facts, policy, now)
    yield _check(
        target, "last_boot", expected="", observed=iso(facts.last_boot), ok=True, source="CIM Win32_OperatingSystem"
    )
    yield _check(
        target, "user", expected="", observed=facts.logged_on or str(T("nobody")), ok=True,
        source="CIM Win32_ComputerSystem",
    )  # fmt: skip


def _support(target: str, facts: WorkstationFacts, policy: WorkstationPolicy, now: datetime) -> Check:
    until = supported_until(facts, policy.supported_until)
    limit = (now + timedelta(days=policy.support_warning_days)).date()
    return _check(
        target,
        "support",
        expected=f"≥ {limit.isoformat()}",
        observed=str(T("not known for build {build}", build=facts.build)) if until is None else until.isoformat(),
        ok=until is not None and until >= limit,
        source="CIM Win32_OperatingSystem",
        warning=True,
    )


def _check(
    target: str, name: str, *, expected: str, observed: str, ok: bool, source: str, warning: bool = False
) -> Check:
    return Check(target, name, _TITLES[name], expected, observed, ok, source, warning)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
