"""The SSH server of an emulated router."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any, Final, Self

import paramiko

from dsi_automation.lab.ios.commands import CommandLine
from dsi_automation.lab.ios.device import Device

LOGIN_WITHIN: Final = 20.0
"""Seconds."""


class _Logins(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko publishes no types
    def __init__(self, passwords: dict[str, str]) -> None:
        self.passwords = passwords
        self.user = ""
        self.shell = threading.Event()

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002  # paramiko's
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        if self.passwords.get(username) != password:
            return int(paramiko.AUTH_FAILED)
        self.user = username
        return int(paramiko.AUTH_SUCCESSFUL)

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002  # paramiko's
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_pty_request(self, *_: Any) -> bool:
        return True

    def check_channel_shell_request(self, channel: Any) -> bool:  # noqa: ARG002  # paramiko's
        self.shell.set()
        return True


class Server:
    """Listens on a port of the loopback from `with` to its end; each session has a thread."""

    def __init__(self, device: Device, passwords: dict[str, str]) -> None:
        """Prepare; the host key is made anew."""
        self.device = device
        self.passwords = passwords
        self.key = paramiko.ECDSAKey.generate()
        self._socket = socket.socket()
        self._transports: list[paramiko.Transport] = []

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def known_hosts(self) -> str:
        """Return the line of its host key."""
        return f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n"

    def __enter__(self) -> Self:
        """Listen."""
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and end all sessions."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.device.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.device.passable.wait()
        transport = paramiko.Transport(connection)
        self._transports.append(transport)
        transport.add_server_key(self.key)
        logins = _Logins(self.passwords)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=logins)
            channel = transport.accept(LOGIN_WITHIN)
            if channel is not None and logins.shell.wait(LOGIN_WITHIN):
                _Session(self.device, channel, logins.user).serve()
        transport.close()


class _Session:
    """One terminal: echoes what is typed, as a router does."""

    def __init__(self, device: Device, channel: Any, user: str) -> None:
        self.device = device
        self.channel = channel
        self.line = CommandLine(device, user)
        self.buffer = ""

    def serve(self) -> None:
        """Answer until the session ends."""
        self._print("\n" + self.line.prompt)
        self.device.listeners.append(self._tell)
        try:
            while (typed := self._typed()) is not None:
                if typed.strip() == "exit" and not self.line.mode:
                    return
                if not self._answer(typed):
                    return
        finally:
            self.device.listeners.remove(self._tell)

    def _answer(self, typed: str) -> bool:
        command = typed.strip()
        faults = self.device.faults
        self.device.log.append(command)
        self._print(f"{typed}\n")
        if command == faults.hangs_on:
            return True
        if command == faults.breaks_on:
            self._print("Building conf")
            return False
        with self.device.lock:
            said = self._talk(command)
        if said is None:
            return False
        self.device.passable.wait()
        self._print(said + self.line.prompt + faults.chatter)
        return True

    def _talk(self, command: str) -> str | None:
        """Run a command with the questions it asks; None when the session ended meanwhile."""
        talk = self.line.run(command)
        try:
            question = next(talk)
            while (reply := self._asked(question)) is not None:
                question = talk.send(reply)
        except StopIteration as ended:
            return str(ended.value)
        return None

    def _asked(self, question: str) -> str | None:
        self._print(question)
        reply = self._typed()
        if reply is not None:
            self._print(f"{reply}\n")
        return reply

    def _typed(self) -> str | None:
        while "\n" not in self.buffer:
            chunk = self.channel.recv(4096)
            if not chunk:
                return None
            self.device.passable.wait()
            self.buffer += chunk.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        line, _, self.buffer = self.buffer.partition("\n")
        return line

    def _tell(self, text: str) -> None:
        if self.device.passable.is_set():
            self._print("\n" + text if text.startswith("*") else text)

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # nobody listens any more
            self.channel.sendall(text.replace("\n", "\r\n").encode())
