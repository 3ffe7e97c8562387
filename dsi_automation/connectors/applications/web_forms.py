"""What a browser takes from a page for the next request: the hidden fields of its forms, its title."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode

type Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page: the names of all its fields, and those that are hidden with their values."""

    names: frozenset[str]
    hidden: Fields


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as a page.

    Attributes:
        url: where it came from, redirections followed.
        text: as it came, decoded.
        charset: it was decoded with; forms are sent back in it (HTML standard, "form-urlencoded data").
    """

    url: str
    status: int
    reason: str
    text: str
    charset: str
    title: str
    forms: tuple[Form, ...]

    def holds(self, words: str) -> bool:
        """Tell whether the page holds these words, written plainly or with character references."""
        return words in self.text or words in html.unescape(self.text)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[tuple[set[str], list[tuple[str, str]]]] = []
        self.title: list[str] = []
        self._open = self._titled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and fields; a form within a form is none (HTML standard, parsing)."""
        given = dict(attrs)
        self._titled = tag == "title" and not self.title
        if tag == "form" and not self._open:
            self._open = True
            self.forms.append((set(), []))
        elif tag in {"input", "select", "textarea", "button"} and self._open and "disabled" not in given:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Note where a form ends."""
        self._open = self._open and tag != "form"
        self._titled = False

    def handle_data(self, data: str) -> None:
        """Keep the title."""
        if self._titled:
            self.title.append(data)

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        names, hidden = self.forms[-1]
        name = given.get("name")
        if not name:
            return
        names.add(name)
        if tag == "input" and (given.get("type") or "").lower() == "hidden":
            hidden.append((name, given.get("value") or ""))


def page(url: str, status: int, reason: str, text: str, charset: str) -> Page:
    """Return an answer as a page; what cannot be read as HTML has no forms."""
    parser = _Forms()
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError):  # how html.parser meets some broken declarations
        parser.forms.clear()
    forms = tuple(Form(frozenset(names), tuple(hidden)) for names, hidden in parser.forms)
    return Page(url, status, reason, text, charset, " ".join("".join(parser.title).split()), forms)


def hidden_fields(forms: Sequence[Form], wanted: Collection[str]) -> Fields:
    """Return the hidden fields of the form that is filled in: the one that has most of the wanted fields."""
    if not forms:
        return ()
    return max(forms, key=lambda form: len(form.names & set(wanted))).hidden


def body(fields: Fields, before: Page | None) -> bytes:
    """Return a form as it is sent: the hidden fields of the page before, then what is filled in."""
    names = {name for name, _ in fields}
    carried = () if before is None else hidden_fields(before.forms, names)
    sent = [*((name, value) for name, value in carried if name not in names), *fields]
    charset = "utf-8" if before is None else before.charset
    return urlencode(sent, encoding=charset, errors="xmlcharrefreplace").encode("ascii")
