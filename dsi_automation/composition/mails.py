"""The mails of one controller: written in the house's form, put into the outbox, offered now or behind the work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from functools import cached_property
from typing import TYPE_CHECKING

from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import redact

if TYPE_CHECKING:
    from dsi_automation.composition.outbox import Flushed, Outbox
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.connectors.mail.port import MailRelay
    from dsi_automation.inventory.backup_model import MailSettings


class Mails:
    """What is written to people; where the inventory describes no relay, nothing is."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's inventory and state folder."""
        self._toolkit = toolkit
        self._turn = threading.Lock()
        self._postman: threading.Thread | None = None
        self._more = False

    @cached_property
    def outbox(self) -> Outbox:
        """Return the mails on their way out."""
        from dsi_automation.composition.outbox import Outbox

        settings = self.settings
        folder, clock = self._toolkit.settings.state_dir.value / "outbox", self._toolkit.clock
        if settings is None:
            return Outbox(folder, None, clock)
        return Outbox(folder, _LateRelay(self._toolkit), clock, give_up_after=settings.give_up_after)

    @property
    def settings(self) -> MailSettings | None:
        """Return the relay of the inventory; None where none is described."""
        return self._toolkit.inventory.mail

    @property
    def language(self) -> str:
        """Return the language of mails and reports."""
        return self._toolkit.inventory.backup_settings.report_language

    def to_people(
        self, key: str, people: Iterable[str], subject: str, body: str, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Put one mail for each of these people of people.yml who has an address; one of a key is put once.

        Args:
            people: their ids.
            files: PDFs, by name.

        Raises:
            StorageError: it cannot be kept.
        """
        wanted = set(people)
        for person in self._toolkit.inventory.people:
            if person.id in wanted and person.mail is not None:
                self._put(f"{key}/{person.id}", person.mail, subject, body, files or {})

    def to_addresses(self, key: str, addresses: Iterable[str], subject: str, body: str) -> None:
        """Put one mail for each of these addresses; one of a key is put once.

        Raises:
            StorageError: it cannot be kept.
        """
        for address in dict.fromkeys(addresses):
            self._put(f"{key}/{address}", address, subject, body, {})

    def flush_behind(self) -> None:
        """Offer what waits while the work goes on: a relay that is down must not hold up a stop."""
        with self._turn:
            self._more = True
            if self._postman is None:
                self._postman = threading.Thread(target=self._deliver, name="dsi-mail", daemon=True)
                self._postman.start()

    def flush(self, *, now: bool = False, again: bool = False) -> Flushed:
        """Offer the mails that wait, once what was offered behind the work is through; see `Outbox.flush`."""
        postman = self._postman
        if postman is not None:
            postman.join()
        return self.outbox.flush(now=now, again=again)

    def _deliver(self) -> None:
        while True:
            with self._turn:
                if not self._more:
                    self._postman = None
                    return
                self._more = False
            with contextlib.suppress(DsiError):  # they wait on; metrics and `dsi mail list` tell it
                self.outbox.flush()

    def _put(self, key: str, address: str, subject: str, body: str, files: Mapping[str, bytes]) -> None:
        settings = self.settings
        if settings is None:
            return
        message = EmailMessage()
        message["From"], message["To"] = settings.sender, address
        message["Subject"] = redact(" ".join(subject.split()))
        message["Date"] = self._toolkit.clock.now()
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        message.set_content(redact(body), cte="quoted-printable")
        for name, content in files.items():
            message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
        self.outbox.put(message, key)


class _LateRelay:
    """The relay of the inventory, made when a mail is sent: a password that cannot be read must not lose a mail."""

    def __init__(self, toolkit: Toolkit) -> None:
        self._toolkit = toolkit

    def send(self, message: EmailMessage) -> None:
        _relay(self._toolkit).send(message)


def _relay(toolkit: Toolkit) -> MailRelay:
    from dsi_automation.connectors.mail.client import SmtpRelay
    from dsi_automation.connectors.mail.port import MailSecurity, RelayEndpoint

    settings = toolkit.inventory.mail
    assert settings is not None  # noqa: S101  # the caller asks
    account = None if settings.credential is None else toolkit.equipment.look().account(settings.credential)
    return SmtpRelay(
        RelayEndpoint(
            server=settings.server,
            port=settings.port,
            security=MailSecurity(settings.security),
            ca_file=settings.ca_file,
            user=None if account is None else account.user,
            password=None if account is None else account.password,
            timeout=settings.timeout_seconds,
        )
    )
