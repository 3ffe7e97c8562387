"""Mail as the toolkit sends it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

from dsi_automation.core.secrets import Secret


class MailSecurity(StrEnum):
    """How the connection to the relay is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RelayEndpoint:
    """The mail server that takes our mail.

    Attributes:
        ca_file: CA of its certificate, PEM; None for the system's.
        user, password: None when the relay knows us by our address.
        timeout: seconds for one answer.
    """

    server: str
    port: int = 587
    security: MailSecurity = MailSecurity.STARTTLS
    ca_file: str | None = None
    user: str | None = None
    password: Secret | None = None
    timeout: float = 30.0


class MailRelay(Protocol):
    """Takes mails. `connectors.mail.client.SmtpRelay(endpoint)` implements it."""

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over; on return the relay has taken it for every recipient.

        Raises:
            UnreachableError: the relay does not answer, or refuses for now (4xx).
            RefusedError: it refuses this mail for good (5xx), the login or the certificate.
            UnknownOutcomeError: the connection broke after the content was sent.
        """
        ...
