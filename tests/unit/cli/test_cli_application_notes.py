"""What a run noted of an application is told in words, and bad news look like bad news."""

import pytest

from dsi_automation.cli.labels import action
from dsi_automation.cli.show_application_notes import KINDS, LOG_LINES, is_bad, log
from dsi_automation.core.text import T

STEP = {"name": "query", "seconds": 4.0, "problem": T("the answer is another one.").to_json()}
GOOD = {"name": "port", "seconds": 0.5, "problem": None}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("application.warned", {"stops_at": "2026-11-22T20:15:00.000Z", "why": "Maintenance", "planned": True}, "20"),
        ("application.ended", {"pid": 7, "began_at": "", "user": "kone", "program": "psql", "objects": ["sydam.decl"],
                               "working": False}, "sydam.decl"),
        ("application.stopped", {"server": "app2", "seconds": 65.0, "killed": {"pid": 9}, "at": ""}, "1 min 05 s"),
        ("application.started", {"server": "app1", "seconds": 9.5, "at": ""}, "9,5 s"),
        ("application.tested", {"tests": [{"server": "app1", "steps": [GOOD]}], "conclusive": True}, "0,5 s"),
        ("application.up", {"at": "", "seconds": 245.0, "release": None}, "4 min 05 s"),
        ("release.switched", {"server": "app1", "before": None, "after": "1.4.0"}, "1.4.0"),
        ("release.rolled_back", {"release": "1.4.0", "files": True, "scripts": [], "by_hand": ["x"]}, "1 chose"),
        ("release.deployed", {"release": "1.4.0", "stage": "production"}, "production"),
    ],
)  # fmt: skip
def test_a_note_is_told_with_what_matters_of_it(name, data, words):
    assert words in KINDS[name](data).render("fr")
    assert not is_bad(name, data)


def test_a_test_that_failed_says_where_and_why_and_is_bad_news():
    data = {"tests": [{"server": "app1", "steps": [GOOD, STEP]}], "conclusive": False}
    told = KINDS["application.tested"](data).render("en")
    assert "app1 at query: the answer is another one." in told
    assert is_bad("application.tested", data)
    assert KINDS["application.tested"]({"tests": [], "conclusive": False})


def test_a_test_that_failed_shows_the_end_of_the_log_with_its_server():
    lines = [f"line {number}" for number in range(20)]
    told = [line.render("en") for line in log({"conclusive": False, "log": {"app1": lines, "app2": ["full disk"]}})]
    assert told[-2:] == ["app1 | line 19", "app2 | full disk"]
    assert len(told) == LOG_LINES + 1
    assert not list(log({"conclusive": True}))


def test_an_action_on_a_server_is_named_with_it_and_an_unknown_one_by_its_own_name():
    assert action("stop.app2").render("fr") == "arrêt de app2"
    assert action("other.app2") == "other.app2"
