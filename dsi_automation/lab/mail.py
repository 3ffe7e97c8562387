"""The lab's mail server: its start and end, what it is told to do, and the mails it took."""

from __future__ import annotations

import email
import email.policy
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.smtp import PORT

START_SECONDS: Final = 20.0


class Behaviour(StrEnum):
    """What the mail server does: `down` is not running, the others are its answers."""

    ACCEPT = "accept"
    DEFER = "defer"
    REJECT = "reject"
    DOWN = "down"


@dataclass(frozen=True)
class MailServer:
    """The mail server of one lab."""

    layout: Layout
    clock: Clock

    @property
    def address(self) -> str:
        """Where it listens, port 25."""
        return self.layout.server_addresses["mail"]

    @property
    def daemon(self) -> Daemon:
        """The process."""
        return Daemon("mail", self.layout.ws_namespace, self.layout.run_dir, self.layout.log_dir / "mail.log")

    @property
    def behaviour(self) -> Behaviour:
        """What it was told to do."""
        try:
            return Behaviour(self._behaviour_file.read_text().strip())
        except FileNotFoundError:
            return Behaviour.ACCEPT

    def behave(self, behaviour: Behaviour) -> None:
        """Have it answer so from the next mail on, or be down; it is on return."""
        self.layout.mail_dir.mkdir(parents=True, exist_ok=True)
        self._behaviour_file.write_text(f"{behaviour}\n")
        if behaviour is Behaviour.DOWN:
            self.stop()
        else:
            self.start()
            self.wait_until_ready()

    def start(self) -> bool:
        """Start it, unless it runs.

        Returns:
            Whether it was started.
        """
        if not self.daemon.needs_start(self.clock):
            return False
        self.layout.mail_dir.mkdir(parents=True, exist_ok=True)
        if self.behaviour is Behaviour.DOWN:
            self._behaviour_file.unlink()
        self.daemon.start(
            [sys.executable, "-m", "dsi_automation.lab.smtp", self.address, str(self.layout.mail_dir)],
            self.layout.environment(),
        )
        return True

    def wait_until_ready(self) -> None:
        """Return once it greets.

        Raises:
            DsiError: it ended, or does not within 20 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        while not self._greets():
            if self.daemon.pid() is None or self.clock.monotonic() > until:
                raise DsiError(
                    T("The server {name} does not start.", name="mail"),
                    next_step=T("Read why: `dsi lab logs {part}`.", part="mail"),
                    detail={"log": str(self.daemon.log)},
                )
            self.clock.sleep(0.02)

    def stop(self) -> bool:
        """Stop it.

        Returns:
            Whether it ran.
        """
        return self.daemon.stop(self.clock)

    def files(self) -> list[Path]:
        """Return the mails it took, oldest first."""
        return sorted((self.layout.mail_dir / "new").glob("*.eml"), key=lambda path: int(path.name.split(".")[0]))

    def mails(self) -> Iterator[EmailMessage]:
        """Yield the mails it took, oldest first."""
        for path in self.files():
            yield read(path)

    def mail(self, number: int) -> EmailMessage:
        """Return a mail by its number in the list, from 1.

        Raises:
            UsageError: there are not so many.
        """
        found = self.files()
        if not 1 <= number <= len(found):
            raise UsageError(
                T("There is no mail number {number}.", number=number), next_step=T("`dsi lab mail list` lists them.")
            )
        return read(found[number - 1])

    def reset(self) -> None:
        """Forget every mail, and have it take mails again."""
        shutil.rmtree(self.layout.mail_dir / "new", ignore_errors=True)
        (self.layout.mail_dir / "new").mkdir(parents=True)
        self.behave(Behaviour.ACCEPT)

    @property
    def _behaviour_file(self) -> Path:
        return self.layout.mail_dir / "behaviour"

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.address, PORT), timeout=1) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False


def read(path: Path) -> EmailMessage:
    """Return a kept mail."""
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
