"""`dsi backup externalise`: plan the copy of verified sets to a medium."""

from __future__ import annotations

from dsi_automation.cli.asking import DETAILS, Wish, targets_of
from dsi_automation.cli.backup_names import job_argument, jobs_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.text import T


@command(
    "externalise",
    T(
        "Plan the copy of the newest verified set of each backup to the medium of its rotation that is in.\n\n"
        "The plan shows the medium, and its registration when it is blank. What is written is read back from the "
        "medium before it counts. Exit code 5 when no medium may be written."
    ),
)
@job_argument(many=True)
@option("--medium", metavar=T("MEDIUM"), help=T("This medium, and no other of the rotation."))
@option("--set", "set_id", metavar=T("SET"), help=T("This set; the newest verified one by default."))
@DETAILS
def externalise(names: tuple[str, ...], medium: str | None, set_id: str | None, *, details: bool) -> int:
    """Plan copies to media."""
    current = session()
    jobs_of(current, names)
    given = {"medium": medium, "set": set_id}
    words = tuple(f"{name}={value}" for name, value in given.items() if value is not None)
    return run_plan(current, Wish("backup.externalise", targets_of(names), words), details=details)
