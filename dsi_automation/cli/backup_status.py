"""`dsi backup status`: how each backup does, from the record alone; an alarm is an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.cli.backup_names import catalogue_of, job_argument, jobs_of
from dsi_automation.cli.backup_views import COLORS, STATES, age_words, health_view
from dsi_automation.cli.base import command
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import Session, session
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsi_automation.operations.backups.health import Health


@command(
    "status",
    T(
        "Show how each backup of the plan is doing: last set, last verification, tries that failed.\n\n"
        "Exit code 5 when one was never made, failed, is suspect or too old. A set counts once it was verified."
    ),
)
@job_argument(many=True, required=False)
def status(names: tuple[str, ...]) -> int:
    """Show the health of backups."""
    current = session()
    found = healths(current, names)
    code = ExitCode.NOT_COMPLIANT if any(one.alarming for one in found) else ExitCode.DONE
    if current.choices.json:
        current.out.data({"backups": [health_view(one) for one in found], "exit_code": int(code)})
        return code
    catalogue = catalogue_of(current)
    current.out.table(
        (T("Backup"), T("State"), T("Last set"), T("Verified"), T("Age"), T("Failed tries")),
        [
            (
                one.job,
                STATES[one.state],
                None if one.last_success is None else local(catalogue.recorded[one.last_success.id]),
                None if one.last_verified is None else local(catalogue.recorded[one.last_verified.id]),
                age_words(one.age),
                one.failed_tries or None,
            )
            for one in found
        ],
        [COLORS[one.state] for one in found],
    )
    for one in found:
        if one.alarming:
            for reason in one.reasons:
                current.out.line(T("{name}: {reason}", name=one.job, reason=reason))
            current.out.line(T("Start it again: dsi backup run {name}", name=one.job), indent=2)
    return code


def healths(session: Session, names: Sequence[str]) -> list[Health]:
    """Return how backups do, in the order of the plan."""
    from dsi_automation.operations.backups.health import health

    jobs, catalogue = jobs_of(session, names), catalogue_of(session)
    runs = session.engine.runs() if session.toolkit.journal_exists else ()
    now = session.toolkit.clock.now()
    return [health(name, job, catalogue, now, runs) for name, job in jobs.items()]
