"""SMTP to the site's relay (RFC 5321): one connection for a mail, taken for every recipient or for none."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses, parseaddr
from typing import Final, NoReturn

from dsi_automation.connectors.mail.port import MailSecurity, RelayEndpoint
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text

_WIRE: Final = SMTP.clone(cte_type="7bit")
"""Lines of 7 bits: a relay need not know 8BITMIME (RFC 6152)."""
_DOTS: Final = re.compile(rb"(?m)^\.")
_GO_AHEAD: Final = 354


class SmtpRelay:
    """The relay of the inventory; implements `port.MailRelay`."""

    def __init__(self, endpoint: RelayEndpoint) -> None:
        """Take note of where it is; nothing is connected yet."""
        self._endpoint = endpoint

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over; see `port.MailRelay.send`."""
        sender = parseaddr(str(message["From"]))[1]
        fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
        recipients = [address for _, address in getaddresses(fields) if address]
        if not sender or not recipients:
            raise UsageError(T("A mail needs a sender and somebody to go to."))
        content = EmailMessage.as_bytes(_without_bcc(message), policy=_WIRE)
        try:
            connection = self._open()
        except (OSError, smtplib.SMTPException) as error:
            self._fail(error)
        try:
            self._offer(connection, sender, recipients)
            self._hand_over(connection, content)
        finally:
            connection.close()

    def _open(self) -> smtplib.SMTP:
        endpoint = self._endpoint
        context = None
        if endpoint.security is not MailSecurity.NONE:
            context = ssl.create_default_context(cafile=endpoint.ca_file)
        if endpoint.security is MailSecurity.TLS:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                endpoint.server, endpoint.port, timeout=endpoint.timeout, context=context
            )
        else:
            connection = smtplib.SMTP(endpoint.server, endpoint.port, timeout=endpoint.timeout)
        try:
            connection.ehlo_or_helo_if_needed()
            if endpoint.security is MailSecurity.STARTTLS:
                connection.starttls(context=context)
                connection.ehlo()
            if endpoint.user is not None:
                password = "" if endpoint.password is None else endpoint.password.reveal()
                connection.login(endpoint.user, password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _offer(self, connection: smtplib.SMTP, sender: str, recipients: list[str]) -> None:
        """Say who it is from and for, and wait for the word to go ahead."""
        try:
            self._expect(*connection.mail(sender), 250, 250)
            for address in recipients:
                self._expect(*connection.rcpt(address), 250, 251, about=address)
            self._expect(*connection.docmd("DATA"), _GO_AHEAD, _GO_AHEAD)
        except (OSError, smtplib.SMTPException) as error:
            self._fail(error)

    def _hand_over(self, connection: smtplib.SMTP, content: bytes) -> None:
        """Send the content; from here on, silence means that nobody knows."""
        try:
            connection.send(_DOTS.sub(b"..", content) + b"\r\n.\r\n")
            code, answer = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise UnknownOutcomeError(
                T("The mail server {server} was given a mail and did not confirm it.", server=self._endpoint.server),
                meaning=T("It may have taken it. Sent again, it carries the same identifier."),
            ) from error
        self._expect(code, answer, 250, 250)

    def _expect(self, code: int, answer: bytes, *wanted: int, about: str | None = None) -> None:
        if code not in wanted:
            raise self._refusal(code, answer, about)

    def _refusal(self, code: int, answer: bytes | str, about: str | None = None) -> DsiError:
        said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        facts = {"server": self._endpoint.server, "code": code, "said": redact(" ".join(said.split())[:200])}
        if 400 <= code < 500:
            return UnreachableError(
                T("The mail server {server} refuses for now: {code} {said}", **facts), detail={"code": code}
            )
        what: Text = (
            T("The mail server {server} refuses: {code} {said}", **facts)
            if about is None
            else T("The mail server {server} refuses {address}: {code} {said}", address=about, **facts)
        )
        return RefusedError(
            what,
            next_step=T("Look at dsi_mail in the inventory, at the address, and ask whoever keeps the mail server."),
            detail={"code": code},
        )

    def _fail(self, error: Exception) -> NoReturn:
        """Translate what smtplib and the system say before the content was sent.

        Raises:
            UnreachableError, RefusedError: always one of them.
        """
        server = self._endpoint.server
        if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
            raise self._refusal(error.smtp_code, error.smtp_error) from error
        if isinstance(error, ssl.SSLCertVerificationError):
            raise RefusedError(
                T("The certificate of the mail server {server} is not to be trusted.", server=server),
                meaning=T("Another machine may answer in its place; no mail was sent."),
                next_step=T("Give the CA of its certificate in dsi_mail: ca_file."),
                detail={"reason": error.verify_message},
            ) from error
        if isinstance(error, smtplib.SMTPNotSupportedError | FileNotFoundError):
            raise RefusedError(
                T("The mail server {server} cannot be used as dsi_mail says: {why}", server=server, why=str(error)),
                next_step=T("Look at security, credential and ca_file of dsi_mail."),
            ) from error
        reason = reason_of(error) if isinstance(error, OSError) and error.errno else type(error).__name__
        raise UnreachableError(
            T("The mail server {server} does not answer: {reason}.", server=server, reason=reason)
        ) from error


def _without_bcc(message: EmailMessage) -> EmailMessage:
    if "Bcc" not in message:
        return message
    from copy import copy

    shown = copy(message)
    del shown["Bcc"]
    return shown
