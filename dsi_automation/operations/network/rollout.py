"""The order in which a change reaches many routers: the canary, then wave after wave, until too many failed.

Each target has its thread; it arrives here with its action, waits for its turn and for the routers it changes
together with, and the last one to arrive leads their change. A wave begins when the run is over with all routers of
the waves before it, saving included.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from dsi_automation.core.errors import DsiError, StoppedError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.network.change import Change, SafeChange
from dsi_automation.operations.network.unit import change_together
from dsi_automation.operations.tools import Hands

CONFIGURE: Final = "configure"
SAVE: Final = "save"
CANARY: Final = 0
"""The wave of the canary; a failure there leaves all others as they are."""
LISTEN: Final = 0.5
"""Seconds after which who waits looks whether the run was asked to stop; all else wakes whom it concerns."""


@dataclass(slots=True)
class _Unit:
    """Routers that change together.

    Attributes:
        members: those this run changes; a resumed run may have done the others.
        missing: routers that belong to it and cannot be changed by this run now.
        begun: set once its change began: from then on it is waited for to the end.
        endings: what each member ended with; None until it is over.
    """

    members: tuple[str, ...]
    wave: int
    missing: tuple[str, ...]
    arrived: set[str] = field(default_factory=set)
    left: str | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    endings: Mapping[str, DsiError] | None = None


class Rollout:
    """One run's change of all its routers; used by the threads of all of them."""

    def __init__(self, plan: Plan, hands: Hands, *, stop_after: int, within: float) -> None:
        """Know who changes with whom, and when.

        Args:
            plan: what this run is about to do.
            hands: the write half.
            stop_after: after how many failed units the rest is left as it is.
            within: how long a router may take until all is as it should be, seconds.
        """
        self._hands, self._stop_after, self._within = hands, stop_after, within
        self._changes = {action.target: action for action in plan.actions if action.kind == CONFIGURE}
        self._units = self._grouped(plan.targets)
        self._over: set[str] = set()
        self._failed: list[_Unit] = []
        self._moved = threading.Condition()
        self._open: dict[str, tuple[ExitStack, SafeChange]] = {}

    def configure(self, action: Action, observer: Observer) -> None:
        """Change a router when its turn has come, together with those it belongs to.

        Raises:
            StoppedError: it was left as it is: too many failed before, or the run was asked to stop.
            UnreachableError: a router it changes together with cannot be changed now; nothing was sent.
            VerificationFailedError, WorldChangedError, UnknownOutcomeError: see `SafeChange.make`.
        """
        unit = self._units[action.target]
        if unit.missing:
            raise _missing(action.target, unit.missing)
        self._await_turn(unit, action.target, observer)
        if self._arrive(unit, action.target):
            self._lead(unit, observer)
        endings = self._await_end(unit, action.target)
        if action.target in endings:
            raise endings[action.target]

    def save(self, action: Action, observer: Observer, copied: Text) -> None:
        """Make what a router runs what it starts with.

        Raises:
            WorldChangedError: something else runs than what was approved.
        """
        change = Change.of(action)
        found = self._open.get(action.target)
        if found is not None:
            found[1].save(copied)
            return
        with self._hands.router(action.target) as router:
            SafeChange(change, router, self._hands, observer).save(copied)

    def left(self, target: str) -> None:
        """Take note that the run is over with a router."""
        with self._moved:
            self._over.add(target)
            unit = self._units.get(target)
            if unit is not None and not unit.begun.is_set():
                unit.left = target
            self._moved.notify_all()
        stack, _ = self._open.pop(target, (None, None))
        if stack is not None:
            with contextlib.suppress(DsiError):
                stack.close()

    def _grouped(self, targets: Sequence[str]) -> dict[str, _Unit]:
        units: dict[str, _Unit] = {}
        for name, action in self._changes.items():
            if name in units:
                continue
            together: Any = action.args["unit"]
            members = tuple(one for one in together if one in self._changes)
            missing = tuple(one for one in together if one not in targets)
            wave: Any = action.args["wave"]
            units |= dict.fromkeys(members, _Unit(members, int(wave), missing))
        return units

    def _await_turn(self, unit: _Unit, target: str, observer: Observer) -> None:
        """Wait until the waves before are over.

        Raises:
            StoppedError: too many of them failed, or the run was asked to stop.
        """
        before = {name for name, other in self._units.items() if other.wave < unit.wave}
        with self._moved:
            if not before <= self._over:
                observer.notify(Event("wait", T("waits for wave {n}", n=unit.wave), target=target))
            while True:
                failed = len(self._failed)
                if failed >= self._stop_after or any(one.wave == CANARY for one in self._failed):
                    raise _enough(target, failed)
                if self._hands.interrupted:
                    raise _asked_to_stop(target)
                if before <= self._over:
                    return
                self._moved.wait(LISTEN)

    def _arrive(self, unit: _Unit, target: str) -> bool:
        """Take note that a router is ready; returns whether it leads: it is the last one.

        Raises:
            StoppedError: one of its unit will not come.
        """
        with self._moved:
            if unit.endings is not None or unit.begun.is_set():
                return False
            unit.arrived.add(target)
            while not unit.begun.is_set():
                if unit.left is not None:
                    raise _alone(target, unit.left)
                if unit.arrived == set(unit.members):
                    unit.begun.set()
                    self._moved.notify_all()
                    return True
                if self._hands.interrupted:
                    raise _asked_to_stop(target)
                self._moved.wait(LISTEN)
        return False

    def _lead(self, unit: _Unit, observer: Observer) -> None:
        """Change the routers of a unit; whatever happens, those that wait are told."""
        endings: Mapping[str, DsiError] = dict.fromkeys(unit.members, DsiError(T("The change was cut short.")))
        try:
            members = {name: self._opened(name, observer) for name in unit.members}
            endings = change_together(members, lambda: self._hands.interrupted)
        finally:
            with self._moved:
                unit.endings = endings
                if endings:
                    self._failed.append(unit)
                self._moved.notify_all()

    def _opened(self, name: str, observer: Observer) -> SafeChange:
        stack = ExitStack()
        router = stack.enter_context(self._hands.router(name))
        safe = SafeChange(Change.of(self._changes[name]), router, self._hands, observer, within=self._within)
        self._open[name] = (stack, safe)
        return safe

    def _await_end(self, unit: _Unit, target: str) -> Mapping[str, DsiError]:
        """Wait until the change of a unit is over; one that is over already is not done again."""
        with self._moved:
            while unit.endings is None:
                self._moved.wait()  # whoever leads tells, whatever happens
            endings = unit.endings
        return {name: error for name, error in endings.items() if name == target}


