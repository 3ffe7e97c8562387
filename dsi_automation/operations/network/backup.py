"""`router.backup`: the configuration of each router as a version of the repository, secrets masked (procedure A)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from dsi_automation.connectors.configurations.port import ConfigurationReader, Version
from dsi_automation.connectors.routers.port import Printed, RouterReader, Timer, TimerState
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Blocker, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.network import drift
from dsi_automation.operations.network.copies import keep_copy
from dsi_automation.operations.network.ended import loaded
from dsi_automation.operations.network.wanted import filter_intent
from dsi_automation.operations.tools import Hands, Look

_RECORD: Final = "router.backup.record"
"""Under which name the record of accesses, read once, is shared among the routers of a run."""


class BackupInputs(Inputs):
    """Inputs of `router.backup`: none."""


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """What was found of one router.

    Attributes:
        lines: of its configuration.
        timer: of a change that is being tried out on it.
        copy: the version of the repository that it had last; None when there is none.
        same: whether that one is what runs.
    """

    lines: int
    timer: Timer
    copy: Version | None
    same: bool


class RouterBackup(Operation[BackupInputs, RouterFacts, None, Look, Hands]):
    """Copies what runs on routers; writes on the controller alone, so its risk is low and its approval may stand."""

    name: ClassVar[str] = "router.backup"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A, F"
    summary: ClassVar[Text] = T("Copy the configurations of routers into the repository of configurations")
    risk: ClassVar[Risk] = Risk.LOW
    inputs_model: ClassVar[type[Inputs]] = BackupInputs
    target_kind: ClassVar[TargetKind] = TargetKind.HOST
    all_at_once: ClassVar[bool] = True
    events: ClassVar[bool] = True
    turn: ClassVar[float] = 600.0
    """A change of a router ends within minutes: the daily copy comes after it."""

    def observe(
        self,
        targets: Sequence[str],
        inputs: BackupInputs,  # noqa: ARG002  # there are none
        look: Look,
        observer: Observer,
    ) -> Observed[RouterFacts, None]:
        """Read every router at once; one that does not answer is a failure of its own."""
        repository = look.configurations()

        def read(target: str) -> RouterFacts:
            with look.router(target) as router:
                timer, text = router.timer(), router.text()
            return _facts(target, text, timer, repository)

        seen = fan_out(targets, read, workers=look.workers, deadline=look.deadline, observer=observer)
        return Observed(seen.results, seen.failures, None)

    def plan(self, targets: Sequence[str], inputs: BackupInputs, observed: Observed[RouterFacts, None]) -> Plan:
        """Copy each router, changed or not: that it was looked at today is worth knowing too."""
        return plan_of(self, targets, inputs, {name: _decide(name, facts) for name, facts in observed.facts.items()})

    def act(self, action: Action, inputs: BackupInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Read a router and keep its configuration."""
        target = action.target
        observer.notify(Event("action.progress", T("Reading the configuration ..."), target=target))
        with hands.look.router(target) as router:
            printed = _settled(target, router)
            things = _drift(target, router, printed, hands)
        keep_copy(hands, target, printed.text, T("copy by {operation}", operation=self.name), things)
        if things:
            told = TN(
                "copied; it has drifted in {n} thing: dsi router check {target}",
                "copied; it has drifted in {n} things: dsi router check {target}",
                things,
                target=target,
            )
            observer.notify(Event("action.progress", told, target=target))

    def settle(self, action: Action, inputs: BackupInputs, look: Look, observer: Observer) -> None:
        """Wait for nothing: a version is there, or is not, and the next writer waits for one that is being made."""

    def verify(self, plan: Plan, inputs: BackupInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read the repository, and each router anew: they must be the same."""
        repository = look.configurations()

        def compare(target: str) -> Check:
            with look.router(target) as router:
                running = router.text()
            found = repository.latest(target)
            observed = str(T("no copy")) if found is None else _words(found[1])
            return _check(target, _words(running), observed, ok=found is not None and found[1] == running)

        seen = fan_out(plan.targets, compare, workers=look.workers, deadline=look.deadline, observer=observer)
        expected = str(T("what runs, read anew"))
        failed = {name: _check(name, expected, str(error.what), ok=False) for name, error in seen.failures.items()}
        found = {**seen.results, **failed}
        return [found[target] for target in plan.targets]


def _facts(target: str, text: str, timer: Timer, repository: ConfigurationReader) -> RouterFacts:
    latest = repository.latest(target)
    return RouterFacts(
        lines=len(text.splitlines()),
        timer=timer,
        copy=None if latest is None else latest[0],
        same=latest is not None and latest[1] == text,
    )


def _decide(target: str, facts: RouterFacts) -> Decided:
    decided = Decided()
    if facts.timer.state is not TimerState.NONE:
        decided.blockers.append(
            Blocker(
                target,
                T("A change is being tried out on {target}: it may still go back.", target=target),
                T("Copy it once the change is confirmed or gone: dsi router backup {target}", target=target),
            )
        )
        return decided
    if facts.copy is None:
        reason = T("There is no copy of it yet.")
    elif facts.same:
        reason = T("Its last copy, of {when:%Y-%m-%d at %H:%M}, is what runs.", when=facts.copy.at.astimezone())
    else:
        reason = T("It has changed since its last copy, of {when:%Y-%m-%d at %H:%M}.", when=facts.copy.at.astimezone())
    title = T("Copy the configuration of {target}", target=target)
    decided.actions.append(Action(target, "copy_configuration", {}, title, reason))
    return decided


def _settled(target: str, router: RouterReader) -> Printed:
    """Return what runs, unless a change is being tried out."""
    if router.timer().state is not TimerState.NONE:
        raise RefusedError(
            T("A change is being tried out on {target}: it may still go back.", target=target),
            on=target,
            meaning=T("No copy was made: it would be one of a configuration that perhaps never was."),
            next_step=T("Copy it once the change is confirmed or gone: dsi router backup {target}", target=target),
        )
    return router.printed()


def _drift(target: str, router: RouterReader, printed: Printed, hands: Hands) -> int | None:
    """Return in how many things a router differs from inventory and record; a copy does not fail because of it."""
    look = hands.look
    try:
        record, now = hands.shared(_RECORD, look.access_record), look.clock.now()
        startup = loaded(router.startup(), now, router.dialect, filter_intent(look.network, target))
        timer = Timer(TimerState.NONE)
        found = drift.Found(printed.running, startup, timer, router.dialect, printed.text, None)
        return drift.count(target, found, drift.World(look.network, record, now))
    except DsiError:
        return None


def _words(text: str) -> str:
    lines, sha256 = len(text.splitlines()), hashlib.sha256(text.encode()).hexdigest()
    return str(T("{lines} lines, SHA-256 {sha256}", lines=lines, sha256=sha256))


def _check(target: str, expected: str, observed: str, *, ok: bool) -> Check:
    title = T("Copy in the repository of configurations")
    return Check(target, "copy", title, expected, observed, ok=ok, source=str(T("repository of configurations, main")))
