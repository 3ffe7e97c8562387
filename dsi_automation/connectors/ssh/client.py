"""Programs run on a machine over SSH, with fabric: one connection, a channel for each program."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.ssh import errors, wrapped
from dsi_automation.connectors.ssh.connecting import Connected, connect
from dsi_automation.connectors.ssh.output import LONGEST_COMPLAINT, Tail, kept_and_told
from dsi_automation.connectors.ssh.port import Finished, Program, SshEndpoint
from dsi_automation.core.text import T

_CHUNK: Final = 1 << 16

# Each is given its words as arguments, so that a name is never read as anything but a name.
_READ: Final = '[ -e "$1" ] || exit 3; exec cat -- "$1"'
_WRITE: Final = (
    'umask 077; d=$(dirname -- "$1"); mkdir -p -- "$d" && t=$(mktemp -- "$d/.dsi-XXXXXXXX") || exit 1; '
    'if cat >"$t" && chmod -- "$2" "$t" && sync -- "$t" && mv -fT -- "$t" "$1"; then exit 0; fi; '
    'rm -f -- "$t"; exit 1'
)


class SshShell:
    """A machine over SSH; see `port.Shell`. The connection is made when it is first used."""

    def __init__(self, endpoint: SshEndpoint) -> None:
        """Remember where the machine is; nothing is connected yet."""
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._connected: Connected | None = None

    @property
    def name(self) -> str:
        """Return the machine's name, for messages."""
        return self._endpoint.name

    def run(self, program: Program, *, on_line: Callable[[str], None] | None = None) -> Finished:
        """Run a program to its end; `on_line` is given each line it prints on stdout, as it comes.

        Raises:
            UnreachableError: no answer, the connection broke, or the time is over.
            LoginRefusedError, HostKeyError: the login is refused, or the host key is not the one expected.
            NotInstalledError: the program is not there.
        """
        return kept_and_told(lambda kept, sink: self._run(program, kept, sink), on_line)

    def stream(self, program: Program, sink: Callable[[bytes], object]) -> Finished:
        """Run a program to its end and give `sink` what it prints, as it comes; nothing of it is kept."""
        return self._run(program, Tail(0), sink)

    def read(self, path: str) -> bytes | None:
        """Return a small file, or None when there is none."""
        finished = self.run(Program(["sh", "-c", _READ, "dsi", path]))
        if finished.status == 3:
            return None
        self._succeed(finished, path)
        return finished.stdout

    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        """Write a small file, whole or not at all, with its folders."""
        self._succeed(self.run(Program(["sh", "-c", _WRITE, "dsi", path, f"{mode:o}"], stdin=content)), path)

    def fetch(self, path: str, to: Path) -> None:
        """Copy a file of any size to the controller, whole or not at all."""
        beside = to.with_name(f".{to.name}.part")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                finished = self.stream(Program(["cat", "--", path], timeout=None), file.write)
            self._succeed(finished, path)
            beside.replace(to)
        except OSError as error:
            raise errors.file_refused("controller", str(to), error.strerror or str(error)) from error
        finally:
            beside.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection; programs that run end."""
        with self._lock:
            if self._connected is not None:
                self._connected.close()
                self._connected = None

    def _succeed(self, finished: Finished, path: str) -> None:
        if finished.status != 0:
            raise errors.file_refused(self.name, path, finished.complaint.strip() or str(finished.status))

    def _run(self, program: Program, kept: Tail, sink: Callable[[bytes], object]) -> Finished:
        import paramiko

        channel = self._channel()
        complaint = Tail(LONGEST_COMPLAINT)
        try:
            until = None if program.timeout is None else time.monotonic() + program.timeout
            command = shlex.join([*self._as_user(program), *wrapped.words(program)])
            channel.settimeout(self._endpoint.connect_timeout)
            channel.exec_command(command.encode("utf-8", "surrogateescape"))
            reader = threading.Thread(target=_drain, args=(channel, complaint), daemon=True)
            reader.start()
            with suppress(TimeoutError, OSError):  # it may have ended without reading: its status tells
                channel.sendall(wrapped.preamble(program))
            status = self._attend(channel, program, until, sink)
            reader.join(wrapped.GRACE)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(program) from error
        finally:
            # Whatever ended the waiting: the closed channel ends the program.
            with suppress(Exception):
                channel.close()
        failed = errors.not_started(self.name, program, status, complaint.value())
        if failed is not None:
            raise failed
        return Finished(tuple(program.argv), status, kept.value(), complaint.value())

    def _attend(self, channel: Any, program: Program, until: float | None, sink: Callable[[bytes], object]) -> int:
        while True:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise errors.timed_out(self.name, program)
            channel.settimeout(left)
            try:
                chunk = channel.recv(_CHUNK)
            except TimeoutError:
                continue
            if not chunk:
                break
            sink(chunk)
        left = None if until is None else max(0.0, until - time.monotonic()) + 1
        if not channel.status_event.wait(left):
            raise errors.timed_out(self.name, program)
        status = int(channel.exit_status)
        if status < 0:
            raise self._lost(program)
        return status

    def _channel(self) -> Any:
        import paramiko

        with self._lock:
            # A connection that broke since it was last used is made anew, once.
            for attempt in (1, 2):
                if self._connected is None or not self._connected.alive:
                    self._connected = connect(self._endpoint)
                try:
                    return self._connected.channel(self._endpoint.connect_timeout)
                except (paramiko.SSHException, EOFError, OSError) as error:
                    self._connected.close()
                    self._connected = None
                    if attempt == 2:
                        raise errors.ConnectionLostError(
                            T("{host} accepts the login but starts no program.", host=self.name), on=self.name
                        ) from error
        raise AssertionError

    def _lost(self, program: Program) -> errors.ConnectionLostError:
        return errors.ConnectionLostError(
            T("The connection to {host} broke while {program} ran.", host=self.name, program=program.argv[0]),
            on=self.name,
            meaning=T("Whatever ran there ends by itself within seconds."),
            next_step=T("Look at the network and at the machine, then try again."),
        )

    def _as_user(self, program: Program) -> list[str]:
        login = self._endpoint.user
        if program.user is not None and program.user != login:
            if login == "root":
                return ["runuser", "-u", program.user, "--"]
            return ["sudo", "-n", "-u", program.user, "--"]
        if self._endpoint.sudo and program.user is None and login != "root":
            return ["sudo", "-n", "--"]
        return []


def _drain(channel: Any, complaint: Tail) -> None:
    with suppress(Exception):
        while True:
            try:
                chunk = channel.recv_stderr(_CHUNK)
            except TimeoutError:
                # A channel has one timeout, and it is for whoever reads stdout: a silent program is not at its end.
                continue
            if not chunk:
                return
            complaint.add(chunk)
