"""When a mailbox is ready: five conditions, in the order in which Microsoft 365 fulfils them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from dsi_automation.connectors.m365.port import CloudUser, LicenceState, MailboxState, Sku
from dsi_automation.core.clock import iso
from dsi_automation.core.text import T, Text

LICENCE_PROBLEMS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "CountViolation": T("no seat of it is left: buy seats or free some"),
        "MutuallyExclusiveViolation": T("it excludes another licence of this person: remove that one first"),
        "DependencyViolation": T("it needs another licence that this person does not have"),
        "ProhibitedInUsageLocationViolation": T(
            "it may not be used in the country of this person: check the usage location"
        ),
        "UniquenessViolation": T("another object has the same address: have it changed there"),
        "Other": T("Microsoft does not say why: assign it again in the admin centre, or ask Microsoft's support"),
    }
)
"""What licenseAssignmentStates says when a licence does not become active (Microsoft Graph, licenseAssignmentState)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing a mailbox needs.

    Attributes:
        name: `licence`, `plan`, `errors`, `signing_in`, `address`, `mailbox`.
        observed: what is there, for people.
        missing: what is not, and what it means; None when the condition holds.
        since: since when it is as it is, where the tenant says.
        final: whether waiting does not help: somebody must do something.
    """

    name: str
    title: Text
    expected: str
    observed: str
    ok: bool
    missing: Text | None = None
    since: datetime | None = None
    final: bool = False

    def age(self, now: datetime) -> int | None:
        """Return for how many seconds it has been so, where that is known."""
        return None if self.since is None else max(0, int((now - self.since).total_seconds()))

    def to_json(self, now: datetime) -> dict[str, Any]:
        """Return the condition as data."""
        return {
            "name": self.name,
            "ok": self.ok,
            "expected": self.expected,
            "observed": self.observed,
            "missing": None if self.missing is None else str(self.missing),
            "since": None if self.since is None else iso(self.since),
            "age_seconds": self.age(now),
            "final": self.final,
        }


def mailbox_sku(user: CloudUser, skus: Sequence[Sku], wanted: str | None = None) -> Sku | None:
    """Return the licence that brings, or is to bring, the mailbox: the wanted part number if held, else any held."""
    held = [sku for sku in skus if sku.id in user.licences and sku.has_mailbox]
    return next((sku for sku in held if sku.part_number == wanted), held[0] if held else None)


def conditions(user: CloudUser, mailbox: MailboxState | None, sku: Sku | None, address: str) -> tuple[Condition, ...]:
    """Return what the mailbox of `user` needs, each with what is missing, in the order in which it comes.

    Args:
        mailbox: whether it answers; None when nobody asked.
        sku: the licence that is to bring it; None when the person has none that does.
        address: the address it is to have.

    Source: facts measured and read in Microsoft's documentation: licenseAssignmentStates, assignedPlans,
        serviceProvisioningErrors, mailboxSettings.
    """
    licence = _licence(user, sku)
    return (
        licence,
        _plan(user, since=licence.since if licence.ok else None),
        _errors(user),
        _signs_in(user),
        _address(user, address),
        _answers(mailbox),
    )


def is_ready(found: Sequence[Condition]) -> bool:
    """Tell whether every condition holds."""
    return all(condition.ok for condition in found)


def first_missing(found: Sequence[Condition]) -> Condition | None:
    """Return the condition that the others wait for; one that needs somebody to act comes first."""
    missing = [condition for condition in found if not condition.ok]
    return next((condition for condition in missing if condition.final), missing[0] if missing else None)


def states_of(user: CloudUser, sku_id: str) -> Iterator[LicenceState]:
    """Return the states of one licence of a user: direct, and by groups."""
    return (state for state in user.licence_states if state.sku_id == sku_id)


def problem_of(state: LicenceState) -> Text:
    """Return why a licence did not become active."""
    return LICENCE_PROBLEMS.get(state.error, LICENCE_PROBLEMS["Other"])


def _licence(user: CloudUser, sku: Sku | None) -> Condition:
    title = T("Licence")
    if sku is None:
        missing = T("no licence with a mailbox is assigned: `dsi licence assign`")
        return Condition("licence", title, "Active", "-", ok=False, missing=missing, final=True)
    states = sorted(states_of(user, sku.id), key=lambda one: (one.state != "Active", one.by_group or ""))
    if not states:
        missing = T("{licence} is assigned but not active yet", licence=sku.part_number)
        return Condition("licence", title, f"{sku.part_number} Active", "-", ok=False, missing=missing)
    best, ok = states[0], states[0].state == "Active"
    observed = f"{sku.part_number} {best.state}" + ("" if best.error in ("", "None") else f" ({best.error})")
    why = None
    failed = not ok and best.error not in ("", "None")
    if not ok:
        why = problem_of(best) if failed else T("it is {state}", state=best.state)
        why = T("{licence} is assigned but not active: {problem}", licence=sku.part_number, problem=why)
    return Condition(
        "licence", title, f"{sku.part_number} Active", observed, ok, missing=why, since=best.updated, final=failed
    )


def _plan(user: CloudUser, since: datetime | None) -> Condition:
    title, plans = T("Exchange service"), [plan for plan in user.plans if plan.service.lower() == "exchange"]
    enabled = next((plan for plan in plans if plan.status == "Enabled"), None)
    if enabled is not None:
        return Condition("plan", title, "Enabled", "Enabled", ok=True, since=enabled.assigned_at)
    observed = ", ".join(sorted({plan.status for plan in plans})) or "-"
    missing = T("Microsoft 365 has not switched the Exchange service on yet; that takes minutes, rarely hours")
    last = max((plan.assigned_at for plan in plans if plan.assigned_at is not None), default=since)
    return Condition("plan", title, "Enabled", observed, ok=False, missing=missing, since=last)


def _errors(user: CloudUser) -> Condition:
    title = T("Provisioning errors")
    if not user.provisioning_errors:
        return Condition("errors", title, "-", "-", ok=True)
    told = "; ".join(user.provisioning_errors)
    missing = T("Microsoft 365 reports an error that somebody must resolve: {errors}", errors=told)
    return Condition("errors", title, "-", told, ok=False, missing=missing, final=True)


def _signs_in(user: CloudUser) -> Condition:
    title, yes = T("Signing in"), str(T("allowed"))
    if user.enabled:
        return Condition("signing_in", title, yes, yes, ok=True)
    # A synchronisation that came between the making of the account and its enabling: the next one brings the rest.
    missing = T("the tenant does not let the user sign in yet")
    return Condition("signing_in", title, yes, str(T("not allowed")), ok=False, missing=missing, final=not user.synced)


def _address(user: CloudUser, address: str) -> Condition:
    title, wanted = T("Mail address"), address.lower()
    primary = next((one[5:] for one in user.proxy_addresses if one.startswith("SMTP:")), None)
    ok = (user.mail or "").lower() == wanted and (primary or "").lower() == wanted
    observed = user.mail or "-"
    if user.mail and (primary or "").lower() != user.mail.lower():
        observed = f"{user.mail} (SMTP:{primary or '-'})"
    if ok:
        return Condition("address", title, address, observed, ok=True)
    if user.mail is None:
        missing, final = T("the mailbox has no address yet"), False
    else:
        # Another address does not become the right one by waiting, unless the directory is still to be synchronised.
        missing, final = T("the address is {found}, not {wanted}", found=observed, wanted=address), not user.synced
    return Condition("address", title, address, observed, ok=False, missing=missing, final=final)


def _answers(mailbox: MailboxState | None) -> Condition:
    title, yes = T("Mailbox answers"), str(T("yes"))
    if mailbox is not None and mailbox.ready:
        return Condition("mailbox", title, yes, yes, ok=True)
    code = "-" if mailbox is None else mailbox.code or "-"
    if code == "MailboxNotEnabledForRESTAPI":
        missing = T("Exchange has not made the mailbox yet; or it is deleted, or kept on a server of the site")
    else:
        missing = T("the mailbox does not answer ({code})", code=code)
    return Condition("mailbox", title, yes, code, ok=False, missing=missing)
