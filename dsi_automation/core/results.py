"""What a run leaves behind: the outcome of each action, and the evidence of an independent look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dsi_automation.core.text import Text


class Outcome(StrEnum):
    """How one action, one target or one run ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    NOT_VERIFIED = "not_verified"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing an independent look compared: what should be there, what is there, and where it was read.

    Attributes:
        name: a stable identifier: `ram`, `domain`, `ou`, ...
        title: what was compared, for people.
        source: where the observed value was read: `LDAP dc1.example`, `CIM Win32_ComputerSystem`, ...
        warning: true when a difference is worth telling but is not a failure.
    """

    target: str
    name: str
    title: Text
    expected: str
    observed: str
    ok: bool
    source: str
    warning: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the check as data."""
        return {
            "target": self.target,
            "name": self.name,
            "title": self.title.to_json(),
            "expected": self.expected,
            "observed": self.observed,
            "ok": self.ok,
            "source": self.source,
            "warning": self.warning,
        }
