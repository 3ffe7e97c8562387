"""What a lab was asked to be: the file that is written first of all, so that a killed start is found and finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.system import require_root


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a lab.

    Attributes:
        name: the lab's.
        network: its addresses; None for a lab that was never asked for.
        domain: whether it has a directory, workstations and tenant.
        servers: whether it has what backups work on and with.
        application: whether it has SYDAM World.
        routers: how many.
        machines: its workstations, as JSON.
    """

    name: str = ""
    network: str | None = None
    domain: bool = True
    servers: bool = False
    application: bool = False
    routers: int = 0
    machines: tuple[dict[str, Any], ...] = ()

    @classmethod
    def read(cls, layout: Layout) -> Asked:
        """Return what the lab of a layout was asked to be.

        Raises:
            UsageError: not root.
        """
        try:
            data: dict[str, Any] = json.loads(layout.config_file.read_text())
            return cls(**{**data, "machines": tuple(data.get("machines", ()))})
        except PermissionError:
            require_root()
            raise
        except (OSError, ValueError, TypeError):
            # Absent, or damaged: `up` writes it anew.
            return cls()

    def write(self, layout: Layout) -> None:
        """Keep it."""
        # Local accounts' passwords are in the specifications.
        write_private(layout.config_file, json.dumps(asdict(self), indent=1))

    def grown(self, layout: Layout, wanted: Asked) -> Asked:
        """Return what the lab is to be now: what it has it keeps; a new one has what it is asked to have."""
        name, network = layout.name, str(layout.network)
        if self.network != network:
            return replace(wanted, name=name, network=network)
        return replace(
            self,
            name=name,
            domain=self.domain or wanted.domain,
            servers=self.servers or wanted.servers,
            application=self.application or wanted.application,
            routers=max(self.routers, wanted.routers),
        )

    def with_machines(self, machines: Sequence[Machine]) -> Asked:
        """Return it with these workstations."""
        return replace(self, machines=tuple(machine.to_json() for machine in machines))
