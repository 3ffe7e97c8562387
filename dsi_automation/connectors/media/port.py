"""One port for media that leave the house: external disks, LTFS volumes and tapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from dsi_automation.core.canonical import Json
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text

type Progress = Callable[[Text, int | None, int | None], None]


@dataclass(frozen=True, slots=True)
class MediumSettings:
    """One medium of the inventory.

    Attributes:
        title: what is written on it.
        kind: `disk`, `folder`, `ltfs` or `tape`.
        uuid, label: of a disk's filesystem; serial: of a tape or an LTFS volume.
        device: no-rewind device of the tape drive.
        mount_point: where a disk or an LTFS volume is mounted.
        capacity: of a tape, bytes.
        scratch: folder of the controller where a tape's copy is staged: this medium's alone.
        copies: how many sets it holds at most.
        rotation: the rotation it belongs to.
        password: returns the password of the copies, which also seals the medium's own token; None where the medium
            belongs to no rotation: it is then looked at, and never written.
        others: folders of the controller that hold data, state or repositories: never on the medium's disk.
        restic: the program on the controller, put on the medium where it needs no library.
    """

    name: str
    title: str
    kind: str
    uuid: str | None
    label: str | None
    serial: str | None
    device: str | None
    mount_point: Path | None
    capacity: int | None
    scratch: Path
    copies: int
    rotation: str | None = None
    password: Callable[[], Secret] | None = None
    others: tuple[Path, ...] = ()
    restic: str = "restic"


class Token(StrEnum):
    """What a medium says of itself: `MediumFacts.details["token"]`."""

    OURS = "ours"
    """It was registered as the very medium the inventory describes."""
    BLANK = "blank"
    """There is nothing on it: it may be registered."""
    OCCUPIED = "occupied"
    """There is something on it, and not from us."""
    FOREIGN = "foreign"
    """Its token was not sealed by us, was altered, or was copied from another medium."""
    UNREAD = "unread"
    """It is there, and was not opened: a disk that is plugged in and not mounted."""


@dataclass(frozen=True, slots=True)
class MediumFacts:
    """A medium as it is now, seen from the controller.

    Attributes:
        present: whether the very medium that was asked for is in.
        identity: what is in its place instead or in fact: UUID, label, serial; None when nothing is.
        writable: mounted read-write, not write-protected.
        free, total: bytes; `free_inodes` where the filesystem counts them.
        problem: why it cannot be used now, a sentence; None when it can.
        next_step: what to do about that.
        holds: identifiers of the sets its own table of contents names, oldest first.
        details: mount point, device, filesystem, use count, ...
    """

    present: bool
    identity: str | None = None
    writable: bool = False
    free: int = 0
    total: int = 0
    free_inodes: int | None = None
    problem: Text | None = None
    next_step: Text | None = None
    holds: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)


class MediumReader(Protocol):
    """Looks at one medium of the inventory."""

    def look(self) -> MediumFacts:
        """Look where it should be; a medium that is absent or wrong is a fact, and no error."""
        ...


class MediumWriter(MediumReader, Protocol):
    """Writes on one medium; each write asks the permit. Every method may be called again after a kill."""

    def register(self, expires_after: timedelta) -> None:
        """Write the token on a blank medium: from then on it is known to be the one of the inventory.

        Args:
            expires_after: how long what it holds must be kept: a tape's label says so.

        Raises:
            RefusedError: there is something on it, or it is not the medium the inventory describes.
        """
        ...

    def begin(self, set_id: str, needed: int) -> str:
        """Make ready for a set and return the folder its copy goes into, on the medium or staged for it.

        Args:
            needed: bytes the copy may take at most.

        Raises:
            RefusedError: wrong, unknown, full, read-only or absent medium, an empty mount point, the disk the data
                lives on, a medium that may not be written over.
        """
        ...

    def finish(self, set_id: str, about: Mapping[str, Json], progress: Progress) -> None:
        """Write what is staged, the table of contents and how to restore without us; on return it is on the medium.

        Raises:
            UnreachableError: the medium was pulled out; what is half on it counts for nothing.
        """
        ...

    def give_up(self) -> None:
        """End a copy that was begun and failed: let go of the medium, nothing of it left on this server."""
        ...

    def read_back(self, set_id: str, progress: Progress) -> AbstractContextManager[str]:
        """Give a folder with the set as the medium itself holds it, no cache in between: to be verified there.

        Raises:
            UnreachableError, DamagedBackupError: it cannot be read back, or is not what was written.
        """
        ...

    def remove(self, sets: Sequence[str]) -> None:
        """Remove sets from the medium's table of contents and, on a disk, from its room."""
        ...

    def eject(self) -> None:
        """Leave it ready to be taken out: nothing is waiting to be written.

        Raises:
            RefusedError: something still uses it.
        """
        ...
