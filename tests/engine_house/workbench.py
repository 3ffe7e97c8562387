"""Operations under the real engine, gate and journal, over something in memory: what the houses of their tests share.

A controller is killed where a test says: at a point, named after what is done, noted or told there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar

from house import HandClock, House

from dsi_automation.core.events import Event
from dsi_automation.engine.engine import GatedEngine
from dsi_automation.engine.fold import note
from dsi_automation.engine.model import Run, StandingBounds, Window
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.engine.parts import Parts
from dsi_automation.journal.model import Journal, Kind
from dsi_automation.operations.backups.catalogue import Noted


def notes_of(journal: Journal) -> list[Noted]:
    """Return what runs noted in a journal, oldest first."""
    told = ((entry.subject, note(entry)) for entry in journal.read(kinds=[Kind.NOTED]))
    return [Noted(run, item.target, item.name, item.at, item.data) for run, item in told]


class SteadyClock(HandClock):
    """Its monotonic half moves with its hands: sleeping takes no time. Threads may share it.

    Attributes:
        slept: each sleep, in seconds.
        hooks: called after each.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._start, self._lock = start, threading.Lock()
        self.slept: list[float] = []
        self.hooks: list[Any] = []

    def monotonic(self) -> float:
        return (self.moment - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            super().sleep(seconds)
        for hook in self.hooks:
            hook()


class BenchLook[B: Bench]:
    """The read half of everything: how many at once, and the time."""

    def __init__(self, bench: B) -> None:
        self._bench = bench
        self.workers, self.deadline = 8, 60.0

    @property
    def clock(self) -> SteadyClock:
        return self._bench.clock


class BenchHands[B: Bench, L]:
    """The write half of everything: its permit, and what is noted, before and after which a controller may die."""

    def __init__(self, look: L, permit: Permit, bench: B) -> None:
        self.look, self._permit, self._bench = look, permit, bench

    @property
    def run(self) -> str:
        return self._permit.run_id

    @property
    def interrupted(self) -> bool:
        return bool(self._bench.interrupted()) or self._permit.interrupted

    @property
    def withdrawn(self) -> bool:
        return self._permit.withdrawn

    def note(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        self._bench.point(f"before note {name}")
        self._permit.note(target, name, data)
        self._bench.point(f"after note {name}")


class Bench:
    """Some operations on some targets, and who asks, approves and runs them; the policy is the same for all.

    A house makes it one of its own: `look` and `hands` return what is in memory.

    Attributes:
        START: when it begins.
        OPERATIONS: those that may be asked for.
        KIND: of their targets.
        points: those that were reached, in order.
        kill_at: where the controller is killed, once; then it is in `killed`.
        interrupted: called to know whether somebody asked to stop.
    """

    START: ClassVar[datetime]
    OPERATIONS: ClassVar[tuple[Any, ...]]
    KIND: ClassVar[TargetKind] = TargetKind.HOST

    def __init__(self, root: Path) -> None:
        self.clock = SteadyClock(self.START)
        self.house = House(root, clock=self.clock)
        # Nobody renews a lease while a clock of tests jumps.
        self.house.options["lease_ttl"] = timedelta(days=2)
        rules = dict(self.house.policy["operations"]["folder.fill"])
        self.house.policy["operations"] = {operation.name: rules for operation in self.OPERATIONS}
        self.points: list[str] = []
        self.killed: list[str] = []
        self.kill_at: str | None = None
        self.events: list[Event] = []
        self.interrupted: Any = lambda: False

    @property
    def names(self) -> tuple[str, ...]:
        """The targets there are."""
        raise AssertionError("each house has its own")

    def look(self) -> Any:
        raise AssertionError("each house has its own")

    def hands(self, permit: Permit) -> Any:
        raise AssertionError("each house has its own")

    def notify(self, event: Event) -> None:
        self.events.append(event)
        if "action" in event.data:
            self.point(f"{event.kind} {event.data['action']}")

    def point(self, name: str) -> None:
        self.points.append(name)
        if name == self.kill_at and not self.killed:
            self.killed.append(name)
            raise SystemExit(name)  # no operation catches it; the thread of the target dies with it

    def engine(self, who: str = "m.kouadio") -> GatedEngine:
        return GatedEngine(self.parts(who))

    def parts(self, who: str = "m.kouadio") -> Parts:
        return self.house.parts(
            who,
            operations={operation.name: operation for operation in self.OPERATIONS},
            tools=self,
            targets={self.KIND: dict.fromkeys(self.names, "production")},
        )

    def agreed(self, plan: Any, *, standing: bool = False, by: str = "y.traore") -> str:
        """Ask for what a plan says, and have it approved: once, or until the end of the year at any hour."""
        bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC") if standing else None
        asked = self.engine().request(plan, "Because", Window(), standing=bounds)
        return self.engine(by).approve(asked.id, "Fine").id

    def run(self, request_id: str) -> Run:
        self.clock.forward(seconds=1)
        return self.engine().run(request_id, self)

    def resume(self, run: Run | None = None) -> Run:
        """Finish a run; the last one, where none is named."""
        self.clock.forward(seconds=1)
        engine = self.engine()
        return engine.resume(run.id if run else engine.runs()[0].id, self)

    def notes(self) -> list[Noted]:
        """Return what runs noted, oldest first."""
        return notes_of(self.house.journal)

    def noted(self, name: str) -> list[Mapping[str, Any]]:
        """Return what was noted under a name."""
        return [one.data for one in self.notes() if one.name == name]
