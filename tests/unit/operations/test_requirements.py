"""What procedure C asks, at its edges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dsi_automation.core.results import Check
from dsi_automation.inventory.model import NamingRule, Site, WorkstationPolicy
from dsi_automation.operations.workstation.facts import GIB, WorkstationFacts
from dsi_automation.operations.workstation.requirements import everything
from dsi_automation.operations.workstation.support import supported_until

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SITE = Site(
    code="ABJ", name="Abidjan", workstation_ou="OU=Postes,DC=x", naming=NamingRule(template="ABJ-PC-{number:04}")
)
COMPLIANT: dict[str, Any] = {
    "name": "ABJ-PC-0001",
    "pending_name": None,
    "domain": "ad.douanes.lab",
    "joined": True,
    "version": "10.0.26200",
    "product_type": 1,
    "caption": "Microsoft Windows 11 Professionnel",
    "sku": 48,
    "language": 1036,
    "installed_ram": 4 * GIB,
    "visible_ram": int(3.8 * GIB),
    "free_disk": 10 * GIB,
    "last_boot": NOW,
    "logged_on": None,
}


def checks(
    policy: WorkstationPolicy | None = None, *, require_domain: bool = False, **changed: Any
) -> dict[str, Check]:
    facts = WorkstationFacts(**(COMPLIANT | changed))
    found = everything(
        "ws1", facts, SITE, "ad.douanes.lab", policy or WorkstationPolicy(), NOW, require_domain=require_domain
    )
    return {check.name: check for check in found}


def failures(**changed: Any) -> set[str]:
    return {name for name, check in checks(**changed).items() if not check.ok and not check.warning}


def test_a_machine_at_every_threshold_passes() -> None:
    assert failures() == set()


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({"version": "6.1.7601"}, {"system"}),
        ({"version": "6.3.9600"}, {"system"}),
        ({"version": "10.0.10240", "caption": "Windows 8"}, set()),
        ({"version": "10.0.17763", "sku": 125}, set()),
        ({"version": "10.0.20348", "product_type": 3}, {"system"}),
        ({"version": "10.0.20348", "product_type": 2}, {"system"}),
        ({"installed_ram": 4 * GIB - 1}, {"ram"}),
        ({"free_disk": 10 * GIB - 1}, {"disk"}),
        ({"name": "DESKTOP-1"}, {"name"}),
        ({"name": "abj-pc-0009"}, set()),
        ({"name": "OLD", "pending_name": "ABJ-PC-0009"}, set()),
        ({"domain": "other.example"}, {"domain"}),
        ({"domain": "WORKGROUP", "joined": False}, set()),
        ({"reboot_reasons": ("update",)}, set()),
    ],
)
def test_only_what_the_procedure_asks_makes_a_machine_not_compliant(changed: dict[str, Any], failed: set[str]) -> None:
    assert failures(**changed) == failed


def test_a_machine_in_no_domain_fails_only_when_membership_is_asked_for() -> None:
    outside = {"domain": "WORKGROUP", "joined": False}
    assert checks(**outside)["domain"].warning
    assert not checks(require_domain=True, **outside)["domain"].warning


def test_the_site_may_ask_for_a_build_and_more_memory() -> None:
    policy = WorkstationPolicy(minimum_windows="10.0.22000", minimum_ram_gib=8)
    found = checks(policy, version="10.0.19045")
    assert not found["system"].ok
    assert not found["ram"].ok


@pytest.mark.parametrize(
    ("build", "sku", "until"),
    [
        ("10.0.19045", 48, "2025-10-14"),
        ("10.0.19044", 125, "2027-01-12"),
        ("10.0.22631", 48, "2025-11-11"),
        ("10.0.22631", 4, "2026-11-10"),
        ("10.0.26100", 125, "2029-10-09"),
        ("10.0.99999", 48, None),
    ],
)
def test_the_end_of_support_follows_build_and_edition(build: str, sku: int, until: str | None) -> None:
    found = supported_until(WorkstationFacts(**(COMPLIANT | {"version": build, "sku": sku})), {})
    assert (None if found is None else found.isoformat()) == until


def test_the_inventory_corrects_the_end_of_support() -> None:
    facts = WorkstationFacts(**(COMPLIANT | {"version": "10.0.19045"}))
    assert str(supported_until(facts, {"19045": "2028-10-10"})) == "2028-10-10"


def test_the_end_of_support_is_a_warning_and_no_more() -> None:
    support = checks(version="10.0.19045")["support"]
    assert support.warning
    assert not support.ok
