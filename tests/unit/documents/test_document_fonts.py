"""The package's own fonts print what people here are called, and say at once what they cannot."""

from datetime import date

import pytest

from dsi_automation.documents.dates import long_date
from dsi_automation.documents.fonts import CODE, FACES, FOLDER, UnprintableError, printable


@pytest.mark.parametrize(
    "name",
    [
        "N’Guessan",
        "N'Guessan",
        "Épiphanie",
        "Cœur",
        "Kɔuamé ɔ́",
        "Ŋaŋ",
        "Ɛbɔlɔ",
        "Ñandú",
        "Aïssata Ɓamba",
        "Ḿbala",
        "→ «»",
    ],
)
def test_names_of_the_region_can_be_printed_in_regular_and_bold(name):
    assert printable(name)
    assert printable(name, style="B")


def test_a_letter_and_its_accent_are_printed_as_one():
    assert printable("E\u0301piphanie") == "Épiphanie"


@pytest.mark.parametrize(
    ("name", "code"), [("Awa 😀", "1F600"), ("Awa\x00", "0000"), ("Мария", "041C"), ("李", "674E")]
)
def test_a_character_that_no_font_has_is_named(name, code):
    with pytest.raises(UnprintableError) as caught:
        printable(name)
    assert f"U+{code}" in str(caught.value)
    assert name not in str(caught.value)


def test_every_ascii_sign_of_a_password_can_be_printed():
    signs = "".join(chr(code) for code in range(0x21, 0x7F))
    assert printable(signs, CODE, "B") == signs


def test_the_fonts_are_small_and_carry_their_licence():
    assert sum(path.stat().st_size for path in FACES.values()) < 400_000
    assert "Bitstream Vera" in (FOLDER / "LICENSE").read_text()
    assert "fontTools" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize(
    ("day", "french", "english"),
    [
        (date(2026, 11, 21), "21 novembre 2026", "21 November 2026"),
        (date(2027, 8, 1), "1er août 2027", "1 August 2027"),
    ],
)
def test_dates_are_written_in_words(day, french, english):
    assert long_date(day).render("fr") == french
    assert long_date(day).render("en") == english
