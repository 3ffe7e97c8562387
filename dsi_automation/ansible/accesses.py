"""What the tasks about accesses do: the routers that enforce an access follow from its source, or from its record."""

from __future__ import annotations

from collections.abc import Sequence

from dsi_automation.ansible.results import TaskResult
from dsi_automation.ansible.standing import standing_hosts
from dsi_automation.ansible.tasks import Call, change, once
from dsi_automation.composition import Toolkit


def allow_task(call: Call, *, request: str, check_mode: bool) -> TaskResult:
    """Carry out `access.allow` on the routers of the source's site."""

    def work(toolkit: Toolkit) -> TaskResult:
        targets = () if request else _enforcing(toolkit, call)
        return change(toolkit, call, targets, request=request, check_mode=check_mode)

    return once(call, work)


def revoke_task(call: Call, *, request: str, check_mode: bool) -> TaskResult:
    """Carry out `access.revoke` on the routers that the record names; with `expired`, on all that filter."""

    def work(toolkit: Toolkit) -> TaskResult:
        targets = () if request else _holding(toolkit, call)
        if call.given().get("expired") and not request and not check_mode:
            return standing_hosts(toolkit, call, targets)
        return change(toolkit, call, targets, request=request, check_mode=check_mode)

    return once(call, work)


def _enforcing(toolkit: Toolkit, call: Call) -> Sequence[str]:
    from dsi_automation.operations.network.access_policy import enforcers, read_asked

    given = {**dict.fromkeys(("source", "destination", "service"), ""), **call.given()}
    network = toolkit.inventory.network
    return enforcers(read_asked(given["source"], given["destination"], given["service"], None, network), network)


def _holding(toolkit: Toolkit, call: Call) -> Sequence[str]:
    from dsi_automation.operations.network.access_policy import holders

    if call.given().get("expired"):
        return [router.name for router in toolkit.inventory.network.filtering()]
    return holders(call.given().get("ids", ()), toolkit.equipment.look().access_record())
