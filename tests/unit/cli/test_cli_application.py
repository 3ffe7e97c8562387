"""`dsi application` tells by the record how applications are, and asks for what it may not do by itself."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dsi_automation.connectors.databases.port import LockedSession
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.model import RequestKind, RequestState, StandingBounds
from dsi_automation.engine.operation import Report
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.record import read
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.registry import operations

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WEB = {"path": "/sydam", "expect": "SYDAM"}
SYDAM = {
    "title": "SYDAM World",
    "servers": [
        {"name": name, "host": name, "service": {"kind": "script", "start": "/opt/sydam start", "stop": "x",
         "status": "x"}, "port": 8080} for name in ("app1", "app2")
    ],
    "database": {"server": "db1", "database": "sydam", "user": "dsi"},
    "connection_test": {"credential": "test", "page": WEB, "login": WEB, "query": WEB, "logout": WEB},
    "notice": {"users": ["agents@douanes.lab"], "dsi": ["a.bamba"]},
}  # fmt: skip
SOIR = {
    "title": "Arrêt du soir",
    "cron": "0 20 * * *",
    "time_zone": "UTC",
    "steps": [{"operation": "application.restart", "targets": ["sydam"], "inputs": {"planned": True}}],
}


class Kit:
    """As much of a toolkit as the commands ask for; its record is what a test notes."""

    def __init__(self, engine):
        self.engine, self.operations, self.language, self.journal_exists = engine, operations(), "fr", True
        self.inventory = SimpleNamespace(applications={"sydam": Application.model_validate(SYDAM)})
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.notes, self.sessions, self.logs = [], (), {"app1": ("SEVERE: connexion refusée",), "app2": ()}
        self.equipment = SimpleNamespace(look=lambda: self)

    def select(self, operation, names):
        return tuple(names)

    def schedules(self):
        return {"soir": Schedule.model_validate(SOIR)}

    def application_record(self):
        return read(self.notes)

    def note(self, name, minutes_ago, **data):
        at = NOW - timedelta(minutes=minutes_ago)
        self.notes.append(Noted("RUN-1", "sydam", name, at, {"at": iso(at), **data}))

    def down(self, minutes_ago, *, planned=False, why="Incident réseau"):
        self.note(notes.DOWN, minutes_ago, planned=planned, why=why, since=None)

    def up(self, minutes_ago):
        self.note(notes.UP, minutes_ago, seconds=0.0, release=None)

    @contextmanager
    def server(self, application, server):
        log = self.logs[server]
        if isinstance(log, Exception):
            raise log
        yield SimpleNamespace(log_tail=lambda lines: log[-lines:])

    @contextmanager
    def database(self, application):
        yield SimpleNamespace(locked=lambda tables: self.sessions, now=lambda: NOW)


@pytest.fixture
def kit(engine):
    return Kit(engine)


@pytest.fixture
def sydam(dsi, kit):
    return lambda *words: dsi("application", *words, toolkit=kit)


def restart_plan(**inputs):
    action = Action("sydam", "stop.app2", {"server": "app2"}, T("Stop app2"), T("Asked."))
    return Plan("application.restart", 1, ("sydam",), inputs, (action,))


def standing(make, state=RequestState.APPROVED):
    bounds = StandingBounds(NOW.date() + timedelta(days=30), NOW.time(), NOW.time(), "UTC")
    return make.request(plan=restart_plan(planned=True), kind=RequestKind.STANDING, state=state, bounds=bounds)


def test_the_list_says_when_it_stops_next_and_until_when_that_is_approved(sydam, kit, make, engine):
    (before,) = sydam("list", "--json").json["applications"]
    assert before["next_stop"] == "2026-11-21T20:00:00.000Z"
    assert before["approval"] is None
    engine.kept = [standing(make)]
    assert "2026-12-21" in sydam("list").out
    engine.kept = [standing(make, RequestState.REVOKED)]
    assert sydam("show", "sydam", "--json").json["approval"] is None


def test_an_application_is_shown_without_any_secret_and_with_who_is_told(sydam):
    shown = sydam("show", "sydam").out
    for words in ("SYDAM World", "agents@douanes.lab", "a.bamba", "app2", "/opt/sydam"):
        assert words in shown


def test_one_that_was_never_touched_is_no_alarm(sydam):
    answer = sydam("status")
    assert answer.code == 0
    assert "jamais interrompue" in answer.out


def test_an_interruption_that_lasts_is_an_exit_code_and_says_for_how_long_and_why(sydam, kit):
    kit.down(90)
    answer = sydam("status")
    assert answer.code == 5
    assert "1 h 30 min" in answer.out
    assert "Incident réseau" in answer.out
    assert "dsi show RUN-1" in answer.out
    kit.up(10)
    (after,) = sydam("status", "--json").json["applications"]
    assert not after["interrupted"]
    assert after["up_since"] == "2026-11-21T11:50:00.000Z"


def test_a_last_test_that_was_not_conclusive_is_an_alarm(sydam, kit):
    kit.note(notes.TESTED, 5, tests=[], conclusive=False, attempt=1, servers=["app1"], log={})
    answer = sydam("status")
    assert answer.code == 5
    assert "NON CONCLUANT" in answer.out


def test_a_name_that_is_near_is_proposed(sydam):
    answer = sydam("status", "sidam")
    assert answer.code == 2
    assert "sydam" in answer.err


def test_an_inventory_without_applications_says_where_they_are_described(sydam, kit):
    kit.inventory.applications = {}
    answer = sydam("list")
    assert answer.code == 2
    assert "dsi_applications" in answer.err


def test_a_server_whose_log_cannot_be_read_hides_no_other(sydam, kit):
    kit.logs["app2"] = UnreachableError(T("app2 does not answer."))
    answer = sydam("log", "sydam")
    assert answer.code == 3
    assert "SEVERE: connexion refusée" in answer.out
    assert "app2" in answer.out
    assert sydam("log", "sydam", "--server", "app1").code == 0


def test_locks_say_who_works_and_who_has_been_idle_for_how_long(sydam, kit):
    def held(pid, *, working, own=False):
        ago = NOW - timedelta(minutes=pid)
        return LockedSession(pid, ago, "kone", "10.0.0.9", "psql", working, ("sydam.declaration",), ago, ago, 2, own)

    kit.sessions = (held(7, working=True), held(8, working=False), held(9, working=False, own=True))
    told = sydam("locks", "sydam").out
    assert "travaille depuis 7 min 00 s" in told
    assert "inactive depuis 8 min 00 s" in told
    assert "celle de l’application" in told
    first = sydam("locks", "sydam", "--json").json["sessions"][0]
    assert (first["pid"], first["working"], first["seconds"], first["waiting"]) == (7, True, 420.0, 2)
    kit.sessions = ()
    assert "Aucune session" in sydam("locks", "sydam").out


def test_a_check_shows_each_step_with_its_time_and_where_it_failed(sydam, engine):
    steps = [{"name": "port", "seconds": 0.002, "problem": None},
             {"name": "page", "seconds": 0.1, "problem": {"fr": "page d’erreur"}}]  # fmt: skip
    facts = {
        "servers": {"app1": {"service": "running", "release": "1.4.0"}},
        "tests": [{"server": "app1", "steps": steps}],
        "logs": {},
    }
    wrong = Check(
        "sydam", "app1.page", T("{server}: page", server="app1"), "done", "page d’erreur", ok=False, source="x"
    )
    engine.report = Report(("sydam",), (wrong,), {}, {"sydam": facts})
    answer = sydam("check", "sydam")
    assert answer.code == 5
    assert "2 ms" in answer.out
    assert "ÉCHEC après 100 ms" in answer.out
    assert "PAS comme il faudrait" in answer.out
    assert engine.calls[-1] == ("check", "application.check", ("sydam",), {"servers": (), "log_lines": 0})


def test_the_standing_approval_is_asked_for_within_the_hours_of_the_inventory(sydam, kit, engine):
    engine.made = restart_plan(planned=True)
    answer = sydam("ask", "sydam", "--until", "2026-12-31", "-m", "Chaque soir", "--why", "Maintenance d'hier")
    assert answer.code == 0
    asked = next(call for call in engine.calls if call[0] == "plan")
    assert asked[1:] == ("application.restart", ("sydam",), {"planned": "true", "why": "Maintenance d'hier"})
    bounds = next(call for call in engine.calls if call[0] == "request")[4]
    assert (bounds.daily_from.hour, bounds.daily_until.hour, bounds.time_zone) == (20, 23, "Africa/Abidjan")
    assert "inputs: {planned: true, why: 'Maintenance d''hier'}" in answer.out


def test_an_unplanned_restart_becomes_a_request_and_touches_nothing(sydam, engine):
    engine.made = restart_plan(planned=False)
    answer = sydam("restart", "sydam", "-m", "Bloquée", "--since", "2026-11-21T11:00Z", "--server", "app1")
    assert answer.code == 0
    asked = next(call for call in engine.calls if call[0] == "plan")
    assert asked[3] == {"planned": "false", "why": "Bloquée", "since": "2026-11-21T11:00:00.000Z", "servers": "app1"}
    assert "dsi approve REQ-20261121-7K3F" in answer.out
    assert not [call for call in engine.calls if call[0] in {"run", "emergency"}]


def test_a_restart_needs_its_reason(sydam, engine):
    assert sydam("restart", "sydam").code == 2
    assert engine.calls == [("open_emergencies",)] or not engine.calls


def test_a_start_is_asked_for_as_such(sydam, engine):
    sydam("start", "sydam", "-m", "Rétablie")
    asked = next(call for call in engine.calls if call[0] == "plan")
    assert asked[1:] == ("application.start", ("sydam",), {"why": "Rétablie"})


@pytest.mark.parametrize("words", [("--end-session", "12"), ("--server", "app1"), ("--notice", "none")])
def test_the_planned_stop_takes_nothing_its_approval_does_not_cover(sydam, engine, words):
    answer = sydam("stop", "sydam", "--planned", *words)
    assert answer.code == 2
    assert words[0] in answer.err
    assert not engine.calls


def test_availability_counts_planned_and_unplanned_apart_and_lists_a_month_with_its_reasons(sydam, kit):
    kit.down(120, planned=True, why="Arrêt du soir")
    kit.up(60)
    kit.down(30)
    (month,) = sydam("availability", "--json").json["availability"]
    assert month["month"] == "2026-11"
    assert month["planned"] == {"interruptions": 1, "seconds": 3600.0}
    assert month["unplanned"] == {"interruptions": 1, "seconds": 1800.0}
    assert month["availability"] < month["availability_without_planned"] < 1
    told = sydam("availability", "sydam", "--month", "2026-11").out
    assert "Arrêt du soir" in told
    assert "30 min 00 s, elle dure" in told
    assert "99,69 %" in told


@pytest.mark.parametrize("month", ["2026-13", "novembre", "2027-01"])
def test_a_month_that_is_none_or_has_not_begun_is_refused(sydam, month):
    assert sydam("availability", "--month", month).code == 2
