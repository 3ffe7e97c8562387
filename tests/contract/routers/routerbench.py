"""One bench for a real FRRouting router and for the one in memory: what a test does to them besides the port."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from engine_house.house import HandClock
from waiting import wait_for

from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.frr import FrrRouter
from dsi_automation.connectors.routers.memory import MemoryNetwork
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.connectors.routers.port import TimerState
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.lab.router_files import FACTORY

NEAR, FAR = "rtr-abj", "rtr-spy"
"""The circuit between them is wan0 at both ends."""
CUT = ["interface mgmt0", " shutdown", "exit"]


@dataclass
class Permit:
    """A run's permit that can be taken away."""

    allowed: bool = True
    asked: list[str] = field(default_factory=list)

    def check(self, target):
        self.asked.append(target)
        if not self.allowed:
            raise DsiError("taken away")


class RealBench:
    """Routers of the lab."""

    def __init__(self, network):
        self.network = network
        self.permit = Permit()

    @contextmanager
    def open(self, name=FAR, *, permit=True):
        # A management that is cut answers nothing: what waits for it need not wait long here.
        endpoint = replace(self.network.endpoint(name), read_timeout=5.0, connect_timeout=5.0)
        router = FrrRouter(endpoint, SystemClock(), self.permit if permit else None, name)
        try:
            yield router
        finally:
            router.close()

    def by_hand(self, *lines, name=FAR):
        self.network.configure_by_hand(name, list(lines))

    def run_out(self, router, seconds):
        """Return once the timer ran out and its effect is there."""
        wait_for(lambda: self._none_armed(router), every=0.2)

    def lines_down(self, name, interface):
        self.network.run(name, "ip", "link", "set", interface, "down")

    @staticmethod
    def _none_armed(router):
        try:
            return router.timer().state is TimerState.NONE
        except DsiError:
            router.close()
            return False


class MemoryBench:
    """The same two routers in memory."""

    def __init__(self):
        dialect, self.clock = FrrDialect(), HandClock()
        devices = [
            MemoryDevice(
                name,
                dialect,
                self.clock,
                dialect.parse(FACTORY.format(name=name)),
                protected="none",
                ports={"wan0", "lan0", "mgmt0"},
            )
            for name in (NEAR, FAR)
        ]
        self.network = MemoryNetwork(devices, [((NEAR, "wan0"), (FAR, "wan0"))])
        self.permit = Permit()
        for device in devices:
            device.faults.cut = r"^ shutdown$"
            # What vtysh would not understand.
            device.faults.refuse[r"^ ip adress"] = "% Unknown command"

    @contextmanager
    def open(self, name=FAR, *, permit=True):
        yield self.network.open(name, self.permit if permit else None, name)

    def by_hand(self, *lines, name=FAR):
        self.network.devices[name].by_hand(*lines)

    def run_out(self, router, seconds):
        self.clock.forward(seconds=seconds)
