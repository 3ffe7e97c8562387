"""What an independent look finds after a change of routers: configuration, start-up, interfaces, routes, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dsi_automation.connectors.routers.intent import Scope
from dsi_automation.connectors.routers.port import RouterReader, TimerState
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.fleet import fan_out
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.network.comparing import compare
from dsi_automation.operations.network.configure_plan import left_out
from dsi_automation.operations.network.ended import loaded
from dsi_automation.operations.network.proving import prove
from dsi_automation.operations.network.rollout import CONFIGURE
from dsi_automation.operations.network.wanted import filter_intent, router_intent
from dsi_automation.operations.tools import Look


def evidence(plan: Plan, look: Look, observer: Observer) -> list[Check]:
    """Look at every router of a plan through a session of its own."""
    network = look.network

    def at(target: str) -> list[Check]:
        with look.router(target) as router:
            return list(_of_router(router, plan, network, look.clock.now()))

    seen = fan_out(plan.targets, at, workers=look.workers, deadline=look.deadline, observer=observer)
    checks = [check for found in seen.results.values() for check in found]
    for target, error in seen.failures.items():
        checks.append(
            Check(target, "seen", T("The router can be looked at"), str(T("yes")), str(error.what), ok=False,
                  source=target)
        )  # fmt: skip
    return checks


def _of_router(router: RouterReader, plan: Plan, network: Network, now: datetime) -> Iterator[Check]:
    name = router.name
    seen = router.seen()
    running, timer = seen.running, seen.timer
    startup = loaded(seen.startup, now, router.dialect, filter_intent(network, name))
    intent = router_intent(network, name, left_out(plan.non_actions, name))
    rest = router.dialect.difference(running, intent, (), Scope.BASE).lines
    wanted = str(T("as the inventory wants it"))
    yield Check(
        name, "configuration", T("Configuration"), wanted, "; ".join(map(str.strip, rest)) or wanted, ok=not rest,
        source=name,
    )  # fmt: skip
    actions = plan.actions_for(name)
    unsaved = compare(startup, running).lines()
    same = str(T("as what runs"))
    yield Check(
        name, "startup", T("What it starts with"), same, "; ".join(unsaved) or same, ok=not unsaved,
        source=name, warning=not actions,
    )  # fmt: skip
    off = str(T("not armed"))
    yield Check(
        name, "timer", T("Rollback timer"), off, off if timer.state is TimerState.NONE else timer.state.value,
        ok=timer.state is TimerState.NONE, source=name,
    )  # fmt: skip
    for action in actions:
        if action.kind == CONFIGURE:
            wanted_checks: Sequence[Mapping[str, Any]] = action.args["checks"]  # type: ignore[assignment]  # JSON
            yield from prove(router, wanted_checks)
