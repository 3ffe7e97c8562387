"""Carrying a run out once the gate has let it in: look anew, compare, act, verify, record."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsi_automation.core.errors import (
    DsiError,
    GateClosedError,
    NotCompliantError,
    RefusedError,
    StorageError,
    UnreachableError,
    VerificationFailedError,
    WorldChangedError,
)
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Blocker, Plan, action_from_json
from dsi_automation.core.results import Check, Outcome
from dsi_automation.core.text import T
from dsi_automation.engine import registry
from dsi_automation.engine.fleet import fan_out, unforeseen
from dsi_automation.engine.leases import Holder
from dsi_automation.engine.model import Request, RequestKind
from dsi_automation.engine.operation import MOST_AT_ONCE, AnyOperation, Inputs
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.permit import RunPermit
from dsi_automation.engine.recorder import Recorder
from dsi_automation.engine.signals import asked_to_stop, heard
from dsi_automation.engine.worker import Ending, TargetWorker, is_part_of
from dsi_automation.journal.model import Entry, Kind, Lease


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What the gate let in: a run that holds its targets.

    Attributes:
        before: the entries of the run so far, when it is resumed.
    """

    run_id: str
    request: Request
    person: str
    leases: Sequence[Lease]
    before: Sequence[Entry] = ()


class Runner:
    """Carries out one claim."""

    def __init__(self, parts: Parts, claim: Claim, observer: Observer) -> None:
        self._parts, self._claim, self._observer = parts, claim, observer
        self._approved = claim.request.plan
        self._operation: AnyOperation = registry.changing(parts, self._approved.operation)
        self._inputs: Inputs = registry.validated(self._operation, self._approved.inputs)
        self._finished = {entry.body["action"] for entry in claim.before if entry.kind is Kind.ACTION_DONE}

    def carry_out(self, unresolved: Mapping[str, Action]) -> None:
        """Do what remains, and record the end.

        Args:
            unresolved: actions announced before by this run whose outcome nobody knows, by name.

        Raises:
            WorldChangedError: something would be done that was not approved; nothing was done.
            StorageError, GateClosedError: the journal refused; the run is to be resumed.
        """
        with asked_to_stop() as stop, Holder(self._parts, self._claim.leases) as holder:
            recorder = Recorder(
                self._parts, self._claim.run_id, self._claim.person, self._claim.request, holder, self._finished
            )
            permit = RunPermit(
                self._claim.run_id,
                self._approved.targets,
                holder.believed_held,
                recorder.noted,
                stop.is_set,
                recorder.withdrawn,
            )
            try:
                self._carry_out(recorder, permit, stop, unresolved)
            finally:
                permit.end()

    def _carry_out(
        self, recorder: Recorder, permit: RunPermit, stop: threading.Event, unresolved: Mapping[str, Action]
    ) -> None:
        try:
            unsettled = self._settle(unresolved)
            fresh = self._replan([name for name in self._approved.targets if name not in unsettled])
            self._compare(fresh)
        except (StorageError, GateClosedError):
            raise
        except Exception as error:
            told = error if isinstance(error, DsiError) else unforeseen(error, self._claim.run_id)
            recorder.ended(Outcome.FAILED, told.exit_code, {}, {}, told)
            self._tell_end(Outcome.FAILED, told.exit_code)
            if told is error:
                raise
            raise told from error
        self._resolve(recorder, unresolved, unsettled, fresh)
        endings = {**unsettled, **self._blocked(fresh), **self._act(recorder, permit, stop, fresh)}
        permit.end()
        endings = self._verify(recorder, endings, fresh)
        ordered = {name: endings[name] for name in self._approved.targets}
        outcome, exit_code = summary(list(ordered.values()))
        errors = {name: ending.error for name, ending in ordered.items() if ending.error is not None}
        recorder.ended(outcome, exit_code, {name: e.outcome for name, e in ordered.items()}, errors)
        self._tell_end(outcome, exit_code)

    def _replan(self, targets: Sequence[str]) -> Plan:
        if not targets:
            return dataclasses.replace(self._approved, targets=(), actions=(), non_actions=(), blockers=())
        approved = self._approved if self._binds_actions else None
        plan = registry.look_and_plan(
            self._parts, self._operation, targets, self._inputs, self._observer, approved, self._claim.run_id
        )
        if not self._operation.events:
            return plan
        return dataclasses.replace(plan, actions=tuple(one for one in plan.actions if one.id not in self._finished))

    @property
    def _binds_actions(self) -> bool:
        """Tell whether the approval is of actions, and not of operation, version, inputs and targets alone."""
        return self._claim.request.kind is not RequestKind.STANDING or self._operation.standing_binds_actions

    def _compare(self, fresh: Plan) -> None:
        """Make sure that the fresh plan is contained in what was approved.

        Raises:
            WorldChangedError: it is not; its detail has the actions that are new.
        """
        if dict(fresh.inputs) != dict(self._approved.inputs):
            raise self._changed(fresh, fresh.actions)
        if not self._binds_actions:
            return
        new: list[Action] = []
        for target in fresh.targets:
            actions, approved = fresh.actions_for(target), self._approved.actions_for(target)
            if not is_part_of(actions, approved):
                known = [action.identity() for action in approved]
                # Nothing new, but in another order: then all of it is another plan.
                new += [action for action in actions if action.identity() not in known] or actions
        if new:
            raise self._changed(fresh, new)

    def _changed(self, fresh: Plan, new: Sequence[Action]) -> WorldChangedError:
        first = new[0] if new else None
        what = T("What would be done now is not what was approved: {action}.", action=first.title if first else "-")
        meaning = T("The targets changed since the approval; nothing was done by this run now.")
        next_step = T("Make a new plan and ask for a new approval.")
        told = self._operation.changed(self._approved, fresh)
        if told is not None:
            what, meaning = told[0], T("Nothing was done by this run now.")
            if self._claim.request.kind is RequestKind.STANDING:
                next_step = told[1]
        return WorldChangedError(
            what,
            on=first.target if first else None,
            meaning=meaning,
            next_step=next_step,
            detail={"new": [action.to_json() for action in new], "digest": fresh.digest},
        )

    def _settle(self, unresolved: Mapping[str, Action]) -> dict[str, Ending]:
        """Wait for the targets of unresolved actions; return those that cannot be looked at."""
        waiting = {action.target: action for action in unresolved.values()}

        def settle(target: str) -> None:
            look = self._parts.tools.look()
            self._operation.settle(waiting[target], self._inputs, look, self._observer)

        doing = T("Waiting for the targets that were being worked on.")
        seen = fan_out(
            list(waiting), settle, workers=self._parts.workers, observer=self._observer, kind="settle", doing=doing
        )
        return {name: Ending(Outcome.UNKNOWN, error) for name, error in seen.failures.items()}

    def _resolve(
        self, recorder: Recorder, unresolved: Mapping[str, Action], unsettled: Mapping[str, Ending], fresh: Plan
    ) -> None:
        """Write down what the fresh look says about actions nobody knew the outcome of."""
        wanted = [action.identity() for action in fresh.actions]
        for action in unresolved.values():
            if action.target in unsettled or action.target not in fresh.targets:
                continue
            if action.identity() in wanted:
                recorder.unknown(action, None, found=False)
            else:
                recorder.done(action, found=True)

    def _blocked(self, fresh: Plan) -> dict[str, Ending]:
        return {blocker.target: _blocked_ending(blocker) for blocker in fresh.blockers}

    def _act(self, recorder: Recorder, permit: RunPermit, stop: threading.Event, fresh: Plan) -> dict[str, Ending]:
        if not fresh.targets:
            return {}
        tools = self._parts.tools
        hands = tools.hands(permit)
        worker = TargetWorker(
            operation=self._operation,
            inputs=self._inputs,
            look=tools.look(),
            hands=hands,
            permit=permit,
            recorder=recorder,
            observer=self._observer,
            replan=lambda target: self._replan([target]),
            interrupted=stop.is_set,
        )

        worked_on = {action.target for action in announced(self._claim.before).values()}

        def work(target: str) -> Ending:
            try:
                ending = worker.work(fresh.actions_for(target))
            finally:
                self._operation.left(target, hands)
            # Nothing is left to do because this run did it before it was interrupted.
            return Ending(Outcome.DONE) if ending.outcome is Outcome.UNCHANGED and target in worked_on else ending

        self._operation.starting(fresh, self._inputs, hands)
        doing = T("Carrying out the approved plan.")
        workers = self._parts.workers
        if self._operation.all_at_once:
            workers = max(workers, min(len(fresh.targets), MOST_AT_ONCE))
        with heard(stop, self._observer):
            ended = fan_out(fresh.targets, work, workers=workers, observer=self._observer, kind="target", doing=doing)
        for error in ended.failures.values():
            raise error  # the journal refused what was done: the run stays open, to be resumed
        return ended.results

    def _verify(self, recorder: Recorder, endings: Mapping[str, Ending], fresh: Plan) -> dict[str, Ending]:
        """Look at what was completed, by the operation's own path; a target without evidence is not verified."""
        completed = [n for n, e in endings.items() if e.outcome in (Outcome.DONE, Outcome.UNCHANGED)]
        if not completed:
            return dict(endings)
        error: DsiError | None = None
        checks: Sequence[Check] = ()
        try:
            plan = self._to_verify(completed, fresh)
            checks = self._operation.verify(plan, self._inputs, self._parts.tools.look(), self._observer)
        except DsiError as refused:
            error = refused
        except Exception as defect:  # noqa: BLE001  # a defect in the look: what was done stays unproven
            error = unforeseen(defect, self._claim.run_id)
        recorder.evidence(checks, error)
        verified = dict(endings)
        for target in completed:
            of_target = [check for check in checks if check.target == target]
            wrong = [check for check in of_target if not check.ok and not check.warning]
            if wrong or not of_target:
                verified[target] = Ending(Outcome.NOT_VERIFIED, _not_verified(target, wrong, error))
        good = sum(verified[name].outcome is not Outcome.NOT_VERIFIED for name in completed)
        self._observer.notify(Event("verify.done", T("The independent look is done."), done=good, total=len(completed)))
        return verified

    def _to_verify(self, completed: Sequence[str], fresh: Plan) -> Plan:
        """Return the plan whose effects must be there: what was approved; for a standing approval, what was done."""
        plan = self._approved
        if self._claim.request.kind is RequestKind.STANDING:
            earlier = announced(self._claim.before)
            known = {action.id for action in fresh.actions}
            actions = (*(a for a in earlier.values() if a.id not in known), *fresh.actions)
            plan = dataclasses.replace(fresh, actions=actions)
        return dataclasses.replace(
            plan,
            targets=tuple(name for name in plan.targets if name in completed),
            actions=tuple(action for action in plan.actions if action.target in completed),
            non_actions=tuple(item for item in plan.non_actions if item.target in completed),
            blockers=(),
        )

    def _tell_end(self, outcome: Outcome, exit_code: int) -> None:
        data: dict[str, Any] = {"run": self._claim.run_id, "outcome": str(outcome), "exit_code": int(exit_code)}
        self._observer.notify(Event("run.ended", T("{run} has ended.", run=self._claim.run_id), data=data))


