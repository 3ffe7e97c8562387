"""Base backups: pg_basebackup into the stage, held against the server's own manifest by pg_verifybackup."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError
from dsi_automation.connectors.backups.port import Progress
from dsi_automation.connectors.backups.postgresql.client import Programs, failure, first_complaint
from dsi_automation.connectors.backups.postgresql.parsing import BaseManifest, parse_manifest, parse_progress
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

MANIFEST: Final = "backup_manifest"
_SLOWEST: Final = 32
_FASTEST: Final = 1048576
"""What --max-rate takes, KiB per second."""
_BAD_PAGE: Final = re.compile(r"checksum verification failed in file \"([^\"]+)\"")


class DamagedSourceError(BackupFailedError):
    """The server's own files are damaged: its checksums say so."""


def take(programs: Programs, data: Path, run: str, bandwidth_kib: int | None, progress: Progress) -> None:
    """Copy the whole cluster into `data`, with the log that makes it consistent.

    Raises:
        TransientError, RefusedError: the server does not answer, or lets us not copy.
        DamagedSourceError: a page of it is not what was written.
        BackupFailedError: anything else; what is in `data` is worth nothing then.
    """
    words = ["-D", str(data), "-Fp", "-X", "stream", "-c", "fast", "-w", "--manifest-checksums=SHA256"]
    # What is in the stage only lives until restic has read it.
    words += ["--no-sync", "--progress", "-l", run]
    if bandwidth_kib is not None:
        words += [f"--max-rate={min(max(bandwidth_kib, _SLOWEST), _FASTEST)}k"]

    def told(line: str) -> None:
        found = parse_progress(line)
        if found is not None:
            progress(T("Copying the cluster."), *found)

    done = programs.run("pg_basebackup", *words, place=programs.origin, on_line=told, merged=True)
    if done.status == 0:
        return
    said = redact(done.text)
    damaged = sorted(set(_BAD_PAGE.findall(said)))
    if damaged:
        raise DamagedSourceError(
            T("The server's files are damaged: {files}.", files=", ".join(damaged[:5])),
            meaning=T("A page read from its disk does not have the checksum it was written with."),
            next_step=T("Do not wait: look at the disk, and restore from the last verified set if need be."),
            detail={"said": said[-2000:]},
        )
    raise failure("pg_basebackup", replace(done, stderr=done.stdout))


def check(programs: Programs, data: Path) -> str | None:
    """Hold a base backup against its manifest, its log included; return what is wrong, None when nothing is."""
    done = programs.run("pg_verifybackup", str(data))
    return None if done.status == 0 else first_complaint(redact(done.complaint) or redact(done.text))


def manifest_of(data: Path) -> BaseManifest:
    """Return what the manifest of a base backup says.

    Raises:
        BackupFailedError: there is none, or it is not one.
    """
    try:
        return parse_manifest((data / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise BackupFailedError(T("The base backup has no manifest that can be read.")) from error


def unreadable() -> DamagedBackupError:
    """Return the error for a cluster whose control file says nothing."""
    return DamagedBackupError(T("The control file of the cluster cannot be read."))
