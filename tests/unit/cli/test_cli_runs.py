"""`dsi run`, `runs`, `resume`, `show`: the outcome is the exit code, and the evidence is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dsi_automation.core.results import Outcome
from dsi_automation.engine.model import Note


@pytest.mark.parametrize("code", [0, 1, 3, 6])
def test_the_exit_code_of_a_run_is_that_of_the_command(dsi, engine, make, code):
    engine.run_result = make.run(exit_code=code)
    answer = dsi("run", "REQ", "--json")
    assert answer.code == code
    assert answer.json["exit_code"] == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.NOT_VERIFIED, 6), (Outcome.FAILED, 1), (Outcome.UNKNOWN, 3), (Outcome.UNREACHABLE, 3), (Outcome.DONE, 0)],
)
def test_a_run_without_a_code_ends_by_its_outcome(dsi, engine, make, outcome, code):
    engine.run_result = make.run(exit_code=None, outcome=outcome)
    assert dsi("resume", "RUN").code == code


def test_a_run_shows_steps_and_evidence(dsi, engine, make):
    engine.run_result = make.run(evidence=(make.check(), make.check(name="gloss", ok=False)))
    answer = dsi("--lang", "en", "run", "REQ", "--target", "wall1")
    assert "· paint: done" in answer.out
    assert "✓ Colour: grey (eye)" in answer.out
    assert "✗ Colour: grey, expected red (eye)" in answer.out
    assert ("run", "REQ", ("wall1",)) in engine.calls


@pytest.mark.parametrize(("holder", "words"), [(None, "interrompu"), ("m.kouadio on pc1", "en cours")])
def test_a_run_that_did_not_end_shows_its_steps_and_how_to_finish_it(dsi, engine, make, holder, words):
    engine.run_result = make.run(outcome=None, ended_at=None, exit_code=None, targets={}, held_by=holder)
    answer = dsi("show", "RUN")
    assert f"wall1\u00a0: {words}" in answer.out
    assert "· paint" in answer.out
    assert ("dsi resume RUN-20261121-8AAA" in answer.out) is (holder is None)
    assert "wall1" in dsi("runs").out


def test_an_action_nothing_of_which_was_under_way_is_not_done_rather_than_unknown(dsi, engine, make):
    (step,) = make.run().steps
    begun = (replace(step, outcome=Outcome.UNKNOWN),)
    stopped = {"wall1": Outcome.INTERRUPTED}
    engine.run_result = make.run(exit_code=1, outcome=Outcome.INTERRUPTED, steps=begun, targets=stopped)
    assert "· paint: not done" in dsi("--lang", "en", "show", "RUN").out
    engine.run_result = make.run(exit_code=3, outcome=Outcome.UNKNOWN, steps=begun, targets={"wall1": Outcome.UNKNOWN})
    assert "· paint: unknown" in dsi("--lang", "en", "show", "RUN").out


def test_a_run_that_ended_badly_says_why_and_how_to_finish_it(dsi, engine, make):
    why = {"what": "the wall is wet", "meaning": None, "next_step": "let it dry"}
    engine.run_result = make.run(exit_code=6, outcome=Outcome.NOT_VERIFIED, errors={"wall1": why})
    answer = dsi("show", "RUN")
    assert "  the wall is wet\n  let it dry\n" in answer.out
    assert "dsi resume RUN-20261121-8AAA" in answer.out
    assert dsi("run", "REQ", "--json").json["errors"] == {"wall1": why}
    engine.run_result = make.run(exit_code=7, outcome=Outcome.FAILED, steps=(), targets={}, error=why)
    answer = dsi("show", "RUN")
    assert "\nthe wall is wet\nlet it dry\n" in answer.out
    assert "dsi resume" not in answer.out


def test_a_run_that_put_everything_back_is_not_told_to_be_finished(dsi, engine, make):
    data = {"release": "1.5.1", "files": True, "scripts": [], "by_hand": []}
    back = Note("wall1", "release.rolled_back", datetime(2026, 11, 22, tzinfo=UTC), data)
    engine.run_result = make.run(exit_code=6, outcome=Outcome.FAILED, targets={"wall1": Outcome.FAILED}, notes=(back,))
    assert "dsi resume" not in dsi("show", "RUN").out
    engine.run_result = replace(engine.run_result, targets={"wall1": Outcome.FAILED, "wall2": Outcome.UNKNOWN})
    assert "dsi resume RUN-20261121-8AAA" in dsi("show", "RUN").out


def test_runs_are_listed_without_their_steps(dsi, engine, make):
    engine.run_result = make.run()
    view = dsi("runs", "--json").json
    assert view["runs"][0]["id"] == "RUN-20261121-8AAA"
    assert "steps" not in view["runs"][0]


def test_show_finds_a_request_or_a_run_by_the_beginning_of_its_identifier(dsi, engine, make):
    engine.kept, engine.run_result = [make.request()], make.run()
    assert dsi("show", "REQ-2026", "--json").json["request"]["plan"]["operation"] == "wall.paint"
    assert dsi("show", "RUN-2026", "--json").json["run"]["steps"][0]["action_id"] == "wall1/paint"
    assert "the wall is grey" in dsi("show", "REQ").out


def test_show_of_nothing_is_a_usage_error(dsi):
    answer = dsi("show", "XYZ")
    assert answer.code == 2
    assert "XYZ" in answer.err


def test_operations_are_json_schemas_with_what_policy_asks(dsi):
    view = dsi("operations", "--json").json
    paint = next(item for item in view["operations"] if item["name"] == "wall.paint")
    assert paint["inputs"]["properties"]["coats"]["type"] == "integer"
    assert paint["inputs"]["required"] == ["color"]
    assert paint["policy"]["production"]["approvers"] == ["director"]
    assert paint["read_only"] is False


def test_operations_are_listed_although_policy_cannot_be_read(dsi, engine, make, closed):
    answer = dsi("operations", toolkit=make.toolkit(engine, policy_error=closed))
    assert answer.code == 0
    assert "wall.paint" in answer.out
    assert "Nobody approved" in answer.err


def test_one_operation_shows_its_inputs(dsi):
    answer = dsi("--lang", "en", "operations", "wall.paint")
    assert "-i color=text  (required)" in answer.out
    assert "wall.inspect" not in answer.out
    assert dsi("operations", "wall.pant").code == 2
