"""The process that plays all of a lab's workstations: what it is told, its start and its end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T
from dsi_automation.lab.accounts import ADMINISTRATOR
from dsi_automation.lab.ca import Authority, write_private
from dsi_automation.lab.layout import DOMAIN, NETBIOS, Layout
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.windows.control import Control
from dsi_automation.lab.windows.spec import Domain, SimulatorSpec, Tls

START_SECONDS: Final = 60.0


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
        if not self.daemon.needs_start(self.clock):
            return False
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
        while not self.control.ready():
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

    def stop(self) -> bool:
        """Stop the process.

        Returns:
            Whether it ran.
        """
        found = self.daemon.stop(self.clock)
        self.layout.control_socket.unlink(missing_ok=True)
        return found

    @property
    def control(self) -> Control:
        """The control socket's client: workstations, faults, resets, restarts, requests seen."""
        return Control(self.layout.control_socket)

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
