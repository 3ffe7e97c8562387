"""A restart is planned, told, done once and tested; what fails is told as what it is (procedure S)."""

from datetime import timedelta

import pytest
from apphouse import START, Office, kinds, left, session

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.operations.applications import notes

WHOLE = [
    "warn",
    "stop.app2",
    "caches.app2",
    "stop.app1",
    "caches.app1",
    "sessions.7",
    "start.app1",
    "start.app2",
    "test",
    "back",
]


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def test_the_plan_shows_every_step_with_its_reason_and_what_happens_when_the_test_fails(office):
    office.database.sessions = [session()]
    plan = office.plan(why="Lenteurs")
    assert kinds(plan) == WHOLE
    by_kind = {action.kind: action for action in plan.actions}
    assert "2 times in all; then it is left as it is, for a person" in by_kind["test"].reason.render("en")
    ended = by_kind["sessions.7"]
    assert "kone" in ended.title.render("en")
    assert "public.declaration" in ended.title.render("en")
    assert "1 h 00 min" in ended.title.render("en")
    assert set(ended.args) == {"pid", "began_at", "user", "objects", "named"}


def test_a_restart_stops_and_starts_each_server_once_and_counts_its_interruption(office):
    office.database.sessions = [session()]
    run = office.run(office.once())
    assert run.exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert office.told() == ["before", "back"]
    assert office.database.ended == [7]
    assert all(server.cache_bytes == 0 for server in office.servers.values())
    (interruption,) = office.record().interruptions
    assert not interruption.planned
    # Both servers take 8 s to start, one after the other; the test is conclusive at once.
    assert (interruption.ended_at - interruption.began_at).total_seconds() == pytest.approx(16.0)
    assert ["0,0 s" in one.observed for one in run.evidence if one.name == "app1.login"] == [True]
    assert {one.ok for one in run.evidence} == {True}


def test_users_see_what_is_left_of_the_countdown_and_no_message_stays(office):
    office.run(office.once())
    shown = [(text["text"].split(",")[0], text["until"]) for sql, text in office.database.done if "INSERT" in sql]
    assert len(shown) == 3
    assert len({until for _, until in shown}) == 1
    assert "15 min" in shown[0][0]
    assert office.database.done[-1][0] == "DELETE"
    assert office.noted("message")[-1] == {"shown": False}


def test_an_incident_counts_from_when_it_began_and_is_not_counted_down(office):
    since = (START - timedelta(minutes=20)).isoformat()
    assert office.run(office.once(why="Panne", since=since, notice="none")).exit_code == 0
    (interruption,) = office.record().interruptions
    assert interruption.began_at == START - timedelta(minutes=20)
    assert office.told() == ["before", "back"]
    assert office.clock.moment - START < timedelta(minutes=3)


def test_a_server_that_is_stopped_already_is_not_stopped_and_is_started(office):
    office.servers["app2"].running = False
    plan = office.plan()
    assert "stop.app2" not in kinds(plan)
    assert left(plan)["stop.app2"] == "It is stopped already."
    assert office.run(office.once()).exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (0, 1)}


def test_a_stop_of_what_is_stopped_and_empty_has_nothing_to_do(office):
    for server in office.servers.values():
        server.running, server.cache_bytes = False, 0
    plan = office.plan("application.stop", why="x")
    assert kinds(plan) == []
    assert left(plan)["caches.app1"] == "They are empty already."


def test_who_approves_reads_what_must_be_true_after_the_start(tmp_path):
    query = {"title": "The tariff is there", "database": "sydam", "query": "SELECT 1", "minimum": 1}
    told = left(Office(tmp_path, after={"queries": [query]}).plan())
    assert "The tariff is there" in told["after"]
    assert "before" not in told


