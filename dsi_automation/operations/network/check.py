"""`router.check`: do routers run what the inventory and the record say? Read-only (procedures A and F)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import ALL, Inputs, ReadOnlyOperation, Report, TargetKind
from dsi_automation.operations.network import drift
from dsi_automation.operations.network.drift import Found, World
from dsi_automation.operations.network.ended import loaded
from dsi_automation.operations.network.wanted import filter_intent
from dsi_automation.operations.tools import Look


class CheckInputs(Inputs):
    """Inputs of `router.check`: none."""


class RouterCheck(ReadOnlyOperation[CheckInputs, Look]):
    """Compares each router with the inventory, its accesses with the record, and what runs with what is saved."""

    name: ClassVar[str] = "router.check"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A, F"
    summary: ClassVar[Text] = T("Check routers for drift: circuits, routes, filter, accesses, what is not saved")
    inputs_model: ClassVar[type[Inputs]] = CheckInputs
    target_kind: ClassVar[TargetKind] = TargetKind.HOST
    may_look_at_all: ClassVar[bool] = True

    def check(self, targets: Sequence[str], inputs: CheckInputs, look: Look, observer: Observer) -> Report:  # noqa: ARG002
        """Look at all routers at once.

        Raises:
            UsageError: a target is no router.
            InventoryError: the network is not described, or its parts do not fit together.
        """
        network = look.network
        names = tuple(network.routers) if tuple(targets) == (ALL,) else tuple(targets)
        for name in names:
            network.router(name)
        world = World(network, look.access_record(), look.clock.now())
        found = fan_out(
            names,
            lambda name: look_at(name, look),
            workers=look.workers,
            deadline=look.deadline,
            observer=observer,
        )
        checks: list[Check] = []
        for name, one in found.results.items():
            checks += drift.checks(name, one, world)
        facts = {name: drift.facts(name, one, world) for name, one in found.results.items()}
        return Report(names, tuple(checks), found.failures, facts)


def look_at(name: str, look: Look) -> Found:
    """Look at one router, and at the last copy of its configuration."""
    with look.router(name) as router:
        seen, dialect = router.seen(), router.dialect
    startup = loaded(seen.startup, look.clock.now(), dialect, filter_intent(look.network, name))
    try:
        latest = look.configurations().latest(name)
    except DsiError:
        latest = None  # `router.backup` says what is wrong with it
    return Found(seen.running, startup, seen.timer, dialect, seen.text, latest)
