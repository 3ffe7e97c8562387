"""A server started on a cluster that was brought back: reachable by us alone, and gone when we are."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.postgresql.client import Place, Programs, first_complaint
from dsi_automation.connectors.backups.postgresql.configuration import HBA, Target, restore_command, server_settings
from dsi_automation.connectors.backups.postgresql.parsing import Control
from dsi_automation.connectors.backups.postgresql.scratch import Worker, end_server, socket_folder
from dsi_automation.connectors.ssh.port import Finished
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

_READY_LINE: Final = 8
"""The line of postmaster.pid that tells how far the server is (src/include/utils/pidfile.h)."""


class DidNotStartError(BackupFailedError):
    """What was brought back does not start, or does not recover to where it should."""


class ScratchServer:
    """One server. It runs in the foreground of a program of ours, so that it never outlives the controller."""

    def __init__(self, programs: Programs, worker: Worker, clock: Clock, data: Path, work: Path) -> None:
        """Serve the cluster in `data`; `work` is for the socket and the configuration, and is there already."""
        self._programs, self._worker, self._clock = programs, worker, clock
        self._data, self._work = data, work
        self._socket = work
        self._thread: threading.Thread | None = None
        self._ended: Finished | DsiError | None = None

    @property
    def place(self) -> Place:
        """Return where it answers."""
        return Place(
            {"PGHOST": str(self._socket), "PGPORT": "5432", "PGUSER": self.superuser, "PGDATABASE": "postgres"}
        )

    superuser = "postgres"

    def start(
        self,
        control: Control,
        target: Target,
        logs: Sequence[Path],
        *,
        superuser: str,
        durable: bool,
        timeout: float,
        extra: Mapping[str, str],
    ) -> None:
        """Recover to `target` from the logs of these folders, and answer questions.

        Args:
            control: of the cluster.
            target: how far.
            logs: folders of archived logs, looked through in this order.
            superuser: role of the cluster that may do everything.
            durable: whether the cluster is kept.
            timeout: seconds for all of it.
            extra: further settings: the time zone of the original.

        Raises:
            DidNotStartError: it does not start; with what it said.
        """
        self.superuser = superuser
        self._socket = socket_folder(self._work)
        for name, content in (("server.conf", ""), ("hba.conf", HBA), ("ident.conf", "")):
            (self._work / name).write_text(content)
        (self._data / "recovery.signal").touch()
        self._data.chmod(0o700)
        self._worker.own(self._work)
        self._worker.own(self._socket)
        self._worker.own(self._data)
        settings = {
            "config_file": str(self._work / "server.conf"),
            "hba_file": str(self._work / "hba.conf"),
            "ident_file": str(self._work / "ident.conf"),
            **server_settings(control, self._socket, durable=durable),
            **target.settings,
            "restore_command": restore_command(*logs),
            **extra,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._thread = threading.Thread(target=self._serve, args=(words,), name="scratch-server", daemon=True)
        self._thread.start()
        self._await(timeout)

    def stop(self) -> None:
        """Stop it properly, so that its files are consistent.

        Raises:
            BackupFailedError: it does not stop.
        """
        if self._thread is None:
            return
        done = self._programs.run(
            "pg_ctl",
            "-D",
            str(self._data),
            "-m",
            "fast",
            "-w",
            "-t",
            "600",
            "stop",
            user=self._worker.user,
            timeout=630,
        )
        if done.status != 0:
            raise BackupFailedError(
                T("The scratch server does not stop: {said}", said=first_complaint(redact(done.text + done.complaint)))
            )
        self._thread.join()
        self._thread = None

    def end(self) -> None:
        """End it at once, if it still runs; what it serves is thrown away."""
        if self._thread is not None:
            end_server(self._data, self._clock)
            self._thread.join(60)
            self._thread = None

    def _serve(self, words: Sequence[str]) -> None:
        try:
            self._ended = self._programs.run(
                "postgres", "-D", str(self._data), *words, user=self._worker.user, forever=True
            )
        except DsiError as error:
            self._ended = error

    def _await(self, timeout: float) -> None:
        deadline = self._clock.monotonic() + timeout
        thread = self._thread
        while not self._ready():
            if thread is None or not thread.is_alive():
                raise self._failure()
            if self._clock.monotonic() > deadline:
                self.end()
                raise DidNotStartError(
                    T("The restored cluster did not start within {seconds} s.", seconds=int(timeout))
                )
            self._clock.sleep(0.05)

    def _ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= _READY_LINE and lines[_READY_LINE - 1].strip() == "ready"

    def _failure(self) -> DsiError:
        self._thread = None
        if isinstance(self._ended, DsiError):
            return self._ended
        said = "" if self._ended is None else redact(self._ended.complaint)
        return DidNotStartError(
            T("The restored cluster does not start: {said}", said=first_complaint(said)), detail={"log": said[-2000:]}
        )
