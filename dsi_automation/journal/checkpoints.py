"""Signed checkpoints: how long the journal was and how it ended, so that cutting its tail off shows.

They are lines of `checkpoints.jsonl` in the state folder. A copy kept elsewhere is what reveals somebody who can
write to this machine's database and to this file.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.clock import iso
from dsi_automation.journal.database_errors import translated

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.journal.controller_key import ControllerKey

NAME: Final = "checkpoints.jsonl"
NAMESPACE: Final = "dsi-checkpoint"
PRINCIPAL: Final = "controller"
FORMAT: Final = "dsi.checkpoint/1"
_TAIL: Final = 65536


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A claim about the journal: its entry `seq` has this hash.

    Attributes:
        journal: the journal's identifier; None for a claim noted by hand (`12:ab34...`).
        document: the signed bytes; empty for a claim noted by hand.
        signature: the armoured signature; empty for a claim noted by hand.
    """

    journal: str | None
    seq: int
    hash: str
    at: str = ""
    document: str = ""
    signature: str = ""

    def to_line(self) -> str:
        """Return the line of the checkpoints' file, without its end."""
        return canonical_bytes({"document": self.document, "signature": self.signature}).decode()

    @classmethod
    def from_line(cls, line: str) -> Checkpoint:
        """Return the checkpoint a line holds; its signature is not looked at here.

        Raises:
            ValueError: it holds none.
        """
        try:
            outer: Any = json.loads(line)
            inner: Any = json.loads(outer["document"])
            made = cls(
                str(inner["journal"]),
                inner["seq"],
                str(inner["hash"]),
                inner["at"],
                outer["document"],
                outer["signature"],
            )
            known = inner["format"] == FORMAT and isinstance(inner["seq"], int) and made.to_line() == line
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(line) from error
        if not known:
            raise ValueError(line)
        return made


class CheckpointFile:
    """The checkpoints this controller wrote."""

    def __init__(self, path: Path, key: ControllerKey) -> None:
        """Keep checkpoints in `path`, signed with `key`."""
        self.path = path
        self._key = key

    def write(self, journal: str, seq: int, last_hash: str, at: datetime) -> Checkpoint:
        """Sign and append a checkpoint; it is on the disk when this returns.

        Raises:
            StorageError: the file cannot be written.
        """
        document = canonical_bytes({"format": FORMAT, "journal": journal, "seq": seq, "hash": last_hash, "at": iso(at)})
        made = Checkpoint(journal, seq, last_hash, iso(at), document.decode(), self._key.sign(document, NAMESPACE))
        with translated(str(self.path)):
            _append(self.path, made.to_line())
        return made

    def latest(self) -> Checkpoint | None:
        """Return the checkpoint of the longest journal, among the last ones written.

        Raises:
            StorageError: the file cannot be read.
        """
        with translated(str(self.path)):
            if not self.path.exists():
                return None
            with self.path.open("rb") as source:
                size = source.seek(0, os.SEEK_END)
                source.seek(max(0, size - _TAIL))
                lines = source.read().decode("utf-8", "surrogateescape").split("\n")
        found = list(readable(lines))
        return max(found, key=lambda checkpoint: checkpoint.seq, default=None)


def readable(lines: Iterable[str]) -> Iterator[Checkpoint]:
    """Yield the checkpoints among lines, passing over what is none."""
    for line in lines:
        try:
            yield Checkpoint.from_line(line)
        except ValueError:
            continue


def _append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _drop_torn_end(descriptor)
        data = f"{line}\n".encode()
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, before)
            raise OSError(28, "No space left on device")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop_torn_end(descriptor: int) -> None:
    """Remove a last line that a power cut left without its end: it was never acknowledged to anybody."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _TAIL)
    tail = os.pread(descriptor, _TAIL, start)
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, start + tail.rfind(b"\n") + 1)
