"""`dsi mailbox create|check|handover|template`: professional mail accounts (procedure E)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dsi_automation.cli.asking import DETAILS, Wish, targets_of
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.check import report_options, run_check
from dsi_automation.cli.inputs import typed
from dsi_automation.cli.mailbox_handover import handover
from dsi_automation.cli.mailbox_template import template
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

_FIELDS: Final = (
    ("--matricule", T("STAFF-NUMBER"), T("Staff number.")),
    ("--last-name", T("NAME"), T("Last name, as in the register of staff.")),
    ("--first-names", T("NAMES"), T("First names, the usual one first.")),
    ("--contact", T("CONTACT"), T("Telephone number or personal mail address.")),
    ("--site", T("SITE"), T("Code of the site, as in dsi_sites; by default that of the department.")),
    ("--department", T("NAME"), T("Department.")),
    ("--licence", T("NAME"), T("Licence, a name of dsi_accounts; by default the one set there.")),
    ("--manager", T("ACCOUNT"), T("Staff number, login or address of the manager, who gets a mail.")),
    ("--address", T("ADDRESS"), T("An address the person has already, or is to have; else it is planned.")),
)


def person_options[F: Callable[..., Any]](function: F) -> F:
    """Declare the options of one person."""
    for flag, metavar, words in reversed(_FIELDS):
        function = option(flag, metavar=metavar, help=words)(function)
    return function


mailbox = Group(
    "mailbox",
    help=T("Plan professional mail accounts, check them, hand them over."),
    options_metavar=OPTIONS,
)


@command(
    "create",
    T(
        "Plan the mail account of one person, or with --csv of many: short for “dsi plan mailbox.create”. "
        "Changes nothing; ends with the command that asks for the plan.\n\n"
        "Of a file, staff numbers named after it choose the rows to plan for."
    ),
)
@argument(
    "targets",
    nargs=-1,
    metavar=T("[STAFF-NUMBER...]"),
    help=T("Staff numbers: only these rows of the file; all of them by default."),
)
@option(
    "--csv",
    "file",
    metavar=T("FILE"),
    help=T("Many persons: a CSV file with a header line (“dsi mailbox template” writes one), or a YAML or JSON list."),
)
@person_options
@option("--without-seat", is_flag=True, help=T("Create the accounts for which no licence seat is left, without one."))
@option("--reset", is_flag=True, help=T("Give existing accounts a new temporary password as well."))
@option("-i", "--input", "words", multiple=True, metavar=T("KEY=VALUE"), help=T("An input of the operation."))
@DETAILS
def create(targets: tuple[str, ...], file: str | None, words: tuple[str, ...], *, details: bool, **given: Any) -> int:
    """Plan mail accounts."""
    typed = inputs_of(file, given)
    if not (targets or words or file or given["matricule"]):
        raise UsageError(
            T("Nobody was named."),
            next_step=T("Give --csv FILE for many persons, or --matricule and the other references of one."),
        )
    wish = Wish("mailbox.create", tuple(name.upper() for name in targets_of(targets)), (*typed, *words))
    return run_plan(session(), wish, details=details)


def inputs_of(file: str | None, given: dict[str, Any]) -> tuple[str, ...]:
    """Return the inputs as `-i` would have them, so that the next command is that of any operation.

    Raises:
        UsageError: a file and the options of one person are both given.
    """
    fields = {name: value for name, value in given.items() if isinstance(value, str) and value}
    if file is not None and fields:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in fields)
        raise UsageError(
            T("--csv is for many persons, {options} for one.", options=flags),
            next_step=T("Put the person into the file, or leave --csv out."),
        )
    words = [] if file is None else [f"people=@{file}"]
    words += [word for name, value in fields.items() for word in typed(name, value)]
    return (*words, *(f"{name}=true" for name, value in given.items() if value is True))


@command(
    "check",
    T(
        "Check mail accounts: short for “dsi check mailbox.check”. Without a target, everybody's, with the seats of "
        "each licence."
    ),
)
@argument("targets", nargs=-1, metavar=T("[ACCOUNT...]"), help=T("Staff numbers, logins or addresses."))
@report_options
def check(targets: tuple[str, ...], form: str | None, output: str | None) -> int:
    """Check mail accounts."""
    return run_check(session(), Wish("mailbox.check", targets_of(targets), ()), form, output)


for _command in (create, check, handover, template):
    mailbox.add_command(_command)
