"""What a doctor finds: one thing looked at, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dsi_automation.cli.output import Output
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: a stable name, for programs.
        state: `ok`, `warning` or `problem`.
        exit_code: what a problem means for the exit code of `dsi doctor`.
    """

    name: str
    title: Text
    state: str
    found: Text | str
    next_step: Text | None = None
    exit_code: ExitCode = ExitCode.DONE

    def to_json(self) -> dict[str, Any]:
        """Return the finding as data."""
        return {
            "name": self.name,
            "title": str(self.title),
            "state": self.state,
            "found": str(self.found),
            "next_step": None if self.next_step is None else str(self.next_step),
        }


@dataclass
class Look[T_]:
    """A read whose answer later findings depend on; `value` stays None when it failed."""

    read: Callable[[], T_]
    value: T_ | None = None

    def __call__(self) -> T_:
        """Read, and keep the answer."""
        self.value = self.read()
        return self.value


def guarded(name: str, title: Text, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a look finds; an error is a finding, and stops none of the others."""
    try:
        yield from look()
    except DsiError as error:
        yield Finding(name, title, "problem", error.what, error.next_step, error.look_exit_code)


def show_finding(out: Output, finding: Finding) -> None:
    """Write one finding, and below it what to do."""
    mark, color = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}[finding.state]
    sentence = T("{title}: {found}", title=finding.title, found=finding.found)
    out.line(Text("{mark} {sentence}", {"mark": mark, "sentence": sentence}), fg=color)
    if finding.next_step is not None:
        out.line(T("What to do: {step}", step=finding.next_step), indent=4)
