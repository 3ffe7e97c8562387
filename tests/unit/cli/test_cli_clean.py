"""Nothing from outside can drive the terminal."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.cli.clean import HARMFUL, clean, to_json_text
from dsi_automation.cli.output import aligned, drawn
from dsi_automation.core.secrets import Secret

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@given(ANYTHING)
def test_a_cleaned_text_is_one_printable_line(text):
    assert not [character for character in clean(text) if unicodedata.category(character) in HARMFUL]
    assert len(clean(text).splitlines()) <= 1


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=60))
def test_ordinary_writing_passes_unchanged(text):
    assert clean(text) == text


@given(st.dictionaries(st.text(max_size=5), st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)), max_size=4))
def test_json_says_the_same_after_cleaning(value):
    text = to_json_text(value)
    assert json.loads(text) == value
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in HARMFUL]


def test_two_names_that_differ_never_look_alike():
    assert clean("ws1\u200b") != clean("ws1")
    assert clean("ws\x001") != clean("ws1")


def test_a_table_keeps_everything_without_a_terminal():
    rows = [["ws1", "x" * 300], ["ws2", ""]]
    lines = aligned(["Target", "Remark"], rows)
    assert lines[1].endswith("x" * 300)
    assert lines[2] == "ws2"


def test_a_table_on_a_terminal_folds_and_never_reads_markup():
    text = drawn(["Target"], [["[red]" + "y" * 90 + "[/red]"]], ["red"], color=False, width=40)
    assert text.count("y") == 90
    assert "[red]" in text
    assert "\x1b" not in text


def test_a_table_on_a_terminal_is_coloured_only_by_us():
    assert "\x1b[" in drawn(["Target"], [["ws1"]], ["red"], color=True, width=40)


def test_a_secret_is_masked_in_every_kind_of_text():
    secret = Secret("S3cret-valeur")
    assert secret.reveal() not in clean(f"a {secret.reveal()} b")
    assert secret.reveal() not in to_json_text({"a": [secret.reveal()]})
