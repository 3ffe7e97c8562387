"""Several operations one after the other, each under its standing approval: backup, then verification, then the copy.

A schedule's occurrence, `dsi backup run` and playbooks all go this way. The chain stops at the first step that
does not end well, and when it is asked to stop. A step whose last run was cut short (the process was killed, the
machine restarted) finishes that run first: the gate lets no other run of the same standing approval begin before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dsi_automation.composition.standing import standing_request
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.signals import asked_to_stop

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.engine.model import Request, Run


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a chain."""

    operation: str
    targets: tuple[str, ...]
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step.

    Attributes:
        request_id: the standing approval it ran under; None where none covers it.
        run: the run, where one began.
        error: why no run began, or why it stopped before it did anything.
        stopped: true when the chain was asked to stop before this step: nothing was tried.
    """

    step: Step
    request_id: str | None = None
    run: Run | None = None
    error: DsiError | None = None
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """Return how this step ended, as an exit code."""
        if self.error is not None:
            return int(self.error.exit_code)
        if self.run is None or self.run.exit_code is None:
            return int(ExitCode.UNEXPECTED)
        return self.run.exit_code

    @property
    def ok(self) -> bool:
        """Tell whether the step did all it was for."""
        return self.error is None and self.run is not None and self.run.exit_code == 0

    @property
    def interrupted(self) -> bool:
        """Tell whether it was cut short by somebody who asked it to stop."""
        return self.stopped or (self.run is not None and self.run.outcome is Outcome.INTERRUPTED)


def run_chain(toolkit: Toolkit, steps: Sequence[Step], observer: Observer) -> tuple[StepResult, ...]:
    """Run steps in order, each under its standing approval; return what became of those that were tried.

    The last result is that of the step that did not end well, or that was not begun because of a request to stop
    (SIGINT, SIGTERM). Never raises for what a step meets: the error is in its result.

    Args:
        observer: is told of each step (`chain.step`), and of everything its run tells.
    """
    results: list[StepResult] = []
    toolkit.teller.make_up(observer)
    with asked_to_stop() as stop, toolkit.teller.deferred(observer) as told:
        for number, step in enumerate(steps, start=1):
            if stop.is_set():
                results.append(StepResult(step, stopped=True))
                break
            text = T("{operation} on {targets}", operation=step.operation, targets=", ".join(step.targets))
            data = {"operation": step.operation, "targets": list(step.targets), "step": number, "steps": len(steps)}
            observer.notify(Event("chain.step", text, data=data))
            results.append(_run_step(toolkit, step, observer))
            if not results[-1].ok:
                told.stopped = results[-1].error if results[-1].run is None else None
                break
    return tuple(results)


def _run_step(toolkit: Toolkit, step: Step, observer: Observer) -> StepResult:
    request: Request | None = None
    try:
        engine, now = toolkit.engine, toolkit.clock.now()
        request = standing_request(
            engine, step.operation, step.targets, step.inputs, now, operations=toolkit.operations
        )
        unfinished = _unfinished(toolkit, request)
        if unfinished is not None:
            text = T("{run} was cut short: it is finished first.", run=unfinished.id)
            observer.notify(Event("chain.resume", text, data={"run": unfinished.id}))
            return StepResult(step, request.id, engine.resume(unfinished.id, observer))
        return StepResult(step, request.id, engine.run(request.id, observer, targets=step.targets))
    except DsiError as error:
        return StepResult(step, None if request is None else request.id, _begun(toolkit, request), error)


def _unfinished(toolkit: Toolkit, request: Request) -> Run | None:
    """Return the run of this approval that was cut short and that the gate waits for, if there is one."""
    from dsi_automation.engine.doors import RESUME_WITHIN

    now = toolkit.clock.now()
    for run_id in reversed(request.runs):
        run = toolkit.engine.run_by_id(run_id)
        if run.ended_at is None and run.held_by is None and now < run.started_at + RESUME_WITHIN:
            return run
    return None


def _begun(toolkit: Toolkit, request: Request | None) -> Run | None:
    """Return the run that began under this approval and ended with an error, if one did."""
    if request is None:
        return None
    try:
        before, now = set(request.runs), toolkit.engine.request_by_id(request.id)
        new = [run_id for run_id in now.runs if run_id not in before]
        return toolkit.engine.run_by_id(new[-1]) if new else None
    except DsiError:
        return None  # the error that brought us here is told; the journal may be what refuses
