"""What Prometheus is told of routers and accesses is what the journal holds."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.inventory.network_model import NetworkSettings, RouterDescription
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.metrics.spec import NEVER
from dsi_automation.operations.network import notes
from dsi_automation.operations.network.record import rule_to_json

SETTINGS = {
    "headquarters": "ABJ",
    "ranges": ["10.64.0.0/12"],
    "sites": {"ABJ": {"range": "10.64.0.0/22", "lan": "10.64.0.0/24"}},
}
KEY = ("router", "rtr-abj")


@pytest.fixture
def world(world):
    described = RouterDescription.model_validate(
        {"platform": "frr", "lan": "lan0", "management": {"interface": "mgmt0", "sources": ["192.0.2.1/32"]}}
    )
    routers = {"rtr-abj": Router("rtr-abj", "ABJ", described)}
    world.network = Network(NetworkSettings.model_validate(SETTINGS), routers, {})
    return world


def note(world, name, router="rtr-abj", **data):
    return world.write("run.noted", "RUN-1", target=router, note=name, data=data)


def allow(world, identifier, until, router="rtr-abj"):
    rule = AccessRule(identifier, "10.64.0.8/32", "10.64.0.5/32", "tcp", 8443, 8443, until)
    said = {"why": "Contrôle", "reference": "N-1", "beneficiary": "Recette", "at": None}
    return note(world, notes.ALLOWED, router, rule=rule_to_json(rule), **said)


def accesses(seen, router="rtr-abj"):
    states = ("standing", "expiring", "expired")
    return tuple(seen["dsi_accesses", ("router", router), ("state", state)] for state in states)


def test_a_router_that_was_never_touched_is_known_and_has_no_copy(world):
    seen = world.scrape()
    assert seen["dsi_router_info", ("platform", "frr"), KEY, ("site", "ABJ")] == 1
    assert seen["dsi_router_last_copy_timestamp_seconds", KEY] == NEVER
    assert seen["dsi_router_changes_total", ("outcome", "reverted"), KEY] == 0
    assert ("dsi_router_last_change_kept", KEY) not in seen
    assert accesses(seen) == (0, 0, 0)


def test_an_inventory_without_a_network_tells_nothing_of_it(world):
    world.network = None
    seen = world.scrape()
    assert not [key for key in seen if key[0].startswith(("dsi_router", "dsi_access"))]
    assert seen["dsi_collector_success", ("part", "network")] == 1


def test_a_network_that_is_wrong_takes_nothing_else_down(world):
    world.network = SimpleNamespace()
    seen = world.scrape()
    assert seen["dsi_collector_success", ("part", "network")] == 0
    assert seen["dsi_collector_success", ("part", "runs")] == 1


def test_a_copy_is_young_even_when_nothing_had_changed(world):
    first = note(world, notes.COPIED, commit="a", changed=True)
    second = note(world, notes.COPIED, commit="a", changed=False)
    seen = world.scrape()
    assert seen["dsi_router_last_copy_timestamp_seconds", KEY] == second.timestamp()
    assert seen["dsi_router_last_difference_timestamp_seconds", KEY] == first.timestamp()


def test_the_drift_is_that_of_the_last_daily_copy_and_unknown_after_a_change(world):
    drift = ("dsi_router_drift", KEY)
    assert drift not in world.scrape()
    note(world, notes.COPIED, commit="a", changed=True, drift=3)
    assert world.scrape()[drift] == 3
    note(world, notes.COPIED, commit="b", changed=True, drift=None)  # after a change: nobody compared
    assert drift not in world.scrape()
    note(world, notes.COPIED, commit="b", changed=False, drift=0)
    assert world.scrape()[drift] == 0


def test_a_change_is_kept_or_reverted_and_both_are_counted(world):
    note(world, notes.CONFIRMED, at="")
    assert world.one("dsi_router_last_change_kept", router="rtr-abj") == 1
    back = note(world, notes.REVERTED, why="ping", by="timer", same=True, remaining=[])
    seen = world.scrape()
    assert seen["dsi_router_last_change_kept", KEY] == 0
    assert seen["dsi_router_last_change_timestamp_seconds", KEY] == back.timestamp()
    assert seen["dsi_router_changes_total", ("outcome", "confirmed"), KEY] == 1
    assert seen["dsi_router_changes_total", ("outcome", "reverted"), KEY] == 1


def test_accesses_are_counted_by_how_near_their_end_is_until_they_are_taken_away(world):
    now = world.house.clock.moment
    allow(world, "ac-aaaaaa", now + timedelta(days=60))
    allow(world, "ac-bbbbbb", now + timedelta(days=3))
    ended = now + timedelta(hours=1)
    allow(world, "ac-cccccc", ended)
    assert accesses(world.scrape()) == (1, 2, 0)
    world.house.clock.forward(hours=3)
    seen = world.scrape()
    assert accesses(seen) == (1, 1, 1)
    assert seen["dsi_access_oldest_expired_timestamp_seconds", KEY] == ended.timestamp()
    note(world, notes.REVOKED, id="ac-cccccc", why="expired", key=[])
    seen = world.scrape()
    assert accesses(seen) == (1, 1, 0)
    assert ("dsi_access_oldest_expired_timestamp_seconds", KEY) not in seen


def test_an_access_on_a_router_that_left_the_inventory_is_still_told_of(world):
    allow(world, "ac-dddddd", world.house.clock.moment + timedelta(minutes=5), router="rtr-gone")
    world.house.clock.forward(hours=1)
    assert accesses(world.scrape(), "rtr-gone") == (0, 0, 1)
