"""The language of the command line: ours through `T`, click's own words through gettext."""

from __future__ import annotations

import gettext
import os
from collections.abc import Sequence
from typing import Any, Final

from dsi_automation.core.text import LANGUAGES, LOCALES, Text, current_language

CLICK_DOMAIN: Final = "click"
"""The catalogue `click.po` holds the French of click's own sentences."""


def speak(language: str | None = None) -> None:
    """Make click speak the reader's language; `language` overrides `DSI_LANG`.

    Click asks Python's gettext for its words, and that reads the language from the environment only: hence
    `LANGUAGE`, which programs started in the C locale ignore.
    """
    if language in LANGUAGES:
        os.environ["DSI_LANG"] = language
    os.environ["LANGUAGE"] = current_language()
    gettext.bindtextdomain(CLICK_DOMAIN, str(LOCALES))
    gettext.textdomain(CLICK_DOMAIN)


def wanted_language(arguments: Sequence[str]) -> str | None:
    """Return what `--lang` says, wherever it stands, so that even a usage error is in the right language."""
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if argument == "--lang" and position + 1 < len(arguments):
            return arguments[position + 1]
    return None


def click_word(word: str) -> str:
    """Return one of click's own sentences in the reader's language."""
    return gettext.dgettext(CLICK_DOMAIN, word)


class Worded:
    """An attribute of a click object that may hold a `Text`: rendered each time it is read.

    Click wants strings when a command is declared; the language is known only when it is run.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_worded_{name}"

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = getattr(instance, self._slot, None)
        return value.render() if isinstance(value, Text) else value

    def __set__(self, instance: object, value: str | Text | None) -> None:
        setattr(instance, self._slot, value)
