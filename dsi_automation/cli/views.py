"""Plans, requests, runs and reports as `--json` prints them: stable keys, texts in the reader's language.

The shapes are documented in `docs/reference/json.md`; adding a key is compatible, renaming one is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.batch import rows_of
from dsi_automation.cli.handing import handover_command
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.results import Check, Outcome

if TYPE_CHECKING:
    from dsi_automation.engine.model import Request, Run
    from dsi_automation.engine.operation import Report


def plan_view(plan: Plan, people: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return a plan; `people` are the rows of the file it was made from, where that is at hand."""
    return {
        "operation": plan.operation,
        "version": plan.version,
        "targets": list(plan.targets),
        "inputs": dict(plan.inputs),
        "actions": [action_view(action) for action in plan.actions],
        "non_actions": [
            {"target": item.target, "kind": item.kind, "reason": str(item.reason)} for item in plan.non_actions
        ],
        "blockers": [
            {
                "target": item.target,
                "reason": str(item.reason),
                "next_step": str(item.next_step),
                "exit_code": int(item.exit_code),
            }
            for item in plan.blockers
        ],
        "digest": plan.digest,
        "rows": [row.to_json() for row in rows_of(plan, people)],
        "nothing_to_do": not plan.actions,
    }


def action_view(action: Action) -> dict[str, Any]:
    """Return one action of a plan."""
    return {
        "id": action.id,
        "target": action.target,
        "kind": action.kind,
        "args": dict(action.args),
        "title": str(action.title),
        "reason": str(action.reason),
        "reversal": None if action.reversal is None else str(action.reversal),
    }


def request_view(request: Request, *, with_plan: bool = True) -> dict[str, Any]:
    """Return a request; in lists without its plan, whose digest and targets stay."""
    view: dict[str, Any] = {
        "id": request.id,
        "kind": request.kind.value,
        "state": request.state.value,
        "operation": request.plan.operation,
        "targets": list(request.plan.targets),
        "environment": request.environment,
        "digest": request.plan.digest,
        "requester": request.requester,
        "reason": request.reason,
        "made_at": iso(request.made_at),
        "not_before": _moment(request.window.not_before),
        "not_after": _moment(request.window.not_after),
        "approvals_needed": request.approvals_needed,
        "decisions": [
            {"person": word.person, "decision": word.decision, "comment": word.comment, "at": iso(word.at)}
            for word in request.decisions
        ],
        "expires_at": _moment(request.expires_at),
        "ratify_before": _moment(request.ratify_before),
        "standing": _bounds(request),
        "runs": list(request.runs),
    }
    return {**view, "plan": plan_view(request.plan)} if with_plan else view


def run_view(run: Run, *, with_steps: bool = True) -> dict[str, Any]:
    """Return a run; in lists without its steps and evidence."""
    view: dict[str, Any] = {
        "id": run.id,
        "request_id": run.request_id,
        "operation": run.operation,
        "digest": run.plan_digest,
        "person": run.person,
        "started_at": iso(run.started_at),
        "ended_at": _moment(run.ended_at),
        "outcome": None if run.outcome is None else run.outcome.value,
        "targets": {target: outcome.value for target, outcome in run.targets.items()},
        "exit_code": run.exit_code,
        "held_by": run.held_by,
        "next_command": handover_command(run),
    }
    if with_steps:
        view["steps"] = [
            {
                "action_id": step.action_id,
                "target": step.target,
                "outcome": step.outcome.value,
                "at": iso(step.at),
                "error": step.error,
            }
            for step in run.steps
        ]
        view["notes"] = [
            {"target": note.target, "name": note.name, "at": iso(note.at), "data": dict(note.data)}
            for note in run.notes
        ]
        view["evidence"] = [check_view(check) for check in run.evidence]
        view["errors"] = dict(run.errors)
        view["error"] = run.error
    return view


def check_view(check: Check) -> dict[str, Any]:
    """Return one comparison."""
    return {
        "target": check.target,
        "name": check.name,
        "title": str(check.title),
        "expected": check.expected,
        "observed": check.observed,
        "ok": check.ok,
        "warning": check.warning,
        "source": check.source,
    }


def report_view(operation: str, report: Report) -> dict[str, Any]:
    """Return what a check found: an object per target, each with its state."""
    checks, states = by_target(report), states_of(report)
    return {
        "operation": operation,
        "targets": [
            {
                "target": target,
                "state": state,
                "checks": [check_view(check) for check in checks[target]],
                "error": report.failures[target].to_json() if target in report.failures else None,
                "facts": dict(report.facts.get(target, {})),
            }
            for target, state in states.items()
        ],
        "summary": summary(states),
        "exit_code": int(report_exit_code(report)),
    }


def by_target(report: Report) -> dict[str, list[Check]]:
    """Return the checks of each target, in the order asked; none for one that could not be looked at."""
    found: dict[str, list[Check]] = {target: [] for target in report.targets}
    for check in report.checks:
        found.setdefault(check.target, []).append(check)
    return found


def states_of(report: Report) -> dict[str, str]:
    """Return each target's state: `compliant`, `not_compliant`, `unreachable`, or `failed` (it answered no)."""
    return {target: _state(checks, report.failures.get(target)) for target, checks in by_target(report).items()}


def _state(checks: Sequence[Check], failure: DsiError | None) -> str:
    if failure is not None:
        return "unreachable" if isinstance(failure, UnreachableError) else "failed"
    return "not_compliant" if any(not check.ok and not check.warning for check in checks) else "compliant"


def summary(states: Mapping[str, str]) -> dict[str, int]:
    """Return how many targets are in each state, every state named."""
    names = ("compliant", "not_compliant", "unreachable", "failed")
    return {name: sum(state == name for state in states.values()) for name in names}


def report_exit_code(report: Report) -> ExitCode:
    """Return the worst of the targets: the highest code wins, as `ExitCode` orders them."""
    wrong = any(not check.ok and not check.warning for check in report.checks)
    codes = [failure.look_exit_code for failure in report.failures.values()]
    return max([ExitCode.DONE, *codes, *([ExitCode.NOT_COMPLIANT] if wrong else [])])


def plan_exit_code(plan: Plan) -> ExitCode:
    """Return the worst of the blockers, or done."""
    return max([ExitCode.DONE, *(blocker.exit_code for blocker in plan.blockers)])


def run_exit_code(run: Run) -> int:
    """Return the code the run ended with; for one without, that of its outcome."""
    if run.exit_code is not None:
        return run.exit_code
    if run.outcome in {None, Outcome.DONE, Outcome.UNCHANGED}:
        return ExitCode.DONE
    if run.outcome in {Outcome.UNREACHABLE, Outcome.UNKNOWN}:
        return ExitCode.UNREACHABLE
    return ExitCode.VERIFICATION_FAILED if run.outcome is Outcome.NOT_VERIFIED else ExitCode.UNEXPECTED


def _moment(value: datetime | None) -> str | None:
    return None if value is None else iso(value)


def _bounds(request: Request) -> dict[str, Any] | None:
    bounds = request.bounds
    if bounds is None:
        return None
    return {
        "until": bounds.until.isoformat(),
        "daily_from": f"{bounds.daily_from:%H:%M}",
        "daily_until": f"{bounds.daily_until:%H:%M}",
        "time_zone": bounds.time_zone,
        "weekdays": list(bounds.weekdays),
    }
