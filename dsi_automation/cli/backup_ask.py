"""`dsi backup ask|run`: have the plan approved, and launch or relaunch a backup by hand."""

from __future__ import annotations

import dataclasses
from datetime import time
from typing import TYPE_CHECKING, Any

from dsi_automation.cli import times
from dsi_automation.cli.asking import refuse_blocked
from dsi_automation.cli.backup_names import job_argument, jobs_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.chains import show_step, step_view
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.views import request_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsi_automation.composition.chain import StepResult
    from dsi_automation.core.plan import Plan
    from dsi_automation.engine.model import StandingBounds


@command(
    "ask",
    T(
        "Ask for the standing approval of backups: one request for each step (back up, verify, carry out of the "
        "house), to be approved by somebody entitled.\n\n"
        "It binds all the plan says of the backup: any change of it asks for a new one."
    ),
)
@job_argument(many=True)
@option("--until", required=True, metavar=T("DATE"), help=T("The last day."))
@option("--from", "begin", metavar="HH:MM", help=T("The first hour of the day at which it may run; any by default."))
@option("--to", "end", metavar="HH:MM", help=T("The last hour of the day at which it may run; any by default."))
@option("--time-zone", default="Africa/Abidjan", metavar=T("ZONE"), help=T("The zone of the hours."), show_default=True)
@option("--weekdays", metavar=T("DAYS"), help=T("mon-fri, or mon,wed; every day by default."))
@option("-m", "--reason", required=True, metavar=T("TEXT"), help=T("Why it is needed."))
def ask(names: tuple[str, ...], reason: str, **given: Any) -> int:
    """Ask for standing approvals."""
    from dsi_automation.engine.hours import check_bounds
    from dsi_automation.engine.model import Window

    current = session()
    if not reason.strip():
        raise UsageError(T("The reason is empty."), next_step=T("Say in a few words why it is needed: --reason '...'."))
    jobs_of(current, names)
    bounds = _bounds(given)
    check_bounds(bounds, current.clock.now())
    # All plans before the first request: half of a chain that is approved would fail every night.
    plans = _plans(current, names)
    asked = [current.engine.request(plan, reason, Window(), standing=bounds) for plan in plans]
    if current.choices.json:
        current.out.data({"requests": [request_view(one) for one in asked]})
        return 0
    current.out.table(
        (T("Request"), T("Operation"), T("Backup")),
        [(one.id, one.plan.operation, ", ".join(one.plan.targets)) for one in asked],
    )
    current.out.line(T("Next, by somebody entitled, each after a look at it (dsi show):"), bold=True)
    for one in asked:
        current.out.line(f"  dsi approve {one.id}")
    return 0


def _plans(session: Session, names: Sequence[str]) -> list[Plan]:
    from dsi_automation.operations.backups.steps import steps_of

    plans = []
    with Progress(names) as progress:
        for name, job in jobs_of(session, names).items():
            for operation, inputs in steps_of(name, job):
                plan = session.engine.plan(operation, (name,), inputs, progress)
                refuse_blocked(plan, partial=False)
                plans.append(plan)
    return plans


def _bounds(given: dict[str, Any]) -> StandingBounds:
    begin, end = given["begin"] or "00:00", given["end"]
    bounds = times.bounds(given["until"], f"{begin}-{end or '23:59'}", given["time_zone"], given["weekdays"])
    return bounds if end is not None else dataclasses.replace(bounds, daily_until=time(23, 59, 59))


@command(
    "run",
    T(
        "Launch or relaunch backups now, under their standing approval: back up, verify, carry out of the house.\n\n"
        "What was interrupted is finished first. The next backup is begun whatever became of the one before."
    ),
)
@job_argument(many=True)
def run(names: tuple[str, ...]) -> int:
    """Run backups."""
    from dsi_automation.composition.chain import Step, run_chain
    from dsi_automation.operations.backups.steps import steps_of

    current = session()
    results: list[StepResult] = []
    for name, job in jobs_of(current, names).items():
        steps = [Step(operation, (name,), inputs) for operation, inputs in steps_of(name, job)]
        with Progress([name]) as progress:
            done = run_chain(current.toolkit, steps, progress)
        results += done
        if not current.choices.json:
            for result in done:
                show_step(current, result)
        if done and done[-1].interrupted:
            break
    code = max((result.exit_code for result in results), default=0)
    if current.choices.json:
        current.out.data({"steps": [step_view(result) for result in results], "exit_code": code})
    return code
