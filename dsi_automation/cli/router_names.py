"""Names of routers as they are typed: found, completed, refused with what is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import argument
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    import click

    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.network_parts import Network, Router


def network_of(session: Session) -> Network:
    """Return the network the inventory describes.

    Raises:
        UsageError: it describes no router.
        InventoryError: it describes no network, or one whose parts do not fit together.
    """
    found = session.toolkit.inventory.network
    if not found.routers:
        raise UsageError(
            T("The inventory describes no router."),
            next_step=T("Add it to the group “routers”, with the variable dsi_router; “dsi init” shows how."),
        )
    return found


def routers_of(session: Session, names: Sequence[str] = ()) -> Mapping[str, Router]:
    """Return the routers named, or all of the inventory.

    Raises:
        UsageError: the inventory has none of that name, or none at all.
    """
    network = network_of(session)
    return {name: network.router(name) for name in dict.fromkeys(names)} if names else network.routers


def router_argument(
    *,
    many: bool = False,
    required: bool = True,
    help: Text | None = None,  # noqa: A002  # click's own name
) -> Callable[[Any], Any]:
    """Declare the names of routers as arguments, completed by the Tab key: `names`, or `name` for a single one."""
    if not many:
        words = help or T("Its name in the inventory.")
        return argument("name", metavar=T("ROUTER"), help=words, shell_complete=complete_router)
    metavar = T("ROUTER...") if required else T("[ROUTER...]")
    words = help or (T("Names of routers.") if required else T("Names of routers; all of the inventory by default."))
    return argument("names", nargs=-1, required=required, metavar=metavar, help=words, shell_complete=complete_router)


def complete_router(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """Return what completes a word; the Tab key has nobody to tell an error to."""
    from dsi_automation.cli.session import Session

    root = ctx.find_root()
    session = root.obj if isinstance(root.obj, Session) else Session()
    try:
        found = session.toolkit.inventory.network.routers
    except DsiError:
        return []
    return [word for word in found if word.startswith(incomplete)]
