"""Looking at a router that answers one question at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsi_automation.connectors.routers.port import Proof

if TYPE_CHECKING:
    from dsi_automation.connectors.routers.port import RouterReader


def one_by_one(
    router: RouterReader, interfaces: Sequence[str], routes: Sequence[str], addresses: Sequence[str], count: int
) -> Proof:
    """Return what runs and what is true of a router, asked in turn; see `RouterReader.proof`."""
    return Proof(
        router.running(),
        {name: router.interface(name) for name in interfaces},
        {prefix: router.route(prefix) for prefix in routes},
        {address: router.ping(address, count=count) for address in addresses},
    )
