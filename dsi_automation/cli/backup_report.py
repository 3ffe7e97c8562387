"""`dsi backup report`: the report of what became of a backup, its verification and its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from pathlib import Path


@command(
    "report",
    T(
        "Show the newest report of a backup, or that of a run, and where its PDF is.\n\n"
        "Runs that ended without a report, because the process was killed, get theirs now. "
        "Exit code 6 when the report tells of a failure."
    ),
)
@argument("what", metavar=T("BACKUP|RUN"), required=False, help=T("A name of the plan, or a run; else the newest."))
@option("--again", is_flag=True, help=T("Make it anew from the journal."))
def report(what: str | None, again: bool) -> int:  # noqa: FBT001  # a flag
    """Show a report."""
    current = session()
    with Progress([]) as progress:
        current.toolkit.teller.make_up(progress)
    found, path = _found(current, what, again=again)
    code = int(ExitCode.DONE if found["ok"] else ExitCode.VERIFICATION_FAILED)
    if current.choices.json:
        current.out.data({"report": found, "pdf": str(path), "exit_code": code})
        return code
    from dsi_automation.composition.report_pages import mail_text
    from dsi_automation.composition.reports import subject

    current.out.line(subject(found, "").render().strip(), bold=True, fg="green" if found["ok"] else "red")
    current.out.block(mail_text(found))
    current.out.line(T("PDF: {path}", path=str(path)))
    return code


def _found(current: Session, what: str | None, *, again: bool) -> tuple[dict[str, Any], Path]:
    teller = current.toolkit.teller
    if what is not None and what.upper().startswith("RUN-"):
        return teller.report(what, again=again)
    name: Text | str = what or ""
    for known in teller.known():
        if what is None or what in known["targets"]:
            return teller.report(known["id"], again=again)
    raise UsageError(
        T("There is no report of {name} yet.", name=name) if what else T("There is no report yet."),
        next_step=T("See what was run with `dsi runs`; a report is made at the end of each."),
    )
