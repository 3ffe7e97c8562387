"""The hand-over letter as another program reads it (pypdf): one page, everything on it, sealed when it should be."""

import io
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pypdf
import pytest

from dsi_automation.core.secrets import Secret
from dsi_automation.documents.fonts import UnprintableError
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.documents.render import mailbox_letter

PASSWORD = Secret("K7pQ!0Ol1IaZ9w#m")
CODE = Secret("7KQ4-M2XR-9TWB")
LETTER = MailboxLetter(
    organisation="Direction Générale des Douanes",
    name="N’Guessan Épiphanie Kɔuamé épse Œuvrard Ŋaŋ",
    staff_number="100001A",
    address="epiphanie.nguessan@douanes.lab",
    login="100001a",
    webmail="https://outlook.office.com",
    licence="bureau",
    help_desk="Hotline DSI",
    help_phone="+225 27 20 25 15 15",
    help_mail="hotline@douanes.lab",
    date=date(2026, 11, 21),
    must_change=True,
    reference="RUN-20261121-8AAA",
)


@pytest.fixture(autouse=True)
def _french(monkeypatch):
    monkeypatch.setenv("DSI_LANG", "fr")


def read(pdf: bytes, code: str | None = None) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf), password=code)


def words(pdf: bytes, code: str | None = None) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(pdf, code).pages).split())


def test_a_letter_says_everything_on_one_page():
    pdf = mailbox_letter(LETTER, password=PASSWORD)
    text = words(pdf)
    assert len(read(pdf).pages) == 1
    assert [round(float(side)) for side in read(pdf).pages[0].mediabox[2:]] == [595, 842]  # A4 in points
    for part in (
        LETTER.organisation, LETTER.name, LETTER.staff_number, LETTER.address, "100001a", LETTER.webmail, "bureau",
        LETTER.help_desk, LETTER.help_phone, LETTER.help_mail, LETTER.reference, "21 novembre 2026",
        "Vous devez le changer à votre première connexion", "Au moins 12 caractères", "ni à la DSI",
        "Accusé de réception", "Le titulaire du compte", "Pour la DSI", "Exchange ou Microsoft 365", "1/1",
    ):  # fmt: skip
        assert part in text, part
    assert PASSWORD.reveal() in text.replace(" ", "")


def test_a_letter_without_a_password_says_where_it_is():
    pdf = mailbox_letter(LETTER)
    assert "il vous est remis à part" in words(pdf)
    assert "Vous devez le changer" in words(pdf)
    kept = words(mailbox_letter(replace(LETTER, must_change=False)))
    assert "C’est toujours celui que vous connaissez" in kept
    assert "Vous devez le changer" not in kept


def test_what_is_not_known_leaves_no_trace():
    bare = replace(LETTER, login=None, licence=None, help_phone=None, help_mail=None, reference=None)
    text = words(mailbox_letter(bare))
    assert "None" not in text
    assert "Identifiant Windows" not in text
    assert "dans un navigateur" in text


def test_a_letter_speaks_english_when_asked_to(monkeypatch):
    monkeypatch.setenv("DSI_LANG", "en")
    pdf = mailbox_letter(LETTER, password=PASSWORD)
    assert "You must change it at your first logon" in words(pdf)
    assert read(pdf).root_object["/Lang"] == "en"


def test_the_data_about_the_document_name_it_and_hold_no_password():
    pdf = mailbox_letter(LETTER, password=PASSWORD)
    found = read(pdf)
    assert found.metadata.title == "Votre compte de messagerie professionnelle"
    assert found.metadata.author == LETTER.organisation
    assert found.root_object["/Lang"] == "fr"
    assert found.metadata.creation_date.date() == LETTER.date
    assert PASSWORD.reveal() not in str(dict(found.metadata))
    assert PASSWORD.reveal().encode() not in pdf


def test_an_encrypted_letter_opens_with_its_code_alone():
    pdf = mailbox_letter(LETTER, password=PASSWORD, code=CODE)
    closed = read(pdf)
    assert closed.is_encrypted
    assert closed.trailer["/Encrypt"]["/CF"]["/StdCF"]["/CFM"] == "/AESV3"  # AES-256
    assert closed.trailer["/Encrypt"]["/R"] == 6  # ISO 32000-2
    with pytest.raises(pypdf.errors.FileNotDecryptedError):
        closed.pages[0].extract_text()
    with pytest.raises(pypdf.errors.WrongPasswordError):
        read(pdf, "7KQ4-M2XR-9TWC")
    assert PASSWORD.reveal() in words(pdf, CODE.reveal()).replace(" ", "")
    assert LETTER.address.encode() not in pdf


MAKE = """
import sys
sys.path.insert(0, sys.argv[1])
from test_mailbox_letter import LETTER, PASSWORD, mailbox_letter
sys.stdout.buffer.write(mailbox_letter(LETTER, password=PASSWORD))
"""


def test_the_same_letter_is_the_same_file_in_another_process_of_another_day():
    here = __file__.rpartition("/")[0]
    made = subprocess.run([sys.executable, "-c", MAKE, here], capture_output=True, check=True, env={"TZ": "Asia/Tokyo"})
    assert made.stdout == mailbox_letter(LETTER, password=PASSWORD)


def test_the_longest_of_everything_is_printed_whole():
    longest = replace(
        LETTER,
        name="Abcdefgh " * 7 + "A",
        address=f"{'a' * 64}@{'b' * 40}.douanes.lab",
        organisation="Direction Générale des Douanes de la République de Côte d’Ivoire",
    )
    pdf = mailbox_letter(longest, password=Secret("Ab3!" * 16))
    text = words(pdf).replace(" ", "")
    for part in (longest.name, longest.address, longest.organisation, "Ab3!" * 16):
        assert part.replace(" ", "") in text


def test_a_name_that_no_font_has_is_refused_before_anything_is_made():
    with pytest.raises(UnprintableError):
        mailbox_letter(replace(LETTER, name="Awa 😀"))
    with pytest.raises(UnprintableError) as caught:
        mailbox_letter(LETTER, password=Secret("пароль-99"))
    assert "пароль" not in str(caught.value)
