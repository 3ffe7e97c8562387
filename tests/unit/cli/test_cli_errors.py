"""Errors end in one place: a sentence, the right exit code, an object for programs, and no traceback."""

import click
import pytest

from dsi_automation.core.errors import (
    DsiError,
    NotCompliantError,
    RefusedError,
    StorageError,
    UnknownOutcomeError,
    UnreachableError,
    UsageError,
    VerificationFailedError,
    WorldChangedError,
)
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (DsiError, 1), (RefusedError, 1), (StorageError, 1), (UsageError, 2), (UnreachableError, 3),
        (UnknownOutcomeError, 3), (NotCompliantError, 5), (VerificationFailedError, 6), (WorldChangedError, 7),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_exit_code(dsi, engine, kind, code):
    engine.errors["run"] = kind(T("It did not work."))
    assert dsi("run", "REQ").code == code


def test_an_error_says_what_on_what_what_it_means_and_what_to_do(dsi, engine, closed):
    engine.errors["run"] = closed
    answer = dsi("--lang", "en", "run", "REQ")
    assert answer.code == 4
    assert answer.err.splitlines() == [
        "Error on wall1: Nobody approved this request.",
        "  The gate stays closed.",
        "  What to do: Ask somebody entitled.",
    ]
    assert answer.out == ""


@pytest.mark.parametrize("arguments", [["--json", "run", "REQ"], ["run", "REQ", "--json"]])
def test_with_json_the_error_is_an_object_on_stdout_and_a_sentence_on_stderr(dsi, engine, closed, arguments):
    engine.errors["run"] = closed
    answer = dsi(*arguments)
    assert answer.json["error"]["code"] == "gate_closed"
    assert answer.json["error"]["exit_code"] == answer.code == 4
    assert "Nobody approved this request." in answer.err


def test_a_usage_error_is_json_too(dsi):
    answer = dsi("plan", "--json")
    assert answer.json["error"]["code"] == "usage"
    assert answer.code == 2


def test_an_unforeseen_exception_is_a_sentence_and_exit_1(dsi, engine):
    engine.errors["run"] = ZeroDivisionError("oops")
    answer = dsi("run", "REQ")
    assert answer.code == 1
    assert "ZeroDivisionError" in answer.err
    assert "--debug" in answer.err
    assert "Traceback" not in answer.err + answer.out


@pytest.mark.parametrize("arguments", [["--debug", "run", "REQ"], ["run", "REQ", "--debug"]])
def test_a_traceback_is_shown_when_asked_for_without_its_secrets(dsi, engine, arguments):
    secret = Secret("Tr0ub4dor&3x")
    engine.errors["run"] = ZeroDivisionError(f"with {secret.reveal()}")
    answer = dsi(*arguments)
    assert "Traceback" in answer.err
    assert secret.reveal() not in answer.err + answer.out


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(dsi, engine, stop):
    engine.errors["run"] = stop
    answer = dsi("run", "REQ")
    assert answer.code == 130
    assert "dsi resume" in answer.err


def test_a_secret_in_an_error_is_masked_everywhere(dsi, engine):
    secret = Secret("P@ssw0rd-of-the-lab")
    engine.errors["run"] = RefusedError(T("Wrong: {value}", value=secret.reveal()), detail={"seen": secret.reveal()})
    for arguments in (["run", "REQ", "--json"], ["run", "REQ", "--debug"]):
        answer = dsi(*arguments)
        assert secret.reveal() not in answer.out + answer.err


def test_an_escape_sequence_in_an_error_does_not_reach_the_terminal(dsi, engine):
    engine.errors["run"] = UsageError(T("No {name}.", name="\x1b[2J\nforged [red]line\u202e"))
    answer = dsi("run", "REQ", "--json")
    assert "\x1b" not in answer.out + answer.err
    assert "\u202e" not in answer.out + answer.err
    assert "\\x1b[2J\\nforged [red]line" in answer.err
    assert answer.json["error"]["what"] == "No \x1b[2J\nforged [red]line\u202e."


def test_lines_of_ours_are_lines_and_lines_of_others_are_escapes(dsi, engine):
    problems = Text(
        "{a}\n{b}", {"a": T("hosts.yml:3: {name}", name="evil\nError: forged"), "b": T("hosts.yml:9: wrong")}
    )
    engine.errors["run"] = UsageError(T("Two errors:\n{problems}", problems=problems))
    lines = dsi("--lang", "en", "run", "REQ").err.splitlines()
    assert lines == ["Error: Two errors:", "  hosts.yml:3: evil\\nError: forged", "  hosts.yml:9: wrong"]


def test_dsi_alone_shows_the_help_and_ends_with_2(dsi):
    answer = dsi()
    assert answer.code == 2
    assert "operations" in answer.err