def test_a_server_that_cannot_be_looked_at_blocks_unless_the_others_are_named(office):
    office.servers["app2"].unreachable = UnreachableError(T("No route."), on="app2")
    (blocker,) = office.plan().blockers
    assert blocker.exit_code is ExitCode.UNREACHABLE
    assert kinds(office.plan(why="x", servers="app1"))[:2] == ["warn", "stop.app1"]


def test_a_start_that_sees_nothing_to_do_says_so_only_of_servers_it_could_look_at(office):
    office.servers["app2"].unreachable = UnreachableError(T("No route."), on="app2")
    (blocker,) = office.plan("application.start", why="x").blockers
    assert blocker.exit_code is ExitCode.UNREACHABLE
    office.servers["app1"].running = False
    plan = office.plan("application.start", why="x")
    assert not plan.blockers
    assert kinds(plan)[0] == "start.app1"


def test_in_a_rolling_restart_one_server_always_answers_and_nobody_is_interrupted(tmp_path):
    office = Office(tmp_path, rolling=True)
    plan = office.plan()
    assert kinds(plan) == [
        "stop.app2", "caches.app2", "start.app2", "test.app2", "stop.app1", "caches.app1", "start.app1", "test.app1",
    ]  # fmt: skip
    assert "lose nothing" in left(plan)["warn"]
    lowest = []
    office.clock.hooks.append(
        lambda: lowest.append(sum(one.alive(office.clock.now()) for one in office.servers.values()))
    )
    assert office.run(office.once()).exit_code == 0
    assert min(lowest) == 1
    assert office.record().interruptions == ()
    assert office.told() == []


def test_a_part_of_the_servers_goes_without_warning_while_another_answers(office):
    plan = office.plan(why="x", servers="app2")
    assert kinds(plan) == ["stop.app2", "caches.app2", "start.app2", "test.app2"]
    assert office.run(office.once(why="x", servers=["app2"])).exit_code == 0
    assert office.turns() == {"app1": (0, 0), "app2": (1, 1)}
    assert office.record().interruptions == ()


def test_a_working_session_is_left_unless_the_plan_names_it(office):
    office.database.sessions = [session(1, working=True), session(2, own=True), session(3, idle=10), session(4)]
    plan = office.plan()
    assert [kind for kind in kinds(plan) if kind.startswith("sessions")] == ["sessions.4"]
    assert "it works" in left(plan)["sessions.1"]
    assert "ends with it" in left(plan)["sessions.2"]
    assert "idle for less" in left(plan)["sessions.3"]
    office.run(office.once(why="x", end_sessions="1"))
    assert sorted(office.database.ended) == [1, 4]


def test_a_session_that_came_after_the_approval_or_began_to_work_is_left_alone(office):
    office.database.sessions = [session(4), session(5)]
    request = office.once()
    office.database.sessions = [session(4, working=True), session(5), session(6)]
    assert office.run(request).exit_code == 0
    assert office.database.ended == [5]


def test_a_session_the_database_will_not_end_is_recorded_as_left_and_users_do_not_wait_for_it(office):
    office.database.sessions, office.database.stubborn = [session(4), session(5)], {4}
    run = office.run(office.once())
    assert run.exit_code == 0
    assert office.database.ended == [5]
    told = {note.name: note.data for note in run.notes if note.name in {notes.SESSION_ENDED, notes.SESSION_LEFT}}
    assert (told[notes.SESSION_LEFT]["pid"], told[notes.SESSION_ENDED]["pid"]) == (4, 5)
    assert "may not be ended" in told[notes.SESSION_LEFT]["why"]["en"]


def test_a_number_that_is_used_again_is_somebody_else_s_session(office):
    office.database.sessions = [session(4)]
    request = office.once()
    office.database.sessions = [session(4, began_at=START)]
    assert office.run(request).exit_code == 0
    assert office.database.ended == []


def test_the_standing_approval_of_the_evening_ends_the_sessions_of_that_evening(office):
    request = office.standing()
    office.database.sessions = [session(11)]
    assert office.run(request).exit_code == 0
    assert office.database.ended == [11]
    (interruption,) = office.record().interruptions
    assert interruption.planned


