"""`dsi check` and its reports: table, JSON, CSV, JUnit XML."""

import csv
import io

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.cli.reports import FORMULA, HEADERS, as_csv, as_junit
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Report

CHECK = ["check", "wall.inspect", "wall1"]
ANYTHING = st.text(st.characters(codec=None), max_size=40)


@pytest.fixture
def mixed(make):
    dead = UnreachableError(T("wall7 does not answer."), on="wall7", next_step=T("Switch it on."))
    checks = (
        make.check(), make.check("wall2", ok=False), make.check("wall3", "gloss", ok=False, warning=True),
    )  # fmt: skip
    return Report(("wall1", "wall2", "wall3", "wall7"), checks, {"wall7": dead}, {"wall1": {"area": 4}})


@pytest.mark.parametrize(
    ("targets", "code"), [(("wall1", "wall3"), 0), (("wall1", "wall7"), 3), (("wall2",), 5), (("wall2", "wall7"), 5)]
)
def test_the_worst_target_is_the_exit_code(dsi, engine, mixed, targets, code):
    checks = tuple(check for check in mixed.checks if check.target in targets)
    failures = {name: error for name, error in mixed.failures.items() if name in targets}
    engine.report = Report(targets, checks, failures)
    assert dsi(*CHECK).code == code


def test_a_target_that_refuses_the_look_counts_as_not_reached_and_says_what_was_refused(dsi, engine):
    engine.report = Report(("wall1",), (), {"wall1": RefusedError(T("Wrong password."))})
    answer = dsi(*CHECK, "--json")
    assert answer.code == 3
    assert answer.json["targets"][0]["state"] == "failed"
    assert answer.json["targets"][0]["error"]["what"] == "Wrong password."


def test_a_problem_of_several_lines_is_one_row_of_the_table(dsi, engine):
    engine.report = Report(("wall1",), (), {"wall1": RefusedError(T("Two\nlines."))})
    answer = dsi(*CHECK)
    assert "Two lines." in answer.out.splitlines()[1]


def test_the_table_has_a_row_per_target_and_tells_what_is_wrong(dsi, engine, mixed):
    engine.report = mixed
    answer = dsi("--lang", "en", *CHECK)
    assert [line.split()[0] for line in answer.out.splitlines()[1:5]] == ["wall1", "wall2", "wall3", "wall7"]
    assert "✗ Colour: grey, expected red (eye)" in answer.out
    assert "! Colour" in answer.out
    assert "2 targets compliant, 1 not compliant, 1 unreachable." in answer.out


def test_json_has_an_object_per_target(dsi, engine, mixed):
    engine.report = mixed
    view = dsi(*CHECK, "--json").json
    states = {item["target"]: item["state"] for item in view["targets"]}
    assert states == {"wall1": "compliant", "wall2": "not_compliant", "wall3": "compliant", "wall7": "unreachable"}
    assert view["summary"] == {"compliant": 2, "not_compliant": 1, "unreachable": 1, "failed": 0}
    assert view["targets"][0]["facts"] == {"area": 4}
    assert view["targets"][3]["error"]["code"] == "unreachable"


def test_a_dead_host_is_one_row_of_the_csv(mixed):
    rows = list(csv.DictReader(io.StringIO(as_csv(mixed), newline="")))
    assert [row["target"] for row in rows] == ["wall1", "wall2", "wall3", "wall7"]
    assert rows[3]["state"] == "unreachable"
    assert rows[3]["next_step"] == "Switch it on."


@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_observed_the_csv_holds_one_record_per_check_and_no_formula(target, name, observed):
    check = Check(target, name, T("{x}", x=observed), observed, observed, ok=True, source=observed)
    text = as_csv(Report((target,), (check,), {}))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) == 2
    assert len(rows[1]) == len(HEADERS)
    assert not [cell for cell in rows[1] if cell.lstrip().startswith(FORMULA)]
    assert text.count("\r\n") == 2


@given(ANYTHING, ANYTHING, ANYTHING, st.booleans(), st.booleans())
def test_whatever_is_observed_the_junit_report_is_well_formed(target, name, observed, ok, warning):
    from datetime import UTC, datetime

    check = Check(target, name, T("{x}", x=observed), observed, observed, ok=ok, source=observed, warning=warning)
    dead = UnreachableError(T("{x}", x=observed), on="dead")
    report = Report((target, "dead"), (check,), {"dead": dead})
    suites = ElementTree.fromstring(as_junit("wall.inspect", report, datetime.now(UTC), 1.5)).findall("testsuite")
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
        assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        assert {"name", "timestamp", "hostname", "time", "id", "package"} <= set(suite.attrib)
        assert all({"name", "classname", "time"} == set(case.attrib) for case in cases)
    if target != "dead":
        assert len(suites) == 2
        assert suites[0].get("failures") == str(int(not ok and not warning))
        assert suites[1].get("errors") == "1"


@pytest.mark.parametrize(("form", "start"), [("csv", "target,state"), ("junit", "<?xml"), ("json", "{")])
def test_a_report_is_written_into_a_file_whole(dsi, engine, mixed, tmp_path, form, start):
    engine.report = mixed
    path = tmp_path / "report"
    path.write_text("old")
    answer = dsi(*CHECK, "--format", form, "--output", str(path))
    assert answer.code == 5
    assert path.read_text().startswith(start)
    assert answer.out == ""
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written_says_so_and_leaves_nothing(dsi, tmp_path):
    (tmp_path / "report.csv").mkdir()
    answer = dsi(*CHECK, "--format", "csv", "--output", str(tmp_path / "report.csv"))
    assert answer.code == 1
    assert "report.csv" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]


@pytest.mark.parametrize("form", ["csv", "table"])
def test_a_file_that_cannot_be_is_refused_before_anything_is_looked_at(dsi, engine, tmp_path, form):
    answer = dsi(*CHECK, "--format", form, "--output", str(tmp_path / "nowhere" / "report.csv"))
    assert answer.code == 2
    assert engine.calls == []


def test_an_operation_that_changes_things_is_not_checked(dsi, engine):
    answer = dsi("check", "wall.paint", "wall1")
    assert answer.code == 2
    assert "dsi plan wall.paint wall1" in answer.err
    assert engine.calls == []
