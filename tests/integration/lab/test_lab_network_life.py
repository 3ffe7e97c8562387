"""A lab of routers comes and goes: a killed start is finished or cleared, it can grow, and nothing is left of it."""

import subprocess

import pytest
from lab_lives import start_and_die, traces

from dsi_automation.core.errors import UsageError
from dsi_automation.lab import network as lab_network

TWO = {"routers": 2, "domain": False}
BEGUN, ROUTED = "lab.routers.started", "lab.routing.started"


def test_a_start_killed_at_any_step_is_cleared_or_finished(fresh):
    start_and_die(fresh, ROUTED, **TWO)
    assert traces(fresh)
    assert fresh.down()
    assert traces(fresh) == []
    start_and_die(fresh, BEGUN, **TWO)
    start_and_die(fresh, ROUTED, **TWO)
    fresh.up(0, domain=False)
    assert fresh.is_up()
    assert [router.name for router in fresh.routed.routers] == ["rtr-abj", "rtr-spy"]
    assert fresh.down()
    assert traces(fresh) == []


def test_it_is_started_once_keeps_its_routers_and_grows_when_it_is_asked_to(fresh):
    assert fresh.up(0, routers=1, domain=False).changed
    assert not fresh.up(0, domain=False).changed
    assert fresh.up(0, routers=2, domain=False).changed
    assert fresh.routed.count == 2
    assert fresh.is_up()
    assert fresh.routed.router("rtr-spy").console("show version").startswith("FRRouting")
    assert not fresh.up(0, routers=1, domain=False).changed


def test_a_router_that_died_is_started_again_and_saved_lines_are_there(fresh):
    fresh.up(0, routers=1, domain=False)
    router = fresh.routed.routers[0]
    router.configure("ip route 10.79.0.0/24 Null0")
    router.console("write memory")
    router.stop()
    assert not fresh.is_up()
    fresh.up(0, domain=False)
    assert fresh.is_up()
    assert "ip route 10.79.0.0/24 Null0" in router.console("show running-config")


def test_a_namespace_of_somebody_else_is_neither_used_nor_removed(fresh):
    foreign = f"{fresh.layout.name}-r1"
    subprocess.run(["ip", "netns", "add", foreign], check=True)
    try:
        with pytest.raises(UsageError, match=foreign):
            fresh.up(0, routers=1, domain=False)
        fresh.down()
        assert foreign in lab_network.namespaces()
    finally:
        subprocess.run(["ip", "netns", "delete", foreign], check=True)


@pytest.mark.parametrize("routers", [-1, 31])
def test_too_many_routers_are_refused(fresh, routers):
    with pytest.raises(UsageError, match="30"):
        fresh.up(0, routers=routers, domain=False)


def test_routers_alone_have_no_workstation_to_add(fresh):
    fresh.up(0, routers=1, domain=False)
    with pytest.raises(UsageError, match="--without-domain"):
        fresh.add_workstation("ws9", "ABJ-PC-9999")
