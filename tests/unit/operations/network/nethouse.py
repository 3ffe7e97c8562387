"""The operations on routers under the real engine, gate and journal, over a small network in memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from workbench import Bench, BenchHands, BenchLook

from dsi_automation.connectors.configurations.port import Version
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.memory import MemoryNetwork, MemoryRouter
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.model import Run
from dsi_automation.engine.operation import Permit
from dsi_automation.inventory.network_model import Link, NetworkSettings, RouterDescription
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network.check import RouterCheck
from dsi_automation.operations.network.configure import RouterConfigure
from dsi_automation.operations.network.record import AccessRecord

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SITES = {"abj": "10.64.0.0/23", "spy": "10.64.8.0/23", "bke": "10.64.16.0/23", "man": "10.64.24.0/23"}
LANS = {"abj": "10.64.0.0/24", "spy": "10.64.8.0/24", "bke": "10.64.16.0/24", "man": "10.64.24.0/24"}
CIRCUITS = {
    "lnk-spy": ("rtr-spy", "wan0", "rtr-abj", "wan0", "10.64.9.0/30"),
    "lnk-bke": ("rtr-bke", "wan0", "rtr-abj", "wan1", "10.64.17.0/30"),
    "lnk-man": ("rtr-man", "wan0", "rtr-bke", "wan1", "10.64.25.0/30"),
}
ALL = ("rtr-abj", "rtr-spy", "rtr-bke", "rtr-man")


def network(more: int = 0, *, filtered: bool = False, **rollout: Any) -> Network:
    """Return headquarters, two sites, a neighbour behind one of them, and so many more sites at headquarters."""
    sites = {code: {"range": SITES[code], "lan": LANS[code]} for code in SITES}
    circuits = dict(CIRCUITS)
    for number in range(more):
        third = 32 + 2 * number
        sites[f"x{number}"] = {"range": f"10.64.{third}.0/23", "lan": f"10.64.{third}.0/24"}
        circuits[f"lnk-x{number}"] = (
            f"rtr-x{number}",
            "wan0",
            "rtr-abj",
            f"wan{2 + number}",
            f"10.64.{third + 1}.0/30",
        )
    settings = NetworkSettings.model_validate(
        {
            "headquarters": "abj",
            "ranges": ["10.64.0.0/12"],
            "sites": sites,
            "operators": {"oci": {"name": "Opérateur CI"}},
            "rollout": {"timer": timedelta(minutes=5), "verify_within": timedelta(seconds=30), **rollout},
        }
    )
    described = RouterDescription.model_validate(
        {
            "platform": "frr", "lan": "lan0", "filter": filtered,
            "management": {"interface": "mgmt0", "sources": ["198.18.0.1/32"]},
        }
    )  # fmt: skip
    routers = {f"rtr-{code}": Router(f"rtr-{code}", code, described) for code in sites}
    links = {
        name: Link.model_validate(
            {
                "kind": "leased" if name == "lnk-spy" else "neighbour",
                "ends": [{"router": a, "interface": ai}, {"router": b, "interface": bi}],
                "prefix": prefix,
                "bandwidth": 20,
                **({"operator": "oci", "circuit": "LL-2041"} if name == "lnk-spy" else {}),
            }
        )
        for name, (a, ai, b, bi, prefix) in circuits.items()
    }
    return Network(settings, routers, links)


class Copies:
    """The repository of configurations, in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def latest(self, router: str) -> tuple[Version, str] | None:
        text = self.texts.get(router)
        return None if text is None else (Version("c0ffee", START, (router,), "-"), text)

    def keep(self, texts: Mapping[str, str], message: str, *, author: str) -> Version | None:
        del author
        self.texts |= texts
        return Version("c0ffee", START, tuple(texts), message)


class MemoryLook(BenchLook["Office"]):
    @property
    def network(self) -> Network:
        return self._bench.network

    def access_record(self) -> AccessRecord:
        return self._bench.record

    def configurations(self) -> Copies:
        return self._bench.copies

    @contextmanager
    def router(self, target: str) -> Iterator[MemoryRouter]:
        yield self._bench.devices.open(target)


