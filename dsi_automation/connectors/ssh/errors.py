"""What can go wrong with a program on a machine, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.connectors.ssh.port import Program
from dsi_automation.connectors.ssh.wrapped import ABSENT, NO_FOLDER
from dsi_automation.core.errors import DsiError, RefusedError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T


class ProgramTimeoutError(UnreachableError):
    """The program did not end in time; it and its children were killed."""


class ConnectionLostError(UnreachableError):
    """The connection broke while the program ran; it ends by itself."""


class LoginRefusedError(RefusedError):
    """The machine lets nobody in with this key or password."""

    exit_code = ExitCode.UNREACHABLE


class HostKeyError(RefusedError):
    """The machine's host key is unknown, or not the one expected: nothing was sent to it."""

    exit_code = ExitCode.UNREACHABLE


class NotInstalledError(DsiError):
    """The program is not on the machine, or may not be run."""


class FileRefusedError(RefusedError):
    """A file cannot be read or written: no right, a full disk, a folder in its place."""


def timed_out(name: str, program: Program) -> ProgramTimeoutError:
    """Return the error for a program that was killed because its time was over."""
    return ProgramTimeoutError(
        T("{program} on {host} did not end within {seconds} s.", program=program.argv[0], host=name,
          seconds=program.timeout or 0),
        on=name,
        meaning=T("It was stopped there, with all it had started."),
        next_step=T("Look at what it waits for on {host}, then try again.", host=name),
    )  # fmt: skip


def not_started(name: str, program: Program, status: int, stderr: bytes) -> DsiError | None:
    """Return the error for a program that the wrapper could not start; None when it ran."""
    if (status, stderr) == ABSENT:
        return NotInstalledError(
            T("{host} has no program {program}.", host=name, program=program.argv[0]),
            on=name,
            next_step=T("Install it there, or give its whole path in the inventory."),
        )
    if (status, stderr) == NO_FOLDER:
        return NotInstalledError(
            T("{host} has no folder {folder}, or it may not be entered.", host=name, folder=str(program.directory)),
            on=name,
        )
    if status == 1 and stderr.startswith(b"sudo: "):
        return LoginRefusedError(
            T("sudo on {host} does not let the account run {program} without a password.", host=name,
              program=program.argv[0]),
            on=name,
            next_step=T("Give the account the right in sudoers (NOPASSWD), or log in as another one."),
            detail={"sudo": stderr.decode(errors="backslashreplace")[:500]},
        )  # fmt: skip
    return None


def file_refused(name: str, path: str, reason: str) -> FileRefusedError:
    """Return the error for a file that could not be read or written."""
    return FileRefusedError(
        T("{path} on {host}: {reason}.", path=path, host=name, reason=reason), on=name, detail={"path": path}
    )
