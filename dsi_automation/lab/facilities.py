"""What backups of the lab work on and with: servers, a database, a mail server and external disks, all together."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab import network, tape
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.application import LabApplication
from dsi_automation.lab.ca import Authority
from dsi_automation.lab.database import Database
from dsi_automation.lab.disks import Disks
from dsi_automation.lab.layout import APPLICATION_SERVERS, Layout
from dsi_automation.lab.mail import Behaviour, MailServer
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.servers import Servers

if TYPE_CHECKING:
    from dsi_automation.lab.prometheus import Prometheus

EXPORTER_PORT: Final = 9866
"""Where `dsi metrics serve` listens by default."""
NEEDED: Final = ("srv1", "store", "db1", "mail", "ora1")
"""The servers that `up` starts; Prometheus is started by itself."""


@dataclass(frozen=True)
class Facilities:
    """The servers of one lab."""

    layout: Layout
    clock: Clock

    @property
    def servers(self) -> Servers:
        """The servers over SSH."""
        return Servers(self.layout, self.clock)

    @property
    def database(self) -> Database:
        """PostgreSQL."""
        return Database(self.layout, self.clock)

    @property
    def application(self) -> LabApplication:
        """SYDAM World on its servers."""
        return LabApplication(self.layout, self.clock)

    def start_application(self, passwords: Passwords) -> bool:
        """Start SYDAM World wherever it does not run; it gets ready beside the lab's other steps.

        Returns:
            Whether anything had to be made or started.
        """
        network.add_addresses(self.layout, [self.layout.server_addresses[name] for name in APPLICATION_SERVERS])
        return self.application.deploy(passwords) | self.application.start()

    @property
    def mail(self) -> MailServer:
        """The mail server."""
        return MailServer(self.layout, self.clock)

    @property
    def disks(self) -> Disks:
        """The external disks."""
        return Disks(self.layout, self.clock)

    @property
    def processes(self) -> list[Daemon]:
        """Every process."""
        return [*(server.daemon for server in self.servers.all), self.database.daemon, self.mail.daemon]

    @property
    def prometheus(self) -> Prometheus:
        """A real Prometheus that scrapes the exporter on the controller; not part of `up`."""
        from dsi_automation.lab.prometheus import Prometheus

        rules = Path(__file__).resolve().parents[2] / "docs" / "monitoring"
        return Prometheus(
            folder=self.layout.root / "prometheus",
            address=f"{self.layout.server_addresses['prometheus']}:9090",
            targets={"dsi": (f"{self.layout.controller_address}:{EXPORTER_PORT}",)},
            rules=sorted(rules.glob("*.rules.yml")),
        )

    def start_prometheus(self) -> bool:
        """Start Prometheus, unless it runs.

        Returns:
            Whether it was started.

        Raises:
            UsageError: it is not installed.
            UnreachableError: it does not answer.
        """
        prometheus, namespace = self.prometheus, self.layout.ws_namespace
        if prometheus.daemon(namespace).pid() is not None:
            return False
        if shutil.which("prometheus") is None:
            raise UsageError(
                T("Prometheus is not installed."),
                next_step=T("Run `apt-get install --no-install-recommends prometheus`."),
            )
        network.add_addresses(self.layout, [self.layout.server_addresses["prometheus"]])
        prometheus.start(namespace, self.clock)
        return True

    def stop_prometheus(self) -> bool:
        """Stop Prometheus.

        Returns:
            Whether it ran.
        """
        return self.prometheus.stop(self.layout.ws_namespace, self.clock)

    @property
    def daemons(self) -> list[Daemon]:
        """Every process that runs when all is well; a mail server that was told to be down does not."""
        is_down = self.mail.behaviour is Behaviour.DOWN
        return [daemon for daemon in self.processes if not (is_down and daemon.name == self.mail.daemon.name)]

    def start(self, authority: Authority, passwords: Passwords) -> bool:
        """Start everything that does not run; it gets ready beside the lab's other steps.

        Returns:
            Whether anything had to be made or started.
        """
        addresses = self.layout.server_addresses
        network.add_addresses(self.layout, [addresses[name] for name in NEEDED])
        # The database first, since it takes longest.
        changed = self.database.start(authority, passwords)
        changed |= self.servers.start()
        changed |= self.mail.start()
        changed |= self.disks.ensure()
        changed |= tape.ensure(self.layout)
        self.layout.scratch_dir.mkdir(parents=True, exist_ok=True)
        return changed

    def wait_until_ready(self) -> None:
        """Return once everything answers.

        Raises:
            DsiError: something does not.
        """
        self.servers.wait_until_ready()
        self.mail.wait_until_ready()
        self.database.wait_until_ready()

    def stop(self) -> bool:
        """Stop every process and take the disk out; what they hold stays.

        Returns:
            Whether there was anything.
        """
        found = (
            self.application.down()
            | self.servers.stop()
            | self.mail.stop()
            | self.database.stop()
            | self.stop_prometheus()
        )
        return self.disks.down() | found

    def reset(self, authority: Authority, passwords: Passwords) -> None:
        """Put back what the servers held at the start: files, rows, no mail, no disk in.

        The backups go too, unless the record in the lab's own state folder counts on them: a repository that is gone
        is what the toolkit refuses to overlook.
        """
        if self.keeps_backups:
            self.disks.down()
        else:
            self.disks.reset()
            tape.reset(self.layout)
            self.servers.empty_repositories()
        self.servers.reset()
        self.mail.reset()
        self.database.reset(authority, passwords)

    @property
    def keeps_backups(self) -> bool:
        """Whether a reset leaves repositories, disks and tape as they are."""
        return (self.layout.state_dir / "journal.db").exists()
