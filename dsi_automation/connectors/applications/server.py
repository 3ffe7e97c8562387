"""One application server with a systemd unit or a service script, over SSH (procedures S and Q)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications import addresses, deploying, starting, stopping
from dsi_automation.connectors.applications.asking import Asking
from dsi_automation.connectors.applications.folders import clean_path
from dsi_automation.connectors.applications.port import ServerSeen, ServerSettings, ServiceState, Started, Stopped
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.connectors.windows.port import WritePermit
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

_EMPTY_WITHIN: Final = 1800.0
_LONGEST_LINE: Final = 2000
"""Characters shown of one line of a log."""


class SshServer:
    """See `port.ServerWriter`. Without a permit it looks only. Used by one thread at a time.

    Who holds a port is told for every process to root only: without it (`ansible_become` included), another user's
    process is not seen, which errors then say.
    """

    def __init__(
        self, settings: ServerSettings, shell: Shell, clock: Clock, permit: WritePermit | None, target: str
    ) -> None:
        """Use a shell that whoever opened it closes."""
        self._settings = settings
        self._shell = shell
        self._clock = clock
        self._permit = permit
        self._target = target
        self._asking = Asking(settings, shell)

    def look(self) -> ServerSeen:
        """Look at it: one program there, and one connection to its port.

        Raises:
            UnreachableError: the machine does not answer. UsageError: it has no such service.
        """
        before = self._clock.now()
        said = self._asking.ask("look", [clean_path(each) for each in self._settings.caches])
        # The server's clock was read between the two.
        middle = before + (self._clock.now() - before) / 2
        holders = self._asking.holders(said)
        link = next((line for line in said.every("link") if len(line) == 2), None)
        release = None if link is None else _release(*link)
        releases = {line[0] for line in said.every("release")}
        clock = said.first("clock")
        return ServerSeen(
            service=ServiceState(said.first("state") or "unknown"),
            listening="listening" in said,
            holder=holders[0] if holders else None,
            reachable=addresses.reachable(self._settings),
            release=release,
            releases=tuple(sorted(releases)),
            cache_bytes=said.number("caches"),
            clock_offset=None if clock is None else round(float(clock) - middle.timestamp(), 3),
        )

    def log_tail(self, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of its log, secrets masked; none where it has no log.

        Raises:
            RefusedError: the log may not be read.
        """
        path = self._settings.log
        if path is None:
            return ()
        content = self._shell.run(Program(["tail", "-n", str(lines), "--", path], timeout=60))
        if content.status != 0:
            return ()
        return tuple(line[:_LONGEST_LINE] for line in redact(content.text).splitlines()[-lines:])

    def run_check(self, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a command that only looks; return its exit status and the end of what it said, secrets masked."""
        finished = self._shell.run(Program(list(command), timeout=timeout))
        said = redact(f"{finished.text.strip()}\n{finished.complaint.strip()}".strip())
        return finished.status, said[-_LONGEST_LINE:]

    def stop(self) -> Stopped:
        """Stop the service, and wait until no process holds the port.

        Raises:
            StillRunningError: it did not stop in time, and may not be killed or survived it.
            UnknownOutcomeError: the end of it was not seen.
        """
        self._may_write()
        return stopping.stop(self._asking, self._clock)

    def start(self, expected: Callable[[], None] | None = None) -> Started:
        """Start the service, and wait until the port answers the controller.

        Raises:
            NotStartedError: it ended again, its port did not answer in time, or another process has it.
        """
        self._may_write()
        return starting.start(self._asking, self._clock, self.log_tail, expected)

    def empty_caches(self) -> int:
        """Remove what is in the cache folders; return the bytes of it.

        Raises:
            RefusedError: the server runs, or a folder is not one that may be emptied: then none was touched.
        """
        self._may_write()
        if not self._settings.caches:
            return 0
        folders = [clean_path(each) for each in self._settings.caches]
        return self._asking.change("caches", folders, timeout=_EMPTY_WITHIN).number("bytes")

    def put_release(self, name: str, archive: Path, sha256: str) -> None:
        """Unpack a release beside the others, whole or not at all; one that is there and whole is left.

        Raises:
            ReleaseError: the archive is not the one approved, it holds what leads outside, or the disk is full.
        """
        self._may_write()
        deploying.put(self._asking, name, archive, sha256, self._may_write)

    def use_release(self, name: str) -> str | None:
        """Point the link to a release that is there whole, in one step; return the one it pointed to.

        Raises:
            ReleaseError: it is not there whole, or the link is something else.
        """
        self._may_write()
        return deploying.use(self._asking, name)

    def drop_releases(self, keep: Sequence[str]) -> tuple[str, ...]:
        """Remove the releases that are not named; never the one in use, nor what the toolkit did not put there."""
        self._may_write()
        return deploying.drop(self._asking, keep)

    def _may_write(self) -> None:
        if self._permit is None:
            raise GateClosedError(
                T("{server} was opened to look only.", server=self._settings.name), on=self._settings.host
            )
        self._permit.check(self._target)


def _release(real: str, releases: str) -> str:
    """Return the name of the release a link points to; the whole path of what is no release."""
    folder, _, name = real.rpartition("/")
    return name if folder == releases else real
