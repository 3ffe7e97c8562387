"""SYDAM World in the lab: two production servers, one for tests and one for training, each a Tomcat on a server."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.database import DATABASE, TEST_DATABASE, TRAINING_DATABASE
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.releases import FIRST, PLANS, ReleaseMaker
from dsi_automation.lab.servers import wait_until_greeting
from dsi_automation.lab.tomcat import ServerFault, TomcatServer

PRODUCTION: Final = "sydam"
TEST: Final = "sydam-test"
TRAINING: Final = "sydam-formation"
SERVERS: Final = {"app1": DATABASE, "app2": DATABASE, "apptest": TEST_DATABASE, "appform": TRAINING_DATABASE}
"""The servers, and the database of each."""
INSTANCES: Final = {PRODUCTION: ("app1", "app2"), TEST: ("apptest",), TRAINING: ("appform",)}
"""The applications of the inventory, and the servers of each in the order of their start."""
START_SECONDS: Final = 60.0
PROCESS_FAULTS: Final = frozenset({ServerFault.HANGS_ON_STOP, ServerFault.LIES_ON_STOP, ServerFault.DIES_AFTER_START})


@dataclass(frozen=True)
class LabApplication:
    """The application of one lab."""

    layout: Layout
    clock: Clock

    @property
    def servers(self) -> tuple[TomcatServer, ...]:
        """Every application server, running or not."""
        return tuple(TomcatServer(self.layout, self.clock, name, database) for name, database in SERVERS.items())

    @property
    def maker(self) -> ReleaseMaker:
        """Who makes releases for this lab."""
        layout = self.layout
        return ReleaseMaker(layout.release_dir, layout.root / "sydam" / "signers", layout.root / "sydam" / "classes")

    def server(self, name: str) -> TomcatServer:
        """Return one server.

        Raises:
            UsageError: there is none of that name.
        """
        for server in self.servers:
            if server.name == name:
                return server
        raise UsageError(
            T("There is no application server “{name}”.", name=name),
            next_step=T("Choose one of these: {names}.", names=", ".join(SERVERS)),
        )

    def deploy(self, passwords: Passwords) -> bool:
        """Make the releases and write the servers' files, what is not there already; start SSH on each.

        Returns:
            Whether anything was made or started.
        """
        changed = self.maker.ensure()
        for server in self.servers:
            changed |= server.ensure(passwords)
            if server.release is None:
                self._put_first(server)
                changed = True
            changed |= server.ssh.start()
        return changed

    def start(self, names: Iterable[str] = SERVERS) -> bool:
        """Start the application on these servers, where it does not run; `wait` for it afterwards.

        Returns:
            Whether any was started.

        Raises:
            DsiError: SSH does not greet, or the service script refuses.
        """
        stopped = [server for server in self._chosen(names) if not server.pids()]
        # It starts where its SSH server is: in a namespace whose mounts are made by the time that one greets.
        wait_until_greeting([server.ssh for server in stopped], self.clock)
        for server in stopped:
            done = server.call("start")
            if done.returncode != 0:
                raise DsiError(
                    T("The application does not start on {name}.", name=server.name),
                    next_step=T("Read why: `dsi lab logs {part}`.", part=server.name),
                    detail={"said": (done.stderr or done.stdout).strip()},
                )
        return bool(stopped)

    def wait(self, names: Iterable[str] = SERVERS) -> None:
        """Return once SSH greets and the application answers on these servers.

        Raises:
            DsiError: it ended, or does not within 60 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        chosen = self._chosen(names)
        wait_until_greeting([server.ssh for server in chosen], self.clock)
        for server in chosen:
            while not server.answers():
                if not server.pids() or self.clock.monotonic() > until:
                    raise DsiError(
                        T("The application does not start on {name}.", name=server.name),
                        next_step=T("Read why: `dsi lab logs {part}`.", part=server.name),
                        detail={"log": str(server.log)},
                    )
                self.clock.sleep(0.05)

    def stop(self, names: Iterable[str] = SERVERS) -> bool:
        """End the application on these servers at once, whatever faults are on.

        Returns:
            Whether it ran on any.
        """
        ran = [server.kill() for server in self._chosen(names)]
        return any(ran)

    def down(self) -> bool:
        """End the application and SSH on every server.

        Returns:
            Whether anything ran.
        """
        found = self.stop()
        for server in self.servers:
            found |= server.ssh.stop()
        return found

    def reset(self) -> None:
        """Put every server back: no fault, the first release in use and the only one, empty caches, running."""
        for server in self.servers:
            # One that hangs ends once its fault is off, and one that lied is not in its own file any more.
            if PROCESS_FAULTS & server.faults.keys() or server.call("status").returncode != 0:
                server.kill()
            server.clear_faults()
            if server.release != FIRST or [path.name for path in server.releases.iterdir()] != [FIRST]:
                server.kill()
                shutil.rmtree(server.releases)
                server.releases.mkdir()
                self._put_first(server)
            if any(server.cache.iterdir()):
                # What is in memory goes with it, too.
                server.kill()
                _empty(server.cache)
        for made in self.layout.release_dir.glob("*.tar.gz*"):
            if not any(made.name.startswith(f"{self.maker.archive(plan.version).name}") for plan in PLANS):
                made.unlink()
        self.start()
        self.wait()

    def _put_first(self, server: TomcatServer) -> None:
        server.put(self.maker.archive(FIRST), FIRST)

    def _chosen(self, names: Iterable[str]) -> Sequence[TomcatServer]:
        return [self.server(name) for name in names]


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
