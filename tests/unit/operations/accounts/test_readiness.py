"""When a mailbox is ready, and which of the five conditions is told when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dsi_automation.connectors.m365.port import AssignedPlan, CloudUser, LicenceState, MailboxState, Sku
from dsi_automation.operations.accounts.readiness import (
    LICENCE_PROBLEMS,
    conditions,
    first_missing,
    is_ready,
    mailbox_sku,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADDRESS = "aya.kouame@douanes.lab"
SKU = Sku("sku-1", "STANDARDPACK", enabled=True, total=10, used=1, service_plans=("EXCHANGE_S_STANDARD",))
USER = CloudUser(
    id="u", upn=ADDRESS, mail=ADDRESS, display_name=None, surname=None, given_name=None, staff_number="1", enabled=True,
    usage_location="CI", synced=True, immutable_id="x", proxy_addresses=(f"SMTP:{ADDRESS}", "smtp:other@douanes.lab"),
    licences=("sku-1",), licence_states=(LicenceState("sku-1", "Active", "None", None, NOW - timedelta(hours=2)),),
    plans=(AssignedPlan("exchange", "Enabled", NOW - timedelta(hours=1)),),
)  # fmt: skip
READY = MailboxState(ready=True)
NOT_YET = MailboxState(ready=False, code="MailboxNotEnabledForRESTAPI")


def state(name: str, error: str = "None", group: str | None = None) -> LicenceState:
    return LicenceState("sku-1", name, error, group, NOW)


def test_everything_there_is_ready_and_nothing_is_missing() -> None:
    found = conditions(USER, READY, SKU, ADDRESS.upper())
    assert is_ready(found)
    assert first_missing(found) is None
    assert [one.name for one in found] == ["licence", "plan", "errors", "signing_in", "address", "mailbox"]
    assert [one.age(NOW) for one in found] == [7200, 3600, None, None, None, None]


def test_a_mailbox_is_not_ready_while_the_tenant_lets_nobody_sign_in() -> None:
    blocked = next(one for one in conditions(replace(USER, enabled=False), READY, SKU, ADDRESS) if not one.ok)
    assert (blocked.name, blocked.final) == ("signing_in", False), "the next synchronisation enables it"
    alone = conditions(replace(USER, enabled=False, synced=False), READY, SKU, ADDRESS)
    assert first_missing(alone).final, "nothing but a person enables a user of the tenant alone"


@pytest.mark.parametrize(
    ("change", "box", "missing", "final"),
    [
        ({"licence_states": ()}, READY, "licence", False),
        ({"licence_states": (state("Disabled"),)}, READY, "licence", False),
        ({"licence_states": (state("Error", "CountViolation"),)}, READY, "licence", True),
        ({"licence_states": (state("ActiveWithError", "Other"),)}, READY, "licence", True),
        ({"plans": ()}, NOT_YET, "plan", False),
        ({"plans": (AssignedPlan("exchange", "Suspended", NOW),)}, READY, "plan", False),
        ({"plans": (AssignedPlan("SharePoint", "Enabled", NOW),)}, READY, "plan", False),
        ({"provisioning_errors": ("something is twice",)}, NOT_YET, "errors", True),
        ({"mail": None, "proxy_addresses": ()}, NOT_YET, "address", False),
        ({"mail": "x@douanes.lab"}, READY, "address", False),
        ({"mail": "x@douanes.lab", "synced": False}, READY, "address", True),
        ({"proxy_addresses": (f"smtp:{ADDRESS}",)}, READY, "address", False),
        ({}, NOT_YET, "mailbox", False),
        ({}, MailboxState(ready=False, code="ErrorAccessDenied"), "mailbox", False),
        ({}, None, "mailbox", False),
    ],
)
def test_the_condition_that_the_others_wait_for_is_told(
    change: dict[str, Any], box: MailboxState | None, missing: str, final: bool
) -> None:
    lacking = first_missing(conditions(replace(USER, **change), box, SKU, ADDRESS))
    assert lacking is not None
    assert (lacking.name, lacking.final) == (missing, final)
    assert lacking.missing is not None


def test_an_active_licence_by_a_group_is_as_good_as_a_direct_one() -> None:
    user = replace(USER, licence_states=(state("Error", "CountViolation"), state("Active", group="g")))
    assert is_ready(conditions(user, READY, SKU, ADDRESS))


def test_without_a_licence_that_brings_a_mailbox_nothing_is_waited_for() -> None:
    plain = replace(SKU, service_plans=("EXCHANGE_S_FOUNDATION",))
    assert mailbox_sku(USER, [plain]) is None
    lacking = first_missing(conditions(USER, None, None, ADDRESS))
    assert lacking is not None
    assert (lacking.name, lacking.final) == ("licence", True)


def test_the_licence_asked_for_is_the_one_looked_at_when_there_are_two() -> None:
    other = replace(SKU, id="sku-2", part_number="ENTERPRISEPACK")
    user = replace(USER, licences=("sku-1", "sku-2"))
    assert mailbox_sku(user, [SKU, other], "ENTERPRISEPACK") == other
    assert mailbox_sku(user, [SKU, other], "DESKLESSPACK") == SKU


def test_every_error_of_microsoft_has_a_sentence_and_one_not_known_has_one_too() -> None:
    for error in (*LICENCE_PROBLEMS, "Unheard"):
        user = replace(USER, licence_states=(state("Error", error),))
        lacking = first_missing(conditions(user, READY, SKU, ADDRESS))
        assert lacking is not None
        assert lacking.final
        assert error in lacking.observed


def test_the_conditions_as_data_say_since_when() -> None:
    data = conditions(USER, NOT_YET, SKU, ADDRESS)[0].to_json(NOW)
    assert data["age_seconds"] == 7200
    assert data["since"] == "2026-11-21T10:00:00.000Z"
