from datetime import UTC, datetime, timedelta

import pytest

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.dialects.ios import IosDialect
from dsi_automation.connectors.routers.memory import MemoryNetwork
from dsi_automation.connectors.routers.memory_device import MemoryDevice
from dsi_automation.connectors.routers.port import LineRefusedError, NothingPendingError, TimerState
from dsi_automation.core.errors import GateClosedError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T

ONE = ["interface wan0", " ip address 10.255.0.1/30", "exit", "ip route 10.64.0.0/12 10.255.0.2"]
TWO = ["interface wan0", " ip address 10.255.0.2/30", "exit"]


class Clock:
    def __init__(self):
        self.time = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)


class Shut:
    def check(self, target):
        raise GateClosedError(T("Nothing is written to {target}.", target=target))


@pytest.fixture
def network():
    clock = Clock()
    devices = [
        MemoryDevice(name, FrrDialect(), clock, Config({"interface mgmt0": ("description OOB",)})) for name in "ab"
    ]
    return MemoryNetwork(devices, [(("a", "wan0"), ("b", "wan0"))])


def test_a_change_is_armed_pushed_confirmed_by_a_new_connection_and_saved(network):
    router, device = network.open("a"), network.devices["a"]
    before = router.running()
    router.snapshot("RUN-1")
    assert router.arm(60) == before
    router.push(ONE)
    with pytest.raises(RefusedError, match=r"nouvelle connexion|new connection"):
        router.confirm()
    with pytest.raises(RefusedError):
        router.save()
    router.close()
    router.confirm()
    assert router.startup() == before
    router.save()
    assert router.startup() == router.running() != before
    device.clock.sleep(600)
    assert router.running() == router.startup()
    assert router.timer().state is TimerState.NONE
    router.restore("RUN-1")
    assert router.running() == before
    assert device.events == ["snapshot RUN-1", "arm 60", "push 4", "save failed", "confirm", "save", "restore RUN-1"]


def test_a_change_that_is_not_confirmed_goes_back_by_itself(network):
    router = network.open("a")
    before = router.running()
    router.arm(60)
    router.push(ONE)
    router.close()
    network.devices["a"].clock.sleep(61)
    assert router.running() == before
    with pytest.raises(NothingPendingError):
        router.confirm()
    router.revert()


def test_a_router_that_cut_itself_off_does_not_answer_until_its_timer_ran_out(network):
    router, device = network.open("a"), network.devices["a"]
    device.faults.cut = "^ip route"
    before = router.running()
    router.arm(60)
    with pytest.raises(UnknownOutcomeError):
        router.push(ONE)
    router.close()
    with pytest.raises(UnreachableError):
        router.running()
    with pytest.raises(UnreachableError):
        router.revert()
    device.clock.sleep(60)
    assert router.running() == before
    assert (router.timer().last or "").startswith("reverted")


def test_a_refused_line_is_named_and_those_before_it_are_in_force(network):
    router, device = network.open("a"), network.devices["a"]
    device.faults.refuse["^ip route"] = "% Unknown command"
    with pytest.raises(LineRefusedError) as refused:
        router.push(ONE)
    assert refused.value.line == "ip route 10.64.0.0/12 10.255.0.2"
    assert device.pushed == ["interface wan0", " ip address 10.255.0.1/30"]
    assert router.running().sections["interface wan0"] == ("ip address 10.255.0.1/30",)


def test_a_filter_is_taken_whole_or_not_at_all(network):
    router = network.open("a")
    with pytest.raises(LineRefusedError):
        router.push(["filter DSI-LAN-IN", " inside lan0", " rule nonsense", "exit", *ONE])
    assert "filter DSI-LAN-IN" not in router.running().sections
    assert "" not in router.running().sections


