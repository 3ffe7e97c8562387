"""The fonts that documents are printed in, and whether they have every character of a text."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

FOLDER: Final = Path(__file__).with_name("fonts")
BODY: Final = "Body"
CODE: Final = "Code"
FACES: Final = {
    (BODY, ""): FOLDER / "DejaVuSans.ttf",
    (BODY, "B"): FOLDER / "DejaVuSans-Bold.ttf",
    (CODE, "B"): FOLDER / "DejaVuSansMono-Bold.ttf",
}
"""The file of each family and style; how they were made is in `fonts/README.md`."""


class UnprintableError(UsageError):
    """A text holds a character that none of the package's fonts has."""


def printable(text: str, family: str = BODY, style: str = "") -> str:
    """Return `text` as it is printed: composed (NFC), on one line, each of its characters in the font.

    Raises:
        UnprintableError: the font lacks one; the message names its code point and never the text, which may be a
            password.
    """
    composed = unicodedata.normalize("NFC", text).replace("\t", " ").replace("\n", " ")
    known = _characters(family, style)
    missing = next((character for character in composed if ord(character) not in known), None)
    if missing is None:
        return composed
    raise UnprintableError(
        T(
            "The character U+{code} ({name}) cannot be printed: no font of the package has it.",
            code=f"{ord(missing):04X}",
            name=unicodedata.name(missing, "-").lower(),
        ),
        next_step=T("Correct the name or the text it stands in, or print this one by hand."),
    )


@cache
def _characters(family: str, style: str) -> frozenset[int]:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    reader = FPDF()
    reader.add_font(family, style, FACES[family, style])
    (font,) = reader.fonts.values()
    assert isinstance(font, TTFFont)  # noqa: S101  # every file of ours is one
    font.close()
    return frozenset(font.cmap)
