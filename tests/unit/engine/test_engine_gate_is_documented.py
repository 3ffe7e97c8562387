"""The page about the gate names every door there is, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/explanation/gate.md").read_text()
SOURCES = [path.read_text() for path in sorted((ROOT / "dsi_automation/engine").glob("*.py"))]


def doors():
    named = {name for source in SOURCES for name in re.findall(r'closed\(\s*"(\w+)"', source)}
    roles = {name for source in SOURCES for name in re.findall(r'role\([^")]*"(\w+)"\)', source)}
    return named | roles | {"refused"}


def test_every_door_is_on_the_page():
    assert sorted(door for door in doors() if f"`{door}`" not in PAGE) == []


def test_the_page_names_no_door_that_is_not_there():
    table = [line.split("|")[2] for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(table) == 20
    assert {name for cell in table for name in re.findall(r"`(\w+)`", cell)} <= doors()
