"""Folders for proofs and restores, which a server of another user may enter, and what a killed run left in them."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.errors import TransientError
from dsi_automation.connectors.ssh.port import Program, Shell
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

LONGEST_SOCKET: Final = 107
"""Bytes of a socket's path: sun_path of unix(7), less its end."""
_SOCKET: Final = ".s.PGSQL.5432.lock"
_STOP_WAIT: Final = 20.0
_NOTE: Final = "socket"
_STILL_WRITTEN: Final = (errno.ENOTEMPTY, errno.ENOENT)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for oneself; the lock goes with the process, however that ends.

    Raises:
        TransientError: another process holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TransientError(
                T("Another backup, verification or restore is at work in {folder}.", folder=folder),
                next_step=T("Wait until it has ended; runs of one backup follow one another."),
            ) from error
        yield
    finally:
        os.close(descriptor)


def cannot_write(folder: Path, error: OSError) -> TransientError:
    """Return the error for a folder of ours that refuses."""
    return TransientError(
        T("{folder} cannot be written: {reason}.", folder=folder, reason=reason_of(error)),
        next_step=T("Check the folder of the inventory, its rights and its room."),
    )


def room(folder: Path) -> int:
    """Return the free bytes of the file system a folder is, or will be, on."""
    there = folder
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


class Worker:
    """The operating-system user that scratch servers run as: PostgreSQL refuses to run as root."""

    def __init__(self, shell: Shell, user: str) -> None:
        """Remember who; nobody else than who runs the toolkit when that is not root."""
        self._shell = shell
        self.user = user if os.geteuid() == 0 else None

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to the user, the folder itself closed to others.

        Raises:
            UsageError: the user does not exist, or may not go there.
        """
        folder.chmod(0o700)
        if self.user is None:
            return
        try:
            account = pwd.getpwnam(self.user)
        except KeyError as error:
            raise UsageError(
                T("There is no user {user} on the controller.", user=self.user),
                next_step=T("Set work_user of the backup to a user that exists, `postgres` for instance."),
            ) from error
        os.lchown(folder, account.pw_uid, account.pw_gid)
        for above, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.lchown(os.path.join(above, name), account.pw_uid, account.pw_gid)  # noqa: PTH118  # many files
        if self._shell.run(Program(["test", "-x", str(folder)], user=self.user, timeout=30)).status != 0:
            raise UsageError(
                T("The user {user} may not go to {folder}.", user=self.user, folder=folder),
                next_step=T("Let everybody pass through the folders above it (chmod o+x), or choose another one."),
            )


def socket_folder(work: Path) -> Path:
    """Make the folder of a server's socket: in `work`, or in the system's temporary one where that is too long."""
    folder = work / "s"
    if len(os.fsencode(folder / _SOCKET)) > LONGEST_SOCKET:
        folder = Path(tempfile.mkdtemp(prefix="dsi-pg-"))
        (work / _NOTE).write_text(str(folder))
    else:
        folder.mkdir(mode=0o700)
    return folder


def clear(work: Path, clock: Clock) -> None:
    """Remove a folder of ours with all in it, after ending a server that a killed run left there.

    Raises:
        TransientError: it cannot be removed.
    """
    if not work.exists():
        return
    for pid_file in (work / "postmaster.pid", *work.glob("**/data/postmaster.pid")):
        if pid_file.exists():
            end_server(pid_file.parent, clock)
    with suppress(OSError):
        noted = Path((work / _NOTE).read_text())
        if noted.name.startswith("dsi-pg-") and noted.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(noted, ignore_errors=True)
    deadline = clock.monotonic() + _STOP_WAIT
    while work.exists():
        try:
            shutil.rmtree(work)
        except OSError as error:
            # What a killed run started dies a moment after it, and may write until then.
            if error.errno not in _STILL_WRITTEN or clock.monotonic() > deadline:
                raise cannot_write(work, error) from error
            clock.sleep(0.05)


def end_server(data: Path, clock: Clock) -> None:
    """End the server of a data folder at once, if one runs there: it has nothing to lose."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    deadline = clock.monotonic() + _STOP_WAIT
    # The number may be another process's by now: only a server of this very folder is ended.
    while _serves(pid, data):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT if clock.monotonic() < deadline else signal.SIGKILL)
        clock.sleep(0.05)


def _serves(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in words and b"postgres" in words[0]
