"""`dsi run` and `dsi resume`: carry out what was approved, and finish what was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.handing import handover_command
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.show_run import show_run
from dsi_automation.cli.views import run_exit_code, run_view
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.core.plan import Plan
    from dsi_automation.engine.model import Run


@command(
    "run",
    T(
        "Carry out an approved request: look anew, do it, verify it, record it.\n\n"
        "It asks nothing: the approval was the question. Exit code 4 when no approval covers it, 7 when the "
        "world changed since, 6 when the verification does not find what should be there."
    ),
)
@argument("request_id", metavar=T("REQUEST"), help=T("The request; the beginning of its identifier is enough."))
@option(
    "--target",
    "targets",
    multiple=True,
    metavar=T("TARGET"),
    help=T("What you believe it covers, as often as needed; refused when that is not what was approved."),
)
def run(request_id: str, targets: tuple[str, ...]) -> int:
    """Run a request."""
    current = session()
    engine = current.engine
    with Progress() as progress:
        done = engine.run(request_id, progress, targets=targets or None)
    return finish(current, done)


@command("resume", T("Finish an interrupted run: see what happened, and do what remains of what was approved."))
@argument("run_id", metavar=T("RUN"), help=T("The run; the beginning of its identifier is enough."))
def resume(run_id: str) -> int:
    """Resume a run."""
    current = session()
    engine = current.engine
    with Progress() as progress:
        done = engine.resume(run_id, progress)
    return finish(current, done)


def finish(session: Session, done: Run) -> int:
    """Show a run that ended and return its exit code."""
    handed = _handed(session, done)
    if session.choices.json:
        session.out.data({**run_view(done), "next_command": handover_command(done, handed)})
    else:
        show_run(session.out, done, plan_of(session, done), handed=handed)
    return run_exit_code(done)


def _handed(session: Session, run: Run) -> set[str]:
    """Return whose accounts were handed over already: a run may have been resumed after that."""
    if handover_command(run) is None:
        return set()
    try:
        return {item.target for one in session.engine.handovers(run=run.id) for item in one.items}
    except DsiError:
        return set()  # how the run ended is told all the same


def plan_of(session: Session, run: Run) -> Plan | None:
    """Return what was approved: the names behind the targets, and who was left out."""
    try:
        return session.engine.request_by_id(run.request_id).plan
    except DsiError:
        return None  # the run is told all the same, by its targets alone
