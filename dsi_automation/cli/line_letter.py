"""The order of a leased line, filled in from a proposal and the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.files import write_whole
from dsi_automation.cli.media_slips import organisation

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.documents.line_order import LineEnd, LineOrder
    from dsi_automation.inventory.network_parts import Network


def write_letter(
    session: Session,
    site: str,
    found: Mapping[str, Any],
    path: Path,
    wanted: date | None,
    said: Mapping[str, Any],
) -> Path:
    """Write the letter for a proposal of `router.interconnect`.

    Args:
        wanted: the day the line is wanted; by default the operator's delay from today.
        said: `reference` and `contact`, where they were given.

    Raises:
        StorageError: the file cannot be written.
        UnprintableError: a name holds a character that no font has.
    """
    from dsi_automation.documents.line_order import line_order

    write_whole(path, line_order(filled(session, site, found, wanted, said)))
    return path


def filled(
    session: Session, site: str, found: Mapping[str, Any], wanted: date | None, said: Mapping[str, Any]
) -> LineOrder:
    """Return what the letter says."""
    from dsi_automation.documents.line_order import LineEnd, LineOrder

    inventory = session.toolkit.inventory
    network, operator = inventory.network, inventory.network.settings.operators[found["operator"]]
    today = session.clock.now().astimezone().date()
    if wanted is None and operator.delay_days is not None:
        wanted = today + timedelta(days=operator.delay_days)
    place = found["coordinates"] or {"latitude": None, "longitude": None}
    return LineOrder(
        organisation=organisation(session),
        operator=operator.name,
        address=operator.address,
        mail=operator.mail,
        contract=operator.contract,
        delay_days=operator.delay_days,
        new=LineEnd(inventory.sites[site].name, site, **place),
        other=_end(session, network, found["ends"][1]["router"]),
        bandwidth=found["bandwidth_mbits"],
        wanted=wanted,
        date=today,
        reference=said["reference"] or f"LL-{site}-{today:%Y%m%d}",
        contact=said["contact"],
    )


def _end(session: Session, network: Network, router: str) -> LineEnd:
    from dsi_automation.documents.line_order import LineEnd

    code = network.router(router).site
    place = network.site_of(router).coordinates
    name = session.toolkit.inventory.sites[code].name
    return LineEnd(name, code) if place is None else LineEnd(name, code, place.latitude, place.longitude)
