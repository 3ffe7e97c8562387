"""One target of a run: its actions one after the other, and what to do when an answer is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dsi_automation.core.errors import (
    DsiError,
    GateClosedError,
    StoppedError,
    StorageError,
    UnknownOutcomeError,
    UnreachableError,
)
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.fleet import unforeseen
from dsi_automation.engine.operation import AnyOperation, Inputs
from dsi_automation.engine.permit import RunPermit
from dsi_automation.engine.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Ending:
    """How a target ended."""

    outcome: Outcome
    error: DsiError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Return what the ending means for the exit code of the run."""
        if self.outcome in (Outcome.DONE, Outcome.UNCHANGED):
            return ExitCode.DONE
        if self.outcome is Outcome.NOT_VERIFIED:
            return ExitCode.VERIFICATION_FAILED
        return self.error.exit_code if self.error is not None else ExitCode.UNEXPECTED


@dataclass(frozen=True, slots=True)
class TargetWorker:
    """Does the actions of one target at a time; used by several threads.

    Attributes:
        replan: looks at one target anew and decides anew.
        interrupted: tells whether somebody asked the run to stop.
    """

    operation: AnyOperation
    inputs: Inputs
    look: Any
    hands: Any
    permit: RunPermit
    recorder: Recorder
    observer: Observer
    replan: Callable[[str], Plan]
    interrupted: Callable[[], bool]

    def work(self, actions: Sequence[Action]) -> Ending:
        """Do the actions of one target, in order, stopping at the first that does not succeed.

        Raises:
            StorageError, GateClosedError: what was done could not be recorded.
        """
        if not actions:
            return Ending(Outcome.UNCHANGED)
        todo = list(actions)
        while todo:
            if self.interrupted():
                return Ending(Outcome.INTERRUPTED, interrupted_error(todo[0].target))
            ending, todo = self._first_of(todo, again=True)
            if ending.outcome is not Outcome.DONE:
                return ending
        return Ending(Outcome.DONE)

    def _first_of(self, todo: list[Action], *, again: bool) -> tuple[Ending, list[Action]]:
        """Do the first action; return how it ended and what is left to do after it."""
        action = todo[0]
        try:
            self.recorder.about_to(action)
        except GateClosedError as error:
            return Ending(Outcome.INTERRUPTED, error), todo
        except StorageError as error:
            return Ending(Outcome.FAILED, error), todo
        self._tell("action.started", action)
        try:
            self.permit.check(action.target)
            self.operation.act(action, self.inputs, self.hands, self.observer)
        except UnknownOutcomeError as error:
            return self._find_out(todo, error, again=again)
        except StoppedError as error:
            # It stays announced without an outcome: whoever resumes the run looks whether it happened.
            return Ending(Outcome.INTERRUPTED, error), todo
        except DsiError as error:
            self.recorder.failed(action, error)
            self._tell("action.failed", action, error)
            unreachable = isinstance(error, UnreachableError)
            return Ending(Outcome.UNREACHABLE if unreachable else Outcome.FAILED, error), todo
        except Exception as error:  # noqa: BLE001  # a defect may strike after the write: nobody knows
            return self._find_out(todo, unforeseen(error, action.target), again=False)
        self.recorder.done(action)
        self._tell("action.done", action)
        return Ending(Outcome.DONE), todo[1:]

    def _find_out(self, todo: list[Action], error: DsiError, *, again: bool) -> tuple[Ending, list[Action]]:
        """Look whether an action happened whose answer was lost; see docs/decisions.

        It happened when the new plan no longer has it, and has nothing that was not to follow it. It did not
        happen when the new plan is exactly what remained before it, this action first: then, and only once, it
        is tried again. Anything else is unknown.
        """
        action = todo[0]
        self.recorder.unknown(action, error)
        self._tell("action.unknown", action, error)
        try:
            self.operation.settle(action, self.inputs, self.look, self.observer)
            fresh = self.replan(action.target)
        except DsiError as unseen:
            return Ending(Outcome.UNKNOWN, _unknown(action, unseen)), todo
        except Exception as defect:  # noqa: BLE001  # the look has a defect too: it proves nothing
            return Ending(Outcome.UNKNOWN, _unknown(action, unforeseen(defect, action.target))), todo
        remaining = list(fresh.actions_for(action.target))
        if action.target in fresh.targets and is_part_of(remaining, todo[1:]):
            self.recorder.done(action, found=True)
            self._tell("action.done", action)
            return Ending(Outcome.DONE), remaining
        unchanged = [item.identity() for item in remaining] == [item.identity() for item in todo]
        if again and action.target in fresh.targets and unchanged:
            return self._first_of(todo, again=False)
        return Ending(Outcome.UNKNOWN, _unknown(action, error)), todo

    def _tell(self, kind: str, action: Action, error: DsiError | None = None) -> None:
        text = action.title if error is None else T("{action}: {problem}", action=action.title, problem=error.what)
        self.observer.notify(Event(kind, text, target=action.target, data={"action": action.id}))


def is_part_of(fewer: Sequence[Action], more: Sequence[Action]) -> bool:
    """Tell whether `fewer` is `more` with actions left out: the same ones, exactly, in the same order."""
    rest = iter(action.identity() for action in more)
    return all(any(action.identity() == other for other in rest) for action in fewer)


def interrupted_error(target: str) -> DsiError:
    """Return the error of a target whose run was asked to stop."""
    return DsiError(
        T("The run was interrupted before the next action on {target}.", target=target),
        on=target,
        next_step=T("Finish it with `dsi resume`."),
    )


def _unknown(action: Action, cause: DsiError) -> UnknownOutcomeError:
    return UnknownOutcomeError(
        T("Nobody knows whether this was done: {action}.", action=action.title),
        on=action.target,
        meaning=cause.what,
        next_step=T("Look at {target}, then finish with `dsi resume`, which looks anew first.", target=action.target),
    )
