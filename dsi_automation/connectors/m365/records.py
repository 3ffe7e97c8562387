"""What Microsoft Graph answers, as the port's values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dsi_automation.connectors.m365.port import (
    AssignedPlan,
    CloudUser,
    HolderKind,
    LicenceState,
    Sku,
    Tenant,
    TenantHolder,
)

type Json = Mapping[str, Any]

TENANT_FIELDS: Final = ("id", "displayName", "verifiedDomains", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime")
SKU_FIELDS: Final = (
    "skuId",
    "skuPartNumber",
    "capabilityStatus",
    "appliesTo",
    "consumedUnits",
    "prepaidUnits",
    "servicePlans",
)
USER_FIELDS: Final = (
    "id",
    "userPrincipalName",
    "mail",
    "displayName",
    "surname",
    "givenName",
    "employeeId",
    "accountEnabled",
    "usageLocation",
    "onPremisesSyncEnabled",
    "onPremisesImmutableId",
    "proxyAddresses",
    "assignedLicenses",
    "licenseAssignmentStates",
    "assignedPlans",
    "serviceProvisioningErrors",
    "onPremisesProvisioningErrors",
    "createdDateTime",
    "signInSessionsValidFromDateTime",
    "passwordProfile",
)
HOLDER_FIELDS: Final = ("id", "displayName", "mail", "proxyAddresses")
USER_HOLDER_FIELDS: Final = (*HOLDER_FIELDS, "userPrincipalName", "employeeId", "surname")


def tenant(data: Json) -> Tenant:
    """Return the organisation, its default domain first."""
    domains = [one for one in _many(data, "verifiedDomains") if one.get("name")]
    default_first = sorted(domains, key=lambda one: not one.get("isDefault"))
    initial = next((str(one["name"]).lower() for one in domains if one.get("isInitial")), "")
    return Tenant(
        id=str(data.get("id") or ""),
        name=str(data.get("displayName") or ""),
        domains=tuple(str(one["name"]).lower() for one in default_first),
        initial_domain=initial,
        hybrid=data.get("onPremisesSyncEnabled") is True,
        last_sync=moment(data.get("onPremisesLastSyncDateTime")),
    )


def sku(data: Json) -> Sku:
    """Return a subscribed licence."""
    units = data.get("prepaidUnits") or {}
    return Sku(
        id=str(data.get("skuId") or ""),
        part_number=str(data.get("skuPartNumber") or ""),
        enabled=data.get("capabilityStatus") in ("Enabled", "Warning"),
        total=int(units.get("enabled") or 0) + int(units.get("warning") or 0),
        used=int(data.get("consumedUnits") or 0),
        service_plans=tuple(
            str(plan["servicePlanName"]) for plan in _many(data, "servicePlans") if plan.get("servicePlanName")
        ),
    )


def user(data: Json) -> CloudUser:
    """Return a user."""
    return CloudUser(
        id=str(data.get("id") or ""),
        upn=str(data.get("userPrincipalName") or ""),
        mail=_text(data, "mail"),
        display_name=_text(data, "displayName"),
        surname=_text(data, "surname"),
        given_name=_text(data, "givenName"),
        staff_number=_text(data, "employeeId"),
        enabled=data.get("accountEnabled") is True,
        usage_location=_text(data, "usageLocation"),
        synced=data.get("onPremisesSyncEnabled") is True,
        immutable_id=_text(data, "onPremisesImmutableId"),
        proxy_addresses=tuple(str(one) for one in data.get("proxyAddresses") or ()),
        licences=tuple(str(one["skuId"]) for one in _many(data, "assignedLicenses") if one.get("skuId")),
        licence_states=tuple(_licence_state(one) for one in _many(data, "licenseAssignmentStates")),
        plans=tuple(_plan(one) for one in _many(data, "assignedPlans")),
        provisioning_errors=_provisioning_errors(data),
        created_at=moment(data.get("createdDateTime")),
        sessions_valid_from=moment(data.get("signInSessionsValidFromDateTime")),
        must_change=_must_change(data.get("passwordProfile")),
    )


def holder(kind: HolderKind, data: Json) -> TenantHolder:
    """Return an object that holds an address."""
    name = data.get("displayName") or data.get("userPrincipalName") or data.get("mail") or data.get("id")
    return TenantHolder(
        kind=kind,
        id=str(data.get("id") or ""),
        name=str(name or ""),
        staff_number=_text(data, "employeeId"),
        surname=_text(data, "surname"),
    )


def addresses(data: Json) -> frozenset[str]:
    """Return every address an object holds, lower case: its UPN, its mail and its proxy addresses.

    A deleted user's UPN is prefixed by its id without dashes, so that the address can be used again by nobody who
    looks at UPNs alone; the prefix is taken off.
    """
    held = [str(one) for one in data.get("proxyAddresses") or ()]
    mails = [one.partition(":")[2] for one in held if one.lower().startswith("smtp:")]
    upn = str(data.get("userPrincipalName") or "").lower()
    prefix = str(data.get("id") or "").replace("-", "").lower()
    found = [upn, upn.removeprefix(prefix) if prefix else upn, str(data.get("mail") or ""), *mails]
    return frozenset(one.lower() for one in found if one)


def moment(value: object) -> datetime | None:
    """Return a moment as Graph writes it, `2026-11-21T19:30:00Z`, also with seven decimals; None for none.

    0001-01-01 is Graph's way to say never.
    """
    if not isinstance(value, str) or not value or value.startswith("0001-"):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def _licence_state(data: Json) -> LicenceState:
    return LicenceState(
        sku_id=str(data.get("skuId") or ""),
        state=str(data.get("state") or ""),
        error=str(data.get("error") or "None"),
        by_group=_text(data, "assignedByGroup"),
        updated=moment(data.get("lastUpdatedDateTime")),
    )


def _plan(data: Json) -> AssignedPlan:
    return AssignedPlan(
        service=str(data.get("service") or ""),
        status=str(data.get("capabilityStatus") or ""),
        assigned_at=moment(data.get("assignedDateTime")),
    )


def _provisioning_errors(data: Json) -> tuple[str, ...]:
    services = [
        f"{one.get('serviceInstance') or '?'}: {one.get('errorDetail') or '?'}"
        for one in _many(data, "serviceProvisioningErrors")
        if one.get("isResolved") is not True
    ]
    directory = [
        f"{one.get('category') or '?'}: {one.get('propertyCausingError') or '?'} {one.get('value') or ''}".rstrip()
        for one in _many(data, "onPremisesProvisioningErrors")
    ]
    return (*services, *directory)


def _must_change(profile: object) -> bool:
    return isinstance(profile, dict) and profile.get("forceChangePasswordNextSignIn") is True


def _many(data: Json, name: str) -> list[Json]:
    given = data.get(name)
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _text(data: Json, name: str) -> str | None:
    value = data.get(name)
    return str(value) if value else None
