"""`dsi plan` shows everything and changes nothing."""

import pytest

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker, NonAction
from dsi_automation.core.text import T


def blocked(target="wall3", code=ExitCode.NOT_COMPLIANT):
    return Blocker(target, T("It is damp."), T("Dry it."), code)


def test_a_plan_shows_actions_non_actions_reasons_digest_and_the_next_command(dsi, engine, make):
    engine.made = make.plan(make.action(), non_actions=(NonAction("wall1", "sand", T("It is smooth.")),))
    answer = dsi("--lang", "en", "plan", "wall.paint", "wall1", "-i", "color=dark red")
    assert answer.code == 0
    for words in ("+ Paint it", "paint color=red", "why: It is grey.", "to undo: Scrape.", "= sand: It is smooth."):
        assert words in answer.out
    assert f"Digest: {engine.made.digest}" in answer.out
    assert "Next: dsi request wall.paint wall1 -i 'color=dark red' --reason 'why it is needed'" in answer.out
    assert engine.calls[-1] == ("plan", "wall.paint", ("wall1",), {"color": "dark red"})


def test_a_blocked_target_ends_with_its_code_and_the_rest_is_shown(dsi, engine, make):
    engine.made = make.plan(make.action(), blockers=(blocked(),))
    answer = dsi("plan", "wall.paint", "wall1", "wall3")
    assert answer.code == 5
    assert "Paint it" in answer.out
    assert "It is damp." in answer.out
    assert "Dry it." in answer.out
    assert "--partial" in answer.out


def test_an_unreachable_target_ends_with_3_and_a_non_compliant_one_weighs_more(dsi, engine, make):
    dead = blocked("wall2", ExitCode.UNREACHABLE)
    engine.made = make.plan(make.action(), blockers=(dead,))
    assert dsi("plan", "wall.paint", "wall1").code == 3
    engine.made = make.plan(make.action(), blockers=(dead, blocked()))
    assert dsi("plan", "wall.paint", "wall1").code == 5


def test_json_holds_the_plan_in_the_readers_language(dsi, engine, make):
    engine.made = make.plan(make.action(), blockers=(blocked(),))
    view = dsi("plan", "wall.paint", "wall1", "--json").json
    assert view["digest"] == engine.made.digest
    assert view["actions"][0] == {
        "id": "wall1/paint", "target": "wall1", "kind": "paint", "args": {"color": "red"},
        "title": "Paint it", "reason": "It is grey.", "reversal": "Scrape.",
    }  # fmt: skip
    assert view["blockers"] == [{"target": "wall3", "reason": "It is damp.", "next_step": "Dry it.", "exit_code": 5}]
    assert view["exit_code"] == 5
    assert view["nothing_to_do"] is False
    assert view["next_command"].startswith("dsi request wall.paint wall1")


def test_planning_what_only_looks_is_checking_it(dsi, engine):
    assert dsi("plan", "wall.inspect", "wall1").code == 0
    assert engine.calls[-1][0] == "check"


@pytest.mark.parametrize(("name", "named"), [("wall.pant", "wall.paint"), ("zzz", "wall.inspect, wall.paint")])
def test_an_unknown_operation_is_a_usage_error_that_names_the_nearest_or_all(dsi, engine, name, named):
    answer = dsi("plan", name, "wall1")
    assert answer.code == 2
    assert named in answer.err
    assert engine.calls == []


def test_hostile_names_neither_move_the_cursor_nor_count_as_markup(dsi, engine, make):
    evil = "wall\x1b[2J[red]\r\n+ forged"
    engine.made = make.plan(make.action(evil, title="\x9b31m[bold]"))
    answer = dsi("plan", "wall.paint", "wall1")
    assert not set("\x1b\r\x9b") & set(answer.out)
    assert "wall\\x1b[2J[red]\\r\\n+ forged" in answer.out


def test_the_next_command_quotes_what_a_shell_would_read(dsi, engine):
    answer = dsi("plan", "wall.paint", "$(reboot)", "-i", "color=`x`; rm", "--json")
    assert "'$(reboot)' -i 'color=`x`; rm'" in answer.json["next_command"]


def test_a_plan_without_actions_has_no_next_command(dsi, engine, make):
    engine.made = make.plan()
    answer = dsi("plan", "wall.paint", "wall1", "--json")
    assert answer.json["nothing_to_do"] is True
    assert answer.json["next_command"] is None
    assert answer.code == 0


def test_an_open_emergency_is_told_on_stderr_by_every_command_that_opens_the_journal(dsi, engine, make):
    engine.waiting = (make.request(),)
    for arguments in (["plan", "wall.paint", "wall1"], ["requests"], ["runs"], ["run", "REQ"]):
        answer = dsi(*arguments, "--json")
        assert "URGENCE REQ-20261121-7K3F" in answer.err
        assert "URGENCE" not in answer.out


def test_an_emergency_that_is_overdue_says_so(dsi, engine, make):
    from datetime import timedelta

    engine.waiting = (make.request(ratify_before=make.now + timedelta(hours=1)),)
    assert "avant le" in dsi("runs").err
    engine.waiting = (make.request(ratify_before=make.now - timedelta(hours=1)),)
    assert "EN RETARD" in dsi("runs").err


def test_looking_goes_on_when_the_journal_cannot_be_read(dsi, engine):
    from dsi_automation.core.errors import StorageError

    engine.errors["open_emergencies"] = StorageError(T("The database is locked."))
    answer = dsi("plan", "wall.paint", "wall1")
    assert answer.code == 0
    assert "The database is locked." in answer.err