class MemoryHands(BenchHands["Office", MemoryLook]):
    def __init__(self, look: MemoryLook, permit: Permit, office: Office) -> None:
        super().__init__(look, permit, office)
        self._shared: dict[str, Any] = {}
        self._lock = threading.Lock()

    def keep(self, kind: str, content: bytes) -> str:
        self._bench.kept.append((kind, content))
        return "0" * 64

    def configurations(self, target: str) -> Copies:
        self._permit.check(target)
        return self._bench.copies

    def shared(self, name: str, make: Any) -> Any:
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return self._shared[name]

    @contextmanager
    def router(self, target: str, under: str | None = None) -> Iterator[MemoryRouter]:
        self._permit.check(under or target)
        yield self._bench.devices.open(target, self._permit, under or target)

    def note(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        self._bench.point(f"{target} before note {name}")
        self._permit.note(target, name, data)
        self._bench.point(f"{target} after note {name}")


class Office(Bench):
    """Headquarters, its sites, and everything around them; a controller that is killed does nothing any more."""

    START = START
    OPERATIONS: ClassVar[tuple[Any, ...]] = (RouterConfigure(), RouterCheck())

    def __init__(self, root: Path, *, more: int = 0, right: Sequence[str] = (), **settings: Any) -> None:
        """Set it up.

        Args:
            root: folder of the journal.
            more: sites besides the four.
            right: routers that run what the inventory wants already, all others being new: `*` for all of them.
            settings: of the network.
        """
        super().__init__(root)
        self.network = network(more, **settings)
        self.record, self.copies = AccessRecord(()), Copies()
        self.kept: list[tuple[str, bytes]] = []
        self.dead = False
        self.strangers: tuple[str, ...] = ()  # hosts that are no routers
        self._lock = threading.Lock()
        self.devices = MemoryNetwork(
            [self._device(name, number) for number, name in enumerate(self.names)],
            [((e[0].router, e[0].interface), (e[1].router, e[1].interface))
             for e in (link.ends for link in self.network.links.values())],
        )  # fmt: skip
        for name in self.names if "*" in right else right:
            self.make_right(name)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.network.routers, *self.strangers)

    def _device(self, name: str, number: int) -> MemoryDevice:
        bare = Config({"interface mgmt0": (f"ip address 198.18.0.{11 + number}/24",)})
        ports = {link.end(name).interface for link in self.network.links_of(name).values()}
        device = MemoryDevice(name, FrrDialect(), self.clock, bare, ports={"lan0", *ports})
        device.point = lambda event: self.point(f"{name} {event}")
        return device

    def make_right(self, name: str) -> None:
        from dsi_automation.connectors.routers.intent import Scope
        from dsi_automation.operations.network.wanted import router_intent

        device = self.devices.devices[name]
        lines = device.dialect.difference(device.config, router_intent(self.network, name), (), Scope.BASE).lines
        device.by_hand(*lines)
        device.start = device.config

    def device(self, name: str) -> MemoryDevice:
        return self.devices.devices[name]

    def notify(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def point(self, name: str) -> None:
        with self._lock:
            self.points.append(name)
            if name == self.kill_at and not self.killed:
                self.killed.append(name)
                self.dead = True
        if self.dead:
            raise SystemExit(name)  # no operation catches it; whatever this controller does afterwards is not done

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def plan(self, *targets: str, **inputs: Any) -> Any:
        return self.engine().plan("router.configure", targets or self.names, inputs, Silent())

    def approved(self, *targets: str, **inputs: Any) -> str:
        return self.agreed(self.plan(*targets, **inputs))

    def standing(self, *targets: str) -> str:
        return self.agreed(self.plan(*targets), standing=True)

    def configure(self, *targets: str, **inputs: Any) -> Run:
        return self.run(self.approved(*targets, **inputs))

    def die(self, request_id: str, point: str) -> None:
        """Run, and have the controller killed at a point."""
        self.kill_at = point
        with contextlib.suppress(DsiError):
            self.run(request_id)
        assert self.killed == [point]
        self.dead = False

    def check(self, *targets: str) -> Any:
        return self.engine().check("router.check", targets or self.names, {}, Silent())

    def stepped(self, name: str, target: str | None = None) -> list[Mapping[str, Any]]:
        """Return what was noted of a step of routers, or of one of them."""
        return [one.data for one in self.notes() if one.name == f"router.{name}" and target in {None, one.target}]

    def right(self, name: str) -> bool:
        """Tell whether a router runs and starts with what the inventory wants, no timer being armed."""
        from dsi_automation.connectors.routers.intent import Scope
        from dsi_automation.operations.network.wanted import router_intent

        device, intent = self.device(name), router_intent(self.network, name)
        good = not device.dialect.difference(device.config, intent, (), Scope.BASE)
        return good and device.start == device.config and not device.armed

    def bare(self, name: str) -> bool:
        """Tell whether a router runs and starts with what it did at first."""
        device = self.device(name)
        addressed = {k for k, lines in device.config.sections.items() if any("address" in line for line in lines)}
        return addressed == {"interface mgmt0"} and "" not in device.config.sections and not device.armed


def kinds(plan: Any) -> list[str]:
    return [f"{action.target}/{action.kind}" for action in plan.actions]


def unit(plan: Any, target: str) -> list[str]:
    return next(list(one.args["unit"]) for one in plan.actions if (one.target, one.kind) == (target, "configure"))


def wave(plan: Any, target: str) -> int:
    return next(one.args["wave"] for one in plan.actions if (one.target, one.kind) == (target, "configure"))


def outcomes(run: Run) -> dict[str, str]:
    return {name: str(value) for name, value in run.targets.items()}
