"""A report of many targets: how it stands first, no pages of machines that are fine."""

import pytest

from dsi_automation.cli.show_report import EVERYTHING
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T
from dsi_automation.engine.operation import ALL, Report

CHECK = ["--lang", "en", "check", "wall.inspect", "wall1"]


@pytest.fixture
def fleet(make):
    """500 walls: wall2 is grey, wall3 is dead, every tenth is dull, which is a warning."""
    names = [f"wall{number}" for number in range(1, 501)]
    dead = UnreachableError(T("wall3 does not answer."), on="wall3", next_step=T("Switch it on."))
    checks = [make.check(name, ok=name != "wall2") for name in names if name != "wall3"]
    checks += [make.check(name, "gloss", ok=False, warning=True) for name in names[9::10]]
    return Report(tuple(names), tuple(checks), {"wall3": dead})


def test_a_fleet_report_starts_with_how_it_stands(dsi, engine, fleet):
    engine.report = fleet
    first, second = dsi(*CHECK).out.splitlines()[:2]
    assert first == "498 targets compliant, 1 not compliant, 1 unreachable."
    assert second == "Warnings, and on how many targets: Colour (50)."


def test_a_fleet_report_lists_only_what_is_wrong_and_says_where_the_rest_is(dsi, engine, fleet):
    engine.report = fleet
    answer = dsi(*CHECK)
    assert len(answer.out.splitlines()) < 15
    assert "wall2   not compliant  Colour" in answer.out
    assert "wall3   unreachable    wall3 does not answer." in answer.out
    assert "✗ Colour: grey, expected red (eye)" in answer.out
    assert "wall4" not in answer.out
    assert "--json" in answer.out
    assert answer.code == 5


def test_a_fleet_without_a_problem_is_a_few_lines(dsi, engine, make):
    names = tuple(f"wall{number}" for number in range(21))
    engine.report = Report(names, tuple(make.check(name) for name in names), {})
    answer = dsi(*CHECK)
    assert answer.out.splitlines()[0] == "21 targets compliant."
    assert len(answer.out.splitlines()) == 3


def test_json_and_csv_of_a_fleet_hold_every_target(dsi, engine, fleet):
    engine.report = fleet
    assert len(dsi(*CHECK, "--json").json["targets"]) == 500
    assert dsi(*CHECK, "--format", "csv").out.count("\r\n") == 1 + 500 + 50


def test_many_that_are_wrong_keep_to_one_row_each(dsi, engine, make):
    names = tuple(f"wall{number}" for number in range(100))
    engine.report = Report(names, tuple(make.check(name, ok=False) for name in names), {})
    answer = dsi(*CHECK)
    assert "✗" not in answer.out
    assert len(answer.out.splitlines()) < 110


@pytest.mark.parametrize("number", [2, 100])
def test_what_concerns_everything_is_told_whole(dsi, engine, make, number):
    names = ("*", *(f"wall{n}" for n in range(number)))
    seats = (make.check("*", "seats.A", title=T("Seats of A")), make.check("*", "seats.B", ok=False, warning=True))
    engine.report = Report(names, (*seats, *(make.check(name) for name in names[1:])), {})
    out = dsi(*CHECK).out
    assert "✓ Seats of A: grey (eye)" in out
    assert out.count("! Colour") == 1
    assert EVERYTHING == ALL
