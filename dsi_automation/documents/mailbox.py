"""The letter that hands a professional mail account over (procedure E)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class MailboxLetter:
    """What the letter says.

    Attributes:
        name: the person, as the register writes it.
        staff_number: the matricule.
        address: the mail address, which is also the name to sign in with.
        login: the Windows login, where there is a directory account.
        webmail: where mail is read in a browser.
        licence: what the account may use.
        help_desk: whom to call, with telephone and mail.
        must_change: whether the password must be changed at the first logon.
    """

    organisation: str
    name: str
    staff_number: str
    address: str
    login: str | None
    webmail: str
    licence: str | None
    help_desk: str
    help_phone: str | None
    help_mail: str | None
    date: date
    must_change: bool
    reference: str | None = None
