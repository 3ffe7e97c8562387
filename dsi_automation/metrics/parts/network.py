"""Routers and accesses: how old the copies are, what became of changes, which accesses stand and should not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from dsi_automation.metrics.spec import Part, Sheet, counter, gauge, info

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.inventory.network_parts import Network
    from dsi_automation.metrics.view import View

STANDING: Final = "standing"
EXPIRING: Final = "expiring"
EXPIRED: Final = "expired"

INFO = info("dsi_router_info", "A router of the inventory.", "router", "site", "platform")
COPIED = gauge(
    "dsi_router_last_copy_timestamp_seconds",
    "When its configuration was last read into the repository, changed or not; 0 for never.",
    "router",
)
DIFFERED = gauge(
    "dsi_router_last_difference_timestamp_seconds",
    "When what was read last differed from the copy before; 0 for never.",
    "router",
)
DRIFT = gauge(
    "dsi_router_drift",
    "In how many things it differed from inventory and record at its last daily copy: lines, accesses, lines not "
    "saved; absent before, and after a change until the next copy.",
    "router",
)
CHANGED = gauge(
    "dsi_router_last_change_timestamp_seconds", "When a change of it last ended, kept or not; 0 for never.", "router"
)
KEPT = gauge(
    "dsi_router_last_change_kept",
    "1 when the last change was confirmed, 0 when the router went back; absent before the first.",
    "router",
)
CHANGES = counter(
    "dsi_router_changes_total",
    "Changes that ended: confirmed, or reverted; one that was confirmed and taken back counts in both.",
    "router",
    "outcome",
)
ACCESSES = gauge(
    "dsi_accesses",
    "Accesses that were not taken away: standing, expiring (within dsi_network.access.warn_before), or expired.",
    "router",
    "state",
)
OVERDUE = gauge(
    "dsi_access_oldest_expired_timestamp_seconds",
    "When the access ended that is longest expired and was not taken away; absent while there is none.",
    "router",
)


def fill(view: View, sheet: Sheet) -> None:
    """Write what the record says of each router of the inventory."""
    inventory = view.inventory()
    if not inventory.has_network():
        return
    network, history = inventory.network, view.network_history()
    for name, router in network.routers.items():
        sheet.put(INFO, 1, name, router.site, router.described.platform)
        seen = history.of(name)
        sheet.put(COPIED, seen.copied_at, name)
        sheet.put(DIFFERED, seen.differed_at, name)
        if seen.drift is not None:
            sheet.put(DRIFT, seen.drift, name)
        sheet.put(CHANGED, seen.changed_at, name)
        if seen.kept is not None:
            sheet.put(KEPT, float(seen.kept), name)
        sheet.put(CHANGES, seen.confirmed, name, "confirmed")
        sheet.put(CHANGES, seen.reverted, name, "reverted")
    _accesses(view, sheet, network)


def _accesses(view: View, sheet: Sheet, network: Network) -> None:
    states: Counter[tuple[str, str]] = Counter()
    ended: dict[str, datetime] = {}
    soon = view.now + network.settings.access.warn_before
    for one in view.accesses().standing():
        until = one.rule.until
        if until is None or until > soon:
            state = STANDING
        elif until > view.now:
            state = EXPIRING
        else:
            state = EXPIRED
            ended[one.router] = min(ended.get(one.router, until), until)
        states[one.router, state] += 1
    # A router that left the inventory with an access still standing is told of as well.
    for name in dict.fromkeys([*network.routers, *(router for router, _ in states)]):
        for state in (STANDING, EXPIRING, EXPIRED):
            sheet.put(ACCESSES, states[name, state], name, state)
        if name in ended:
            sheet.put(OVERDUE, ended[name], name)


PART = Part("network", (INFO, COPIED, DIFFERED, DRIFT, CHANGED, KEPT, CHANGES, ACCESSES, OVERDUE), fill)
