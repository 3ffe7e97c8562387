"""An access that a Linux router took away at its end is no change by hand: approvals stay good, nothing drifts."""

from datetime import timedelta

import accesshouse
import nethouse
import pytest

from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.intent import AccessRule, Scope
from dsi_automation.core.errors import WorldChangedError
from dsi_automation.core.results import Outcome
from dsi_automation.operations.network.ended import as_it_was, over
from dsi_automation.operations.network.record import Access, AccessRecord
from dsi_automation.operations.network.wanted import filter_intent

NOON = "2026-11-22T12:00:00+00:00"


def forgotten(device, *identifiers):
    """Have a router take accesses away by itself, as the kernel does when their time is over."""
    device.by_hand("filter DSI-LAN-IN", *(f" no rule {one}" for one in identifiers), "exit")


@pytest.fixture
def office(tmp_path):
    """Return an office with one access that ends at noon."""
    made = accesshouse.Office(tmp_path, "frr")
    made.schedule = made.standing()
    made.done(until=NOON)
    (made.short,) = made.record().standing()
    return made


def afternoon(office):
    office.clock.forward(hours=4)
    forgotten(office.device(), office.short.rule.id)


@pytest.mark.parametrize("cleaned", [False, True], ids=["before the schedule", "after the schedule"])
def test_an_access_that_ended_makes_no_other_approval_stale(office, cleaned):
    request = office.approved(service="tcp/443")
    afternoon(office)
    if cleaned:
        assert office.run(office.schedule).exit_code == 0
    run = office.run(request)
    assert (run.exit_code, run.outcome) == (0, Outcome.DONE)
    assert [rule.first_port for rule in office.rules()] == [443]
    assert office.device().start == office.device().config
    assert not office.device().armed


def test_an_access_that_ends_while_a_change_is_proven_takes_nothing_back(office):
    request = office.approved(service="tcp/443")
    office.clock.forward(hours=2)

    def point(event):
        if event == "after push":
            office.clock.forward(hours=2)
            office.device().until += timedelta(hours=2)  # no timer runs for the hours that are skipped
            forgotten(office.device(), office.short.rule.id)

    office.device().point = point
    assert office.run(request).exit_code == 0
    assert [rule.first_port for rule in office.rules()] == [443]


def test_an_access_taken_away_before_its_end_is_a_change_by_hand(office):
    request = office.approved(service="tcp/443")
    before = list(office.device().events)
    forgotten(office.device(), office.short.rule.id)
    with pytest.raises(WorldChangedError):
        office.run(request)
    assert office.device().events == before


def test_beside_an_access_that_ended_a_change_by_hand_is_still_one(office):
    request = office.approved(service="tcp/443")
    before = list(office.device().events)
    afternoon(office)
    office.device().by_hand("interface lan0", " description changed", "exit")
    with pytest.raises(WorldChangedError):
        office.run(request)
    assert office.device().events == before


def test_a_revocation_of_what_ended_meanwhile_sends_nothing_and_is_recorded(office):
    request = office.approved("access.revoke", ids=[office.short.rule.id])
    before = list(office.device().pushed)
    afternoon(office)
    assert office.run(request).exit_code == 0
    assert office.device().pushed == before
    assert office.record().standing() == ()
    assert office.device().start == office.device().config


def test_a_prolongation_of_what_ended_meanwhile_takes_a_new_approval(office):
    request = office.approved(until="2026-12-24")
    before = list(office.device().events)
    afternoon(office)
    with pytest.raises(WorldChangedError):
        office.run(request)
    assert office.device().events == before
    assert office.done(until="2026-12-24").exit_code == 0


def test_several_that_ended_are_put_back_in_the_order_of_their_ends(office):
    office.done(service="tcp/8000", until="2026-11-22T11:00:00+00:00")
    office.done(service="tcp/8001", until="2026-11-22T12:30:00+00:00")
    ids = [one.rule.id for one in office.record().standing()]
    office.clock.forward(hours=2, minutes=30)
    forgotten(office.device(), ids[1])
    request = office.approved(service="tcp/443")  # one of the three had ended before it was planned
    office.clock.forward(hours=2)
    forgotten(office.device(), ids[0], ids[2])
    assert office.run(request).exit_code == 0
    assert [rule.first_port for rule in office.rules()] == [443]


