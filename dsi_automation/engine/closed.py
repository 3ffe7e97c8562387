"""How a closed door is said: which one, and what to do next."""

from __future__ import annotations

from dsi_automation.core.errors import DsiError, GateClosedError
from dsi_automation.core.text import Text


def closed(door: str, what: Text, next_step: Text, *, meaning: Text | None = None) -> GateClosedError:
    """Return the error for one door; `door` is its stable name, for programs and tests."""
    return GateClosedError(what, meaning=meaning, next_step=next_step, detail={"door": door})


def reason(error: Exception) -> Text:
    """Return what an error that closed a door says, for the meaning of that door."""
    if isinstance(error, DsiError):
        return error.what
    return Text("{problem}", {"problem": str(error) or type(error).__name__})
