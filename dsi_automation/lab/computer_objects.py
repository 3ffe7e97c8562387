"""Computer objects of the workstations that are in the directory from the start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dsi_automation.lab.accounts import generate
from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.samba import DomainController


def ensure(layout: Layout, controller: DomainController, machines: Sequence[Machine]) -> bool:
    """Make the objects that were not made yet.

    Returns:
        Whether any was missing.
    """
    made_file = layout.ws_dir / "objects.json"
    made = json.loads(made_file.read_text()) if made_file.exists() else []
    missing = [machine for machine in machines if machine.object_ou is not None and machine.key not in made]
    if missing:
        (layout.ws_dir / "keytabs").mkdir(parents=True, exist_ok=True, mode=0o700)
        controller.populate({"computers": [order(machine) for machine in missing]})
        write_private(made_file, json.dumps([*made, *(machine.key for machine in missing)]))
    return bool(missing)


def order(machine: Machine) -> dict[str, Any]:
    """Return what a machine's object is to be (see `populate.py`)."""
    found: dict[str, Any] = {
        "name": machine.spec.computer_name,
        "ou": machine.object_ou,
        "system": machine.spec.os.caption,
        "address": machine.spec.address,
    }
    if machine.spec.joined is not None and machine.spec.joined.keytab is not None:
        found |= {"password": generate(), "keytab": str(machine.spec.joined.keytab)}
    return found
