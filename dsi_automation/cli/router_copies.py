"""`dsi router backup|history`: configurations of routers into their repository, and what changed when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from dsi_automation.cli.asking import Wish
from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.chains import show_step, step_view
from dsi_automation.cli.moments import local
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.requesting import When, ask_for
from dsi_automation.cli.router_names import complete_router, network_of, router_argument, routers_of
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.connectors.configurations.port import Version

OPERATION: Final = "router.backup"


@command(
    "backup",
    T(
        "Copy the configurations of routers into the repository of configurations, secrets masked, now: under the "
        "standing approval of the schedule, or with --reason by a request for this time alone.\n\n"
        "A router that does not answer keeps no other one from being copied."
    ),
)
@router_argument(many=True, required=False)
@option("-m", "--reason", metavar=T("TEXT"), help=T("Ask for this time alone; the approver and the record read it."))
def backup(names: tuple[str, ...], reason: str | None) -> int:
    """Copy configurations."""
    current = session()
    routers = tuple(routers_of(current, names))
    if reason is not None:
        from dsi_automation.engine.model import Window

        return ask_for(current, Wish(OPERATION, routers, ()), reason, When(Window(), None), partial=True)
    from dsi_automation.composition.chain import Step, run_chain

    with Progress(routers) as progress:
        (result,) = run_chain(current.toolkit, [Step(OPERATION, routers, {})], progress)
    if current.choices.json:
        current.out.data({"steps": [step_view(result)], "exit_code": result.exit_code})
    else:
        show_step(current, result)
    return result.exit_code


@command(
    "history",
    T(
        "List the versions of the configurations, newest first, of one router or of all; with --diff, what changed "
        "between two of them. Connects to none.\n\n"
        "The repository is a bare git one: “git clone” takes a copy."
    ),
)
@argument("name", metavar=T("[ROUTER]"), required=False, help=T("One router; all by default."),
          shell_complete=complete_router)  # fmt: skip
@option(
    "--diff", "versions", nargs=2, metavar=T("OLDER NEWER"),
    help=T("Show what changed between two versions of a router, by the beginnings of their identifiers."),
)  # fmt: skip
@option("-n", "--most", type=click.IntRange(1), default=20, show_default=True, metavar=T("NUMBER"),
        help=T("How many versions."))  # fmt: skip
def history(name: str | None, versions: tuple[str, str] | None, most: int) -> int:
    """Show versions."""
    current = session()
    repository = current.toolkit.equipment.look().configurations()
    if versions is not None:
        if name is None:
            raise UsageError(T("A difference is that of one router."), next_step=T("Name it before --diff."))
        found = repository.difference(name, *versions)
        return _show_difference(current, name, versions, found)
    kept = repository.history(name, most=most)
    if name is not None and not kept:
        # One that left the inventory has its versions still; one that nobody ever knew has none.
        network_of(current).router(name)
    if current.choices.json:
        current.out.data({"versions": [version_view(one) for one in kept]})
        return 0
    if not kept:
        current.out.line(T("There is no version yet. Make the first: dsi router backup"))
        return 0
    headers = (T("Version"), T("Kept on"), T("Routers"), T("Why"))
    rows = [(one.commit[:12], local(one.at), ", ".join(one.routers), one.message.partition("\n")[0]) for one in kept]
    current.out.table(headers, rows)
    return 0


def version_view(one: Version) -> dict[str, Any]:
    """Return a version as `--json` prints it."""
    return {"version": one.commit, "at": iso(one.at), "routers": list(one.routers), "message": one.message}


def _show_difference(session: Session, name: str, versions: tuple[str, str], found: str) -> int:
    if session.choices.json:
        session.out.data({"router": name, "older": versions[0], "newer": versions[1], "difference": found})
    elif found:
        for line in found.splitlines():
            session.out.line(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))
    else:
        session.out.line(T("Nothing of {router} changed between them.", router=name))
    return 0
