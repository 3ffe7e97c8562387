"""`dsi request` and `dsi emergency`: what is refused before anything is written, and what is handed to the engine."""

from datetime import UTC, date, datetime, time

import pytest

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker
from dsi_automation.core.text import T
from dsi_automation.engine.model import RequestKind, StandingBounds, Window

ASK = ["request", "wall.paint", "wall1", "-i", "color=red"]
WRITING = {"request", "emergency"}


def written(engine):
    return [call for call in engine.calls if call[0] in WRITING]


def test_a_request_carries_plan_reason_and_window(dsi, engine):
    answer = dsi(*ASK, "--reason", "grey", "--not-before", "2026-11-22T08:00+00:00", "--not-after", "2026-11-22T10:00Z")
    assert answer.code == 0
    start, end = datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert written(engine) == [("request", engine.made, "grey", Window(start, end), None)]
    assert "dsi approve REQ-20261121-7K3F" in answer.out


def test_a_request_as_json_has_its_plan(dsi):
    view = dsi(*ASK, "--reason", "grey", "--json").json
    assert view["id"] == "REQ-20261121-7K3F"
    assert view["state"] == "pending"
    assert view["plan"]["digest"] == view["digest"]


@pytest.mark.parametrize(
    ("code", "exit_code"), [(ExitCode.NOT_COMPLIANT, 5), (ExitCode.UNREACHABLE, 3), (ExitCode.UNEXPECTED, 1)]
)
def test_a_blocked_target_is_refused_unless_partial(dsi, engine, make, code, exit_code):
    blocker = Blocker("wall3", T("It is damp."), T("Dry it."), code)
    engine.made = make.plan(make.action(), blockers=(blocker,))
    answer = dsi(*ASK, "--reason", "grey", "--json")
    assert answer.code == exit_code
    assert answer.json["error"]["detail"]["blockers"][0]["target"] == "wall3"
    assert written(engine) == []
    assert dsi(*ASK, "--reason", "grey", "--partial").code == 0
    assert len(written(engine)) == 1


def test_partial_does_not_help_when_every_target_is_blocked(dsi, engine, make):
    blocker = Blocker("wall1", T("It is damp."), T("Dry it."))
    engine.made = make.plan(targets=(), blockers=(blocker,))
    assert dsi(*ASK, "--reason", "grey", "--partial").code == 5
    assert written(engine) == []


def test_nothing_to_do_is_no_request_and_no_failure(dsi, engine, make):
    engine.made = make.plan()
    answer = dsi(*ASK, "--reason", "grey", "--json")
    assert answer.code == 0
    assert answer.json["nothing_to_do"] is True
    assert written(engine) == []


@pytest.mark.parametrize(
    "more",
    [
        ["--not-before", "2026-11-20T08:00"], ["--not-after", "nonsense"], ["--not-after", "2026-11-31"],
        ["--not-before", "+3h", "--not-after", "+1h"], ["--until", "2026-12-31"], ["--standing"],
        ["--standing", "--until", "2026-13-01", "--hours", "18:00-20:00"],
        ["--standing", "--until", "2026-01-10", "--hours", "18:00-20:00"],
        ["--standing", "--until", "2026-12-31", "--hours", "25:00-26:00"],
        ["--standing", "--until", "2026-12-31", "--hours", "18:00-20:00", "--weekdays", "someday"],
        ["--standing", "--until", "2026-12-31", "--hours", "18:00-20:00", "--time-zone", "Mars/Olympus"],
        ["-i", "nonsense"], ["-i", "color=blue"], ["-i", "@/nowhere.yml"],
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_is_past_ends_with_2_before_any_machine_is_looked_at(dsi, engine, more):
    answer = dsi(*ASK, "--reason", "grey", *more)
    assert answer.code == 2
    assert engine.calls in ([], [("open_emergencies",)])


def test_an_empty_reason_is_refused(dsi, engine):
    assert dsi(*ASK, "--reason", "  ").code == 2
    assert engine.calls == []


def test_a_standing_request_carries_its_bounds(dsi, engine):
    more = ["--standing", "--until", "2026-12-31", "--hours", "18:00-20:00", "--weekdays", "lun-ven"]
    assert dsi(*ASK, "--reason", "every evening", *more).code == 0
    bounds = StandingBounds(date(2026, 12, 31), time(18), time(20), "Africa/Abidjan", (0, 1, 2, 3, 4))
    assert written(engine)[0][4] == bounds


def test_an_operation_that_only_looks_is_not_requested(dsi, engine):
    answer = dsi("request", "wall.inspect", "wall1", "--reason", "x")
    assert answer.code == 2
    assert "dsi check wall.inspect wall1" in answer.err
    assert written(engine) == []


def test_an_emergency_runs_now_and_says_who_must_ratify(dsi, engine, make):
    engine.run_result = make.run()
    answer = dsi("emergency", "wall.paint", "wall1", "--reason", "fire")
    assert answer.code == 0
    assert written(engine) == [("emergency", engine.made, "fire")]
    assert "dsi ratify REQ-20261121-7K3F" in answer.err


@pytest.mark.parametrize("verb", ["approve", "refuse", "revoke", "ratify"])
def test_a_decision_is_handed_on_with_its_comment(dsi, engine, verb):
    answer = dsi(verb, "REQ-2026", "--comment", "read and agreed", "--json")
    assert answer.code == 0
    assert (verb, "REQ-2026", "read and agreed") in engine.calls
    assert answer.json["id"] == "REQ-20261121-7K3F"


def test_requests_are_listed_without_their_plans(dsi, engine, make):
    engine.kept = [make.request(), make.request(id="REQ-20261121-7K3G", kind=RequestKind.EMERGENCY)]
    view = dsi("requests", "--open", "--json").json
    assert [item["id"] for item in view["requests"]] == ["REQ-20261121-7K3F", "REQ-20261121-7K3G"]
    assert "plan" not in view["requests"][0]
    assert ("requests", True) in engine.calls
    table = dsi("requests").out
    assert "REQ-20261121-7K3G" in table
    assert "urgence" in table
