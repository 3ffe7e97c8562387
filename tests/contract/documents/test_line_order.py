"""The order of a leased line as another program reads it (pypdf): one page, everything on it, in both languages."""

import io
from dataclasses import replace
from datetime import date

import pypdf
import pytest

from dsi_automation.core.text import speaking
from dsi_automation.documents.fonts import UnprintableError
from dsi_automation.documents.line_order import LineEnd, LineOrder, line_order

ORDER = LineOrder(
    organisation="Direction Générale des Douanes",
    operator="Opérateur A",
    address=("01 BP 0000 Abidjan 01", "Côte d'Ivoire"),
    mail="commandes@operateur-a.example",
    contract="CC-2026-014",
    delay_days=45,
    new=LineEnd("Bureau de Korhogo", "KGO", 9.4578, -5.6294),
    other=LineEnd("Siège, Abidjan", "ABJ", 5.32, -4.02),
    bandwidth=10,
    date=date(2026, 11, 22),
    wanted=date(2027, 1, 6),
    reference="LL-KGO-20261122",
    contact="Section Réseau, reseau@douanes.example",
)


def read(pdf):
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return len(reader.pages), " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_the_letter_says_everything_on_one_page_in_french():
    with speaking("fr"):
        pages, text = read(line_order(ORDER))
    assert pages == 1
    for part in (
        "Commande d’une ligne louée", "Opérateur A", "01 BP 0000 Abidjan 01", "commandes@operateur-a.example",
        "CC-2026-014", "10 Mbit/s", "Bureau de Korhogo", "KGO", "9.45780° N", "5.62940° O", "Siège, Abidjan", "ABJ",
        "5.32000° N", "4.02000° O", "6 janvier 2027", "22 novembre 2026", "LL-KGO-20261122", "45 jours",
        "reseau@douanes.example", "signature et cachet", "Reçu par l’opérateur", "1/1",
    ):  # fmt: skip
        assert part in text, part


def test_the_letter_is_in_english_when_asked():
    with speaking("en"):
        _, text = read(line_order(ORDER))
    for part in ("Order of a leased line", "5.62940° W", "Under the contract CC-2026-014", "6 January 2027"):
        assert part in text, part


def test_what_is_not_known_is_said_and_not_left_blank():
    bare = replace(ORDER, contract=None, delay_days=None, wanted=None, contact=None, address=(), mail=None)
    with speaking("fr"):
        pages, text = read(line_order(replace(bare, new=LineEnd("Odienné", "ODI"))))
    assert pages == 1
    assert "dès que possible" in text
    assert "à relever lors de la visite" in text
    assert "None" not in text


def test_the_same_order_gives_the_same_bytes():
    assert line_order(ORDER) == line_order(ORDER)


def test_a_character_that_no_font_has_is_refused():
    with pytest.raises(UnprintableError):
        line_order(replace(ORDER, operator="電話"))
