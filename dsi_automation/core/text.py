"""Sentences for people: written once in English, read in French unless English is asked for.

A `Text` keeps its template and its parameters apart, so that one plan can be shown in one language to the
technician, in another to a reader of English, and in both in the record.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

LOCALES: Final = Path(__file__).resolve().parent.parent / "locale"
DEFAULT_LANGUAGE: Final = "fr"
LANGUAGES: Final = ("fr", "en")


_spoken: ContextVar[str | None] = ContextVar("dsi_language", default=None)


@contextmanager
def speaking(language: str) -> Generator[None]:
    """Have every text of this block rendered in `language`: a report for others than who is at the keyboard."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def current_language() -> str:
    """Return the language people read: that of `speaking`, else `DSI_LANG` when it is `fr` or `en`, else French."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    wanted = os.environ.get("DSI_LANG", DEFAULT_LANGUAGE)[:2].lower()
    return wanted if wanted in LANGUAGES else DEFAULT_LANGUAGE


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations of one language: each room of the package has its own gettext domain."""
    merged = gettext.NullTranslations()
    for path in sorted((LOCALES / language / "LC_MESSAGES").glob("*.mo")):
        with path.open("rb") as compiled:
            translations = gettext.GNUTranslations(compiled)
        translations.add_fallback(merged)
        merged = translations
    return merged


class Text:
    """A sentence for people, rendered in the reader's language when it is shown.

    Make one with `T("Workstation {name} answers.", name=name)`; the template is English and is the key of the
    French catalogue. Parameters may be texts themselves.
    """

    __slots__ = ("_plural", "params", "template")

    def __init__(self, template: str, params: Mapping[str, Any], plural: tuple[str, int] | None = None) -> None:
        """Keep the template and its parameters; `plural` is the plural template and the number that decides."""
        self.template = template
        self.params = dict(params)
        self._plural = plural

    def render(self, language: str | None = None, each: Callable[[object], str] = str) -> str:
        """Return the sentence in `language`, by default the reader's.

        Args:
            language: `fr` or `en`.
            each: what is done to every parameter that is neither a text nor a number: a terminal must not be
                driven by a name that came from outside.
        """
        chosen = language or current_language()
        translations = catalogue(chosen)
        if self._plural is None:
            template = translations.gettext(self.template) if self.template else ""
        else:
            template = translations.ngettext(self.template, *self._plural)
        if not self.params:
            return template
        return template.format_map({key: _shown(value, chosen, each) for key, value in self.params.items()})

    def to_json(self) -> dict[str, str]:
        """Return the sentence in every language, as the record keeps it."""
        return {language: self.render(language, _on_one_line) for language in LANGUAGES}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Text:
        """Return the text a record holds; it renders as it was written then."""
        return _RecordedText(data)

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        return f"T({self.render('en')!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.render("en"))


class _RecordedText(Text):
    """A text read back from a record: already rendered, whatever the catalogue says today."""

    __slots__ = ("_rendered",)

    def __init__(self, rendered: Mapping[str, str]) -> None:
        super().__init__("", {})
        self._rendered = dict(rendered)

    def render(self, language: str | None = None, each: Callable[[object], str] = str) -> str:
        chosen = language or current_language()
        text = self._rendered.get(chosen) or next(iter(self._rendered.values()), "")
        # The breaks between lines are ours: those of a parameter did not get into the record.
        return "\n".join(each(line) for line in text.split("\n"))


def _shown(value: Any, language: str, each: Callable[[object], str]) -> Any:
    if isinstance(value, Text):
        return value.render(language, each)
    # Numbers and moments keep their type: a template may say how many digits it wants.
    return value if isinstance(value, int | float | date) else each(value)


def _on_one_line(value: object) -> str:
    return str(value).replace("\n", "\\n")


def T(template: str, /, **params: Any) -> Text:  # noqa: N802  # short on purpose: it marks every sentence
    """Return a sentence for people; `template` is English and uses `{name}` for each parameter."""
    return Text(template, params)


def TN(singular: str, plural: str, n: int, /, **params: Any) -> Text:  # noqa: N802  # as T, with a number
    """Return a sentence that depends on a number, available to the templates as `{n}`."""
    return Text(singular, {"n": n, **params}, (plural, n))
