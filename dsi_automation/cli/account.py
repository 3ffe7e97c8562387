"""`dsi account disable`: plan what is done about the accounts of people who leave (procedure L)."""

from __future__ import annotations

import click

from dsi_automation.cli.asking import DETAILS, Wish, targets_of
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.text import T

account = Group(
    "account",
    help=T("Plan the end of people's accounts."),
    options_metavar=OPTIONS,
)


@command(
    "disable",
    T(
        "Plan the disabling of accounts of people who leave: in the directory and in the cloud, sessions ended, into "
        "the leavers' OU; short for “dsi plan account.disable”. Changes nothing."
    ),
)
@argument("targets", nargs=-1, required=True, metavar=T("ACCOUNT..."), help=T("Staff numbers, logins or addresses."))
@option(
    "--licence",
    type=click.Choice(("keep", "free")),
    metavar="[keep|free]",
    help=T("What becomes of the licence; by default what dsi_accounts says."),
)
@DETAILS
def disable(targets: tuple[str, ...], licence: str | None, *, details: bool) -> int:
    """Plan the disabling of accounts."""
    words = () if licence is None else (f"licence={licence}",)
    return run_plan(session(), Wish("account.disable", targets_of(targets), words), details=details)


account.add_command(disable)