def branch(tmp_path):
    """Return a router with an access that ends at noon, saved, whose LAN is to be described."""
    office = nethouse.Office(tmp_path, right="*", filtered=True)
    device = office.device("rtr-spy")
    until = nethouse.START + timedelta(hours=3)
    rule = AccessRule("ac-aaaaaa", "10.64.8.8/29", "10.64.0.5/32", "tcp", 8443, 8443, until)
    device.by_hand(
        "filter DSI-LAN-IN", f" rule ac-aaaaaa 10.64.8.8/29 10.64.0.5/32 tcp/8443 until {until:%FT%TZ}", "exit"
    )
    device.by_hand("interface lan0", " no description", "exit")
    device.start = device.config
    access = Access(rule, "rtr-spy", "why", "REF", "B. Kone", "R-1", "m.kouadio", ("y.traore",), nethouse.START)
    office.record = AccessRecord((access,))
    return office, device


def test_an_access_that_ended_makes_no_approval_of_a_configuration_stale(tmp_path):
    office, device = branch(tmp_path)
    request = office.approved("rtr-spy")
    office.clock.forward(hours=4)
    forgotten(device, "ac-aaaaaa")
    run = office.run(request)
    assert (run.exit_code, run.outcome) == (0, Outcome.DONE)
    assert office.right("rtr-spy")


def test_a_configuration_that_goes_back_after_an_access_ended_is_back_as_it_was(tmp_path):
    office, device = branch(tmp_path)
    request = office.approved("rtr-spy")

    def point(event):
        if event == "after push":
            office.clock.forward(hours=4)
            device.before = device.dialect.apply(device.before, ["filter DSI-LAN-IN", " no rule ac-aaaaaa", "exit"])
            device.by_hand("filter DSI-LAN-IN", " no rule ac-aaaaaa", "exit")

    device.point = point
    run = office.run(request)
    assert run.exit_code == 6
    assert [one.data["same"] for one in run.notes if one.name == "router.reverted"] == [True]


def test_what_is_saved_of_an_access_that_ended_is_no_drift_and_nobodys_unsaved_line(tmp_path):
    office, device = branch(tmp_path)
    office.configure("rtr-spy")
    office.clock.forward(hours=4)
    forgotten(device, "ac-aaaaaa")
    assert device.start != device.config
    assert {check.name: check.ok for check in office.check("rtr-spy").checks}["unsaved"]
    assert [item.kind for item in office.plan("rtr-spy").non_actions if item.kind != "configure"] == []


def test_a_platform_that_ends_nothing_by_itself_is_given_nothing_back(tmp_path):
    office = accesshouse.Office(tmp_path, "ios")
    office.done(until=NOON)
    before = office.device().config
    office.clock.forward(hours=4)
    office.done("access.revoke", expired=True)
    rules = over(office.record(), "rtr-spy", office.clock.now())
    intent, running = filter_intent(office.network, "rtr-spy"), office.device().config
    assert len(rules) == 1
    assert as_it_was(running, before.digest, rules, office.device().dialect, intent) is running


def test_no_digest_but_the_one_that_was_wanted_is_ever_put_together(tmp_path):
    office, device = branch(tmp_path)
    intent = filter_intent(office.network, "rtr-spy")
    rules = over(office.record, "rtr-spy", office.clock.now() + timedelta(hours=4))
    assert [one.id for one in rules] == ["ac-aaaaaa"]
    full, words = device.config, FrrDialect()
    bare = words.apply(full, words.difference(full, intent, (), Scope.RULES).lines)
    assert as_it_was(bare, full.digest, rules, words, intent) == full
    assert as_it_was(bare, "0" * 64, rules, words, intent) is bare
