"""What looks like code and is none is told apart from code, by PostgreSQL's own rules."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.databases.lexing import Kind, tokens
from dsi_automation.connectors.databases.parameters import translated
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret

NAMES = st.sampled_from(["login", "a", "x_1", "Until"])
INERT = st.sampled_from(
    [
        "':login'", "'it''s :a'", r"E'\':login'", r"e'\\'", "E'a'\n '\\':a'", '":login"', '"a"":x_1"', "$$:login ' $$",
        "$t$ $$ :a $t$", "-- :login '\n", "/* :a /* ' */ :login */", "x::int", "f(a := 1)", "a[1:2]", "a[1 : b]",
        "100 % 7", "LIKE '50%'", "U&'\\0041:a'", "N':a'", "col$1:: text", "$1", "é:: date", "B'01'", "'%(login)s'",
        "?", "*", "1e5", "''", "a$b$c",
    ]
)  # fmt: skip
PIECES = st.lists(st.one_of(INERT.map(lambda text: (text, None)), NAMES.map(lambda name: (f":{name}", name))))


@given(st.text(alphabet=" \n'\"$-/*:;\\Eea1_%é()[]", max_size=60))
def test_tokens_are_the_whole_text_up_to_what_is_not_closed(text):
    found = []
    with contextlib.suppress(UsageError):
        for token in tokens(text):
            found.append(token)  # noqa: PERF402  # what came before an error is kept
    whole = "".join(token.text for token in found)
    assert text.startswith(whole)
    # What is left is the beginning of something that is closed nowhere.
    assert whole == text or text[len(whole) :].startswith(("'", '"', "$", "/*", "e'", "E'"))
    assert all(token.line == text[:at].count("\n") + 1 for token, at in zip(found, starts(found), strict=True))


def starts(found):
    return itertools.accumulate((len(token.text) for token in found[:-1]), initial=0) if found else ()


@given(PIECES)
def test_exactly_the_parameters_are_translated_and_all_else_reads_as_before(pieces):
    # psycopg takes the translation apart by its own rule: %(name)s is a parameter, %% a percent sign.
    statement = "SELECT " + " ".join(text for text, _ in pieces) + "\n, 1"
    made = translated(statement)
    wanted = {name for _, name in pieces if name}
    assert made.names == wanted
    if wanted:
        values = {name: f":{name}" for name in wanted}
        assert made.text % values == statement
    else:
        assert made.text == statement


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 'a", 1), ("SELECT\n\n\"a", 3), ("SELECT 1;\n/* a /* b */", 2), ("$x$ $y$", 1), (r"SELECT E'\'", 1),
        ("SELECT\n'a''", 2),
        ("SELECT 1\n-- \0\nWHERE false", 2),
    ],
)  # fmt: skip
def test_what_is_not_closed_is_told_with_its_line(text, line):
    with pytest.raises(UsageError) as caught:
        list(tokens(text))
    assert caught.value.detail == {"line": line}


def test_a_colon_after_a_cast_and_one_in_an_assignment_are_no_parameters():
    kinds = [(token.kind, token.text) for token in tokens("a::b:c x:=y")]
    assert (Kind.PARAMETER, ":c") in kinds
    assert (Kind.OTHER, "::") in kinds
    assert (Kind.OTHER, ":=") in kinds


@pytest.mark.parametrize(
    "statement", ["", "  -- nothing\n", ";", "SELECT 1; SELECT 2", "SELECT 1; ; -- x\nDELETE FROM t"]
)
def test_none_and_several_statements_are_refused(statement):
    with pytest.raises(UsageError, match="SQL"):
        translated(statement)


def test_a_last_semicolon_and_comment_are_left_away():
    assert translated("SELECT 1 ; -- all\n").text == "SELECT 1"


def test_a_missing_parameter_is_named_and_what_is_not_used_is_not_sent():
    made = translated("SELECT :a, :b")
    with pytest.raises(UsageError, match=":b"):
        made.values({"a": 1, "c": 2})
    assert made.values({"a": 1, "b": Secret("motdepasse-de-la-base"), "c": 2}) == {"a": 1, "b": "motdepasse-de-la-base"}
    assert translated("SELECT 1").values({"a": 1}) is None
