"""The lab's servers over SSH: one with files and an application, one that stores, one with Oracle's stand-in."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T
from dsi_automation.lab import oracle_server, server_data
from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import APPLICATION_SERVERS, Layout
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.sshd import SshServer, ensure_key

CONTROLLER: Final = "controller"
"""Key pair of the controller: it logs in everywhere."""
BACKUP: Final = "backup"
"""Key pair that writes to the storage server, and can do nothing else."""
REPOSITORIES: Final = ("serveurs", "bases")
START_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Servers:
    """The servers over SSH of one lab."""

    layout: Layout
    clock: Clock

    @property
    def all(self) -> tuple[SshServer, ...]:
        """Every server, running or not."""
        layout, clock = self.layout, self.clock
        return (
            SshServer(layout, clock, "srv1", (CONTROLLER,)),
            SshServer(layout, clock, "store", (CONTROLLER, BACKUP), folder=layout.store_dir),
            SshServer(layout, clock, "ora1", (CONTROLLER,)),
        )

    @property
    def known_hosts(self) -> Path:
        """The servers' keys, for whoever connects."""
        return self.layout.ssh_dir / "known_hosts"

    @property
    def sftp_command(self) -> str:
        """How restic reaches the storage server: `-o sftp.command=`; a key that is not the server's is refused."""
        folder = self.layout.ssh_dir
        options = "BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "ServerAliveInterval=15"
        given = " ".join(f"-o {option}" for option in (*options, f"UserKnownHostsFile={self.known_hosts}"))
        return f"ssh -F none -i {folder / BACKUP} {given} root@{self.layout.server_addresses['store']} -s sftp"

    def start(self) -> bool:
        """Start whatever of the servers does not run, their files and keys first.

        Returns:
            Whether anything had to be made or started.
        """
        changed = self._ensure_files()
        for server in self.all:
            changed |= server.start()
        return changed

    def wait_until_ready(self) -> None:
        """Return once every server greets.

        Raises:
            DsiError: one ended, or does not within 20 s.
        """
        wait_until_greeting(self.all, self.clock)

    def stop(self) -> bool:
        """Stop every server.

        Returns:
            Whether any ran.
        """
        stopped = [server.stop() for server in self.all]
        return any(stopped)

    def reset(self) -> None:
        """Put the servers' files back; who is connected stays so."""
        # Those of the application have a reset of their own.
        for server in self.all:
            shutil.rmtree(self.layout.server_dir / server.name, ignore_errors=True)
        self._ensure_files()

    def empty_repositories(self) -> None:
        """Empty what the storage server holds."""
        # The folder itself is what the storage server is bound to.
        for entry in list(self.layout.store_dir.iterdir()):
            shutil.rmtree(entry)
        for repository in REPOSITORIES:
            (self.layout.store_dir / repository).mkdir(mode=0o755)

    def _ensure_files(self) -> bool:
        folder = self.layout.ssh_dir
        made = [ensure_key(folder / name, f"{name}@{self.layout.name}") for name in (CONTROLLER, BACKUP)]
        # Those of the application too, whether they run or not: their keys are known from the start.
        application = [SshServer(self.layout, self.clock, name, (CONTROLLER,)) for name in APPLICATION_SERVERS]
        known = [*self.all, *application]
        made += [ensure_key(server.host_key, server.name) for server in known]
        keys = [(server.address, server.host_key.with_name(server.host_key.name + ".pub")) for server in known]
        lines = [f"{address} {' '.join(key.read_text().split()[:2])}\n" for address, key in keys]
        write_private(self.known_hosts, "".join(lines))
        for repository in REPOSITORIES:
            (self.layout.store_dir / repository).mkdir(parents=True, exist_ok=True, mode=0o755)
        made.append(server_data.ensure(self.layout.server_dir / "srv1"))
        made.append(oracle_server.ensure(self.layout.server_dir / "ora1"))
        return any(made)


class Greeter(Protocol):
    """What greets over SSH once it is ready."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def address(self) -> str:
        """Return where it listens, port 22."""
        ...

    @property
    def daemon(self) -> Daemon:
        """Return its process."""
        ...


def wait_until_greeting(servers: Iterable[Greeter], clock: Clock, *, seconds: float = START_SECONDS) -> None:
    """Return once every server greets.

    Raises:
        DsiError: one ended, or does not within so many seconds.
    """
    until = clock.monotonic() + seconds
    for server in servers:
        while not _greets(server.address):
            if server.daemon.pid() is None or clock.monotonic() > until:
                raise DsiError(
                    T("The server {name} does not start.", name=server.name),
                    next_step=T("Read why: `dsi lab logs {part}`.", part=server.name),
                    detail={"log": str(server.daemon.log)},
                )
            clock.sleep(0.02)


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
