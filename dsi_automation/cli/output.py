"""Where everything a command says goes out: masked, harmless, coloured only on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any

import click

from dsi_automation.cli.clean import clean, clean_block, clean_lines, to_json_text
from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T, Text

type Cell = Text | str | int | None


class NobodyReadsError(Exception):
    """The reader of standard output went away; click would take a BrokenPipeError for its own affair."""


class Output:
    """Standard output for results, standard error for everything else."""

    def __init__(self, *, color: bool | None = None) -> None:
        """Decide about colours: `color` when it is given, else by the terminal and `NO_COLOR` (no-color.org)."""
        self._color = color

    @property
    def color(self) -> bool:
        """Tell whether results may be coloured."""
        return self._may_color(sys.stdout)

    def line(self, text: object = "", *, indent: int = 0, **style: Any) -> None:
        """Write one line of a result, or the lines of a text of ours that has several."""
        self._lines(sys.stdout, text, indent, style)

    def note(self, text: object = "", *, indent: int = 0, **style: Any) -> None:
        """Write a line beside the result, as `line` does: a warning, a hint, progress."""
        self._lines(sys.stderr, text, indent, style)

    def block(self, text: str, *, to_stderr: bool = False) -> None:
        """Write a text of several lines of our own making (help, a report)."""
        self._write(sys.stderr if to_stderr else sys.stdout, clean_block(text), 0, {})

    def document(self, text: str) -> None:
        """Write a whole document (CSV, XML) whose content is clean already, its line endings kept."""
        self._write_raw(sys.stdout, text)

    def data(self, value: Any) -> None:
        """Write a result as JSON."""
        self._write(sys.stdout, to_json_text(value), 0, {})

    def table(
        self, headers: Sequence[Text], rows: Iterable[Sequence[Cell]], styles: Sequence[str] | None = None
    ) -> None:
        """Write a table: drawn and folded to the width of a terminal, else aligned and never cut.

        Args:
            styles: for each row the name of its colour, empty for none.
        """
        cells = [[clean("" if cell is None else cell) for cell in row] for row in rows]
        titles = [clean(header) for header in headers]
        if sys.stdout.isatty():
            self._write_raw(sys.stdout, drawn(titles, cells, styles, color=self.color))
            return
        for text in aligned(titles, cells):
            self._write_raw(sys.stdout, text + "\n")

    def _lines(self, stream: IO[str], text: object, indent: int, style: dict[str, Any]) -> None:
        first, *others = clean_lines(text)
        self._write(stream, first, indent, style)
        for other in others:
            self._write(stream, other, indent + 2, style)

    def _write(self, stream: IO[str], text: str, indent: int, style: dict[str, Any]) -> None:
        painted = click.style(text, **style) if style and self._may_color(stream) else text
        self._write_raw(stream, " " * indent + painted + "\n")

    @staticmethod
    def _write_raw(stream: IO[str], text: str) -> None:
        """Write, at once, so that a disk that is full is noticed here.

        Raises:
            NobodyReadsError: the reader of standard output went away.
            StorageError: standard output cannot be written. Of standard error nobody could be told.
        """
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except OSError as error:
            silence(stream)
            if stream is sys.stderr:
                return
            raise lost(error) from error

    def _may_color(self, stream: IO[str]) -> bool:
        if self._color is not None:
            return self._color
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def lost(error: OSError) -> Exception:
    """Return the error for standard output that cannot be written."""
    if isinstance(error, BrokenPipeError):
        return NobodyReadsError()
    return StorageError(
        T("The output cannot be written: {reason}.", reason=reason_of(error)),
        meaning=T("What the command did is done; only its report is lost."),
        next_step=T("Make room, then look with “dsi runs” or “dsi requests”."),
    )


def silence(stream: IO[str]) -> None:
    """Let the rest of a stream that failed go nowhere: the interpreter flushes it once more at its end."""
    # A stream of a test has no descriptor, and needs no silencing.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def aligned(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table for a file or a pipe: columns two spaces apart, nothing cut."""
    everything = [titles, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(titles))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in everything
    ]


def drawn(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Sequence[str] | None,
    *,
    color: bool,
    width: int | None = None,
) -> str:
    """Return a table drawn for a terminal; long content is folded, never cut, and never read as markup."""
    import io

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as RichText

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(RichText(title), overflow="fold")
    for number, row in enumerate(rows):
        table.add_row(*(RichText(cell) for cell in row), style=styles[number] if styles and styles[number] else None)
    target = io.StringIO()
    console = Console(
        file=target, force_terminal=color, no_color=not color, width=width, highlight=False, markup=False, emoji=False
    )
    console.print(table)
    return target.getvalue()
