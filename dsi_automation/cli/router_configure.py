"""`dsi router configure`: the plan of routers as the inventory wants them, and its request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from dsi_automation.cli.asking import DETAILS, Wish
from dsi_automation.cli.base import command, option
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.requesting import When, ask_for
from dsi_automation.cli.router_names import complete_router, named, network_of, router_argument
from dsi_automation.cli.session import session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.inventory.network_parts import Network

OPERATION: Final = "router.configure"


@command(
    "configure",
    T(
        "Plan to bring routers to what the inventory describes: LAN, circuits, routes, filter; with --reason, ask for "
        "it.\n\n"
        "The routers on the way to headquarters come with those named: a circuit is changed at both ends, and a new "
        "site is reached from everywhere. Nothing stays that a new connection has not proven: a router that does not "
        "answer as it should goes back by itself, by a timer of its own."
    ),
)
@router_argument(many=True, required=False)
@option("--only", is_flag=True, help=T("The routers named alone; circuits to others are left as they are."))
@option(
    "--canary",
    metavar=T("ROUTER"),
    shell_complete=complete_router,
    help=T("The router that goes first; if it fails, the others are left as they are."),
)
@option("--wave", type=click.IntRange(1), metavar=T("NUMBER"), help=T("How many routers follow at once."))
@option(
    "--stop-after",
    type=click.IntRange(1),
    metavar=T("NUMBER"),
    help=T("After how many failures the rest is left as it is."),
)
@option(
    "--timer",
    metavar=T("DURATION"),
    help=T("After how long a router goes back by itself unless the change is confirmed, as 5m or 90s."),
)
@option("-m", "--reason", metavar=T("TEXT"), help=T("Ask for it, and why; the approver and the record read it."))
@option("--not-before", metavar=T("MOMENT"), help=T("Do not run before."))
@option("--not-after", metavar=T("MOMENT"), help=T("Do not run after."))
@option("--partial", is_flag=True, help=T("Leave out the routers no plan can be made for."))
@DETAILS
def configure(names: tuple[str, ...], **given: Any) -> int:
    """Plan a change of routers, or ask for it."""
    from dsi_automation.cli import times

    current = session()
    network = network_of(current)
    targets = concerned(network, named(current, network, names), only=given["only"])
    wish = Wish(OPERATION, targets, tuple(_words(given)))
    window = times.window(given["not_before"], given["not_after"], current.clock.now())
    if given["reason"] is None:
        if given["partial"] or given["not_before"] or given["not_after"]:
            raise UsageError(
                T("--partial, --not-before and --not-after belong to a request."),
                next_step=T("Say why it is needed: --reason '...'."),
            )
        return run_plan(current, wish, details=given["details"])
    return ask_for(current, wish, given["reason"], When(window, None), partial=given["partial"])


def concerned(network: Network, names: Sequence[str], *, only: bool = False) -> tuple[str, ...]:
    """Return the routers a change of some concerns: all those on their ways to headquarters, headquarters last.

    Args:
        network: the network.
        names: those named; all of the inventory where none is.
        only: those named alone.
    """
    chosen = tuple(dict.fromkeys(network.router(name).name for name in names)) or tuple(network.routers)
    if only:
        return chosen
    return tuple(dict.fromkeys([*chosen, *(other for name in chosen for other in network.path(name))]))


def _words(given: dict[str, Any]) -> list[str]:
    """Return inputs as `-i` would have them."""
    words = [f"{key}={given[key]}" for key in ("canary", "wave", "stop_after") if given[key] is not None]
    if given["timer"] is not None:
        words.append(f"timer_seconds={_seconds(given['timer'])}")
    return words


def _seconds(typed: str) -> int:
    """Return a duration in seconds.

    Raises:
        UsageError: it is none.
    """
    from pydantic import TypeAdapter, ValidationError

    from dsi_automation.inventory.model import Duration

    try:
        return int(TypeAdapter(Duration).validate_python(typed).total_seconds())
    except (ValidationError, ValueError) as error:
        raise UsageError(
            T("“{typed}” is not a duration.", typed=typed), next_step=T("Write it as 5m, 90s or 1h.")
        ) from error
