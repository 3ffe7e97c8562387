"""Documents share fonts: what one holds changes no other, and a character beyond the shared ones is printed too."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pypdf
import pytest

from dsi_automation.core.secrets import Secret
from dsi_automation.documents.faces import USUAL, drawn, shared_faces
from dsi_automation.documents.fonts import BODY, CODE, FACES, printable
from dsi_automation.documents.house import Heading, Sheet

HEADING = Heading("Douanes", "DSI", "Essai", date(2026, 11, 21))
BEYOND = "Ḁḅẘ"


def sheet(text, *, password=None, code=None):
    def draw(faces):
        made = Sheet(HEADING, code=code, faces=faces)
        made.paragraph(text)
        made.paragraph(text, bold=True)
        if password:
            made.set_font(CODE, "B", 19)
            made.cell(10, 12, password)
        return made.to_bytes()

    return drawn(draw, code=password is not None)


def words(pdf, code=None):
    (page,) = pypdf.PdfReader(io.BytesIO(pdf), password=code).pages
    return page.extract_text()


def fonts(pdf):
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return {font["/BaseFont"] for font in page["/Resources"]["/Font"].values()}


def test_every_usual_character_is_printed_and_can_be_copied():
    texts = [chr(one) for one in sorted(USUAL) if chr(one).isalnum()]
    pdf = sheet("".join(texts))
    found = words(pdf).replace("\n", "")
    assert [text for text in texts if text not in found] == []


def test_every_font_has_every_usual_letter():
    assert [printable(chr(one), BODY, style) for one in sorted(USUAL) for style in ("", "B")] != []


def test_a_character_beyond_the_usual_ones_is_printed_with_fonts_of_its_own():
    assert not {ord(one) for one in BEYOND} & USUAL
    pdf = sheet(f"N’Guessan {BEYOND} Éric")
    assert f"N’Guessan {BEYOND} Éric" in words(pdf)
    assert pdf == sheet(f"N’Guessan {BEYOND} Éric")


def test_what_one_document_holds_changes_no_other():
    before = sheet("Awa Koné")
    sheet("zażółć gęślą jaźń")
    sheet(BEYOND)
    sheet("Awa Koné", password="K7pQ!0Ol")
    assert sheet("Awa Koné") == before


def test_threads_that_draw_at_once_make_the_files_that_one_after_the_other_makes():
    texts = [f"N’Guessan {number} {BEYOND if number % 5 == 0 else 'Éric'}" for number in range(20)]
    alone = [sheet(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sheet, texts)) == alone


def test_an_encrypted_document_with_shared_fonts_opens_with_its_code():
    pdf = sheet("Awa Koné", code=Secret("7KQ4-M2XR"))
    assert "Awa Koné" in words(pdf, "7KQ4-M2XR")
    assert sheet("Awa Koné") == sheet("Awa Koné")


@pytest.mark.parametrize(("password", "families"), [(None, 2), ("K7pQ!0Ol", 3)])
def test_the_font_of_passwords_is_in_documents_with_a_password_alone(password, families):
    assert len(fonts(sheet("Awa Koné", password=password))) == families
    assert len(shared_faces(code=password is not None).fonts) == families
    assert len(FACES) == 3
