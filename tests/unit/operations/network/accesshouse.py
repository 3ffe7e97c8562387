"""Operations on accesses under the real engine, gate and journal, over routers and a probe in memory."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from workbench import Bench, BenchHands, BenchLook

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.intent import INTERNET, AccessRule, Scope
from dsi_automation.connectors.routers.memory import MemoryNetwork, MemoryRouter
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.connectors.routers.opening import dialect
from dsi_automation.connectors.routers.port import Platform
from dsi_automation.connectors.routers.probe import Tried
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.events import Silent
from dsi_automation.core.text import T
from dsi_automation.engine.model import Run
from dsi_automation.engine.operation import Permit, Report
from dsi_automation.inventory.network_model import NetworkSettings, RouterDescription
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network.access_list import AccessList
from dsi_automation.operations.network.allow import AccessAllow
from dsi_automation.operations.network.record import AccessRecord, Decided, read
from dsi_automation.operations.network.revoke import AccessRevoke
from dsi_automation.operations.network.wanted import filter_intent

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
INTERFACES = {"frr": ("lan0", "mgmt0"), "ios": ("GigabitEthernet0/1", "GigabitEthernet0/0")}
ASKED = {
    "source": "10.64.4.8/29",
    "destination": "srv-sydam",
    "service": "sydam",
    "until": "2026-12-31",
    "why": "Declarants of San-Pedro",
    "reference": "DSI-2026-0412",
    "beneficiary": "B. Kone",
}


def settings(**access: Any) -> NetworkSettings:
    return NetworkSettings.model_validate(
        {
            "headquarters": "ABJ",
            "ranges": ["10.64.0.0/12"],
            "sites": {
                "ABJ": {"range": "10.64.0.0/22", "lan": "10.64.0.0/24"},
                "SPY": {
                    "range": "10.64.4.0/23",
                    "lan": "10.64.4.0/24",
                    "probe": {"host": "lan-spy", "interface": "eth0", "addresses": ["10.64.4.9"], "borrow": True},
                },
                "BKE": {"range": "10.64.6.0/23", "lan": "10.64.6.0/24"},
            },
            "services": {"sydam": "tcp/8443", "dns": "udp/53"},
            "servers": {"srv-sydam": "10.64.0.5"},
            "access": {
                "widest_destination": 29,
                "most_ports": 16,
                "longest": timedelta(days=366),
                "internet": ["tcp/443"],
                "denied": [{"destination": "any", "service": "tcp/23", "why": "Telnet is not encrypted."}],
                **access,
            },
            "rollout": {"timer": timedelta(minutes=5), "verify_within": timedelta(seconds=2)},
        }
    )


def described(platform: str, **changes: Any) -> RouterDescription:
    lan, management = INTERFACES[platform]
    return RouterDescription.model_validate(
        {
            "platform": platform,
            "lan": lan,
            "management": {"interface": management, "sources": ["198.18.0.1/32"]},
            **changes,
        }
    )


class MemoryProbe:
    """A machine of the LAN of rtr-spy; what passes is what the router's accesses let through, unless a fault says so.

    Attributes:
        always: (destination, port) that pass, whatever the router says: another way, a filter that does not filter.
        never: ports that never pass: a line that lies.
        taken: addresses of the LAN another machine has.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self.always: set[int] = set()
        self.never: set[int] = set()
        self.taken: set[str] = set()
        self.silent = False
        self.tries: list[tuple[str, str, int]] = []

    @property
    def addresses(self) -> tuple[str, ...]:
        return ("10.64.4.9",)

    @property
    def borrows(self) -> bool:
        return True

    def connect(self, source: str, destination: str, port: int, *, timeout: float = 3.0) -> Tried:
        del timeout
        if self.silent:
            raise UnreachableError(T("The probe does not answer."), on="lan-spy")
        if source in self.taken:
            raise RefusedError(T("{address} is in use.", address=source), on="lan-spy")
        self.tries.append((source, destination, port))
        if port in self.never:
            return Tried.BLOCKED
        passes = port in self.always or any(
            _passes(rule, source, destination, port) for rule in self._office.rules("rtr-spy")
        )
        return Tried.OPEN if passes else Tried.BLOCKED


def _passes(rule: AccessRule, source: str, destination: str, port: int) -> bool:
    there = ipaddress.IPv4Address(destination)
    inside = there in ipaddress.IPv4Network("10.64.0.0/12")
    reaches = not inside if rule.destination == INTERNET else there in ipaddress.IPv4Network(rule.destination)
    from_there = ipaddress.IPv4Address(source) in ipaddress.IPv4Network(rule.source)
    return rule.protocol == "tcp" and from_there and reaches and rule.first_port <= port <= rule.last_port


