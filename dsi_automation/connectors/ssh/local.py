"""Programs run on the controller itself, in the same way as on a server."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from dsi_automation.connectors.ssh import errors, wrapped
from dsi_automation.connectors.ssh.output import LONGEST_COMPLAINT, Tail, kept_and_told
from dsi_automation.connectors.ssh.port import Finished, Program

_CHUNK: Final = 1 << 16


class LocalShell:
    """The controller as a machine; see `port.Shell`. Logs in nowhere: programs run as who runs the toolkit."""

    def __init__(self, name: str = "controller") -> None:
        """Call the machine `name` in messages."""
        self._name = name

    @property
    def name(self) -> str:
        """Return the machine's name, for messages."""
        return self._name

    def run(self, program: Program, *, on_line: Callable[[str], None] | None = None) -> Finished:
        """Run a program to its end; `on_line` is given each line it prints on stdout, as it comes.

        Raises:
            ProgramTimeoutError: it did not end in time. NotInstalledError: it is not there.
        """
        return kept_and_told(lambda kept, sink: self._run(program, kept, sink), on_line)

    def stream(self, program: Program, sink: Callable[[bytes], object]) -> Finished:
        """Run a program to its end and give `sink` what it prints, as it comes; nothing of it is kept."""
        return self._run(program, Tail(0), sink)

    def read(self, path: str) -> bytes | None:
        """Return a small file, or None when there is none."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise errors.file_refused(self.name, path, error.strerror or str(error)) from error

    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        """Write a small file, whole or not at all, with its folders."""
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            descriptor, beside = tempfile.mkstemp(dir=Path(path).parent, prefix=".dsi-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fchmod(file.fileno(), mode)
                    os.fsync(file.fileno())
                Path(beside).replace(path)
            except OSError:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise errors.file_refused(self.name, path, error.strerror or str(error)) from error

    def fetch(self, path: str, to: Path) -> None:
        """Copy a file, whole or not at all."""
        beside = to.with_name(f".{to.name}.part")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, beside)
            beside.replace(to)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise errors.file_refused(self.name, path, error.strerror or str(error)) from error

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _run(self, program: Program, kept: Tail, sink: Callable[[bytes], object]) -> Finished:
        complaint = Tail(LONGEST_COMPLAINT)
        with subprocess.Popen(
            [os.fsencode(word) for word in (*_as_user(program), *wrapped.words(program))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": wrapped.PATH, "LC_ALL": "C.UTF-8", "HOME": str(Path.home())},
            cwd="/",
            start_new_session=True,
        ) as process:
            try:
                status = self._attend(process, program, sink, complaint.add)
            finally:
                # Whatever ended the waiting: the closed pipe ends the program.
                with suppress(OSError):
                    _pipe(process.stdin).close()
        failed = errors.not_started(self.name, program, status, complaint.value())
        if failed is not None:
            raise failed
        return Finished(tuple(program.argv), status, kept.value(), complaint.value())

    def _attend(
        self,
        process: subprocess.Popen[bytes],
        program: Program,
        sink: Callable[[bytes], object],
        complain: Callable[[bytes], object],
    ) -> int:
        until = None if program.timeout is None else time.monotonic() + program.timeout
        stdin = _pipe(process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(wrapped.preamble(program))
            stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(_pipe(process.stdout), selectors.EVENT_READ, sink)
            selector.register(_pipe(process.stderr), selectors.EVENT_READ, complain)
            while selector.get_map():
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise self._given_up(process, program)
                for key, _ in selector.select(left):
                    chunk = os.read(key.fd, _CHUNK)
                    if chunk:
                        key.data(chunk)
                    else:
                        selector.unregister(key.fileobj)
        try:
            status = process.wait(None if until is None else max(0.0, until - time.monotonic()) + 1)
        except subprocess.TimeoutExpired as error:
            raise self._given_up(process, program) from error
        return status if status >= 0 else 128 - status

    def _given_up(self, process: subprocess.Popen[bytes], program: Program) -> errors.ProgramTimeoutError:
        with suppress(OSError):
            _pipe(process.stdin).close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(wrapped.GRACE + 2)
        return errors.timed_out(self.name, program)


def _as_user(program: Program) -> list[str]:
    if program.user is None:
        return []
    return ["runuser", "-u", program.user, "--"] if os.geteuid() == 0 else ["sudo", "-n", "-u", program.user, "--"]


def _pipe(file: IO[bytes] | None) -> IO[bytes]:
    if file is None:
        raise RuntimeError("the process was started without a pipe")
    return file
