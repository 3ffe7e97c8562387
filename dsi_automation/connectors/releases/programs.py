"""The programs that releases are checked with, ssh-keygen and git: no shell, no prompt, nobody's own settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T

KEYGEN_WITHIN: Final = 120.0
"""Seconds: an archive of some gigabytes is hashed in that time."""
GIT_WITHIN: Final = 600.0
"""Seconds: a repository that is far away is fetched in that time, or does not answer."""
_KEPT: Final = ("PATH", "HOME", "SSH_AUTH_SOCK")


def run(
    command: Sequence[str],
    *,
    timeout: float,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    extra: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program in the C locale, so that its words can be told apart.

    Args:
        timeout: seconds.
        extra: more environment variables.

    Raises:
        RefusedError: it is not installed.
        UnreachableError: it did not end in time.
    """
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
            cwd="/",
            start_new_session=True,
            env={**environment, "LC_ALL": "C", **(extra or {})},
        )
    except FileNotFoundError as error:
        package = "git" if command[0] == "git" else "openssh-client"
        raise RefusedError(
            T("The program {program} is not installed.", program=command[0]),
            next_step=T("Install it with: apt-get install {package}", package=package),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(
            T("{program} did not end within {seconds:.0f} s.", program=command[0], seconds=timeout),
            next_step=T("Look at what it waits for, then try again."),
        ) from error


GIT_SETTINGS: Final = (
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.ext.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "tar.umask=0022",
    "fetch.fsckObjects=true",
    "gc.auto=0",
    "gpg.format=ssh",
)
"""git-config(1): only ways that run no command named by an address, no hooks, no stored passwords."""
GIT_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
"""git(1): nobody's settings, no questions, no replaced objects."""


def git(
    folder: Path | None, arguments: Sequence[str], *, settings: Sequence[str] = (), stdout: IO[bytes] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git, in a bare repository of ours where one is named.

    Raises:
        RefusedError: it is not installed. UnreachableError: it did not end in time.
    """
    chosen = [word for setting in (*GIT_SETTINGS, *settings) for word in ("-c", setting)]
    where = [] if folder is None else [f"--git-dir={folder}"]
    command = ["git", *where, *chosen, *arguments]
    return run(command, timeout=GIT_WITHIN, stdout=stdout, extra=GIT_ENVIRONMENT)


def complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the last line of what a program complained about; `-` when it said nothing."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return "".join(char if char.isprintable() else " " for char in lines[-1]) if lines else "-"
