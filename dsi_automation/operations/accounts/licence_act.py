"""The writes of `licence.assign` and `licence.remove`, and the independent look after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.create_cloud import assign_active
from dsi_automation.operations.accounts.known_look import read
from dsi_automation.operations.accounts.readiness import states_of
from dsi_automation.operations.accounts.subject import find_account, required_user
from dsi_automation.operations.accounts.waiting import SETTLE_POLLS, wait_until
from dsi_automation.operations.tools import Hands, Look


def set_location(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Set the country the licences are used in."""
    user, country = _user(action, hands), str(action.args["country"])
    if user.usage_location != country:
        hands.tenant().for_target(action.target).set_usage_location(user.id, country)


def assign_licence(action: Action, hands: Hands, observer: Observer) -> None:
    """Assign the licence and wait until it is active.

    Raises:
        NoSeatError: no seat is left any more.
        RefusedError: it does not become active, and why.
        UnreachableError: it is not active in the site's time.
    """
    assign_active(_user(action, hands), action, hands, observer)


def remove_licence(action: Action, hands: Hands, observer: Observer) -> None:
    """Remove the licence and wait until the user no longer has it."""
    target, look, sku_id = action.target, hands.look, str(action.args["sku_id"])
    user, tenant = _user(action, hands), hands.tenant().for_target(target)
    if sku_id not in user.licences:
        return
    tenant.change_licences(user.id, [], [sku_id])

    def missing() -> Text | None:
        now = tenant.user(user.id)
        if now is None or sku_id not in now.licences:
            return None
        return T("the tenant still shows the licence of {upn}", upn=now.upn)

    late = T("{licence} is not shown as removed", licence=action.args["part_number"])
    wait_until(target, look, observer, missing, look.tenant_settings.ready_deadline, late=late)


ACTS: Final[Mapping[str, Callable[[Action, Hands, Observer], None]]] = {
    "set_location": set_location,
    "assign_licence": assign_licence,
    "remove_licence": remove_licence,
}
EFFECTS: Final[Mapping[str, Callable[[CloudUser, Action], bool]]] = {
    "set_location": lambda user, action: user.usage_location == action.args["country"],
    "assign_licence": lambda user, action: action.args["sku_id"] in user.licences,
    "remove_licence": lambda user, action: action.args["sku_id"] not in user.licences,
}
"""How the effect of each action shows."""


def settle(action: Action, look: Look, observer: Observer) -> None:
    """Wait until the effect of an interrupted action shows, or until it can no longer be under way.

    Raises:
        UnreachableError: the tenant does not answer within the site's time.
    """
    settings = look.tenant_settings
    over = look.clock.monotonic() + SETTLE_POLLS * settings.poll.total_seconds()

    def missing() -> Text | None:
        user = read((action.target,), look.accounts(), look.tenant())[action.target].user
        shows = user is not None and EFFECTS[action.kind](user, action)
        if shows or look.clock.monotonic() >= over:
            return None
        return T("looking whether the interrupted action took effect")

    late = T("Nobody knows whether the interrupted action took effect")
    wait_until(action.target, look, observer, missing, settings.ready_deadline, late=late)


def verify(plan: Plan, licence: str, look: Look, *, wanted: bool) -> Sequence[Check]:
    """Return whether each target of the plan has the licence now, active, or no longer has it."""
    tenant, part_number = look.tenant(), look.account_policy.licences[licence]
    facts = read(plan.targets, look.accounts(), tenant)
    sku_ids = {sku.id for sku in tenant.skus() if sku.part_number.casefold() == part_number.casefold()}
    return [_check(target, facts[target].user, sku_ids, part_number, wanted=wanted) for target in plan.targets]


def _check(target: str, user: CloudUser | None, sku_ids: set[str], part_number: str, *, wanted: bool) -> Check:
    has = user is not None and bool(sku_ids & set(user.licences))
    states = sorted({state.state for sku in sku_ids for state in (states_of(user, sku) if user is not None else ())})
    observed = ", ".join(states) or ("-" if not has else str(T("assigned")))
    ok = "Active" in states if wanted else user is not None and not has
    title = T("Licence {licence}", licence=part_number)
    return Check(target, "licence", title, "Active" if wanted else "-", observed, ok=ok, source="Graph /users")


def _user(action: Action, hands: Hands) -> CloudUser:
    address = str(action.args["address"])
    account = find_account(hands.accounts(), action.target, address)
    return required_user(hands.tenant(), account, action.target, address)