def test_a_condition_that_fails_blocks_and_at_the_run_puts_the_stop_off(tmp_path):
    query = {"title": "Aucun lot en cours", "database": "sydam", "query": "SELECT lots", "equals": "0"}
    office = Office(tmp_path, before={"queries": [query]})
    office.database.answers["SELECT lots"] = 1
    (blocker,) = office.plan().blockers
    assert "Aucun lot en cours" in blocker.reason.render("en")
    office.database.answers["SELECT lots"] = 0
    request = office.once()

    def a_batch_begins():
        office.database.answers["SELECT lots"] = 1

    office.clock.hooks.append(a_batch_begins)
    run = office.run(request)
    assert run.exit_code == ExitCode.UNEXPECTED
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert office.told() == ["before", "put_off"]
    assert office.noted("message")[-1] == {"shown": False}
    office.clock.hooks.clear()
    office.database.answers["SELECT lots"] = 0
    assert office.resume(run).exit_code == 0
    assert office.told() == ["before", "put_off", "before", "back"]


def test_a_database_that_comes_up_later_than_the_application_is_waited_for(office):
    for server in office.servers.values():
        server.works_at = START + timedelta(minutes=18)
    run = office.run(office.once())
    assert run.exit_code == 0
    assert len(office.noted("tested")) == 1
    (interruption,) = office.record().interruptions
    assert interruption.ended_at >= START + timedelta(minutes=18)


def test_a_test_that_fails_is_tried_again_and_then_left_to_a_person_with_the_log(office):
    office.servers["app2"].problem = ("login", T("Wrong password."))
    office.servers["app2"].log = ["SEVERE no login"]
    run = office.run(office.once())
    assert run.exit_code == ExitCode.VERIFICATION_FAILED
    tested = office.noted("tested")
    assert [one["attempt"] for one in tested] == [1, 2]
    assert tested[-1]["log"] == {"app2": ["SEVERE no login"]}
    assert office.turns() == {"app1": (2, 2), "app2": (2, 2)}
    error = run.errors["sydam"]
    assert "app2" in error["what"]
    assert "connexion" in error["what"]
    assert error["detail"]["log"] == ["app2: SEVERE no login"]
    assert office.told() == ["before"]
    assert office.record().open_interruption("sydam") is not None
    office.servers["app2"].problem = None
    assert office.resume(run).exit_code == 0
    assert office.told() == ["before", "back"]
    assert office.record().open_interruption("sydam") is None


def test_a_test_that_fails_stops_the_application_where_the_plan_says_so(tmp_path):
    office = Office(tmp_path, when_not_conclusive={"tries": 1, "then": "stop"})
    office.servers["app1"].problem = ("query", T("No table."))
    run = office.run(office.once())
    assert run.exit_code == ExitCode.VERIFICATION_FAILED
    assert not any(server.running for server in office.servers.values())
    office.servers["app1"].problem = None
    assert office.resume(run).exit_code == 0
    assert all(server.running for server in office.servers.values())


def test_a_start_that_dies_after_a_minute_is_told_as_such(tmp_path):
    office = Office(tmp_path, stable_for="90s", when_not_conclusive={"tries": 1})
    office.servers["app1"].lives = [60.0]
    run = office.run(office.once())
    assert run.exit_code == ExitCode.VERIFICATION_FAILED
    (failed,) = [one for one in office.noted("tested")[0]["tests"] if one["steps"][-1]["name"] == "stability"]
    assert failed["server"] == "app1"
    assert 40 <= failed["steps"][-1]["seconds"] <= 70


