"""`dsi check`: look at targets and report, as a table, JSON, CSV or JUnit XML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli import reports
from dsi_automation.cli.asking import Wish, command_line, is_read_only, targets_of, wish_arguments
from dsi_automation.cli.base import command, option
from dsi_automation.cli.files import write_whole
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.show_fleet import FEW, show_fleet
from dsi_automation.cli.show_report import show_report, total
from dsi_automation.cli.views import report_exit_code, report_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.engine.operation import Report

FORMATS = ("table", "json", "csv", "junit")


def report_options[F: Callable[..., Any]](function: F) -> F:
    """Declare how a report is written and where to: `form` and `output`."""
    for decorate in (
        option(
            "--output",
            "-o",
            metavar=T("FILE"),
            help=T("Write the report into a file; it is replaced at once or not at all."),
        ),
        option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            metavar="[table|json|csv|junit]",
            help=T("How to write the report; --json is short for json."),
        ),
    ):
        function = decorate(function)
    return function


@command(
    "check",
    T(
        "Run a read-only operation on targets and report what it found.\n\n"
        "Exit code 5 when a target is not compliant, 3 when one did not answer, 0 when all is well; "
        "the highest wins."
    ),
)
@wish_arguments
@report_options
def check(
    operation: str, targets: tuple[str, ...], words: tuple[str, ...], form: str | None, output: str | None
) -> int:
    """Check targets."""
    return run_check(session(), Wish(operation, targets_of(targets), words), form, output)


def run_check(session: Session, wish: Wish, form: str | None, output: str | None) -> int:
    """Check and report; returns the exit code.

    Raises:
        UsageError: the operation changes things, or does not exist; the file has no folder.
        StorageError: the file cannot be written.
    """
    if not is_read_only(session, wish.operation):
        raise UsageError(
            T("{name} changes things: it is planned, not checked.", name=wish.operation),
            next_step=T("Run: {command}", command=command_line("plan", wish)),
        )
    chosen = form or ("json" if session.choices.json else "table")
    _check_output(chosen, output)
    begun, start = session.clock.now(), session.clock.monotonic()
    inputs = wish.inputs()
    engine, targets = session.engine, session.toolkit.select(wish.operation, wish.targets)
    with Progress(targets) as progress:
        report = engine.check(wish.operation, targets, inputs, progress)
    seconds = session.clock.monotonic() - start
    if chosen == "junit":
        _deliver(session, reports.as_junit(wish.operation, report, begun, seconds), output)
    elif chosen == "csv":
        _deliver(session, reports.as_csv(report), output)
    elif chosen == "json":
        _deliver_json(session, wish.operation, report, output)
    else:
        show = show_fleet if len(report.targets) > FEW else show_report
        show(session.out, report)
    if output is not None:
        session.out.note(T("{total} Written to {file}.", total=total(report), file=output))
    return report_exit_code(report)


def _check_output(form: str, output: str | None) -> None:
    """Refuse a file that cannot be written before anything is looked at.

    Raises:
        UsageError: as said.
    """
    if output is None:
        return
    if form == "table":
        raise UsageError(
            T("A table is for the screen."), next_step=T("Choose --format json, csv or junit with --output.")
        )
    folder = Path(output).parent
    if not folder.is_dir():
        raise UsageError(
            T("The folder {folder} does not exist.", folder=folder), next_step=T("Create it, or choose another place.")
        )


def _deliver_json(session: Session, operation: str, report: Report, output: str | None) -> None:
    from dsi_automation.cli.clean import to_json_text

    _deliver(session, to_json_text(report_view(operation, report)) + "\n", output)


def _deliver(session: Session, text: str, output: str | None) -> None:
    if output is None:
        session.out.document(text)
        return
    write_whole(Path(output), text)
