"""What Prometheus is told of applications is what the journal holds: who could not work, for how long, and why."""

from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

import pytest
from house import Fill

from dsi_automation.core.clock import iso
from dsi_automation.core.events import Silent
from dsi_automation.engine.model import StandingBounds, Window
from dsi_automation.inventory.application_model import Application
from dsi_automation.metrics.spec import NEVER
from dsi_automation.operations.applications import notes

WEB = {"path": "/sydam", "expect": "SYDAM"}
SYDAM = {
    "title": "SYDAM World",
    "servers": [{"name": "app1", "host": "app1", "service": {"kind": "systemd", "unit": "sydam"}, "port": 8080}],
    "connection_test": {"credential": "test", "page": WEB, "login": WEB, "query": WEB, "logout": WEB},
    "time_zone": "UTC",
}
KEY = ("application", "sydam")


@pytest.fixture
def world(world):
    world.applications["sydam"] = Application.model_validate(SYDAM)
    return world


def note(world, name, **data):
    return world.write("run.noted", "RUN-1", target="sydam", note=name, data=data)


def down(world, *, planned=False):
    at = world.house.clock.moment
    note(world, notes.DOWN, at=iso(at), planned=planned, why="Incident", since=None)
    return at


def up(world):
    at = world.house.clock.moment
    note(world, notes.UP, at=iso(at), seconds=0.0, release=None)
    return at


def a_test(world, *, conclusive):
    return note(world, notes.TESTED, tests=[], conclusive=conclusive, attempt=1, at="", servers=["app1"], log={})


def test_an_application_that_was_never_touched_is_up_and_never_restarted(world):
    seen = world.scrape()
    assert seen["dsi_application_interrupted", KEY] == 0
    assert seen["dsi_application_last_restart_timestamp_seconds", KEY] == NEVER
    assert seen["dsi_application_last_test_timestamp_seconds", KEY] == NEVER
    assert seen["dsi_application_availability_ratio", KEY, ("of", "month")] == 1
    assert ("dsi_application_last_test_conclusive", KEY) not in seen


def test_an_inventory_without_applications_tells_nothing_of_them(world):
    world.applications.clear()
    seen = world.scrape()
    assert not [key for key in seen if key[0].startswith("dsi_application")]
    assert seen["dsi_collector_success", ("part", "applications")] == 1


def test_an_interruption_that_lasts_is_told_with_its_beginning_and_counts_when_it_ends(world):
    began = down(world)
    world.house.clock.forward(minutes=29)
    unplanned = ("planned", "false")
    seen = world.scrape()
    assert seen["dsi_application_interrupted", KEY] == 1
    assert seen["dsi_application_interrupted_since_timestamp_seconds", KEY, unplanned] == began.timestamp()
    assert seen["dsi_application_interruptions_total", KEY, unplanned] == 1
    assert seen["dsi_application_interruption_seconds_total", KEY, unplanned] == 0
    ended = up(world)
    seen = world.scrape()
    assert seen["dsi_application_interrupted", KEY] == 0
    assert ("dsi_application_interrupted_since_timestamp_seconds", KEY, unplanned) not in seen
    assert seen["dsi_application_interruption_seconds_total", KEY, unplanned] == (ended - began).total_seconds()
    assert seen["dsi_application_interruptions_total", KEY, ("planned", "true")] == 0


def test_a_planned_stop_lowers_the_month_and_not_what_was_promised(world):
    down(world, planned=True)
    world.house.clock.forward(hours=2)
    up(world)
    seen = world.scrape()
    assert seen["dsi_application_availability_ratio", KEY, ("of", "month")] < 1
    assert seen["dsi_application_availability_ratio", KEY, ("of", "promised")] == 1


def test_the_last_test_and_the_last_start_are_dated_by_the_journal(world):
    started = note(world, notes.STARTED, server="app1", seconds=9.0, at="")
    a_test(world, conclusive=True)
    last = a_test(world, conclusive=False)
    seen = world.scrape()
    assert seen["dsi_application_last_restart_timestamp_seconds", KEY] == started.timestamp()
    assert seen["dsi_application_last_test_timestamp_seconds", KEY] == last.timestamp()
    assert seen["dsi_application_last_test_conclusive", KEY] == 0


def test_the_release_in_use_is_the_last_that_was_deployed(world):
    for release in ("1.3.0", "1.4.0"):
        at = note(world, notes.DEPLOYED, source="sydam", stage="production", release=release, sha256="ab" * 32,
                  signer="bma", before=None)  # fmt: skip
    seen = world.scrape()
    labels = (KEY, ("release", "1.4.0"), ("source", "sydam"), ("stage", "production"))
    assert seen["dsi_release_info", *labels] == 1
    assert [key for key in seen if key[0] == "dsi_release_info"] == [("dsi_release_info", *labels)]
    assert seen["dsi_release_since_timestamp_seconds", KEY, ("source", "sydam")] == at.timestamp()


class Restart(Fill):
    """The house's operation, under the name of a planned stop."""

    name: ClassVar[str] = "application.restart"


def test_the_end_of_the_approval_is_told_also_after_it_has_passed(world):
    house, day = world.house, world.house.clock.moment.date() + timedelta(days=3)
    house.targets["sydam"] = "production"
    (house.root / "targets" / "sydam").mkdir()
    house.policy["operations"] = {"application.restart": house.policy["operations"]["folder.fill"]}
    mine = {"operations": {"application.restart": Restart()}}
    plan = house.engine(**mine).plan("application.restart", ["sydam"], {}, Silent())
    bounds = StandingBounds(day, time(20), time(23), "UTC")
    house.engine(**mine).request(plan, "Chaque soir", Window())
    assert ("dsi_application_approval_end_timestamp_seconds", KEY) not in world.scrape()
    standing = house.engine(**mine).request(plan, "Chaque soir", Window(), standing=bounds)
    house.engine("y.traore", **mine).approve(standing.id, "Oui")
    end = datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
    assert world.one("dsi_application_approval_end_timestamp_seconds", application="sydam") == end
    house.clock.forward(days=10)
    assert world.one("dsi_application_approval_end_timestamp_seconds", application="sydam") == end
