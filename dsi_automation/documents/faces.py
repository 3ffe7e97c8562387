"""Fonts that documents share: read and reduced once, to the characters that letters usually hold.

Reading a font and reducing it to the characters of one document costs more than everything else of a letter. What is
shared is never changed; a document with a character beyond the usual ones is drawn again with fonts of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from fpdf import FPDF
from fpdf.fonts import SubsetMap, TTFFont
from fpdf.output import OutputProducer

from dsi_automation.documents.fonts import BODY, CODE, FACES

USUAL: Final = frozenset(
    {
        *range(0x20, 0x7F),
        *range(0xA0, 0x180),
        *map(ord, "ƁɓƆɔƉɖƊɗƎǝƐɛƑƒƔɣƖɩƝɲƩʃƱʊƲʋƳƴ"),
        *map(ord, "\u202f–—‘’‚“”„•…‹›€№™"),
    }
)
"""French, its neighbours, the letters of West African languages, and typography."""
REMEMBERED: Final = 4096
"""Texts whose width a font remembers: those of one letter and all their beginnings are 1,500."""
_READING: Final = threading.Lock()


class UnusualCharacterError(Exception):
    """A document holds a character that the shared fonts do not have; it is to be drawn with fonts of its own."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Fonts to draw with, and what they become in the file.

    Attributes:
        fonts: by fpdf2's keys.
        lines: how texts were broken into lines, by text, width, style and size: most of a letter is in every letter.
        objects: what fpdf2 adds to a document for them, in its order, and its index of them.
    """

    fonts: dict[str, TTFFont]
    lines: dict[tuple[str, float, str, float], tuple[str, ...]]
    objects: tuple[list[Any], dict[int, Any]]


class _Usual(SubsetMap):
    """The characters of a shared font and their codes, which do not grow."""

    def __init__(self, font: TTFFont, codes: dict[int, int]) -> None:
        super().__init__(font)
        self._codes = codes

    def pick(self, unicode: int) -> int:  # type: ignore[override]  # fpdf2's is wrapped in a cache that keeps fonts
        """Return the code of a character."""
        try:
            return self._codes[unicode]
        except KeyError:
            raise UnusualCharacterError from None


class _SharedFont(TTFFont):
    """A font that remembers how wide texts are: fpdf2 asks at each character how wide its line is by now."""

    __slots__ = ("_widths",)

    def __init__(self, font: TTFFont, codes: dict[int, int]) -> None:
        for name in TTFFont.__slots__:
            if hasattr(font, name):
                setattr(self, name, getattr(font, name))
        self.subset = _Usual(self, codes)
        self._widths = lru_cache(REMEMBERED)(lambda text: sum(map(self.cw.__getitem__, map(ord, text))))

    def get_text_width(self, text: str, font_size_pt: float, _: Any) -> tuple[int, float]:
        """Return the number of characters and the width; nothing of ours is shaped."""
        return len(text), self._widths(text) * font_size_pt * 0.001


class SharedOutput(OutputProducer):
    """Writes a document drawn with shared fonts."""

    faces: Faces

    def _add_fonts(self, *_: Any) -> dict[int, Any]:
        # Copies: each document numbers them, and encrypts them, in its own way.
        objects, by_index = deepcopy(self.faces.objects)
        for one in objects:
            self._add_pdf_obj(one, "fonts")
        return by_index


def drawn(draw: Callable[[Faces | None], bytes], *, code: bool) -> bytes:
    """Return what `draw` makes with shared fonts, or with its own when a character is beyond them.

    Args:
        code: whether the font of passwords is needed as well.
    """
    try:
        return draw(shared_faces(code=code))
    except UnusualCharacterError:
        return draw(None)


def shared_faces(*, code: bool) -> Faces:
    """Return the shared fonts, read at the first use."""
    with _READING:
        if code not in _FACES:
            _FACES[code] = _read((BODY, CODE) if code else (BODY,))
        return _FACES[code]


_FACES: Final[dict[bool, Faces]] = {}


def _read(families: tuple[str, ...]) -> Faces:
    document = FPDF()
    for (family, style), path in FACES.items():
        if family in families:
            document.add_font(family, style, path)
    fonts: dict[str, TTFFont] = {}
    for key, font in document.fonts.items():
        assert isinstance(font, TTFFont)  # noqa: S101  # every file of ours is one
        codes = {one: font.subset.pick(one) for one in sorted(USUAL & font.cmap.keys())}
        fonts[key] = _SharedFont(font, {one: picked for one, picked in codes.items() if picked is not None})
    producer = OutputProducer(document)
    by_index = producer._add_fonts({}, {}, {})  # noqa: SLF001  # fpdf2 makes them nowhere else
    return Faces(fonts, {}, (list(producer.pdf_objs), by_index))
