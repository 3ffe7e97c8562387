"""`dsi directory check`: short for the operation that reports on the directory."""

from __future__ import annotations

import click

from dsi_automation.cli.asking import Wish, targets_of
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.check import FORMATS, run_check
from dsi_automation.cli.session import session
from dsi_automation.core.text import T

directory = Group(
    "directory",
    help=T("Report the computers and accounts of the directory that break the rules."),
    options_metavar=OPTIONS,
)


@command(
    "check",
    T(
        "Report the computers and accounts that break the rules: short for “dsi check directory.check”.\n\n"
        "A site's are those in its organisational units, and the computers named after it wherever they are; without "
        "a site, everything is looked at, the leavers included. Exit code 5 when a rule is broken."
    ),
)
@argument("sites", nargs=-1, metavar=T("[SITE...]"), help=T("Codes of sites, as in dsi_sites; all by default."))
@option("-i", "--input", "words", multiple=True, metavar=T("KEY=VALUE"), help=T("An input of the operation."))
@option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="[table|json|csv|junit]",
    help=T("How to write the report; --json is short for json."),
)
@option(
    "--output", "-o", metavar=T("FILE"), help=T("Write the report into a file; it is replaced at once or not at all.")
)
def check(sites: tuple[str, ...], words: tuple[str, ...], form: str | None, output: str | None) -> int:
    """Check the directory."""
    return run_check(session(), Wish("directory.check", targets_of(sites), words), form, output)


directory.add_command(check)