def _missing(target: str, missing: Sequence[str]) -> UnreachableError:
    return UnreachableError(
        T("{router} changes together with {others}, which cannot be changed now.", router=target,
          others=", ".join(missing)),
        on=target,
        meaning=T("Nothing was sent to it: a circuit is changed at both ends or at none."),
        next_step=T("See to {others}, then go on with `dsi resume`.", others=", ".join(missing)),
    )  # fmt: skip


def _alone(target: str, left: str) -> StoppedError:
    return StoppedError(
        T("{router} changes together with {other}, which was left as it is.", router=target, other=left),
        on=target,
        meaning=T("Nothing was sent to it: a circuit is changed at both ends or at none."),
        next_step=T("See why with `dsi show`, then finish it with `dsi resume`."),
    )


def _enough(target: str, failed: int) -> StoppedError:
    return StoppedError(
        TN("{router} was left as it is: {n} change before it did not succeed.",
           "{router} was left as it is: {n} changes before it did not succeed.", failed, router=target),
        on=target,
        next_step=T("Find the cause first; then finish it with `dsi resume`."),
    )  # fmt: skip


def _asked_to_stop(target: str) -> StoppedError:
    return StoppedError(
        T("The run was asked to stop: {router} is left as it was.", router=target),
        on=target,
        next_step=T("Finish it with `dsi resume`."),
    )
