"""Names of an access as they are typed: servers, services, sites, identifiers; completed by the Tab key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dsi_automation.cli.completing import completing

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.network_parts import Network
    from dsi_automation.operations.network.record import AccessRecord


def access_record_of(session: Session) -> AccessRecord:
    """Return the accesses of the record."""
    return session.toolkit.equipment.look().access_record()


def _network(session: Session) -> Network:
    return session.toolkit.inventory.network


def _sources(session: Session) -> Iterable[str]:
    settings = _network(session).settings
    return (*settings.sites, *settings.servers, *(site.lan for site in settings.sites.values()))


def _destinations(session: Session) -> Iterable[str]:
    return (*_network(session).settings.servers, "internet")


def _services(session: Session) -> Iterable[str]:
    settings = _network(session).settings
    return (*settings.services, *settings.access.internet)


def _standing(session: Session) -> Iterable[str]:
    return (str(one.rule.id) for one in access_record_of(session).standing())


complete_source = completing(_sources)
complete_destination = completing(_destinations)
complete_service = completing(_services)
complete_site = completing(lambda session: _network(session).settings.sites)
complete_id = completing(_standing)
