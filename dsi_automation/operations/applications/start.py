"""`application.start`: start every server that is stopped, test the connection, tell users (procedure S)."""

from __future__ import annotations

from typing import ClassVar

from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs
from dsi_automation.operations.applications.inputs import StartInputs, Wish
from dsi_automation.operations.applications.operating import OperatingOperation


class ApplicationStart(OperatingOperation[StartInputs]):
    """Starts an application, and tells users once they can work."""

    name: ClassVar[str] = "application.start"
    summary: ClassVar[Text] = T("Start an application and test the connection: users are told after")
    inputs_model: ClassVar[type[Inputs]] = StartInputs

    def wish(self, inputs: StartInputs) -> Wish:
        """Return what the inputs ask."""
        return inputs.wish()
