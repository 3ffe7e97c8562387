"""Help follows the reader's typography: in French, a colon stands after a space that does not break."""

import pytest

from dsi_automation.cli.main import run


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("fr", ["Arguments\N{NO-BREAK SPACE}:", "Options\N{NO-BREAK SPACE}:"]),
        ("en", ["Positional arguments:", "Options:"]),
    ],
)
def test_the_titles_in_a_help_end_as_the_language_wants(language, headings, capsys, monkeypatch):
    monkeypatch.setenv("DSI_LANG", language)
    assert run(["backup", "sets", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith(":")] == headings


def test_no_line_of_a_help_begins_with_a_sign_of_the_word_before_it(capsys, monkeypatch):
    monkeypatch.setenv("DSI_LANG", "fr")
    for words in (["router"], ["router", "configure"], ["access", "allow"], ["lab"], ["backup"]):
        assert run([*words, "--help"]) == 0
        lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
        assert [line for line in lines if line.startswith((":", ";", "?", "!", "»")) or line.endswith("«")] == []
