"""`application.restart`: tell users, stop, end idle locks, empty caches, start, test, tell users (procedure S)."""

from __future__ import annotations

from typing import ClassVar

from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs
from dsi_automation.operations.applications.inputs import StopInputs, Wish
from dsi_automation.operations.applications.operating import OperatingOperation


class ApplicationRestart(OperatingOperation[StopInputs]):
    """Restarts an application, as on every evening or in an incident."""

    name: ClassVar[str] = "application.restart"
    summary: ClassVar[Text] = T("Restart an application and test the connection: users are told before and after")
    inputs_model: ClassVar[type[Inputs]] = StopInputs

    def wish(self, inputs: StopInputs) -> Wish:
        """Return what the inputs ask."""
        return inputs.wish_for(starts=True)
