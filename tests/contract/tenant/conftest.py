"""The tenant in memory, and the connector on the lab's Graph simulator: what holds of one holds of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from dsi_automation.connectors.m365.client import Connection, GraphReader
from dsi_automation.connectors.m365.memory import MemoryTenant
from dsi_automation.connectors.m365.port import (
    CloudUser,
    HolderKind,
    TenantEndpoint,
    TenantHolder,
    TenantReader,
    TenantWriter,
)
from dsi_automation.connectors.m365.writer import GraphWriter
from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.graph.loopback import LoopbackGraph

SDK_WARNINGS = (
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",
    "ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns of itself when it is imported."""
    for item in items:
        if "contract/tenant" in item.nodeid:
            for text in SDK_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(text))


class Permit:
    """Allows everything."""

    @property
    def run_id(self) -> str:
        return "E-2026-0001"

    def check(self, target: str) -> None:
        """Allow it."""


class Place(Protocol):
    """A tenant to try, empty but for its licences."""

    def reader(self) -> TenantReader: ...

    def writer(self) -> TenantWriter: ...

    def seats(self, part_number: str, total: int) -> None: ...

    def contact(self, address: str) -> None: ...

    def synced_user(self, upn: str, number: str, immutable_id: str) -> None: ...

    def delete(self, user_id: str) -> None: ...


class InMemory:
    """MemoryTenant."""

    def __init__(self) -> None:
        self.tenant = MemoryTenant()
        for part, plan in (("STANDARDPACK", "STANDARD"), ("ENTERPRISEPACK", "ENTERPRISE")):
            self.tenant.add_sku(part, 10, plans=(f"EXCHANGE_S_{plan}",))

    def reader(self) -> TenantReader:
        return self.tenant.reader()

    def writer(self) -> TenantWriter:
        return self.tenant.writer(Permit())

    def seats(self, part_number: str, total: int) -> None:
        for sku in list(self.tenant.bought.values()):
            if sku.part_number == part_number:
                self.tenant.bought[sku.id] = replace(sku, total=total)

    def contact(self, address: str) -> None:
        self.tenant.held[address] = TenantHolder(HolderKind.CONTACT, "c", "Un contact")

    def synced_user(self, upn: str, number: str, immutable_id: str) -> None:
        user = CloudUser(
            id=immutable_id, upn=upn, mail=upn, display_name="X", surname="X", given_name=None, staff_number=number,
            enabled=True, usage_location=None, synced=True, immutable_id=immutable_id,
        )  # fmt: skip
        self.tenant.add_user(user)

    def delete(self, user_id: str) -> None:
        self.tenant.delete(user_id)


class OnTheWire:
    """The connector, over https, on the lab's simulator."""

    def __init__(self, graph: LoopbackGraph) -> None:
        self.control = graph.endpoint.control
        self.control.delays(create=0, location=0, licence=0, mailbox=0)
        end = graph.endpoint
        endpoint = TenantEndpoint(
            tenant_id=end.tenant_id, client_id=end.client_id, base_url=end.base_url, authority=end.authority,
            scope="https://graph.microsoft.com/.default", ca_file=str(end.ca_file), certificate=str(end.certificate),
            public_authority=False,
        )  # fmt: skip
        self.connection = Connection(endpoint, SystemClock())

    def reader(self) -> TenantReader:
        return GraphReader(self.connection)

    def writer(self) -> TenantWriter:
        return GraphWriter(self.connection, Permit(), None)

    def seats(self, part_number: str, total: int) -> None:
        self.control.seats(part_number, total)

    def contact(self, address: str) -> None:
        self.control.seed_contact(displayName="Un contact", mail=address, proxyAddresses=[f"SMTP:{address}"])

    def synced_user(self, upn: str, number: str, immutable_id: str) -> None:
        properties: dict[str, Any] = {
            "userPrincipalName": upn, "mail": upn, "employeeId": number, "displayName": "X", "surname": "X",
            "onPremisesSyncEnabled": True, "onPremisesImmutableId": immutable_id,
        }  # fmt: skip
        self.control.seed_user(**properties)

    def delete(self, user_id: str) -> None:
        self.control.delete_user(user_id)


@pytest.fixture(scope="module")
def simulator() -> Iterator[LoopbackGraph]:
    with LoopbackGraph() as graph:
        yield graph


@pytest.fixture
def wire(simulator: LoopbackGraph) -> Iterator[OnTheWire]:
    simulator.endpoint.control.reset()
    made = OnTheWire(simulator)
    yield made
    made.connection.close()


@pytest.fixture(params=["memory", "graph"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return InMemory()
    made: OnTheWire = request.getfixturevalue("wire")
    return made