_BLOCKED: Final[Mapping[ExitCode, type[DsiError]]] = {
    ExitCode.NOT_COMPLIANT: NotCompliantError,
    ExitCode.UNREACHABLE: UnreachableError,
    ExitCode.UNEXPECTED: RefusedError,
    ExitCode.WORLD_CHANGED: WorldChangedError,
}


def announced(entries: Sequence[Entry]) -> dict[str, Action]:
    """Return the actions a run announced, by name, as its journal entries hold them."""
    bodies = [entry.body for entry in entries if entry.kind is Kind.ABOUT_TO]
    return {body["action"]: action_from_json(body) for body in bodies}


def summary(endings: Sequence[Ending]) -> tuple[Outcome, ExitCode]:
    """Return how a run ended: the worst of its targets."""
    worst = max(endings, key=lambda ending: ending.exit_code)
    if worst.exit_code is ExitCode.DONE:
        done = any(ending.outcome is Outcome.DONE for ending in endings)
        return (Outcome.DONE if done else Outcome.UNCHANGED), ExitCode.DONE
    return worst.outcome, worst.exit_code


def _blocked_ending(blocker: Blocker) -> Ending:
    kind = _BLOCKED.get(blocker.exit_code, DsiError)
    outcome = Outcome.UNREACHABLE if blocker.exit_code is ExitCode.UNREACHABLE else Outcome.FAILED
    return Ending(outcome, kind(blocker.reason, on=blocker.target, next_step=blocker.next_step))


def _not_verified(target: str, wrong: Sequence[Check], error: DsiError | None) -> VerificationFailedError:
    if wrong:
        what = T(
            "{title}: expected {expected}, found {observed} ({source}).",
            title=wrong[0].title,
            expected=wrong[0].expected,
            observed=wrong[0].observed,
            source=wrong[0].source,
        )
    elif error is not None:
        what = error.what
    else:
        what = T("The independent look brought nothing about {target}.", target=target)
    return VerificationFailedError(
        what, on=target, next_step=T("Look at {target}; what was done is in the record.", target=target)
    )
