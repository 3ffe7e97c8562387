"""What a driver refuses before it connects: both real ones and the one in memory refuse alike."""

import pytest

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.memory import MemoryNetwork
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.connectors.routers.opening import dialect, open_router
from dsi_automation.connectors.routers.port import Platform, RouterEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError, RefusedError, UnreachableError

MANAGEMENT = {Platform.IOS: "Gi0/2", Platform.FRR: "mgmt0"}
OTHER = {Platform.IOS: "GigabitEthernet0/1", Platform.FRR: "wan0"}


class Permit:
    """A run's permit."""

    def check(self, target):
        """Let it write."""


@pytest.fixture(params=[(platform, kind) for platform in Platform for kind in ("device", "memory")], ids=str)
def router(request):
    """A router nobody answers for: whatever it is asked that needs a connection fails otherwise."""
    platform, kind = request.param
    protected = MANAGEMENT[platform]
    if kind == "memory":
        device = MemoryDevice("r1", dialect(platform), SystemClock(), Config(), protected=protected)
        device.faults.unreachable = UnreachableError("nobody")
        return platform, MemoryNetwork([device]).open("r1", Permit())
    endpoint = RouterEndpoint("r1", platform, "127.0.0.1", 1, protected=protected, connect_timeout=1.0)
    return platform, open_router(endpoint, SystemClock(), Permit(), "r1")


def _refused(opened, lines):
    with pytest.raises(DsiError) as caught:
        opened.push(lines)
    return caught.value


@pytest.mark.parametrize("indent", ["", " "])
def test_no_driver_touches_the_interface_it_is_managed_through(router, indent):
    platform, opened = router
    first = [f"interface {OTHER[platform]}", " description WAN"]
    error = _refused(opened, [*first, f"{indent}interface {MANAGEMENT[platform]}", " shutdown"])
    assert (type(error), MANAGEMENT[platform] in str(error.what)) == (RefusedError, True)


def test_no_driver_puts_the_filter_at_the_interface_it_is_managed_through(router):
    platform, opened = router
    error = _refused(opened, ["filter DSI-LAN-IN", f" inside {MANAGEMENT[platform]}", "exit"])
    assert type(error) is RefusedError


@pytest.mark.parametrize(
    "lines", [["reload"], ["exit"], ["interface x", "exit", "exit"], ["interface x", " exit"], ["int x\nreload"]]
)
def test_no_driver_sends_a_dangerous_line_or_leaves_configuration_mode(router, lines):
    _, opened = router
    assert type(_refused(opened, lines)) is RefusedError


def test_a_harmless_line_is_refused_by_the_connection_alone(router):
    platform, opened = router
    assert isinstance(_refused(opened, [f"interface {OTHER[platform]}", " description WAN", "exit"]), UnreachableError)
