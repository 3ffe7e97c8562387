"""How a closed door is said: which one, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dsi_automation.core.errors import DsiError, GateClosedError
from dsi_automation.core.text import T, Text

_DRAWS: Final = 10
"""How often an identifier is drawn, before somebody is told to try again."""


def closed(door: str, what: Text, next_step: Text, *, meaning: Text | None = None) -> GateClosedError:
    """Return the error for one door; `door` is its stable name, for programs and tests."""
    return GateClosedError(what, meaning=meaning, next_step=next_step, detail={"door": door})


def taken(identifier: str) -> GateClosedError:
    """Return the error for an identifier that somebody else drew in the same second: nothing was written."""
    return closed(
        "taken",
        T("{id} was taken in this very second by somebody else.", id=identifier),
        T("Run the same command again."),
    )


def again_when_taken[T_](work: Callable[[], T_]) -> T_:
    """Do `work`, once more with new identifiers each time somebody else drew one of them in the same second."""
    for _ in range(_DRAWS - 1):
        try:
            return work()
        except GateClosedError as error:
            if error.detail.get("door") != "taken":
                raise
    return work()


def reason(error: Exception) -> Text:
    """Return what an error that closed a door says, for the meaning of that door."""
    if isinstance(error, DsiError):
        return error.what
    return Text("{problem}", {"problem": str(error) or type(error).__name__})
