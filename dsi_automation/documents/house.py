"""The house style of printed documents: A4, a letterhead, a title, a footer, and the blocks between them.

Every document of the department is a `Sheet`: letters to staff, slips for media and equipment, orders.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from fpdf import FPDF
from fpdf.enums import Align, EncryptionMethod, MethodReturnValue, XPos, YPos
from fpdf.prefs import ViewerPreferences

from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text, current_language
from dsi_automation.documents.dates import long_date
from dsi_automation.documents.faces import REMEMBERED, Faces, SharedOutput
from dsi_automation.documents.fonts import BODY, FACES, printable

INK: Final = (28, 32, 38)
QUIET: Final = (96, 104, 116)
ACCENT: Final = (23, 62, 104)
TINT: Final = (238, 242, 247)
LINE: Final = (198, 206, 217)
ALARM: Final = (160, 28, 28)
ALARM_TINT: Final = (252, 235, 233)
MARGIN: Final = 20.0
"""Left and right, millimetres."""
FOOT: Final = 16.0
BODY_SIZE: Final = 9.5
"""Points."""
LEADING: Final = 4.7
"""Between two lines of the body, millimetres."""

_LARGEST: Final = 12.5
_DATED: Final = 48.0
"""Kept free at the right of the letterhead for date and reference, millimetres."""

type Words = Text | str


@dataclass(frozen=True, slots=True)
class Heading:
    """What the letterhead of a document says.

    Attributes:
        department: the service below the organisation's name.
        reference: what the document is filed under.
    """

    organisation: str
    department: Words
    title: Words
    date: date
    reference: str | None = None


class Sheet(FPDF):
    """A document in the house style, in the reader's language; the same content gives the same bytes."""

    def __init__(self, heading: Heading, *, code: Secret | None = None, faces: Faces | None = None) -> None:
        """Open the first page.

        Args:
            code: encrypt the document with this opening code (AES-256, PDF 2.0).
            faces: shared fonts (see `faces.drawn`); None reads the fonts for this document alone.
        """
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.heading = heading
        self._faces = faces
        if faces is None:
            for (family, style), path in FACES.items():
                self.add_font(family, style, path)
        else:
            self.fonts.update(faces.fonts)
        self.set_margins(MARGIN, 14)
        self.c_margin = 0.0
        self.set_auto_page_break(auto=True, margin=FOOT + 4)
        self.set_creation_date(datetime.combine(heading.date, time.min, UTC))
        self.set_title(printable(str(heading.title)))
        self.set_author(printable(heading.organisation))
        self.set_lang(current_language())
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        if code is not None:
            # Nobody needs the owner's password: who has the code may read and print.
            self.set_encryption(secrets.token_urlsafe(24), code.reveal(), EncryptionMethod.AES_256)
        self.add_page()

    @property
    def width(self) -> float:
        """Return the width between the margins, millimetres."""
        return float(self.epw)

    def to_bytes(self) -> bytes:
        """Return the document as a file."""
        if self._faces is None:
            return bytes(self.output())
        producer = type("Shared", (SharedOutput,), {"faces": self._faces})
        return bytes(self.output(output_producer_class=producer))

    def header(self) -> None:
        """Write the letterhead of a page: large on the first, a line on those that follow."""
        heading = self.heading
        if self.page_no() > 1:
            self.ink(QUIET, 8)
            self.text_line(f"{heading.organisation} · {heading.title}", 5)
            self.ln(3)
            return
        self.set_fill_color(*ACCENT)
        self.rect(0, 0, 210, 5, style="F")
        self.ink(ACCENT, _LARGEST, bold=True)
        wide = self.get_string_width(self.fit(heading.organisation))
        # A long name is written smaller rather than into the date beside it.
        self.ink(ACCENT, min(_LARGEST, _LARGEST * (self.width - _DATED) / wide), bold=True)
        self.text_line(heading.organisation, 6)
        self.ink(QUIET, 9)
        self.text_line(heading.department, 5)
        self.set_xy(MARGIN, 14)
        self.ink(INK, 9)
        self.text_line(T("Date: {date}", date=long_date(heading.date)), 6, align=Align.R)
        if heading.reference:
            self.ink(QUIET, 9)
            self.text_line(T("Reference: {reference}", reference=heading.reference), 5, align=Align.R)
        self.set_y(27)
        self.rule()
        self.set_y(32)
        self.ink(ACCENT, 17, bold=True)
        title = printable(str(heading.title), BODY, "B")
        self.multi_cell(0, 8, title, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def footer(self) -> None:
        """Write the foot of a page: what it belongs to, and its number."""
        self.set_y(-FOOT)
        self.rule()
        self.ln(2)
        self.ink(QUIET, 8)
        parts = [self.heading.organisation, str(self.heading.title), self.heading.reference]
        left = " · ".join(part for part in parts if part)
        self.cell(self.width - 20, 4, printable(left), new_x=XPos.RIGHT, new_y=YPos.TOP)
        # The number of pages is put in at the end, in the place of a longer word: aligned by what it becomes.
        self.set_x(MARGIN + self.width - self.get_string_width(f"{self.page_no()}/0"))
        self.cell(20, 4, f"{self.page_no()}/{{nb}}")

    def ink(self, color: tuple[int, int, int], size: float, *, bold: bool = False) -> None:
        """Choose how the next words look."""
        self.set_font(BODY, "B" if bold else "", size)
        self.set_text_color(*color)

    def rule(self) -> None:
        """Draw a line from margin to margin."""
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(MARGIN, self.get_y(), MARGIN + self.width, self.get_y())

    def text_line(self, words: Words, height: float, *, align: Align = Align.L) -> None:
        """Write one line in the present ink."""
        self.cell(0, height, self.fit(words), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def fit(self, words: Words) -> str:
        """Return words as the present font prints them.

        Raises:
            UnprintableError: a character is in no font.
        """
        return printable(str(words), BODY, "B" if "B" in self.font_style else "")

    def paragraph(self, words: Words, *, bold: bool = False, x: float = MARGIN, width: float = 0) -> None:
        """Write a paragraph, by default across the page."""
        self.ink(INK, BODY_SIZE, bold=bold)
        self.set_x(x)
        self.block(words, width, LEADING)

    def block(self, words: Words, width: float, height: float) -> None:
        """Write words in the present ink, from here on and over as many lines as they need; 0 is all the width left."""
        x = self.get_x()
        for line in self._lines(words, width or self.w - self.r_margin - x):
            self.set_x(x)
            self.cell(width, height, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _lines(self, words: Words, width: float) -> Sequence[str]:
        text, known = self.fit(words), {} if self._faces is None else self._faces.lines
        key = (text, round(width, 2), self.font_style, self.font_size_pt)
        lines = known.get(key)
        if lines is None:
            found = self.multi_cell(width, 1, text, align=Align.L, dry_run=True, output=MethodReturnValue.LINES)
            assert isinstance(found, list)  # noqa: S101  # what `output` asks for
            lines = tuple(str(line) for line in found)
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = lines
        return lines

    def section(self, words: Words) -> None:
        """Write the title of a section."""
        self.ln(2.8)
        self.ink(ACCENT, 11, bold=True)
        self.text_line(words, 6)
        self.ln(0.6)

    def settings(self, rows: Sequence[tuple[Words, Words]], *, label: float = 48) -> None:
        """Write a table of names and values; `label` is the width of the names, millimetres."""
        self.rule()
        for name, value in rows:
            self._make_room(name, value, label)
            top = self.get_y() + 1.1
            self.set_y(top)
            self.ink(QUIET, BODY_SIZE)
            self.block(name, label, LEADING)
            below = self.get_y()
            self.set_xy(MARGIN + label, top)
            self.ink(INK, BODY_SIZE, bold=True)
            self.block(value, 0, LEADING)
            self.set_y(max(below, self.get_y()) + 1.1)
            self.rule()

    def _make_room(self, name: Words, value: Words, label: float) -> None:
        """Begin a new page where a row would be cut in two."""
        self.ink(QUIET, BODY_SIZE)
        height = self._height(name, label, LEADING)
        self.ink(INK, BODY_SIZE, bold=True)
        height = max(height, self._height(value, self.width - label, LEADING)) + 2.2
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()
            self.rule()

    def notice(self, title: Words, points: Sequence[Words], *, alarm: bool = False) -> None:
        """Write what must not be overlooked: on a tint, with a bar at its left; bad news in a colour of their own."""
        x, width = MARGIN + 5, self.width - 9
        colour, tint, bar = (ALARM, ALARM_TINT, 2.8) if alarm else (ACCENT, TINT, 1.4)
        self.ink(colour, 10, bold=True)
        height = self._height(title, width, 5) + 4
        self.ink(INK, 9)
        height += sum(self._height(point, width - 4, 4.4) for point in points)
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()
        top = self.get_y()
        self.set_fill_color(*tint)
        self.rect(MARGIN, top, self.width, height, style="F")
        self.set_fill_color(*colour)
        self.rect(MARGIN, top, bar, height, style="F")
        self.set_xy(x, top + 2)
        self.ink(colour, 10, bold=True)
        self.block(title, width, 5)
        self.ink(INK, 9)
        for point in points:
            self.set_x(x)
            self.cell(4, 4.4, "•")
            self.block(point, width - 4, 4.4)
        self.set_y(top + height + 2)

    def _height(self, words: Words, width: float, line: float) -> float:
        """Return how high words are in the present ink, millimetres."""
        return line * len(self._lines(words, width))

    def signatures(self, boxes: Sequence[tuple[Words, Words]], *, height: float = 24) -> None:
        """Draw boxes side by side to sign in: each with who signs and what to write."""
        gap = 6.0
        width = (self.width - gap * (len(boxes) - 1)) / len(boxes)
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()
        top = self.get_y()
        for number, (who, what) in enumerate(boxes):
            x = MARGIN + number * (width + gap)
            self.set_draw_color(*LINE)
            self.set_line_width(0.3)
            self.rect(x, top, width, height, round_corners=True, corner_radius=1.5)
            self.set_xy(x + 3, top + 2)
            self.ink(INK, 9, bold=True)
            self.cell(width - 6, 4.5, self.fit(who), new_x=XPos.LEFT, new_y=YPos.NEXT)
            self.ink(QUIET, 8)
            self.block(what, width - 6, 4)
        self.set_y(top + height + 2)
