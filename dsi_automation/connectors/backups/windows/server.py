"""restic.exe on a Windows server, through the package's script: what it answers, checked and translated."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.restic import Version, failures, version
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.port import Finished
from dsi_automation.connectors.windows.port import WindowsEndpoint
from dsi_automation.connectors.windows.powershell.runner import ScriptRunner
from dsi_automation.connectors.windows.transport import Channel
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UnknownOutcomeError, UsageError
from dsi_automation.core.text import T

_SCRIPT: Final = "backup_files"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen on the server; `paths` in the order of the plan: `ok`, `missing` or `empty`."""

    version: Version
    clock: float
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What one run of restic.exe made: its own summary, and our manifest (gzip'ed JSON lines)."""

    snapshot: str
    files: int
    size: int
    added: int
    manifest: bytes


class WindowsServer:
    """One Windows server and the repository it writes to."""

    def __init__(
        self,
        endpoint: WindowsEndpoint,
        common: JobSettings,
        files: FilesSettings,
        repository: RepositorySettings,
        clock: Clock,
        permit: WritePermit | None,
        *,
        channel: Channel | None = None,
    ) -> None:
        """Take what the plan says; nothing is sent yet.

        Raises:
            UsageError: a value cannot be an argument of a Windows program.
        """
        self._endpoint, self._common, self._files, self._repository = endpoint, common, files, repository
        for value in (*files.paths, *files.exclude, repository.ca_file or "", repository.sftp_command or ""):
            if '"' in value or "\0" in value:
                raise UsageError(T("“{value}” cannot be given to a program of Windows.", value=value), on=common.name)
        self._runner = ScriptRunner(endpoint, _Allowed(common.name, permit), clock, channel=channel)

    @property
    def name(self) -> str:
        """Return the server's name in the inventory."""
        return self._endpoint.name

    def look(self) -> Looked:
        """Look at restic.exe, the clock and the paths of the plan."""
        found = self._run("look", 300.0, {"paths": list(self._files.paths)})
        states = tuple(str(state) for state in found["paths"])
        if len(states) != len(self._files.paths):
            raise self._odd()
        return Looked(version.parse(str(found["version"]), self.name), float(found["clock"]), states)

    def initialise(self) -> None:
        """Have restic.exe make the repository."""
        found = self._run("initialise", 600.0, {"options": self._options()})
        self._succeed(found)

    def back_up(self, tags: Sequence[str]) -> Saved:
        """Have restic.exe make a snapshot, and hash what is in it.

        Raises:
            TransientError, BackupFailedError: as restic's own words say.
        """
        words = ["--json", *(word for tag in tags for word in ("--tag", tag))]
        words += [word for pattern in self._files.exclude for word in ("--exclude", pattern)]
        words += ["--use-fs-snapshot"] * self._files.snapshot_volume + [
            "--one-file-system"
        ] * self._files.one_file_system
        values = {"paths": list(self._files.paths), "words": words, "options": self._options()}
        found = self._run("back_up", self._common.timeout.total_seconds(), values)
        self._succeed(found)
        try:
            summary = json.loads(found["summary"])
            manifest = base64.b64decode(found["manifest"], validate=True)
            return Saved(
                str(summary["snapshot_id"]),
                int(summary["total_files_processed"]),
                int(summary["total_bytes_processed"]),
                int(summary.get("data_added_packed", summary.get("data_added", 0))),
                manifest,
            )
        except (ValueError, LookupError, TypeError, binascii.Error) as error:
            raise self._odd() from error

    def close(self) -> None:
        """End the session with the server."""
        self._runner.close()

    def _options(self) -> list[str]:
        repository, options = self._repository, list[str]()
        if repository.ca_file is not None:
            options += ["--cacert", repository.ca_file]
        if repository.sftp_command is not None and repository.url.startswith("sftp:"):
            options += ["-o", f"sftp.command={repository.sftp_command}"]
        if self._common.bandwidth_kib is not None:
            options += ["--limit-upload", str(self._common.bandwidth_kib)]
        return options

    def _run(self, action: str, timeout: float, values: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {
            "action": action,
            "restic": self._files.restic,
            "repository": self._repository.url,
            "password": self._repository.password,
            **values,
        }
        try:
            found = self._runner.run(_SCRIPT, given, timeout=timeout)
        except UnknownOutcomeError as error:
            # What it may have made counts only when we have its name: another try harms nothing.
            raise TransientError(
                T("restic on {host} was not seen to end.", host=self.name), on=self._common.name, meaning=error.what
            ) from error
        if not isinstance(found, Mapping):
            raise self._odd()
        return found

    def _succeed(self, found: Mapping[str, Any]) -> None:
        status = int(found["status"])
        if status != 0:
            said = Finished(("restic",), status, b"", str(found["said"]).encode())
            raise failures.failure(said, self.name, self._repository.name)

    def _odd(self) -> BackupFailedError:
        return BackupFailedError(
            T("restic on {host} answered something that cannot be read.", host=self.name), on=self._common.name
        )


class _Allowed:
    """The permit of the backup, as the runner of scripts asks for the machine."""

    def __init__(self, target: str, permit: WritePermit | None) -> None:
        self._target, self._permit = target, permit

    @property
    def run_id(self) -> str:
        """Return the run; empty when there is none: then only looks are made."""
        return "" if self._permit is None else self._permit.run_id

    def check(self, target: str) -> None:  # noqa: ARG002  # the machine: what is approved is the backup
        """Make sure that the run may still write."""
        if self._permit is not None:
            self._permit.check(self._target)
