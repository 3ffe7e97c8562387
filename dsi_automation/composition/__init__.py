"""The wiring: the only room that knows all the others below the command line and the playbooks."""

from dsi_automation.composition.toolkit import Toolkit

__all__ = ["Toolkit"]
