"""Names of routers as they are typed: found, completed, refused with what is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.base import argument
from dsi_automation.cli.completing import completing
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.network_parts import Network, Router


_SIGNS: Final = frozenset("*?[~!&:,")
"""What makes a word a pattern of Ansible."""
complete_router = completing(lambda session: session.toolkit.inventory.network.routers)


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
    """Return the routers named, or all of the inventory; a group or a pattern of Ansible names several.

    Raises:
        UsageError: the inventory has none of that name, or none at all, or something else than routers is named.
    """
    network = network_of(session)
    return {name: network.router(name) for name in named(session, network, names)} if names else network.routers


def named(session: Session, network: Network, words: Sequence[str]) -> tuple[str, ...]:
    """Return the routers that words name, each once, in the order of the words: names, groups, patterns of Ansible.

    Of a group that holds other machines as well, a site's for example, the routers.

    Raises:
        UsageError: a word names nothing, or no router.
    """
    groups = session.toolkit.inventory.ansible.groups
    plain = [network.router(word).name for word in words if word not in groups and not _SIGNS & {*word}]
    if len(plain) == len(words):
        return tuple(dict.fromkeys(plain))
    found = [name for name in session.toolkit.inventory.select(words) if name in network.routers]
    if not found:
        raise UsageError(
            T("“{pattern}” chooses no router.", pattern=" ".join(words)),
            next_step=T("List them with: dsi router list"),
        )
    return tuple(dict.fromkeys([*(name for name in plain if name in found), *found]))


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
    words = help or (
        T("Routers, groups or patterns.")
        if required
        else T("Routers, groups or patterns, as rtr-spy, routers, 'rtr-*'; all of them by default.")
    )
    return argument("names", nargs=-1, required=required, metavar=metavar, help=words, shell_complete=complete_router)
