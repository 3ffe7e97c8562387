"""All the workstations of one process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.certificates import Authority
from dsi_automation.lab.windows.endpoint import Endpoint
from dsi_automation.lab.windows.faults import FaultRule
from dsi_automation.lab.windows.joining import DomainJoiner, NoDomain
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.spec import SimulatorSpec, WorkstationSpec
from dsi_automation.lab.windows.state import StateStore

logger = logging.getLogger(__name__)


class Simulator:
    """The workstations, by key; everything happens on one event loop.

    Args:
        spec: what to serve.
        state: directory of what changes; None keeps nothing.
        joiner: the domain; by default the real one of the specification through adcli, or none.
    """

    def __init__(self, spec: SimulatorSpec, state: Path | None = None, joiner: DomainJoiner | None = None) -> None:
        self._spec = spec
        self._store = StateStore(state)
        self._joiner = joiner or _joiner(spec)
        self._authority = Authority(spec.tls) if spec.tls else None
        self._endpoints: dict[str, Endpoint] = {}

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return the workstations by key."""
        return self._endpoints

    async def start(self) -> None:
        """Open every workstation's ports."""
        for workstation in self._spec.workstations:
            await self.add(workstation)

    async def stop(self) -> None:
        """Close everything; the state stays."""
        for endpoint in self._endpoints.values():
            await endpoint.stop()

    async def add(self, workstation: WorkstationSpec) -> Endpoint:
        """Serve one more workstation, whose address is there already.

        Raises:
            UsageError: there is one of that key, or its address cannot be listened on.
        """
        if workstation.key in self._endpoints:
            raise UsageError(T("There is a workstation {name} already.", name=workstation.key))
        machine = Machine(workstation, self._store, self._spec.domain)
        user = self._spec.tls.client_certificate_user if self._spec.tls else None
        endpoint = Endpoint(machine, self._joiner, self._authority, user)
        try:
            await endpoint.start()
        except OSError as error:
            raise UsageError(
                T("The address {address} cannot be listened on.", address=workstation.address),
                on=workstation.key,
                detail={"error": str(error)},
            ) from error
        machine.save()
        self._endpoints[workstation.key] = endpoint
        return endpoint

    async def remove(self, key: str) -> None:
        """Stop serving a workstation and forget its state."""
        endpoint = self.endpoint(key)
        await endpoint.stop()
        del self._endpoints[key]
        self._store.forget(key)

    async def reset(self, key: str) -> None:
        """Bring a workstation back to its specification, ports open."""
        endpoint = self.endpoint(key)
        await endpoint.stop()
        endpoint.machine.reset()
        endpoint.service.restarted()
        await endpoint.start()

    def set_fault(self, key: str, rule: FaultRule) -> None:
        """Switch a fault on."""
        machine = self.endpoint(key).machine
        machine.state.faults.append(rule)
        machine.save()

    def clear_faults(self, key: str) -> None:
        """Switch every fault of a workstation off."""
        machine = self.endpoint(key).machine
        machine.state.faults.clear()
        machine.save()

    def endpoint(self, key: str) -> Endpoint:
        """Return a workstation.

        Raises:
            UsageError: there is none of that key.
        """
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            raise UsageError(T("There is no simulated workstation {name}.", name=key))
        return endpoint


def _joiner(spec: SimulatorSpec) -> DomainJoiner:
    if spec.domain is None:
        return NoDomain()
    from dsi_automation.lab.windows.adcli import AdcliJoiner

    return AdcliJoiner(spec.domain)
