"""Licences: who may have one, how many are left, and what the directory tells of them as time passes.

Sources: Microsoft Graph, "user: assignLicense", "licenseAssignmentState resource type", "provisionedPlan resource
type", "subscribedSku resource type"; refusals as quoted in CIPP issues 783, 4408 and 5489, msgraph-sdk-powershell 3229.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from dsi_automation.lab.graph.errors import bad
from dsi_automation.lab.graph.faults import Fault, Faults
from dsi_automation.lab.graph.settings import Delays, SkuSeed
from dsi_automation.lab.graph.store import Entry, Licence, Store, stamp

ASSIGNABLE: Final = ("Enabled", "Warning")


class Licences:
    """The subscriptions of the tenant and the licences of its users."""

    def __init__(self, store: Store, skus: list[SkuSeed], delays: Delays, faults: Faults) -> None:
        self._store = store
        self._delays = delays
        self._faults = faults
        self.skus = {sku.id.lower(): sku.model_copy(deep=True) for sku in skus}

    def by_part_number(self, name: str) -> SkuSeed | None:
        """Return a subscription by its skuPartNumber."""
        return next((sku for sku in self.skus.values() if sku.part_number == name), None)

    def used(self) -> Counter[str]:
        """Return consumedUnits by skuId: a deleted user's seat is free again, a licence in error took none."""
        return Counter(
            licence.sku for entry in self._store.live("user") for licence in entry.licences if not licence.error
        )

    def rows(self, tenant_id: str, tenant_name: str) -> list[dict[str, Any]]:
        """Return the subscriptions as GET /subscribedSkus tells them."""
        used = self.used()
        return [self._row(sku, used[sku.id.lower()], tenant_id, tenant_name) for sku in self.skus.values()]

    def assign(self, entry: Entry, body: Mapping[str, Any]) -> None:
        """Carry out assignLicense: everything or nothing.

        Raises:
            GraphError: as Microsoft refuses it.
        """
        add, remove = self._asked(body)
        have = {licence.sku: licence for licence in entry.licences}
        for sku_id in remove:
            if sku_id not in have:
                raise bad("User does not have a corresponding license.")
        if add:
            self._check_location(entry)
        kept = {sku_id: licence for sku_id, licence in have.items() if sku_id not in remove}
        now = self._store.now()
        for sku_id, disabled in add.items():
            if sku_id in kept:
                kept[sku_id] = Licence(sku_id, kept[sku_id].at, disabled, kept[sku_id].error)
                continue
            self._check_seat(sku_id)
            kept[sku_id] = Licence(sku_id, now, disabled)
        self._check_plans(kept)
        self.give(entry, list(kept.values()))

    def give(self, entry: Entry, licences: list[Licence]) -> None:
        """Set a user's licences, and let the mailbox come or go with them."""
        before = {licence.sku for licence in entry.licences}
        for licence in licences:
            if licence.sku not in before:
                rule = self._faults.background(Fault.LICENCE_ERROR, entry.upn)
                licence.error = (rule.error or "Other") if rule is not None else ""
        entry.licences = licences
        wanted = any(self._brings_mailbox(licence) for licence in licences)
        if wanted and entry.mailbox in ("none", "failed"):
            entry.mailbox = "coming"
            entry.mailbox_at = self._store.now() + self._delays.mailbox
        elif not wanted:
            entry.mailbox = "none"
        self._store.update(entry)

    def told(self, entry: Entry) -> dict[str, Any]:
        """Return what a user's licences make of assignedLicenses, licenseAssignmentStates and the plans, now."""
        now = self._store.now()
        assigned, states, plans, provisioned = [], [], [], []
        for licence in entry.licences:
            if not licence.error:
                assigned.append({"disabledPlans": licence.disabled, "skuId": licence.sku})
            if now < licence.at + self._delays.licence:
                continue
            states.append(_state(licence))
            if licence.error:
                continue
            for plan in self.skus[licence.sku].plans:
                if plan.plan_id in licence.disabled:
                    continue
                told = {"assignedDateTime": stamp(licence.at), "capabilityStatus": "Enabled", "service": plan.service}
                plans.append({**told, "servicePlanId": plan.plan_id})
                done = plan.service != "exchange" or entry.mailbox == "ready"
                provisioned.append(
                    {
                        "capabilityStatus": "Enabled",
                        "provisioningStatus": "Success" if done else "PendingInput",
                        "service": plan.service,
                    }
                )
        return {
            "assignedLicenses": assigned,
            "licenseAssignmentStates": states,
            "assignedPlans": plans,
            "provisionedPlans": provisioned,
        }

    def _row(self, sku: SkuSeed, used: int, tenant_id: str, tenant_name: str) -> dict[str, Any]:
        units = {"enabled": 0, "suspended": 0, "warning": 0, "lockedOut": 0}
        where = {"Enabled": "enabled", "Warning": "warning", "LockedOut": "lockedOut"}.get(sku.status, "suspended")
        units[where] = sku.seats
        return {
            "accountId": tenant_id,
            "accountName": tenant_name,
            "appliesTo": "User",
            "capabilityStatus": sku.status,
            "consumedUnits": used,
            "id": f"{tenant_id}_{sku.id.lower()}",
            "skuId": sku.id.lower(),
            "skuPartNumber": sku.part_number,
            "subscriptionIds": [],
            "prepaidUnits": units,
            "servicePlans": [
                {
                    "servicePlanId": plan.plan_id,
                    "servicePlanName": plan.name,
                    "provisioningStatus": "Success",
                    "appliesTo": "User",
                }
                for plan in sku.plans
            ],
        }

    def _asked(self, body: Mapping[str, Any]) -> tuple[dict[str, list[str]], set[str]]:
        missing = [name for name in ("addLicenses", "removeLicenses") if name not in body]
        if missing:
            raise bad(
                "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
                f"The missing parameters are: {', '.join(missing)}.",
            )
        for name in body:
            if name not in ("addLicenses", "removeLicenses"):
                raise bad(f"The parameter '{name}' in the request payload is not a valid parameter for the operation.")
        rows, gone = body["addLicenses"], body["removeLicenses"]
        if not isinstance(rows, list) or not isinstance(gone, list):
            raise bad("Invalid value specified for property 'addLicenses' of resource 'User'.")
        add = {}
        for row in rows:
            if not isinstance(row, dict) or set(row) - {"skuId", "disabledPlans", "@odata.type"}:
                raise bad("Invalid value specified for property 'assignedLicenses' of resource 'User'.")
            disabled = row.get("disabledPlans") or []
            if not isinstance(disabled, list):
                raise bad("Invalid value specified for property 'disabledPlans' of resource 'User'.")
            add[self._sku(row.get("skuId"))] = [_guid(plan) for plan in disabled]
        return add, {_guid(one) for one in gone}

    def _sku(self, value: Any) -> str:
        sku_id = _guid(value)
        if sku_id not in self.skus:
            raise bad(f"License {sku_id} does not correspond to a valid company License.")
        return sku_id

    def _check_location(self, entry: Entry) -> None:
        if not entry.props.get("usageLocation") or self._store.now() < entry.located_at:
            raise bad("License assignment cannot be done for user with invalid usage location.")

    def _check_seat(self, sku_id: str) -> None:
        sku = self.skus[sku_id]
        if sku.status not in ASSIGNABLE or self.used()[sku_id] >= sku.seats:
            raise bad(f"Subscription with SKU {sku_id} does not have any available licenses.")

    def _check_plans(self, licences: Mapping[str, Licence]) -> None:
        mail = sorted(
            {
                plan.name
                for licence in licences.values()
                for plan in self.skus[licence.sku].plans
                if plan.name.startswith("EXCHANGE_S_")
                and plan.name != "EXCHANGE_S_FOUNDATION"
                and plan.plan_id not in licence.disabled
            }
        )
        if len(mail) > 1:
            raise bad(
                "License assignment failed because service plans are mutually exclusive. "
                f"Conflicting Service Plans: {', '.join(mail)}"
            )

    def _brings_mailbox(self, licence: Licence) -> bool:
        return not licence.error and any(
            plan.service == "exchange" and plan.plan_id not in licence.disabled for plan in self.skus[licence.sku].plans
        )


def _guid(value: Any) -> str:
    if value is None:
        raise bad("License assignment cannot be done: the skuId is null.")
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError) as error:
        raise bad(
            "Cannot convert a primitive value to the expected type 'Edm.Guid'. "
            "See the inner exception for more details.",
            code="BadRequest",
        ) from error


def _state(licence: Licence) -> dict[str, Any]:
    return {
        "skuId": licence.sku,
        "disabledPlans": licence.disabled,
        "assignedByGroup": None,
        "state": "Error" if licence.error else "Active",
        "error": licence.error or "None",
        "lastUpdatedDateTime": stamp(licence.at),
    }
