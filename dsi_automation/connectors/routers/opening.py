"""The driver and the words of each platform: the one place a new platform is added to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.connectors.routers.port import Platform, RouterEndpoint, RouterWriter
from dsi_automation.core.clock import Clock

if TYPE_CHECKING:
    from dsi_automation.connectors.routers.dialect import Dialect
    from dsi_automation.connectors.windows.port import WritePermit


def dialect(platform: Platform) -> Dialect:
    """Return the words of a platform; connects to nothing."""
    match platform:
        case Platform.IOS:
            from dsi_automation.connectors.routers.dialects.ios import IosDialect

            return IosDialect()
        case Platform.FRR:
            from dsi_automation.connectors.routers.dialects.frr import FrrDialect

            return FrrDialect()


def open_router(endpoint: RouterEndpoint, clock: Clock, permit: WritePermit | None, target: str) -> RouterWriter:
    """Return a router to look at and, with a permit, to change; nothing is connected before it is first used."""
    match endpoint.platform:
        case Platform.IOS:
            from dsi_automation.connectors.routers.ios import IosRouter

            return IosRouter(endpoint, clock, permit, target)
        case Platform.FRR:
            from dsi_automation.connectors.routers.frr import FrrRouter

            return FrrRouter(endpoint, clock, permit, target)
