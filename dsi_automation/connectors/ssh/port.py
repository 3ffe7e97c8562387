"""What a driver needs of a machine: run a program there, and read or write a small file."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """Where a machine answers over SSH and who logs in there.

    Attributes:
        name: the name in the inventory, for messages.
        key: private key file; None for the agent's keys or the password.
        known_hosts: file with the host's key; an unknown or changed host key is always refused.
        sudo: run programs through `sudo -n`.
        connect_timeout, keepalive: seconds.
    """

    name: str
    host: str
    port: int = 22
    user: str = "root"
    password: Secret | None = None
    key: str | None = None
    known_hosts: str | None = None
    sudo: bool = False
    connect_timeout: float = 10.0
    keepalive: float = 15.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended.

    Attributes:
        status: its exit status; 128 + n when signal n ended it.
        stdout: what it printed, at most `Shell.LONGEST_OUTPUT` bytes of its end when it was also given line by line.
    """

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Return what it printed, as text; bytes that are not UTF-8 show as such."""
        return self.stdout.decode(errors="backslashreplace")

    @property
    def ended_from_outside(self) -> bool:
        """Tell whether somebody else ended it: a machine that goes off, an administrator, a lack of memory."""
        return self.status - 128 in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)

    @property
    def complaint(self) -> str:
        """Return the end of what it said on stderr, as text, for an error's detail."""
        return self.stderr.decode(errors="backslashreplace")[-4000:]


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run: its arguments are separate words, no shell ever reads them.

    Attributes:
        argv: never holds a secret: every user of a machine can read it.
        stdin: what it is given to read: a password goes here.
        environment: variables added to a clean environment (PATH, LC_ALL=C.UTF-8); never a secret over SSH.
        secret_environment: variables that hold a secret: handed over through a channel other users cannot read.
        directory: where it runs.
        user: run as this user (needs root, or sudo).
        timeout: seconds; the program and its children are killed then. None for no end.
    """

    argv: Sequence[str]
    stdin: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_environment: Mapping[str, Secret] = field(default_factory=dict)
    directory: str | None = None
    user: str | None = None
    timeout: float | None = 600.0


class Shell(Protocol):
    """One machine. Safe to use from several threads. A program never outlives the controller's process.

    Implementations: `connectors.ssh.local.LocalShell`, `connectors.ssh.client.SshShell`.
    """

    @property
    def name(self) -> str:
        """Return the machine's name, for messages."""
        ...

    def run(self, program: Program, *, on_line: Callable[[str], None] | None = None) -> Finished:
        """Run a program to its end; `on_line` is given each line it prints on stdout, as it comes.

        Raises:
            UnreachableError: the machine does not answer, the connection broke, or the time is over.
            RefusedError: the login is refused, the host key is unknown or not the one expected.
            DsiError: the program is not there, or may not be run.
        """
        ...

    def stream(self, program: Program, sink: Callable[[bytes], object]) -> Finished:
        """Run a program to its end and give `sink` what it prints, as it comes; nothing of it is kept."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a small file (at most some MiB), or None when there is none."""
        ...

    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        """Write a small file, whole or not at all (beside it, fsync, rename), with its folders."""
        ...

    def fetch(self, path: str, to: Path) -> None:
        """Copy a file of any size to the controller, whole or not at all."""
        ...

    def close(self) -> None:
        """Close the connection, if there is one; a later call opens it again."""
        ...
