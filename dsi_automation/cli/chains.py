"""What became of operations run one after the other under their standing approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli.labels import OUTCOMES
from dsi_automation.cli.views import run_view
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.composition.chain import StepResult


def show_step(session: Session, result: StepResult) -> None:
    """Write what became of one step, and why it did not end well."""
    targets, operation = ", ".join(result.step.targets), result.step.operation
    if result.stopped:
        session.out.line(T("{targets}: {operation} was not begun.", targets=targets, operation=operation), fg="yellow")
        return
    outcome = None if result.run is None or result.run.outcome is None else OUTCOMES[result.run.outcome]
    sentence = T(
        "{targets}: {operation}: {outcome}",
        targets=targets,
        operation=operation,
        outcome=outcome or T("not begun"),
    )
    session.out.line(sentence, fg="green" if result.ok else "red")
    run_id = None if result.run is None else result.run.id
    errors = [] if result.run is None else list(result.run.errors.values())
    if result.error is not None:
        errors = [result.error.to_json()]
    for error in errors:
        for part in ("what", "meaning", "next_step"):
            if error.get(part):
                session.out.line(error[part], indent=2)
    if run_id is not None:
        session.out.line(T("See it: dsi show {run}", run=run_id), indent=2)


def step_view(result: StepResult) -> dict[str, Any]:
    """Return what became of one step as `--json` prints it."""
    return {
        "operation": result.step.operation,
        "targets": list(result.step.targets),
        "request": result.request_id,
        "run": None if result.run is None else run_view(result.run),
        "error": None if result.error is None else result.error.to_json(),
        "stopped": result.stopped,
        "exit_code": result.exit_code,
    }
