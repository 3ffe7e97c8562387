"""What a program prints, kept within bounds and given on line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

LONGEST_OUTPUT: Final = 4 * 1024 * 1024
"""Bytes kept of the end of what a program prints when it is also given on as it comes."""

LONGEST_COMPLAINT: Final = 1024 * 1024
"""Bytes kept of the end of stderr."""

LONGEST_LINE: Final = 1024 * 1024
"""Bytes after which a line is given on although it has not ended."""


class Tail:
    """The end of a stream of bytes; all of it when there is no bound."""

    def __init__(self, bound: int | None) -> None:
        """Keep at most `bound` bytes."""
        self._bound = bound
        self._chunks: deque[bytes] = deque()
        self._kept = 0

    def add(self, chunk: bytes) -> None:
        """Take what came."""
        self._chunks.append(chunk)
        self._kept += len(chunk)
        while self._bound is not None and self._kept - len(self._chunks[0]) >= self._bound:
            self._kept -= len(self._chunks.popleft())

    def value(self) -> bytes:
        """Return what is kept."""
        joined = b"".join(self._chunks)
        return joined if self._bound is None else joined[-self._bound :]


class Lines:
    """Cuts a stream of bytes into lines of text; bytes that are not UTF-8 show as such."""

    def __init__(self, each: Callable[[str], None]) -> None:
        """Give each line to `each`."""
        self._each = each
        self._open = b""

    def add(self, chunk: bytes) -> None:
        """Take what came."""
        *whole, self._open = (self._open + chunk).split(b"\n")
        for line in whole:
            self._give(line)
        if len(self._open) > LONGEST_LINE:
            self.end()

    def end(self) -> None:
        """Give on what has no end of line."""
        if self._open:
            line, self._open = self._open, b""
            self._give(line)

    def _give(self, line: bytes) -> None:
        self._each(line.rstrip(b"\r").decode(errors="backslashreplace"))


def kept_and_told[Result](
    run: Callable[[Tail, Callable[[bytes], None]], Result], on_line: Callable[[str], None] | None
) -> Result:
    """Run a program whose output is kept, and given on line by line where somebody listens.

    Args:
        run: runs it; is given what keeps its output, and whom to give each chunk of it.
    """
    if on_line is None:
        whole = Tail(None)
        return run(whole, whole.add)
    kept, lines = Tail(LONGEST_OUTPUT), Lines(on_line)

    def both(chunk: bytes) -> None:
        kept.add(chunk)
        lines.add(chunk)

    result = run(kept, both)
    lines.end()
    return result