def test_a_ping_succeeds_once_both_ends_have_fitting_addresses(network):
    one, two = network.open("a"), network.open("b")
    one.push(ONE)
    assert one.ping("10.255.0.2").received == 0
    two.push(["interface wan0", " ip address 10.255.0.6/30", "exit"])
    assert one.ping("10.255.0.2").received == 0
    two.push([*TWO[:1], " no ip address 10.255.0.6/30", *TWO[1:]])
    assert one.ping("10.255.0.2", count=3).received == 3
    assert two.ping("10.255.0.1").received == 5
    assert one.route("10.64.0.0/12") == ("10.255.0.2",)
    network.devices["b"].faults.down.add("wan0")
    assert one.ping("10.255.0.2").received == 0
    assert one.route("10.64.0.0/12") == ()
    seen = one.interface("wan0")
    assert seen is not None
    assert (seen.up, seen.line_protocol, seen.addresses) == (True, False, ("10.255.0.1/30",))
    assert one.interface("wan9") is None


def test_a_router_that_goes_back_before_its_time_has_nothing_to_confirm(network):
    router, device = network.open("a"), network.devices["a"]
    device.faults.early = True
    before = router.running()
    router.arm(60)
    router.push(ONE)
    router.close()
    assert router.running() == before
    with pytest.raises(NothingPendingError):
        router.confirm()


def test_what_stays_of_a_change_that_went_back_can_be_found(network):
    router, device = network.open("a"), network.devices["a"]
    device.faults.stuck = ("ip route 10.99.0.0/16 10.255.0.2",)
    before = router.running()
    router.arm(60)
    router.push(ONE)
    router.revert()
    assert router.running() != before
    assert router.running().sections[""] == device.faults.stuck


def test_nothing_is_written_without_the_permit_of_the_run(network):
    router = network.open("a", Shut())
    for write in (
        lambda: router.snapshot("x"), lambda: router.arm(60), lambda: router.push(ONE), router.confirm, router.save,
        router.revert, lambda: router.restore("x"),
    ):  # fmt: skip
        with pytest.raises(GateClosedError):
            write()
    assert network.devices["a"].events == []
    assert router.running() == network.devices["a"].config


@pytest.mark.parametrize(
    "lines", [["reload"], ["interface mgmt0", " shutdown"], ["interface wan0", " description x\nreload"], ["exit"]]
)
def test_a_push_that_is_dangerous_or_touches_the_management_sends_nothing(network, lines):
    with pytest.raises(RefusedError):
        network.open("a").push([*ONE, *lines])
    assert network.devices["a"].pushed == []


def test_the_management_of_a_cisco_is_known_by_its_short_name_too():
    device = MemoryDevice("a", IosDialect(), Clock(), Config({"interface GigabitEthernet0/2": ()}), protected="Gi0/2")
    with pytest.raises(RefusedError):
        MemoryNetwork([device]).open("a").push(["interface gi0/2", " shutdown"])
    assert device.pushed == []


def test_a_change_by_hand_and_a_restart_are_seen(network):
    router, device = network.open("a"), network.devices["a"]
    started = router.startup()
    device.by_hand(*ONE)
    assert router.running() != started == router.startup()
    device.reboot()
    assert router.running() == started


def test_a_snapshot_of_a_name_is_kept_as_it_was(network):
    router = network.open("a")
    router.snapshot("x")
    router.snapshot("x")
    router.push(ONE)
    with pytest.raises(RefusedError):
        router.snapshot("x")
    with pytest.raises(RefusedError):
        router.restore("none")


def test_a_second_timer_is_refused_and_errors_come_when_they_are_asked_for(network):
    router, device = network.open("a"), network.devices["a"]
    router.arm(60)
    with pytest.raises(RefusedError):
        router.arm(60)
    device.faults.fails["running"] = [None, UnreachableError(T("gone"))]
    router.running()
    with pytest.raises(UnreachableError):
        router.running()
    router.running()
    device.faults.unready = T("no archive")
    with pytest.raises(RefusedError):
        router.ready()
