"""The process that plays all of a lab's workstations, and its control socket (HTTP and JSON over a Unix socket)."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UnreachableError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.accounts import ADMINISTRATOR
from dsi_automation.lab.ca import Authority, write_private
from dsi_automation.lab.layout import DOMAIN, NETBIOS, Layout
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.windows.spec import Domain, SimulatorSpec, Tls

START_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Simulator:
    """The workstations' process of one lab."""

    layout: Layout
    clock: Clock

    @property
    def daemon(self) -> Daemon:
        """The process."""
        return Daemon(
            "workstations", self.layout.ws_namespace, self.layout.run_dir, self.layout.log_dir / "workstations.log"
        )

    @property
    def spec_file(self) -> Path:
        """What the process is told at its start; holds local accounts' passwords, so it is 0600."""
        return self.layout.ws_dir / "spec.json"

    def start(self, machines: Sequence[Machine], authority: Authority) -> bool:
        """Start the process, unless it runs.

        Returns:
            Whether it was started.
        """
        if self.daemon.pid() is not None:
            return False
        self.daemon.stop(self.clock)
        self.layout.control_socket.unlink(missing_ok=True)
        self.layout.ws_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.spec_file, self._spec(machines, authority).model_dump_json(indent=1))
        self.daemon.start(
            [
                *(sys.executable, "-m", "dsi_automation.lab.windows", "--spec", str(self.spec_file)),
                *("--state", str(self.layout.ws_dir / "state"), "--control", str(self.layout.control_socket)),
                *("--log", str(self.layout.log_dir / "requests.log")),
            ],
            self.layout.environment(),
        )
        return True

    def wait_until_ready(self) -> None:
        """Return once every workstation that answers does.

        Raises:
            DsiError: the process ended, or did not get there within 60 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.daemon.pid() is None:
                raise DsiError(
                    T("The simulated workstations have stopped."),
                    next_step=T("Read why: `dsi lab logs workstations`."),
                    detail={"log": str(self.daemon.log)},
                )
            if self.clock.monotonic() > until:
                raise DsiError(
                    T("The simulated workstations do not get ready."),
                    next_step=T("Read why: `dsi lab logs workstations`."),
                    detail={"log": str(self.daemon.log)},
                )
            self.clock.sleep(0.05)

    def is_ready(self) -> bool:
        """Tell whether the process answers on its control socket and says it is ready."""
        try:
            self.request("GET", "/ready")
        except DsiError:
            return False
        return True

    def stop(self) -> bool:
        """Stop the process.

        Returns:
            Whether it ran.
        """
        found = self.daemon.stop(self.clock)
        self.layout.control_socket.unlink(missing_ok=True)
        return found

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control socket something.

        Returns:
            The answer, read from JSON.

        Raises:
            UnreachableError: nothing listens there.
            UsageError: it refuses: no such workstation, no such fault.
        """
        connection = _UnixConnection(str(self.layout.control_socket))
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:
            raise UnreachableError(
                T("The simulated workstations of lab {name} do not answer.", name=self.layout.name),
                next_step=T("Start them with `dsi lab up`."),
            ) from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise UsageError(
                T("The lab's simulator refuses: {why}.", why=_reason(text) or answer.reason),
                detail={"status": answer.status, "path": path},
            )
        return json.loads(text) if text else None

    def workstation_path(self, key: str, *rest: str) -> str:
        """Return the control path of a workstation."""
        return "/".join(["/workstations", quote(key, safe=""), *rest])

    def _spec(self, machines: Sequence[Machine], authority: Authority) -> SimulatorSpec:
        return SimulatorSpec(
            workstations=[machine.spec for machine in machines],
            domain=Domain(
                dns_name=DOMAIN,
                netbios_name=NETBIOS,
                controller=self.layout.dc_address,
                ca_file=authority.certificate_file,
                administrators=[ADMINISTRATOR],
            ),
            tls=Tls(ca_certificate=authority.certificate_file, ca_key=authority.key_file),
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _reason(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return text[:200]
    return str(said.get("error", said)) if isinstance(said, dict) else str(said)
