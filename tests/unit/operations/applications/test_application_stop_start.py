"""A stop leaves the application down and its interruption open; a start closes it; a check only looks."""

import dataclasses
from datetime import timedelta

import pytest
from apphouse import START, Office, kinds, left, session

from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.operations.applications.restart import ApplicationRestart


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def checked(office, **inputs):
    return office.engine().check("application.check", ("sydam",), inputs, Silent())


def test_the_evening_stop_is_planned_and_lasts_until_the_start_of_the_morning(office):
    office.database.sessions = [session()]
    run = office.run(office.standing("application.stop"))
    assert run.exit_code == 0
    assert not any(server.running for server in office.servers.values())
    assert office.told() == ["before"]
    lasting = office.record().open_interruption("sydam")
    assert lasting.planned
    office.clock.forward(hours=9)
    assert office.run(office.once("application.start", why="Reprise du matin")).exit_code == 0
    (interruption,) = office.record().interruptions
    assert interruption.planned
    assert interruption.ended_at - interruption.began_at > timedelta(hours=9)
    assert office.told() == ["before", "back"]
    assert [mail.planned for mail in office.mails.values()] == [True, True]


def test_a_stop_is_verified_by_service_and_by_port(office):
    run = office.run(office.once("application.stop", why="Panne"))
    assert {check.name for check in run.evidence} == {f"app{n}.{what}" for n in (1, 2) for what in ("down", "closed")}
    assert all(check.ok for check in run.evidence)


def test_a_server_that_comes_back_by_itself_after_a_stop_is_found_by_the_independent_look(office):
    request = office.once("application.stop", why="Panne")
    was = office.notify

    def it_comes_back(event):
        was(event)
        if event.kind == "action.done" and event.data["action"].endswith("caches.app1"):
            office.servers["app2"].running = True

    office.notify = it_comes_back
    run = office.run(request)
    assert run.outcome is Outcome.NOT_VERIFIED


def test_a_start_with_nothing_to_start_does_nothing(office):
    plan = office.plan("application.start", why="x")
    assert kinds(plan) == []
    assert left(plan)["start.app1"] == "It answers already."


def test_after_a_crash_nobody_recorded_a_start_counts_the_interruption_from_when_it_is_told_to_have_begun(office):
    for server in office.servers.values():
        server.running = False
    since = (START - timedelta(hours=1)).isoformat()
    assert office.run(office.once("application.start", why="Panne", since=since)).exit_code == 0
    (interruption,) = office.record().interruptions
    assert not interruption.planned
    assert interruption.began_at == START - timedelta(hours=1)


def test_a_start_goes_on_without_a_machine_that_does_not_answer_and_says_so(office):
    for server in office.servers.values():
        server.running = False
    office.servers["app2"].unreachable = UnreachableError(T("No route."), on="app2")
    plan = office.plan("application.start", why="x")
    assert kinds(plan) == ["start.app1", "test", "back"]
    assert "No route" in left(plan)["start.app2"]


def test_a_start_that_is_killed_is_finished_by_resume(office):
    for server in office.servers.values():
        server.running = False
    request = office.once("application.start", why="x")
    office.kill_at = "after start app1"
    with pytest.raises(Exception, match="SystemExit"):
        office.run(request)
    assert office.resume().exit_code == 0
    assert office.turns() == {"app1": (0, 1), "app2": (0, 1)}
    assert len(office.record().interruptions) == 1


def test_an_incident_cannot_begin_in_the_future(office):
    plan = office.plan("application.start", why="x", since=(START + timedelta(hours=1)).isoformat())
    assert "after now" in plan.blockers[0].reason.render("en")


def test_a_server_nobody_knows_is_refused_with_those_there_are(office):
    (blocker,) = office.plan("application.stop", why="x", servers="app9").blockers
    assert "app1, app2" in blocker.next_step.render("en")


def test_a_check_goes_through_every_step_on_every_server(office):
    report = checked(office, log_lines=5)
    assert all(check.ok for check in report.checks)
    assert {check.name for check in report.checks} >= {"app1.service", "app2.query", "app1.caches", "locks"}
    assert report.facts["sydam"]["logs"] == {"app1": ["INFO started"], "app2": ["INFO started"]}


def test_a_check_names_the_step_that_fails_and_the_oldest_lock(office):
    office.servers["app2"].problem = ("query", T("No table."))
    office.database.sessions = [session()]
    wrong = {check.name: check for check in checked(office).checks if not check.ok}
    assert set(wrong) == {"app2.query", "locks"}
    assert "1 h 00 min" in wrong["locks"].observed
    assert wrong["locks"].warning


def test_a_check_of_what_does_not_answer_is_a_finding_for_that_server_alone(office):
    office.servers["app2"].unreachable = UnreachableError(T("No route."), on="app2")
    wrong = {check.name for check in checked(office).checks if not check.ok}
    assert "app2.seen" in wrong
    assert not any(name.startswith("app1") for name in wrong)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "why"),
        ({"planned": True, "end_sessions": [1]}, "end_sessions"),
        ({"planned": True, "since": "2026-11-22T10:00:00Z"}, "since"),
        ({"why": "x", "notice": "soon"}, "notice"),
    ],
)
def test_inputs_that_say_too_little_or_too_much_are_refused(office, given, word):
    with pytest.raises(UsageError) as refused:
        office.engine().plan("application.restart", ("sydam",), given, Silent())
    assert word in refused.value.what.render("en")


def test_a_shorter_notice_keeps_the_steps_of_the_countdown_that_are_shorter_still(office):
    operation = ApplicationRestart()
    wish = operation.wish(operation.inputs_model.model_validate({"why": "x", "notice": "3m"}))
    assert wish.countdown(office.application) == (180.0, 60.0)
    assert dataclasses.replace(wish, notice="none").countdown(office.application) == ()
