"""What a verification of the journal found: data first, sentences for people beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import Text


class Fault(StrEnum):
    """What is wrong with an entry or a checkpoint."""

    EDITED = "edited"
    REMOVED = "removed"
    MOVED = "moved"
    BROKEN_LINK = "broken_link"
    CUT_OFF = "cut_off"
    COLUMN = "column"
    CLOCK = "clock"
    NOT_A_JOURNAL = "not_a_journal"
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad_signature"
    DOCUMENT = "document"
    CHECKPOINT = "checkpoint"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was written.

    Attributes:
        seq: the entry concerned; None when the fault is of the whole journal or of a checkpoint's line.
        expected, found: the two values that differ, where there are two.
    """

    seq: int | None
    fault: Fault
    text: Text
    expected: str | None = None
    found: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the problem as data."""
        return {
            "seq": self.seq,
            "fault": self.fault.value,
            "text": self.text.to_json(),
            "expected": self.expected,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what is wrong with it.

    Attributes:
        journal: the identifier in the first entry.
        entries, signatures, checkpoints: how many were looked at.
        head: the hash of the last entry: to note down elsewhere, with `entries`.
        unguarded: entries after the last good checkpoint; cutting these off would not show.
    """

    journal: str | None
    entries: int
    signatures: int
    checkpoints: int
    head: str
    unguarded: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Tell whether everything is as it was written."""
        return not self.problems

    @property
    def exit_code(self) -> ExitCode:
        """Return what `dsi journal verify` ends with: 6 for a journal that does not hold."""
        return ExitCode.DONE if self.ok else ExitCode.VERIFICATION_FAILED

    def to_json(self) -> dict[str, Any]:
        """Return the result as data."""
        return {
            "journal": self.journal,
            "ok": self.ok,
            "entries": self.entries,
            "signatures": self.signatures,
            "checkpoints": self.checkpoints,
            "head": self.head,
            "unguarded": self.unguarded,
            "problems": [problem.to_json() for problem in self.problems],
        }
