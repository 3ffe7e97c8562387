"""How somebody is reached outside: a telephone number in the international form, or a personal mail address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

COUNTRY: Final = "225"
"""Of Côte d'Ivoire (ITU-T E.164)."""
DIGITS: Final = 10
"""Of a national number since 31 January 2021 (ARTCI, plan national de numérotation); before, 8."""
_PHONE: Final = re.compile(r"\+?[0-9]+")
_BETWEEN: Final = str.maketrans("", "", " \u00a0\u2009\u202f.-\u2010\u2011\u2013/()")
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}")


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody: exactly one of the two.

    Attributes:
        phone: in the form of E.164, `+2250707123456`.
        mail: a personal address.
    """

    phone: str | None = None
    mail: str | None = None


def read_contact(text: str) -> Contact:
    """Return the contact somebody typed.

    Raises:
        UsageError: it is neither a telephone number nor an address; says what is wrong with it.
    """
    if not text:
        raise UsageError(
            T("The contact is missing."), next_step=T("Give a telephone number or a personal mail address.")
        )
    if "@" in text:
        return Contact(mail=mail_address(text))
    return Contact(phone=phone_number(text))


def mail_address(text: str) -> str:
    """Return a mail address (RFC 5321, without the forms in quotes and beyond ASCII).

    Raises:
        UsageError: it is none.
    """
    if len(text) > 254 or not _MAIL.fullmatch(text) or ".." in text or text[0] == "." or ".@" in text:
        raise UsageError(
            T("“{text}” is not a mail address.", text=ascii(text[:80])[1:-1]),
            next_step=T("Give it as in awa.kone@example.org, or a telephone number."),
        )
    return text


def phone_number(text: str) -> str:
    """Return a telephone number in the form of E.164; without a country it is one of Côte d'Ivoire.

    Raises:
        UsageError: it is none, or one of before 2021.
    """
    digits = text.translate(_BETWEEN)
    if not _PHONE.fullmatch(digits):
        raise UsageError(
            T("“{text}” is neither a telephone number nor a mail address.", text=ascii(text[:80])[1:-1]),
            next_step=T("Give 10 digits, as in 07 07 12 34 56, or an address."),
        )
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif digits.startswith(COUNTRY) and len(digits) in {len(COUNTRY) + DIGITS, len(COUNTRY) + 8}:
        digits = f"+{digits}"
    if digits.startswith("+") and not digits.startswith(f"+{COUNTRY}"):
        if not 8 <= len(digits) - 1 <= 15 or digits[1] == "0":
            raise _wrong_length(text, len(digits) - 1)
        return digits
    national = digits.removeprefix(f"+{COUNTRY}")
    if len(national) == 8:
        raise UsageError(
            T("The number {text} has 8 digits, as before 31 January 2021.", text=text),
            meaning=T("Since then, two digits come first: 01 (Moov), 05 (MTN) or 07 (Orange) for a mobile number, "
                      "21 (Moov), 25 (MTN) or 27 (Orange) for a fixed one."),
            next_step=T("Ask the person for the number of 10 digits."),
        )  # fmt: skip
    if len(national) == DIGITS - 1:
        raise UsageError(
            T("The number {text} has 9 digits; 10 are needed.", text=text),
            meaning=T("Spreadsheets take the leading 0 of a number away."),
            next_step=T("Format the column as text, or give the number with +225."),
        )
    if len(national) != DIGITS or national[0] not in "02":
        raise _wrong_length(text, len(national))
    return f"+{COUNTRY}{national}"


def _wrong_length(text: str, n: int) -> UsageError:
    return UsageError(
        T("The number {text} ({n} digits) is not a telephone number.", text=text, n=n),
        next_step=T("Give 10 digits that begin with 0 or 2, as in 07 07 12 34 56, or a number with + and its country."),
    )
