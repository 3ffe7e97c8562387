"""A real network for the tests: four FRRouting routers, the hosts behind them, and nothing else of the lab.

rtr-abj (headquarters, `srv-siege` behind it), rtr-spy and rtr-bke hang on it, rtr-man on rtr-bke; behind each is a
LAN host (`lan-spy`). LANs, circuits, routes and filters are not configured: that is what the toolkit is tested to do.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from dsi_automation.connectors.routers.port import Platform, RouterEndpoint
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.routed_network import RoutedNetwork
from dsi_automation.lab.router_files import ADMINISTRATOR, HELPER
from dsi_automation.lab.servers import CONTROLLER

ROUTERS = 4


@dataclass(frozen=True)
class NetworkLab:
    """A lab that is a network, up.

    Attributes:
        lab: the lab; `lab.layout`, `lab.routed` are its parts.
    """

    lab: Lab

    @property
    def layout(self) -> Layout:
        """Its addresses and files."""
        return self.lab.layout

    @property
    def inventory(self) -> Path:
        """The folder of its inventory."""
        return self.lab.layout.inventory_dir

    @property
    def routed(self) -> RoutedNetwork:
        """Its routers, circuits and hosts."""
        return self.lab.routed

    @property
    def names(self) -> list[str]:
        """The routers, headquarters first."""
        return [router.name for router in self.routed.routers]

    def endpoint(self, router: str) -> RouterEndpoint:
        """Return how the toolkit reaches a router."""
        return RouterEndpoint(
            name=router,
            platform=Platform.FRR,
            host=self.routed.router(router).address,
            user=ADMINISTRATOR,
            key=str(self.layout.ssh_dir / CONTROLLER),
            known_hosts=str(self.routed.known_hosts),
            filter=True,
            helper=HELPER,
        )

    def console(self, router: str, *commands: str) -> str:
        """Type commands at a router's console cable and return what it says."""
        return self.routed.router(router).console(*commands)

    def configure_by_hand(self, router: str, lines: list[str] | tuple[str, ...]) -> None:
        """Type lines of configuration mode at a router's console; nothing is saved."""
        self.routed.router(router).configure(*lines)

    def run(self, router: str, *command: str) -> str:
        """Run a program on a router as its root, and return what it printed: `nft list ruleset`, `ip route`."""
        return self.routed.router(router).run(*command)

    def reboot(self, *routers: str) -> None:
        """Take routers' power away and give it back; returns once they answer."""
        self.routed.reboot(routers)

    def cut(self, circuit: str) -> None:
        """Cut a circuit (`man-bke`): its line goes down at both ends."""
        self.routed.cut(circuit)

    def mend(self, circuit: str) -> None:
        """Mend a circuit."""
        self.routed.mend(circuit)

    def ping(self, host: str, address: str) -> bool:
        """Tell whether an address answers a LAN host: `ping("lan-spy", server_address)`."""
        return self.routed.ping(host, address)

    @property
    def server_address(self) -> str:
        """The server at headquarters, in its LAN; it answers on the services of `lab.routed_network.SERVICES`."""
        return self.routed.topology.server_address

    def reset(self) -> list[str]:
        """Put every router back to how it left the factory, and mend all circuits; returns those that were changed."""
        return self.routed.reset()


@pytest.fixture(scope="session")
def network(make_lab):
    """The session's network. Use `fresh_network`, or put back what you change with `reset`."""
    lab = make_lab()
    lab.up(0, routers=ROUTERS, domain=False)
    return NetworkLab(lab)


@pytest.fixture
def fresh_network(network):
    """The session's network with every router as it left the factory and every circuit whole."""
    network.reset()
    return network
