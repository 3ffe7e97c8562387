"""The program `git` on one bare repository: no shell, an environment of our own, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T, Text

TIMEOUT: Final = 60.0
"""Seconds one call of git, and the wait for another writer, may take: configurations are small."""
DOMAIN: Final = "dsi.invalid"
"""Of the addresses of authors: git wants one, and RFC 2606 keeps this one from being anybody's."""
_LOCK: Final = "dsi.lock"
_CONFIG: Final = (
    "core.hooksPath=/dev/null",
    "core.fsync=all",
    "core.fsyncMethod=fsync",
    "core.quotePath=false",
    "core.logAllRefUpdates=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
)
"""Whatever the repository's own configuration says: no program of somebody else is run, and objects reach the disk."""
_POLL: Final = 0.02


class GitRefusedError(StorageError):
    """Git said no, or could not be called.

    Attributes:
        silent: it gave no reason, as `--quiet` does for what is simply not there.
        ambiguous: the beginning of an identifier is that of several objects.
    """

    silent = False
    ambiguous = False


class Git:
    """Calls git on the bare repository in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; nothing is made yet."""
        self._folder = folder
        self._held = threading.local()

    def exists(self) -> bool:
        """Tell whether there is a repository; a folder whose making was cut short has none yet."""
        return (self._folder / "HEAD").is_file() and (self._folder / "objects").is_dir()

    def has(self, reference: str) -> bool:
        """Tell whether a reference is there at all, whatever it leads to."""
        packed = self._folder / "packed-refs"
        try:
            return (self._folder / reference).exists() or (
                packed.exists() and f" {reference}\n" in packed.read_text("utf-8")
            )
        except OSError as error:
            raise self._refused(reason_of(error)) from error

    def create(self, branch: str) -> None:
        """Make the repository, or finish one whose making was cut short.

        Raises:
            StorageError: it cannot be made.
        """
        name = branch.removeprefix("refs/heads/")
        self.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={name}", str(self._folder))
        self.clean(branch)

    def clean(self, branch: str) -> None:
        """Remove what a killed git left of moving the branch; only under `locked`: nobody else is moving it."""
        try:
            (self._folder / f"{branch}.lock").unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(reason_of(error)) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer, among threads and processes; a git that outlives its killed controller still is one.

        Raises:
            StorageError: the folder cannot be written, or another writer does not end.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._refused(reason_of(error)) from error
        try:
            self._wait(descriptor)
            self._held.descriptors = (descriptor,)
            yield
        finally:
            self._held.descriptors = ()
            os.close(descriptor)

    def line(self, *arguments: str, data: bytes = b"", author: str | None = None) -> str:
        """Return the one line that a call answers."""
        return self.run(*arguments, data=data, author=author).decode().strip()

    def run(self, *arguments: str, data: bytes = b"", author: str | None = None) -> bytes:
        """Call git and return what it answers.

        Args:
            data: its standard input.
            author: of a commit.

        Raises:
            GitRefusedError: it failed, could not be called, or took too long.
        """
        command = ["git", "--no-pager", *(part for one in _CONFIG for part in ("-c", one)), *arguments]
        try:
            done = subprocess.run(
                command,
                input=data,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
                env=self._environment(author),
                pass_fds=getattr(self._held, "descriptors", ()),  # the lock outlives us for as long as git works
            )
        except FileNotFoundError as error:
            raise GitRefusedError(
                T("The program {program} is not installed.", program="git"),
                next_step=T("Install it with: apt-get install git"),
            ) from error
        except subprocess.TimeoutExpired as error:
            raise self._refused(T("git took longer than {seconds} s", seconds=round(TIMEOUT))) from error
        except OSError as error:
            raise self._refused(reason_of(error)) from error
        if done.returncode:
            raise self._failed(arguments[0], done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout

    def _environment(self, author: str | None) -> Mapping[str, str]:
        """Return all that git is told: nothing of the machine's, nothing of whoever calls."""
        closed = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "TZ": "UTC",
            "HOME": os.devnull,
            "XDG_CONFIG_HOME": os.devnull,
            "GIT_DIR": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }
        if author is not None:
            # The characters that end a name in a commit are none of a name.
            name = " ".join(re.sub(r"[\x00-\x1f<>]", " ", author).split()) or "dsi"
            local = re.sub(r"[^A-Za-z0-9._-]+", ".", name).strip(".") or "dsi"
            closed |= {
                "GIT_AUTHOR_NAME": name,
                "GIT_AUTHOR_EMAIL": f"{local}@{DOMAIN}",
                "GIT_COMMITTER_NAME": "dsi",
                "GIT_COMMITTER_EMAIL": f"dsi@{DOMAIN}",
            }
        return closed

    def _wait(self, descriptor: int) -> None:
        ends = time.monotonic() + TIMEOUT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > ends:
                    raise self._refused(T("another process has been writing to it for too long")) from error
                time.sleep(_POLL)
            except OSError as error:
                raise self._refused(reason_of(error)) from error
            else:
                return

    def _failed(self, verb: str, code: int, stderr: str) -> GitRefusedError:
        said = [line for line in stderr.splitlines() if line.strip()]
        full = "No space left on device" in stderr or "Disk quota exceeded" in stderr
        last = T("the disk is full") if full else f"git {verb}: {_fatal(said) or code}"
        error = self._refused(last)
        error.silent = not said
        error.ambiguous = "ambiguous" in stderr
        return error

    def _refused(self, reason: Text | str) -> GitRefusedError:
        return GitRefusedError(
            T("The repository of configurations {folder}: {reason}.", folder=str(self._folder), reason=reason),
            meaning=T("What was kept before is unchanged; nothing of this version was kept."),
            next_step=T("Put it right, then make the copies anew: dsi router backup"),
        )


def _fatal(said: Sequence[str]) -> str | None:
    """Return why git gave up, out of what it said."""
    fatal = [line for line in said if line.startswith(("fatal:", "error:"))]
    return (fatal or said)[-1].partition(": ")[2].rstrip(".") or None if said else None
