"""What the documentation says of the command line is what it does."""

import re
from pathlib import Path

from dsi_automation.cli import views
from dsi_automation.cli.reference import reference
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.engine.operation import Report

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference"


def test_the_reference_is_that_of_the_commands():
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m dsi_automation.cli.reference docs"


def test_the_table_of_exit_codes_is_the_enum():
    rows = re.findall(r"^\| (\d) \| (\w+) \|", (DOCS / "exit-codes.md").read_text(), re.MULTILINE)
    assert rows == [(str(int(code)), code.name.lower()) for code in ExitCode]


def test_every_key_of_the_json_is_documented(make):
    documented = set(re.findall(r"`(\w+)`", (DOCS / "json.md").read_text()))
    shapes = (
        views.plan_view(make.plan(make.action())),
        views.request_view(make.request()),
        views.run_view(make.run()),
        views.report_view("wall.inspect", Report(("wall1",), (make.check(),), {})),
    )
    for shape in shapes:
        assert set(shape) <= documented
    nested = (shapes[0]["actions"][0], shapes[2]["steps"][0], shapes[2]["evidence"][0], shapes[3]["targets"][0])
    for shape in nested:
        assert set(shape) <= documented
