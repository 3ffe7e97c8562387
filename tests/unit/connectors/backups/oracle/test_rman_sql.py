"""Promise: SQL*Plus is believed only when every line it prints is an answer to this very question."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dsi_automation.connectors.backups.oracle import sql

MARK = "4711beef"
TAG = "DSI_20261122T020133_A1B2C3"


def answer(*rows: str, mark: str = MARK, end: bool = True) -> str:
    return "\n".join((f"DSI-BEGIN {mark}", *rows, *([f"DSI-END {mark}"] if end else []), ""))


INSTANCE = (
    "DSI:instance:OPEN|19.0.0.0.0|3114375768|ARCHIVELOG|READ WRITE|SYDAM",
    "DSI:clock:2026-11-22T02:00:00",
    "DSI:area:100|90|10",
    "DSI:corruption:0",
)


def test_the_database_is_read_as_it_says() -> None:
    found = sql.instance(answer(*INSTANCE), MARK)
    assert (found.status, found.dbid, found.name, found.corrupt) == ("OPEN", 3114375768, "SYDAM", 0)
    assert found.at == datetime(2026, 11, 22, 2, tzinfo=UTC)
    assert found.areas == ((100, 90, 10),)


def test_a_session_is_read_as_it_says_and_a_handle_may_hold_any_character() -> None:
    found = sql.outcome(
        answer(
            "DSI:job:41|COMPLETED|900|300",
            "DSI:piece:7|A|8192|T|/stage/a|b.bkp",
            "DSI:set:7|D|YES",
            "DSI:spfile:7",
            "DSI:uncovered:9|/u01/x.dbf",
            "DSI:log:1|47|1000|2000|2026-11-22T00:00:00|2026-11-22T02:00:00",
            "DSI:corruption:0",
        ),
        MARK,
    )
    assert found.jobs == (sql.JobRow(41, "COMPLETED", 900, 300),)
    assert found.pieces[0].handle == "/stage/a|b.bkp"
    assert (found.control_file, found.spfile, found.uncovered) == (True, True, ("9 /u01/x.dbf",))
    assert found.logs[0].next_change == 2000


@pytest.mark.parametrize(
    "said",
    [
        "",
        answer(*INSTANCE, end=False),
        answer(*INSTANCE, mark="another"),
        answer(*INSTANCE) * 2,
        answer(*INSTANCE, "ORA-01507: database not mounted"),
        answer(*INSTANCE, "SP2-0734: unknown command"),
        answer(*INSTANCE, "DSI:unknown:1"),
        answer(*INSTANCE[:3], "DSI:corruption:none"),
        answer(*INSTANCE[1:]),
        answer(*INSTANCE, INSTANCE[0]),
        answer(INSTANCE[0].replace("|SYDAM", ""), *INSTANCE[1:]),
        answer(*INSTANCE).replace("2026-11-22T", "22/11/26 "),
    ],
)
def test_anything_else_is_no_answer(said: str) -> None:
    with pytest.raises(sql.NoAnswerError):
        sql.instance(said, MARK)


def test_a_session_without_any_record_is_an_answer_too() -> None:
    found = sql.outcome(answer("DSI:corruption:0"), MARK)
    assert (found.jobs, found.pieces, found.control_file) == ((), (), False)


@pytest.mark.parametrize("tag", ["x' OR '1'='1", "", TAG + "'"])
def test_only_a_tag_of_ours_becomes_part_of_a_question(tag: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        sql.outcome_script(MARK, tag)


def test_a_question_stops_at_the_first_error_and_ends_with_its_mark() -> None:
    text = sql.outcome_script(MARK, TAG)
    assert "WHENEVER SQLERROR EXIT 3" in text
    assert text.count(f"'{TAG}'") == 7
    assert text.splitlines()[-2:] == [f"PROMPT DSI-END {MARK}", "EXIT 0"]
    assert "SET DEFINE" not in text or "DEFINE OFF" in text
