"""A password on paper: one character to a box, so that none is misread."""

from __future__ import annotations

from typing import Final

from fpdf.enums import Align

from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.documents.fonts import CODE, printable
from dsi_automation.documents.house import INK, LINE, MARGIN, QUIET, Sheet

PER_ROW: Final = 16
BOX: Final = 10.0
"""Width of a box, millimetres."""
HEIGHT: Final = 12.0
DIGIT: Final = (216, 224, 234)
"""Dark enough to be seen on a poor photocopy, light enough to read what is on it."""


def password_box(sheet: Sheet, password: Secret) -> None:
    """Write a password large, in boxes; those of digits are tinted, which tells 0 from O and 1 from l.

    Raises:
        UnprintableError: a character is in no font.
    """
    value = printable(password.reveal(), CODE, "B")
    rows = [value[start : start + PER_ROW] for start in range(0, len(value), PER_ROW)]
    for row in rows:
        if sheet.get_y() + HEIGHT > sheet.page_break_trigger:
            sheet.add_page()
        top = sheet.get_y()
        left = MARGIN + (sheet.width - BOX * len(row)) / 2
        sheet.set_line_width(0.3)
        for place, character in enumerate(row):
            sheet.set_draw_color(*LINE)
            sheet.set_fill_color(*(DIGIT if character.isdigit() else (255, 255, 255)))
            sheet.rect(left + place * BOX, top, BOX, HEIGHT, style="DF")
        sheet.set_font(CODE, "B", 19)
        sheet.set_text_color(*INK)
        for place, character in enumerate(row):
            sheet.set_xy(left + place * BOX, top)
            sheet.cell(BOX, HEIGHT, character, align=Align.C)
        sheet.set_y(top + HEIGHT + 1)
    sheet.ink(QUIET, 8)
    sheet.text_line(
        T("One character per box, without spaces; tinted boxes hold digits. Capitals and small letters differ."),
        4.5,
        align=Align.C,
    )
