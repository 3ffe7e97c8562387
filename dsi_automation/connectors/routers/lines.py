"""Taking lines of configuration mode one by one, as a device does: what IOS and vtysh have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.tree import words
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T


class RefusedLineError(RefusedError):
    """A line that the device would refuse.

    Attributes:
        line: the line.
        answer: what the device says.
        taken: how many lines it took before.
    """

    def __init__(self, line: str, answer: str, taken: int = 0) -> None:
        """Name the line and the answer."""
        super().__init__(
            T("The router would refuse the line “{line}”: {answer}", line=line.strip(), answer=answer),
            detail={"line": line, "answer": answer},
        )
        self.line = line
        self.answer = answer
        self.taken = taken


INVALID = "% Invalid input detected at '^' marker."


class Taking:
    """A configuration that takes lines, one at a time; a platform says what each does.

    Attributes:
        sections: lines by heading.
        heading: of the mode it is in; "" at the top level.
    """

    def __init__(self, config: Config) -> None:
        """Begin at the top level."""
        self.sections: dict[str, list[str]] = {name: list(lines) for name, lines in config.sections.items()}
        self.sections.setdefault("", [])
        self.heading = ""

    def take(self, lines: Sequence[str]) -> None:
        """Take lines in order.

        Raises:
            RefusedLineError: one is refused; those before it are in force.
        """
        for place, line in enumerate(lines):
            try:
                self.one(line)
            except RefusedLineError as error:
                raise RefusedLineError(line, error.answer, place) from error

    def one(self, line: str) -> None:
        """Take one line."""
        text = words(line.strip())
        if text == "exit" and self.heading:
            self.heading = ""
        elif line.startswith(" ") and self.heading:
            self.under(text)
        elif re.match(r"(?:no |default )?(?:interface|ip access-list|filter) ", text):
            self.enter(text)
        else:
            self.heading = ""
            self.top(text)

    def enter(self, text: str) -> None:
        """Take a heading, or the removal of one."""
        raise RefusedLineError(text, INVALID)

    def under(self, text: str) -> None:
        """Take a line under the heading."""
        raise RefusedLineError(text, INVALID)

    def top(self, text: str) -> None:
        """Take a line of the top level."""
        if not re.match(r"(?:no )?(?:ip|ipv6|hostname|logging|ntp|clock|cdp|lldp|router|access-list|log)\b", text):
            raise RefusedLineError(text, INVALID)
        switch(self.sections[""], text)


def switch(lines: list[str], text: str) -> None:
    """Add a line, or with `no` take it away.

    Raises:
        RefusedLineError: it is to be taken away and is not there.
    """
    if not text.startswith("no "):
        lines += [] if text in lines else [text]
    elif text.removeprefix("no ") in lines:
        lines.remove(text.removeprefix("no "))
    else:
        raise RefusedLineError(text, "% Can't find it")


def single(lines: list[str], keyword: str, text: str | None) -> None:
    """Set the one line of a keyword, or take it away."""
    lines[:] = [line for line in lines if line != keyword and not line.startswith(f"{keyword} ")]
    lines += [] if text is None else [text]
