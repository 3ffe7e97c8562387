"""The order of a safe change, as the driver types it into an emulated Cisco router."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fix_ios import ADDRESS, LINES, WAN, Emulated

from dsi_automation.connectors.routers.port import (
    Interface,
    LineRefusedError,
    NothingPendingError,
    Ping,
    TimerState,
)
from dsi_automation.core.errors import RefusedError


def test_a_change_is_snapshot_armed_pushed_looked_at_anew_confirmed_and_saved_in_this_order(emulated: Emulated) -> None:
    router = emulated.driver()
    router.ready()
    before = router.running()
    router.snapshot("dsi-run1")
    assert router.arm(170.0) == before
    pending = router.timer()
    assert (pending.state, pending.user) == (TimerState.ARMED, "netadmin")
    assert pending.until is not None
    router.push(LINES)
    router.close()
    assert router.running() == router.dialect.apply(before, LINES)
    assert router.interface("GigabitEthernet0/2") == Interface("GigabitEthernet0/2", True, True, ("198.18.40.1/30",))
    assert router.route("10.0.0.0/8") == ("198.18.40.2",)
    assert router.ping("198.18.40.2", count=3) == Ping(3, 3)
    assert router.startup() == before
    assert router.seen().interfaces == ("GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/2")
    router.confirm()
    assert router.timer().state is TimerState.NONE
    router.save()
    assert router.startup() == router.running()
    typed = [line for line in emulated.device.log if not line.startswith(("show", "terminal", "more", "dir", "ping"))]
    assert typed == [
        "copy running-config flash:dsi-dsi-run1.cfg", "configure terminal revert timer 3", "end",
        "configure terminal", *(line.strip() for line in LINES), "end", "configure confirm", "write memory",
    ]  # fmt: skip
    assert set(emulated.permit.asked) == {"rtr-spy"}
    assert len(emulated.permit.asked) == 5


def test_a_line_that_is_refused_is_named_and_what_follows_is_not_sent(emulated: Emulated) -> None:
    router = emulated.driver()
    router.arm(120.0)
    with pytest.raises(LineRefusedError) as refused:
        router.push([WAN, ADDRESS, " ip adress 1.2.3.4", " no shutdown", "exit"])
    assert refused.value.line == "ip adress 1.2.3.4"
    assert refused.value.answer == "% Invalid input detected at '^' marker."
    assert "no shutdown" not in emulated.device.log
    assert emulated.device.log[-1] == "end"
    router.revert()
    assert "198.18.40.1" not in emulated.device.running.text()


def test_a_number_that_is_taken_is_a_line_refused(emulated: Emulated) -> None:
    router = emulated.driver()
    router.arm(120.0)
    with pytest.raises(LineRefusedError) as refused:
        router.push(["ip access-list extended DSI-LAN-IN", " 1230 permit tcp any host 10.64.0.9 eq 443", "exit"])
    assert refused.value.answer == "% Duplicate sequence number"


def test_a_second_confirmation_is_refused(emulated: Emulated) -> None:
    router = emulated.driver()
    router.arm(120.0)
    router.confirm()
    with pytest.raises(NothingPendingError):
        router.confirm()
    assert emulated.device.log.count("configure confirm") == 1


def test_a_timer_that_another_account_armed_is_neither_confirmed_nor_armed_again(emulated: Emulated) -> None:
    emulated.driver(user="other").arm(120.0)
    router = emulated.driver()
    for call in (router.ready, lambda: router.arm(120.0), router.confirm, router.save):
        with pytest.raises(RefusedError, match="other"):
            call()
    assert not {"configure confirm", "write memory"} & set(emulated.device.log)
    with pytest.raises(RefusedError):
        router.revert()
    assert router.timer().state is TimerState.ARMED


def test_nothing_is_pushed_while_no_timer_is_armed(emulated: Emulated) -> None:
    with pytest.raises(RefusedError):
        emulated.driver().push(LINES)
    assert "configure terminal" not in emulated.device.log


def test_nothing_is_saved_while_a_timer_is_armed(emulated: Emulated) -> None:
    router = emulated.driver()
    router.arm(120.0)
    with pytest.raises(RefusedError):
        router.save()
    assert "write memory" not in emulated.device.log


@pytest.mark.parametrize("line", ["reload", "no archive", "do write memory", "end", "username x privilege 15"])
def test_a_dangerous_line_is_never_sent_nor_are_those_beside_it(emulated: Emulated, line: str) -> None:
    router = emulated.driver()
    router.arm(120.0)
    with pytest.raises(RefusedError):
        router.push([WAN, ADDRESS, line])
    assert WAN not in emulated.device.log


@pytest.mark.parametrize("line", ["description a\nreload", "description a\rreload", "description ?", "description é"])
def test_one_line_is_one_command(emulated: Emulated, line: str) -> None:
    router = emulated.driver()
    router.arm(120.0)
    with pytest.raises(RefusedError):
        router.push([WAN, line])
    assert WAN not in emulated.device.log


@pytest.mark.parametrize(("seconds", "minutes"), [(1.0, 1), (60.0, 1), (61.0, 2), (7200.0, 120)])
def test_a_timer_is_minutes_rounded_up(emulated: Emulated, seconds: float, minutes: int) -> None:
    emulated.driver().arm(seconds)
    assert f"configure terminal revert timer {minutes}" in emulated.device.log


@pytest.mark.parametrize("seconds", [0.0, 7201.0])
def test_a_timer_ios_does_not_have_is_refused(emulated: Emulated, seconds: float) -> None:
    with pytest.raises(ValueError, match="rtr-spy"):
        emulated.driver().arm(seconds)
    assert emulated.device.pending is None


def test_without_a_permit_nothing_is_written(emulated: Emulated) -> None:
    emulated.permit = None  # type: ignore[assignment]
    router = emulated.driver()
    for call in (lambda: router.snapshot("x"), lambda: router.arm(60), lambda: router.push(LINES), router.save):
        with pytest.raises(Exception, match="rtr-spy"):
            call()
    assert emulated.device.log == []


@pytest.mark.parametrize("prints_numbers", [True, False])
def test_numbers_of_access_lists_are_read_whether_the_configuration_prints_them_or_not(
    emulate: Callable[..., Emulated], *, prints_numbers: bool
) -> None:
    router = emulate(prints_numbers=prints_numbers).driver()
    listed = router.running().sections["ip access-list extended DSI-LAN-IN"]
    assert [line.split()[0] for line in listed] == ["100", "1230", "9000"]
    assert router.arm(60.0) == router.running()
