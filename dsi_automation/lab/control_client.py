"""What the clients of the simulators' control sockets share: HTTP with JSON on a unix socket."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T, Text


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("simulator", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket instead of a TCP connection."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class ControlClient:
    """Talks to one simulator.

    Args:
        path: its control socket.
        timeout: seconds one answer may take.

    Every method raises UnreachableError when nobody listens, RefusedError when the simulator says no.
    """

    simulator: Text
    """What it is called, for messages."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self._path = path
        self._timeout = timeout

    def ready(self) -> bool:
        """Tell whether the simulator answers, without raising when it does not."""
        try:
            return bool(self._call("GET", "/ready")["ready"])
        except UnreachableError:
            return False

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Wait until everything it serves listens.

        Raises:
            UnreachableError: it did not happen in that time.
        """
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline:
                raise UnreachableError(T("{simulator} does not start.", simulator=self.simulator))
            time.sleep(0.05)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = UnixConnection(self._path, self._timeout)
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(T("{simulator} does not answer.", simulator=self.simulator)) from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            reason = data.get("error", "")
            raise RefusedError(T("{simulator} refuses: {reason}", simulator=self.simulator, reason=reason))
        return data
