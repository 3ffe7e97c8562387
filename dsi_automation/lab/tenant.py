"""The process that plays the lab's Microsoft 365 tenant: what it is told, its start and its end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T
from dsi_automation.lab.accounts import MAIL_DOMAIN, READER, Passwords
from dsi_automation.lab.ca import Authority, write_private
from dsi_automation.lab.domain import account_ous
from dsi_automation.lab.layout import DC_NAME, DOMAIN, Layout
from dsi_automation.lab.processes import Daemon

if TYPE_CHECKING:
    from dsi_automation.lab.graph.client import GraphControl
    from dsi_automation.lab.graph.settings import GraphSettings

START_SECONDS: Final = 60.0
NAMES: Final = ("graph.douanes.lab", "login.douanes.lab")
LICENSED: Final = {"awa.kone": "STANDARDPACK", "seydou.diallo": "STANDARDPACK"}
"""Who has a licence and a mailbox from the start."""
SENDER: Final = f"dsi@{MAIL_DOMAIN}"
"""The service mailbox that mails go out from."""
HELP_DESK: Final = f"hotline@{MAIL_DOMAIN}"


@dataclass(frozen=True)
class Tenant:
    """The tenant's process of one lab."""

    layout: Layout
    clock: Clock

    @property
    def daemon(self) -> Daemon:
        """The process."""
        return Daemon("graph", self.layout.ws_namespace, self.layout.run_dir, self.layout.log_dir / "graph.log")

    @property
    def settings_file(self) -> Path:
        """What the process is told at its start."""
        return self.layout.graph_dir / "settings.json"

    @property
    def state_file(self) -> Path:
        """The tenant as it is now, kept across restarts."""
        return self.layout.graph_dir / "state.json"

    @property
    def control(self) -> GraphControl:
        """The client of the control socket; imported only here."""
        from dsi_automation.lab.graph.client import GraphControl

        return GraphControl(self.layout.graph_socket)

    def start(self, authority: Authority, passwords: Passwords) -> bool:
        """Start the process, unless it runs; the directory must answer.

        Returns:
            Whether it was started.
        """
        if not self.daemon.needs_start(self.clock):
            return False
        self.layout.graph_socket.unlink(missing_ok=True)
        self.layout.graph_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.layout.log_dir.mkdir(parents=True, exist_ok=True)
        write_private(self.settings_file, self._settings(authority, passwords).model_dump_json(indent=1))
        self.daemon.start(
            [sys.executable, "-m", "dsi_automation.lab.graph", str(self.settings_file)], self.layout.environment()
        )
        return True

    def wait_until_ready(self) -> None:
        """Return once the tenant answers and was synchronised a first time.

        Raises:
            DsiError: the process ended, or did not get there within 60 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        while not self.control.ready():
            stopped = self.daemon.pid() is None
            if stopped or self.clock.monotonic() > until:
                what = T("The simulated tenant has stopped.") if stopped else T("The simulated tenant does not answer.")
                raise DsiError(
                    what,
                    next_step=T("Read why: `dsi lab logs tenant`."),
                    detail={"log": str(self.daemon.log)},
                )
            self.clock.sleep(0.05)
        info = self.control.info()
        if info["hybrid"] and info["last_sync"] is None:
            self.control.sync()

    def stop(self) -> bool:
        """Stop the process.

        Returns:
            Whether it ran.
        """
        found = self.daemon.stop(self.clock)
        self.layout.graph_socket.unlink(missing_ok=True)
        return found

    def _settings(self, authority: Authority, passwords: Passwords) -> GraphSettings:
        from dsi_automation.lab.graph.settings import DirectorySource, Seeds, lab_settings

        layout = self.layout
        return lab_settings(
            address=layout.tenant_address,
            server=authority.issue("graph", NAMES, [layout.tenant_address]),
            control_socket=layout.graph_socket,
            record_file=layout.graph_record,
            state_file=self.state_file,
            app_certificate=layout.app_certificate,
            directory=DirectorySource(
                host=layout.dc_address,
                ca_file=authority.certificate_file,
                valid_names=[DC_NAME, layout.dc_address],
                user=f"{READER}@{DOMAIN}",
                password_file=passwords.file(READER),
                bases=account_ous(),
            ),
            licensed=LICENSED,
            seeds=Seeds.model_validate(_seeds()),
        )


def _seeds() -> dict[str, Any]:
    """Return what only the cloud holds at the start: the service mailbox, and the help desk's list."""
    sender = {
        "userPrincipalName": SENDER,
        "mailNickname": "dsi",
        "displayName": "DSI (boîte de service)",
        "usageLocation": "CI",
        "accountEnabled": True,
        "licences": ["DESKLESSPACK"],
        "mailboxReady": True,
    }
    group = {"displayName": "Hotline DSI", "mail": HELP_DESK, "proxyAddresses": [f"SMTP:{HELP_DESK}"]}
    return {"users": [sender], "groups": [group]}
