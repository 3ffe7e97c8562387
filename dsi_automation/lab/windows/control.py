"""The client of the control socket: what the lab and the tests do to a running simulator."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.faults import Fault, FaultRule
from dsi_automation.lab.windows.spec import WorkstationSpec


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


class Control:
    """Talks to one simulator.

    Args:
        path: its control socket.
        timeout: seconds one answer may take.

    Every method raises UnreachableError when nobody listens, RefusedError when the simulator says no.
    """

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
        """Wait until every workstation listens.

        Raises:
            UnreachableError: it did not happen in that time.
        """
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline:
                raise UnreachableError(T("The workstation simulator does not start."))
            time.sleep(0.05)

    def workstations(self) -> list[dict[str, Any]]:
        """Return every workstation in a few words: key, name, address, ports, whether it is up."""
        rows: list[dict[str, Any]] = self._call("GET", "/workstations")
        return rows

    def workstation(self, key: str) -> dict[str, Any]:
        """Return one workstation: spec, state, `methods` (done, by `Class.Method`), `requests` by kind, `up`."""
        shown: dict[str, Any] = self._call("GET", _path(key))
        return shown

    def requests(self, key: str) -> list[dict[str, str]]:
        """Return the log of a workstation's requests, oldest first: names only, never a value."""
        lines: list[dict[str, str]] = self._call("GET", _path(key, "/requests"))
        return lines

    def add(self, spec: WorkstationSpec) -> dict[str, Any]:
        """Serve one more workstation; its address must exist. Return it in a few words."""
        row: dict[str, Any] = self._call("POST", "/workstations", spec.model_dump_json())
        return row

    def remove(self, key: str) -> None:
        """Stop serving a workstation and forget its state."""
        self._call("DELETE", _path(key))

    def fault(
        self,
        key: str,
        fault: Fault,
        *,
        value: float = 0.0,
        count: int | None = None,
        method: str | None = None,
        class_name: str | None = None,
    ) -> None:
        """Switch a fault on; see `FaultRule` for what the arguments mean."""
        rule = FaultRule(fault=fault, value=value, count=count, method=method, class_name=class_name)
        self._call("POST", _path(key, "/faults"), rule.model_dump_json())

    def clear_faults(self, key: str) -> None:
        """Switch every fault of a workstation off."""
        self._call("DELETE", _path(key, "/faults"))

    def reset(self, key: str) -> None:
        """Bring a workstation back to its specification; its object in AD is not touched."""
        self._call("POST", _path(key, "/reset"))

    def reboot(self, key: str) -> None:
        """Restart a workstation at once, also one that is down for good."""
        self._call("POST", _path(key, "/reboot"))

    def _call(self, method: str, path: str, body: str | None = None) -> Any:
        connection = UnixConnection(self._path, self._timeout)
        try:
            connection.request(
                method, path, None if body is None else body.encode(), {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            data = json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(T("The workstation simulator does not answer.")) from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise RefusedError(T("The workstation simulator refuses: {reason}", reason=data.get("error", "")))
        return data


def _path(key: str, more: str = "") -> str:
    return f"/workstations/{quote(key, safe='')}{more}"
