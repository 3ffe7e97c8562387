"""`application.stop`: tell users, stop every server, end idle locks, empty caches (procedure S)."""

from __future__ import annotations

from typing import ClassVar

from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs
from dsi_automation.operations.applications.inputs import StopInputs, Wish
from dsi_automation.operations.applications.operating import OperatingOperation


class ApplicationStop(OperatingOperation[StopInputs]):
    """Stops an application, and leaves it stopped."""

    name: ClassVar[str] = "application.stop"
    summary: ClassVar[Text] = T("Stop an application: users are told before")
    inputs_model: ClassVar[type[Inputs]] = StopInputs

    def wish(self, inputs: StopInputs) -> Wish:
        """Return what the inputs ask."""
        return inputs.wish_for(starts=False)
