"""One occurrence from its beginning to its end: its steps, the wait for a target that is busy, and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition.chain import Step, StepResult, run_chain
from dsi_automation.composition.standing import NoStandingError
from dsi_automation.core.errors import DsiError, GateClosedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T
from dsi_automation.engine.leases import Holder
from dsi_automation.journal.errors import LeaseHeldError
from dsi_automation.schedules.claims import Claim, ended
from dsi_automation.schedules.decide import Missed
from dsi_automation.schedules.record import Word
from dsi_automation.schedules.telling import tell_missed

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.inventory.schedule_model import Schedule

AGAIN: Final = timedelta(seconds=20)
"""How long an occurrence waits before it asks again whether a busy target is free."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an occurrence ended.

    Attributes:
        results: what became of the steps that were tried; of one tried several times, the last.
        reason: why it was missed, where it was.
    """

    word: Word
    results: tuple[StepResult, ...]
    error: DsiError | None = None
    reason: str | None = None

    @property
    def runs(self) -> list[str]:
        """Return the runs of the engine, in order."""
        return [result.run.id for result in self.results if result.run is not None]

    @property
    def cause(self) -> DsiError | None:
        """Return why it did not end well, where an error says so."""
        return self.error or next((result.error for result in self.results if result.error is not None), None)

    @property
    def exit_code(self) -> int:
        """Return the exit code of the occurrence: that of the step that did not end well."""
        if self.word is Word.DONE:
            return int(ExitCode.DONE)
        if self.error is not None:
            return int(self.error.exit_code)
        failed = [result.exit_code for result in self.results if not result.ok]
        return failed[-1] if failed and failed[-1] else int(ExitCode.UNEXPECTED)


def steps_of(toolkit: Toolkit, schedule: Schedule) -> tuple[Step, ...]:
    """Return the steps of a schedule; those of a backup are what its plan asks for.

    Raises:
        UsageError: the inventory has no such backup.
    """
    if schedule.backup is None:
        return tuple(Step(item.operation, item.targets, item.inputs) for item in schedule.steps)
    from dsi_automation.operations.backups.steps import steps_of as backup_steps

    job = toolkit.equipment.look().job(schedule.backup)
    return tuple(
        Step(operation, (schedule.backup,), inputs) for operation, inputs in backup_steps(schedule.backup, job)
    )


def carry_out(toolkit: Toolkit, schedule: Schedule, claim: Claim, observer: Observer, stop: threading.Event) -> Ended:
    """Run the steps of an occurrence that was begun, and record how it ended.

    Args:
        stop: set when nothing new may begin: what waits for a busy target gives up.
    """
    with Holder(toolkit.parts, claim.leases):
        try:
            end = _steps(toolkit, schedule, claim, observer, stop)
        except DsiError as failure:
            end = Ended(Word.FAILED, (), failure)
        cause = end.cause
        facts: dict[str, Any] = {
            "runs": end.runs,
            "exit_code": end.exit_code,
            "error": None if cause is None else cause.to_json(),
        }
        if end.reason is not None:
            facts |= {"reason": end.reason, "count": 1}
        ended(toolkit, claim, end.word, **facts)
    if end.reason is not None:
        due = claim.occurrence.due
        tell_missed(toolkit, claim.name, schedule, Missed(due, due, 1, end.reason), observer, cause)
    return end


def _steps(toolkit: Toolkit, schedule: Schedule, claim: Claim, observer: Observer, stop: threading.Event) -> Ended:
    left = steps_of(toolkit, schedule)
    done: tuple[StepResult, ...] = ()
    until = claim.occurrence.due + schedule.too_late_after
    while True:
        results = run_chain(toolkit, left, observer)
        last = results[-1]
        good = tuple(result for result in results if result.ok)
        done, left = (*done, *good), left[len(good) :]
        if last.ok or last.interrupted or not _is_busy(last):
            return _ended((*done, *(() if last.ok else (last,))), last)
        if stop.is_set() or toolkit.clock.now() >= until:
            if stop.is_set():
                return Ended(Word.INTERRUPTED, (*done, last))
            return Ended(Word.FAILED if done else Word.MISSED, (*done, last), reason="busy")
        observer.notify(Event("schedule.busy", T("Waiting: {why}", why=_why(last)), data={"schedule": claim.name}))
        stop.wait(AGAIN.total_seconds())


def _ended(results: Sequence[StepResult], last: StepResult) -> Ended:
    if last.ok:
        return Ended(Word.DONE, tuple(results))
    if last.interrupted:
        return Ended(Word.INTERRUPTED, tuple(results))
    began = any(result.run is not None for result in results)
    if isinstance(last.error, NoStandingError) and not began:
        return Ended(Word.MISSED, tuple(results), reason="no_approval")
    return Ended(Word.FAILED, tuple(results))


def _is_busy(result: StepResult) -> bool:
    """Tell whether somebody else holds a target, or the same approval is being run."""
    if result.run is not None or not isinstance(result.error, GateClosedError):
        return False
    return isinstance(result.error, LeaseHeldError) or result.error.detail.get("door") == "held"


def _why(result: StepResult) -> object:
    return "" if result.error is None else result.error.what
