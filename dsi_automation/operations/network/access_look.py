"""What operations on accesses look at: what runs on a router, what it starts with, and what the record says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.intent import AccessRule, RouterIntent, Scope
from dsi_automation.connectors.routers.port import RouterReader, TimerState
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Observed
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.network.access_tries import Ground
from dsi_automation.operations.network.comparing import compare
from dsi_automation.operations.network.ended import as_approved, over
from dsi_automation.operations.network.notes import ARMED
from dsi_automation.operations.network.record import Access, AccessRecord, closed_by, opened_by
from dsi_automation.operations.network.wanted import filter_intent
from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What is known of one router.

    Attributes:
        saved: what it starts with.
        intent: of its filter alone.
        standing: accesses of the record that were not taken away, ended or not.
        told: what runs told of it: run and name of the note.
        unready: why a change of it could not be taken back; None where it could, or where nobody asked.
    """

    running: Config
    saved: Config
    dialect: Dialect
    intent: RouterIntent
    standing: tuple[Access, ...]
    told: frozenset[tuple[str, str]]
    unready: RefusedError | None = None

    @property
    def rules(self) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on it."""
        return self.dialect.rules(self.running)

    def unsaved(self, now: datetime | None = None) -> bool:
        """Tell whether it would start with other accesses than it runs.

        Args:
            now: those that are over by then count for nothing; None to count them too.
        """
        return _ends_of(self.rules, now) != _ends_of(self.dialect.rules(self.saved), now)

    def others_unsaved(self) -> tuple[str, ...]:
        """Return lines besides accesses in which what runs is not what it starts with: saving keeps them too."""
        try:
            lines = self.dialect.difference(self.saved, self.intent, self.rules, Scope.RULES).lines
            return compare(self.dialect.apply(self.saved, lines), self.running).lines()
        except RefusedError:
            return compare(self.saved, self.running).lines()

    def as_approved(self, router: str, world: World, approved: Sequence[Action]) -> AccessFacts:
        """Return it with what ran when a plan was made, where nothing but accesses that are over is gone since.

        One the plan itself is about is not put back: its lines are on the router, or they are not.
        """
        own = {rule.key for action in approved for rule in (*opened_by(action), *closed_by(action))}
        rules = [rule for rule in over(world.record, router, world.now) if rule.key not in own]
        return replace(self, running=as_approved(self.running, approved, rules, self.dialect, self.intent))

    def open_now(self, rule: AccessRule) -> AccessRule | None:
        """Return the rule of the device that lets through what `rule` does, if there is one."""
        return next((one for one in self.rules if one.key == rule.key), None)


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all routers together.

    Attributes:
        now: when it was looked, UTC.
        record: all accesses.
    """

    network: Network
    now: datetime
    record: AccessRecord

    def ground(self, router: str, before: Sequence[AccessRule], after: Sequence[AccessRule]) -> Ground:
        """Return where tries of a router are chosen."""
        settings = self.network.settings
        site = self.network.site_of(router)
        return Ground(
            IPv4Network(site.lan),
            tuple(IPv4Network(one) for one in settings.ranges),
            site.probe,
            tuple(IPv4Address(one) for one in settings.servers.values()),
            before,
            after,
        )


def look_at(targets: Sequence[str], look: Look, observer: Observer) -> Observed[AccessFacts, World]:
    """Read every router at once; a silent one is a failure and delays nobody.

    Raises:
        InventoryError: the network is not described, or its parts do not fit together.
    """
    world = World(look.network, look.clock.now(), look.access_record())
    seen = fan_out(
        targets,
        lambda target: read_facts(target, look, world),
        workers=look.workers,
        deadline=look.deadline,
        observer=observer,
    )
    return Observed(seen.results, seen.failures, world)


def read_facts(target: str, look: Look, world: World, *, quiet: bool = True) -> AccessFacts:
    """Read one router.

    Args:
        target: its name.
        look: the read half.
        world: what concerns all routers together.
        quiet: whether nobody may be changing it meanwhile.

    Raises:
        RefusedError: a timer is armed on it: somebody changes it at this moment.
    """
    with look.router(target) as router:
        seen = router.seen()
        if quiet and seen.timer.state is not TimerState.NONE:
            raise RefusedError(
                T("{router} is being changed by somebody else: its rollback timer is armed.", router=target),
                on=target,
                next_step=T("Wait until that is over, then try again."),
            )
        unready = _unready(router) if quiet else None
    told = frozenset((run, name) for run, router_, name in world.record.begun if router_ == target)
    return AccessFacts(
        seen.running,
        seen.startup,
        router.dialect,
        filter_intent(world.network, target),
        world.record.standing(target),
        told,
        unready,
    )


def _unready(router: RouterReader) -> RefusedError | None:
    try:
        router.ready()
    except RefusedError as error:
        return error
    return None


def has_begun(facts: AccessFacts, run: str | None) -> bool:
    """Tell whether a run armed the timer of a router: killed, it may have changed it before it could tell."""
    return run is not None and (run, ARMED) in facts.told


def _ends_of(rules: Sequence[AccessRule], now: datetime | None) -> set[tuple[object, datetime | None]]:
    return {(one.key, one.until) for one in rules if one.until is None or now is None or one.until > now}