def test_an_approval_taken_back_in_the_countdown_stops_nothing_and_users_are_told_so(tmp_path):
    office = Office(tmp_path)
    asked = office.once(why="Lenteurs", notice="5m")
    office.clock.hooks.append(lambda: take_back(office, asked))
    run = office.run(asked)
    assert run.exit_code == ExitCode.GATE_CLOSED
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert office.told() == ["before", "put_off"]
    assert office.noted("message")[-1]["shown"] is False


def test_an_approval_taken_back_in_the_last_seconds_of_the_countdown_is_heard_too(office):
    asked, stops_at = office.once(), START + timedelta(minutes=15)

    def late():
        if stops_at - office.clock.now() < timedelta(seconds=3):
            take_back(office, asked)

    office.clock.hooks.append(late)
    assert office.run(asked).exit_code == ExitCode.GATE_CLOSED
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert office.told() == ["before", "put_off"]


def take_back(office, asked):
    """Revoke it once."""
    office.clock.hooks.clear()
    office.engine("y.traore").revoke(asked, "Not tonight")


def test_a_server_that_cannot_be_looked_at_while_users_can_work_is_not_restarted(tmp_path):
    office = Office(tmp_path, stable_for="90s")
    office.clock.hooks.append(lambda: cut_off(office))
    assert office.run(office.once()).exit_code == ExitCode.VERIFICATION_FAILED
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert [one["conclusive"] for one in office.noted("tested")] == [True]


def cut_off(office):
    """Let SSH of app1 fall silent once it is watched; users go on."""
    if office.turns() == {"app1": (1, 1), "app2": (1, 1)}:
        office.servers["app1"].unreachable = UnreachableError(T("{host} does not answer.", host="app1"))


def test_a_start_that_dies_once_is_tried_again(tmp_path):
    office = Office(tmp_path, stable_for="90s")
    office.servers["app1"].lives = [60.0]
    assert office.run(office.once()).exit_code == 0
    assert office.turns()["app1"][1] == 2
    assert [one["conclusive"] for one in office.noted("tested")] == [False, True]


def test_a_service_that_does_not_start_is_tried_again_within_its_own_step(office):
    office.servers["app1"].start_faults = [True]
    assert office.run(office.once()).exit_code == 0
    assert office.turns() == {"app1": (1, 2), "app2": (1, 1)}


def test_a_service_that_never_starts_ends_the_run_with_its_log(office):
    office.servers["app1"].start_faults = [True, True]
    run = office.run(office.once())
    assert run.exit_code == ExitCode.VERIFICATION_FAILED
    assert "SEVERE start failed" in run.errors["sydam"]["detail"]["log"][-1]


def test_a_process_that_stops_on_paper_and_holds_its_port_ends_the_run_there(office):
    office.servers["app2"].stop_faults = [True]
    run = office.run(office.once())
    assert run.outcome is Outcome.FAILED
    assert "app2" in run.errors["sydam"]["what"]
    assert office.servers["app1"].running
    assert office.record().interruptions == ()
    assert office.resume(run).exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}


def test_asked_to_stop_in_the_countdown_nothing_is_stopped_and_users_know(office):
    office.interrupted = lambda: office.clock.now() > START + timedelta(minutes=7)
    run = office.run(office.once())
    assert run.outcome is Outcome.INTERRUPTED
    assert office.told() == ["before", "put_off"]
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert office.noted("message")[-1] == {"shown": False}
    office.interrupted = lambda: False
    assert office.resume(run).exit_code == 0
    assert office.told() == ["before", "put_off", "before", "back"]
    assert office.noted("warned")[0]["stops_at"] < office.noted("warned")[1]["stops_at"]


def test_a_message_that_cannot_be_shown_hinders_no_stop(office):
    request = office.once()
    office.database.problem = RefusedError(T("Down."))

    def it_comes_back():
        office.database.problem = None if office.servers["app2"].stops else office.database.problem

    office.clock.hooks.append(it_comes_back)
    run = office.run(request)
    assert run.exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert [event.kind for event in office.events].count("warn.failed") == 3
