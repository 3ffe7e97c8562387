"""The wiring: the only room that knows all the others below the command line and the playbooks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit

__all__ = ["Toolkit"]


def __getattr__(name: str) -> Any:
    """Import the toolkit when it is asked for: reading a file of people needs none of it."""
    if name == "Toolkit":
        from dsi_automation.composition.toolkit import Toolkit

        return Toolkit
    raise AttributeError(name)
