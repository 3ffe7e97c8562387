"""`dsi backup verify|restore`: plans to be requested like any other; alone they change nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from dsi_automation.cli.asking import DETAILS, Wish
from dsi_automation.cli.backup_names import complete_sets, job_argument, jobs_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.inputs import typed
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

_SET = option(
    "--set",
    "set_id",
    metavar=T("SET"),
    help=T("The set, or its beginning: see “dsi backup sets”."),
    shell_complete=complete_sets,
)


@command(
    "verify",
    T(
        "Plan the verification of a set: short for “dsi plan backup.verify”. Under a standing approval “dsi backup "
        "run” does it."
    ),
)
@job_argument()
@_SET
@option("--full", is_flag=True, help=T("Bring all of it back, whatever the plan's rhythm says."))
@DETAILS
def verify(name: str, set_id: str | None, *, full: bool, details: bool) -> int:
    """Plan a verification."""
    current = session()
    jobs_of(current, (name,))
    words = [] if set_id is None else [f"set={set_id}"]
    if full:
        words.append("depth=full")
    return run_plan(current, Wish("backup.verify", (name,), tuple(words)), details=details)


@command(
    "restore",
    T(
        "Plan to bring something back: short for “dsi plan backup.restore”. Changes nothing; ends with the command "
        "that asks for it.\n\n"
        "By default the newest verified set, all of it, to a new folder. In place is another action, that whoever "
        "approves reads."
    ),
)
@job_argument()
@_SET
@option("--at", metavar=T("MOMENT"), help=T("The newest set from before this moment: 2026-11-30T18:00."))
@option("--path", "paths", multiple=True, metavar=T("PATH"), help=T("A file or folder, as at the source; repeatable."))
@option("--to", "destination", metavar=T("FOLDER"), help=T("Where to, empty or absent."))
@option("--in-place", is_flag=True, help=T("Back where it came from, over what is there."))
@option("--database", metavar=T("NAME"), help=T("One database of a cluster."))
@option("--until", metavar=T("MOMENT"), help=T("The moment a database is recovered to: 2026-11-30T18:00:00."))
@DETAILS
def restore(name: str, *, details: bool, **given: Any) -> int:
    """Plan a restore."""
    current = session()
    jobs_of(current, (name,))
    words = [
        *typed("set", given["set_id"]),
        *typed("at", _moment(given["at"])),
        *typed("paths", _paths(given["paths"])),
        *typed("destination", given["destination"]),
        *(["in_place=true"] if given["in_place"] else []),
        *typed("database", given["database"]),
        *typed("until", _moment(given["until"])),
    ]
    return run_plan(current, Wish("backup.restore", (name,), tuple(words)), details=details)


def _paths(paths: tuple[str, ...]) -> str | None:
    if not paths:
        return None
    return paths[0] if len(paths) == 1 else json.dumps(paths, ensure_ascii=False)


def _moment(text: str | None) -> str | None:
    """Return a moment that is past, by this machine's zone when it carries none, as the record writes it.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        return iso(datetime.fromisoformat(text.strip()).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            T("“{text}” is not a moment.", text=text),
            next_step=T("Write 2026-11-30T18:00:00; with another time zone, 2026-11-30T18:00:00+01:00."),
        ) from error
