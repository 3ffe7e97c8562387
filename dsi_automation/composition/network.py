"""What operations on routers and accesses look through and write with, made from the inventory and the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.composition.applications import ApplicationLook
from dsi_automation.connectors.routers.port import Algorithms, Platform, RouterEndpoint
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.network_parts import Network

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dsi_automation.connectors.configurations.port import ConfigurationWriter
    from dsi_automation.connectors.routers.port import RouterReader, RouterWriter
    from dsi_automation.connectors.routers.probe import Probe
    from dsi_automation.engine.operation import Permit
    from dsi_automation.inventory.network_model import ProbeHost
    from dsi_automation.operations.network.record import AccessRecord


class NetworkLook(ApplicationLook):
    """The read half, as far as the network is concerned; part of `InventoryLook`."""

    @property
    def network(self) -> Network:
        """Return the network the inventory describes."""
        with self.lock:
            return self._inventory.network

    @contextmanager
    def router(self, target: str) -> Iterator[RouterReader]:
        """Open a reader for one router; closed on leaving."""
        with self.router_at(target, None, target) as opened:
            yield opened

    @contextmanager
    def router_at(self, router: str, permit: Permit | None, target: str) -> Iterator[RouterWriter]:
        """Open one router; without a permit it is used to look only."""
        from dsi_automation.connectors.routers.opening import open_router

        opened = open_router(self.router_endpoint(router), self.clock, permit, target)
        try:
            yield opened
        finally:
            opened.close()

    def router_endpoint(self, name: str) -> RouterEndpoint:
        """Return where a router answers and who logs in there.

        Raises:
            UsageError: it is not reached over SSH, or its password is not where it should be.
        """
        described = self.network.router(name).described
        with self.lock:
            found = self._inventory.target(name).ssh
        if found is None:
            raise UsageError(
                T("{target} is not reached over SSH.", target=name),
                on=name,
                next_step=T("Set ansible_connection: ssh for it, or choose another host."),
            )
        account = None if found.credential is None else self.account(found.credential, name)
        legacy = described.legacy
        return RouterEndpoint(
            name=name,
            platform=Platform(described.platform),
            host=found.host,
            port=found.port,
            user=found.user if account is None else account.user,
            password=None if account is None else account.password,
            key=found.key,
            known_hosts=found.known_hosts,
            algorithms=Algorithms(legacy.key_exchange, legacy.host_keys, legacy.ciphers, legacy.macs),
            filter=described.filter,
            archive=described.archive,
            helper=described.helper,
            protected=described.management.interface,
            connect_timeout=found.connect_timeout,
            read_timeout=described.read_timeout.total_seconds(),
        )

    def probe(self, site: str) -> AbstractContextManager[Probe] | None:
        """Open the machine of a site from which accesses are tried out; None where the inventory names none."""
        described = self.network.settings.sites[site].probe
        return None if described is None else self._opened_probe(described)

    @contextmanager
    def _opened_probe(self, described: ProbeHost) -> Iterator[Probe]:
        from dsi_automation.connectors.routers.probing import ProbeSettings, ShellProbe

        settings = ProbeSettings(described.host, described.interface, described.addresses, described.borrow)
        with self.shells.at(described.host) as shell:
            yield ShellProbe(settings, shell)

    def access_record(self) -> AccessRecord:
        """Return all accesses, by the journal as it is now."""
        from dsi_automation.operations.network.record import read

        # All at once, and only where there is any access: a journal is not searched for each of them.
        decided = cache(self.records.decided)
        return read(self.records.notes(), lambda run: decided()[run])

    def configurations(self) -> ConfigurationWriter:
        """Return the repository of configurations."""
        from dsi_automation.connectors.configurations.git import GitConfigurations

        folder = self.network.settings.configurations
        return GitConfigurations(self.records.folder / "configurations" if folder is None else Path(folder))
