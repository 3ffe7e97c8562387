"""The hand-over letter of a mail account, as a PDF (procedure E)."""

from __future__ import annotations

from collections.abc import Iterator

from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text
from dsi_automation.documents.faces import Faces, drawn
from dsi_automation.documents.fonts import CODE, printable
from dsi_automation.documents.house import LINE, MARGIN, Heading, Sheet, Words
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.documents.password_box import password_box


def mailbox_letter(letter: MailboxLetter, *, password: Secret | None = None, code: Secret | None = None) -> bytes:
    """Return the letter as a PDF of one page, in the reader's language.

    Args:
        password: the temporary password, printed where it is given.
        code: encrypts the file with AES-256; it opens with this code alone.

    Raises:
        UnprintableError: a name or the password holds a character that no font has.
    """
    check_letter(letter, password)
    return drawn(lambda faces: _drawn(letter, password, code, faces), code=password is not None)


def _drawn(letter: MailboxLetter, password: Secret | None, code: Secret | None, faces: Faces | None) -> bytes:
    sheet = Sheet(
        Heading(
            letter.organisation,
            T("Information systems department"),
            T("Your professional mail account"),
            letter.date,
            letter.reference,
        ),
        code=code,
        faces=faces,
    )
    _recipient(sheet, letter)
    sheet.section(T("Your settings"))
    sheet.settings(list(_settings(letter)))
    _password(sheet, letter, password)
    sheet.ln(2.5)
    sheet.notice(T("Your password is yours alone"), _rules())
    _help(sheet, letter)
    _receipt(sheet, letter, password)
    return sheet.to_bytes()


def check_letter(letter: MailboxLetter, password: Secret | None = None) -> None:
    """Make sure that a letter can be printed, before anything else depends on it.

    Raises:
        UnprintableError: it holds a character that no font has.
    """
    texts = (letter.organisation, letter.name, letter.staff_number, letter.address, letter.login, letter.webmail)
    others = (letter.licence, letter.help_desk, letter.help_phone, letter.help_mail, letter.reference)
    for text in filter(None, (*texts, *others)):
        printable(text)
    if password is not None:
        printable(password.reveal(), CODE, "B")


def _recipient(sheet: Sheet, letter: MailboxLetter) -> None:
    sheet.paragraph(letter.name, bold=True)
    sheet.paragraph(T("Staff number {number}", number=letter.staff_number))
    sheet.ln(2.5)
    sheet.paragraph(
        T("Your professional mail account is ready. Here is what you need to use it; keep the settings at hand.")
    )


def _settings(letter: MailboxLetter) -> Iterator[tuple[Words, Words]]:
    yield T("Mail address"), letter.address
    if letter.login:
        yield T("Windows login"), letter.login
    yield T("Mail in a browser"), letter.webmail
    yield (
        T("Outlook and telephone"),
        T("Add an account of the type Exchange or Microsoft 365: the address and the password are enough."),
    )
    if letter.licence:
        yield T("Licence"), letter.licence


def _password(sheet: Sheet, letter: MailboxLetter, password: Secret | None) -> None:
    if password is not None:
        sheet.section(T("Your temporary password"))
        password_box(sheet, password)
    elif letter.must_change:
        sheet.section(T("Your temporary password"))
        sheet.paragraph(T("It is not in this letter: you are given it separately, in person."))
    else:
        sheet.section(T("Your password"))
        sheet.paragraph(T("It stays the one you know. If you have forgotten it, call the number below."))
    if letter.must_change:
        sheet.ln(2)
        sheet.notice(T("You must change it at your first logon"), list(_changing(letter)))


def _changing(letter: MailboxLetter) -> Iterator[Text]:
    if letter.login:
        yield T("Change it as you first log on to Windows at the office; set up Outlook and the telephone afterwards.")
    else:
        yield T("Change it at your first sign-in in a browser; set up Outlook and the telephone afterwards.")
    yield T("At least 12 characters, with capitals, small letters, digits and signs.")
    yield T("Neither your name nor your staff number in it, and no password that you use or used elsewhere.")


def _rules() -> list[Text]:
    return [
        T("Never give it to anybody: neither a colleague nor your superior, nor the information systems department."),
        T("Nobody has the right to ask you for it, by telephone, by mail or in person. If somebody does, tell us."),
    ]


def _help(sheet: Sheet, letter: MailboxLetter) -> None:
    sheet.section(T("If something does not work"))
    ways = " · ".join(part for part in (letter.help_phone, letter.help_mail) if part)
    sheet.paragraph(T("{name}: {ways}", name=letter.help_desk, ways=ways) if ways else letter.help_desk, bold=True)


def _receipt(sheet: Sheet, letter: MailboxLetter, password: Secret | None) -> None:
    sheet.ln(3.5)
    sheet.set_draw_color(*LINE)
    sheet.set_dash_pattern(dash=1.5, gap=1.5)
    sheet.line(MARGIN, sheet.get_y(), MARGIN + sheet.width, sheet.get_y())
    sheet.set_dash_pattern()
    sheet.section(T("Receipt, to be returned to the information systems department"))
    facts = {"name": letter.name, "number": letter.staff_number, "address": letter.address}
    if password is not None:
        words = T(
            "I, {name}, staff number {number}, have received the settings of {address} and its temporary password, "
            "which I shall change at my first logon.",
            **facts,
        )
    else:
        words = T("I, {name}, staff number {number}, have received the settings of {address}.", **facts)
    sheet.paragraph(words)
    sheet.ln(2)
    sheet.signatures(
        [
            (T("The account’s holder"), T("Date and signature")),
            (T("For the information systems department"), T("Name, date and signature")),
        ]
    )
