"""`dsi workstation check|join`: short for the two operations on workstations."""

from __future__ import annotations

from dsi_automation.cli.asking import Wish, targets_of
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.check import report_options, run_check
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.text import T

_TARGETS = argument(
    "targets", nargs=-1, required=True, metavar=T("TARGET..."), help=T("Names of the inventory: hosts or groups.")
)
_INPUTS = option("-i", "--input", "words", multiple=True, metavar=T("KEY=VALUE"), help=T("An input of the operation."))

workstation = Group(
    "workstation",
    help=T("Check workstations, or plan their joining to the domain."),
    options_metavar=OPTIONS,
)


@command("check", T("Check workstations against what procedure C asks: short for “dsi check workstation.check”."))
@_TARGETS
@_INPUTS
@report_options
def check(targets: tuple[str, ...], words: tuple[str, ...], form: str | None, output: str | None) -> int:
    """Check workstations."""
    return run_check(session(), Wish("workstation.check", targets_of(targets), words), form, output)


@command("join", T("Plan the joining of workstations to the domain: short for “dsi plan workstation.join”."))
@_TARGETS
@_INPUTS
def join(targets: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Plan the joining of workstations."""
    return run_plan(session(), Wish("workstation.join", targets_of(targets), words))


workstation.add_command(check)
workstation.add_command(join)
