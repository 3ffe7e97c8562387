"""`dsi access allow|revoke`: ask for an access through the routers, or for its end."""

from __future__ import annotations

from datetime import time
from typing import Any, Final

from dsi_automation.cli import times
from dsi_automation.cli.access_names import (
    access_record_of,
    complete_destination,
    complete_id,
    complete_service,
    complete_source,
)
from dsi_automation.cli.asking import Wish
from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.inputs import typed
from dsi_automation.cli.requesting import When, ask_for
from dsi_automation.cli.router_names import complete_router, network_of
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

ALLOW: Final = "access.allow"
REVOKE: Final = "access.revoke"
_LAST: Final = time(23, 59, 59)
_WHY = option("--why", "-m", "why", required=True, metavar=T("TEXT"),
              help=T("Why it is needed; the approver and the record read it."))  # fmt: skip


@command(
    "allow",
    T(
        "Ask for an access: some machines of a site to a service, until a day. The RSSI approves it.\n\n"
        "The routers of the site enforce it. When it is carried out it is proven from the site's LAN by a connection "
        "that must pass and one that must not; else the routers are taken back at once. The same access with a later "
        "end prolongs it."
    ),
)
@option("--from", "source", required=True, metavar=T("MACHINES"), shell_complete=complete_source,
        help=T("An address, a network, a server's name, or a site's code for its whole LAN."))  # fmt: skip
@option("--to", "destination", required=True, metavar=T("SERVERS"), shell_complete=complete_destination,
        help=T("An address, a network, a server's name, or internet."))  # fmt: skip
@option("--service", required=True, metavar=T("SERVICE"), shell_complete=complete_service,
        help=T("tcp/8443, tcp/8000-8010, udp/53, or a service's name in the inventory."))  # fmt: skip
@option("--until", required=True, metavar=T("MOMENT"),
        help=T("When it ends: 2026-12-31 (the whole day), 2026-12-31T18:00, +8h or +30d."))  # fmt: skip
@_WHY
@option("--reference", required=True, metavar=T("TEXT"), help=T("The reference of the request on paper or by mail."))
@option("--for", "beneficiary", required=True, metavar=T("PERSON"), help=T("For whom it is asked."))
@option("--try-at", metavar=T("ADDRESS"),
        help=T("Where the proof connects to, when the destination is not one machine."))  # fmt: skip
@option("--unproven", is_flag=True, help=T("Open it although no connection can prove it; plan and record say so."))
def allow(**given: Any) -> int:
    """Ask for an access."""
    from dsi_automation.operations.network.access_policy import enforcers, read_asked

    current = session()
    network = network_of(current)
    until = times.moment(given["until"], current.clock.now(), of_day=_LAST)
    asked = read_asked(given["source"], given["destination"], given["service"], until, network)
    names = ("source", "destination", "service", "why", "reference", "beneficiary", "try_at")
    words = [word for name in names for word in typed(name, given[name])]
    words += [f"until={iso(until)}", *(["unproven=true"] if given["unproven"] else [])]
    return _ask(current, Wish(ALLOW, enforcers(asked, network), tuple(words)), given["why"])


@command(
    "revoke",
    T(
        "Ask for the end of accesses: those named, or with --expired all whose end is over.\n\n"
        "A schedule does the latter by itself, under a standing approval of “access.revoke” with expired=true."
    ),
)
@argument("ids", nargs=-1, metavar=T("[ACCESS...]"), help=T("Their identifiers, as ac-k7m2qx."),
          shell_complete=complete_id)  # fmt: skip
@option("--expired", is_flag=True, help=T("All whose end is over."))
@option("--router", "routers", multiple=True, metavar=T("ROUTER"), shell_complete=complete_router,
        help=T("With --expired, or for what no request opened: on this router only; repeatable."))  # fmt: skip
@_WHY
def revoke(ids: tuple[str, ...], routers: tuple[str, ...], why: str, *, expired: bool) -> int:
    """Ask for the end of accesses."""
    from dsi_automation.operations.network.access_policy import holders

    current = session()
    if bool(ids) == expired:
        raise UsageError(
            T("Say which accesses: their identifiers, or --expired."), next_step=T("See them: dsi access list")
        )
    network = network_of(current)
    targets = tuple(dict.fromkeys(network.router(name).name for name in routers))
    if expired:
        every = tuple(router.name for router in network.filtering())
        return _ask(current, Wish(REVOKE, targets or every, ("expired=true",)), why)
    targets = targets or holders(ids, access_record_of(current))
    return _ask(current, Wish(REVOKE, targets, tuple(typed("ids", ",".join(ids)))), why)


def _ask(session: Session, wish: Wish, why: str) -> int:
    from dsi_automation.engine.model import Window

    return ask_for(session, wish, why, When(Window(), None))
