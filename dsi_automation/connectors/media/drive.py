"""A tape drive as the driver needs it: records between filemarks, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DriveStatus:
    """What a drive says of itself.

    Attributes:
        online: a tape is in and ready.
        write_protected: its tab is set.
    """

    online: bool
    write_protected: bool = False


class Drive(Protocol):
    """A drive with a tape in it, between two records; a write ends the tape there: what lay after is lost.

    Every method may raise OSError, as the kernel reports it (ENOSPC at the end of the tape, EIO, ENOMEDIUM).
    """

    def status(self) -> DriveStatus:
        """Return whether there is a tape, and whether it may be written."""
        ...

    def rewind(self) -> None:
        """Go to the beginning."""
        ...

    def forward_files(self, count: int) -> None:
        """Go past so many filemarks.

        Raises:
            OSError: the data end before.
        """
        ...

    def read(self) -> bytes | None:
        """Return the next record; empty at a filemark (which is then passed), None at the end of the data."""
        ...

    def write(self, record: bytes) -> None:
        """Write one record."""
        ...

    def filemark(self) -> None:
        """Write a filemark and have everything before it on the tape."""
        ...

    def offline(self) -> None:
        """Rewind and give the tape out."""
        ...

    def close(self) -> None:
        """Let go of the drive."""
        ...
