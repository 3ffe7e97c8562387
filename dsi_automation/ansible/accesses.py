"""What the tasks about accesses do: the routers that enforce an access follow from its source, or from its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dsi_automation.ansible.play_inventory import inventory_source
from dsi_automation.ansible.results import TaskResult, error_result
from dsi_automation.ansible.standing import standing_hosts_task
from dsi_automation.ansible.tasks import Call, change_task
from dsi_automation.composition import Toolkit
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T


def allow_task(call: Call, *, request: str, check_mode: bool) -> TaskResult:
    """Carry out `access.allow` on the routers of the source's site."""

    def routers(toolkit: Toolkit) -> Sequence[str]:
        from dsi_automation.operations.network.access_policy import enforcers, read_asked

        given = {**dict.fromkeys(("source", "destination", "service"), ""), **call.given()}
        network = toolkit.inventory.network
        return enforcers(read_asked(given["source"], given["destination"], given["service"], None, network), network)

    return _on(routers, call, request=request, check_mode=check_mode, standing=False)


def revoke_task(call: Call, *, request: str, check_mode: bool) -> TaskResult:
    """Carry out `access.revoke` on the routers that the record names; with `expired`, on all that filter."""

    def routers(toolkit: Toolkit) -> Sequence[str]:
        given = call.given()
        network = toolkit.inventory.network
        if given.get("expired"):
            return [name for name, one in network.routers.items() if one.described.filter]
        record = toolkit.equipment.look().access_record()
        found = {name: record.find(name) for name in given.get("ids", ())}
        unknown = [name for name, access in found.items() if access is None]
        if unknown or not found:
            raise UsageError(
                T("No access is called {id}.", id=", ".join(unknown) or "-"),
                next_step=T("See them: dsi access list"),
            )
        return list(dict.fromkeys(access.router for access in found.values() if access is not None))

    return _on(routers, call, request=request, check_mode=check_mode, standing=bool(call.given().get("expired")))


def _on(
    routers: Callable[[Toolkit], Sequence[str]], call: Call, *, request: str, check_mode: bool, standing: bool
) -> TaskResult:
    if request:
        return change_task(call, (), request=request, check_mode=check_mode)
    try:
        targets = routers(Toolkit(inventory=inventory_source(call.sources)))
    except DsiError as error:
        return error_result(error)
    if standing and not check_mode:
        return standing_hosts_task(call, targets)
    return change_task(call, targets, request="", check_mode=check_mode)