class MemoryLook(BenchLook["Office"]):
    @property
    def network(self) -> Network:
        return self._bench.network

    def dialect(self, router: str) -> Dialect:
        return self._bench.devices.devices[router].dialect

    @contextmanager
    def router(self, target: str) -> Iterator[MemoryRouter]:
        yield self._bench.devices.open(target)

    def probe(self, site: str) -> Any:
        return None if self.network.settings.sites[site].probe is None else self._opened()

    @contextmanager
    def _opened(self) -> Iterator[MemoryProbe]:
        yield self._bench.probe

    def access_record(self) -> AccessRecord:
        return self._bench.record()


class MemoryConfigurations:
    """Where copies go; this one keeps none."""

    def keep(self, texts: Mapping[str, str], message: str, *, author: str) -> Any:
        from dsi_automation.connectors.configurations.port import Version

        del author
        return Version("1", START, tuple(texts), message)


class MemoryHands(BenchHands["Office", MemoryLook]):
    @contextmanager
    def router(self, target: str, under: str | None = None) -> Iterator[MemoryRouter]:
        yield self._bench.devices.open(target, self._permit, under or target)

    def configurations(self, target: str) -> MemoryConfigurations:
        del target
        return MemoryConfigurations()

    def keep(self, kind: str, content: bytes) -> str:
        del kind
        return f"{len(content)}"


class Office(Bench):
    """Headquarters, San-Pedro with a probe, Bouaké whose router does not filter; routers of one platform."""

    START = START
    OPERATIONS: ClassVar[tuple[Any, ...]] = (AccessAllow(), AccessRevoke(), AccessList())

    def __init__(self, root: Path, platform: str = "frr", **access: Any) -> None:
        super().__init__(root)
        routers = {
            "rtr-abj": Router("rtr-abj", "ABJ", described(platform)),
            "rtr-spy": Router("rtr-spy", "SPY", described(platform)),
            "rtr-bke": Router("rtr-bke", "BKE", described(platform, filter=False)),
        }
        self.network = Network(settings(**access), routers, {})
        self.devices = MemoryNetwork([self._device(name, platform) for name in routers])
        self.probe = MemoryProbe(self)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.network.routers)

    def _device(self, name: str, platform: str) -> MemoryDevice:
        words = dialect(Platform(platform))
        lan, management = INTERFACES[platform]
        empty = Config({f"interface {lan}": ("description LAN",), f"interface {management}": ("description MGMT",)})
        base = words.difference(empty, filter_intent(self.network, name), (), Scope.BASE)
        config = words.apply(empty, base.lines)
        return MemoryDevice(name, words, self.clock, config, protected=management, point=self.point)

    def device(self, name: str = "rtr-spy") -> MemoryDevice:
        return self.devices.devices[name]

    def rules(self, name: str = "rtr-spy") -> tuple[AccessRule, ...]:
        device = self.device(name)
        device.tick()
        return device.dialect.rules(device.config)

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def plan(self, operation: str = "access.allow", *, on: tuple[str, ...] = ("rtr-spy",), **inputs: Any) -> Any:
        asked = {**ASKED, **inputs} if operation == "access.allow" else inputs
        return self.engine().plan(operation, on, asked, Silent())

    def approved(self, operation: str = "access.allow", **inputs: Any) -> str:
        return self.agreed(self.plan(operation, **inputs))

    def standing(self) -> str:
        return self.agreed(self.plan("access.revoke", expired=True), standing=True)

    def done(self, operation: str = "access.allow", **inputs: Any) -> Run:
        return self.run(self.approved(operation, **inputs))

    def listed(self, **inputs: Any) -> Report:
        return self.engine().check("access.list", tuple(self.network.routers)[:2], inputs, Silent())

    def record(self) -> AccessRecord:
        return read(self.notes(), lambda _run: Decided("m.kouadio", ("y.traore",)))


def states(report: Report) -> dict[str, str]:
    """Return the state of each access a report has, by its identifier."""
    return {one["id"]: one["state"] for facts in report.facts.values() for one in facts["accesses"]}


def blocked(plan: Any) -> list[str]:
    """Return why no plan could be made."""
    return [one.reason.render("en") for one in plan.blockers]
