"""What is on a tape of ours, file by file; a file ends at a filemark.

0   the label: one record of JSON: the sealed token, with `uses`, `labelled_at` and `expires_at`
1   the instructions: how to bring a set back with `mt`, `dd`, `tar` and restic alone
then, for each set, three files:
    header: one record of JSON: `id`, what it is, `kept_until`
    archive: a tar archive (GNU) of the engine's repository, in records of 512 KiB, the last one filled with zeros
    trailer: one record of JSON: `id`, `blocks`, `sha256` of the whole archive; then records of lines, one SHA-256 per
             block of the archive, so that a bad place on the tape has a number

A set whose trailer is not whole was cut short: it counts for nothing, and the next set is written over it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.media import trees
from dsi_automation.connectors.media.drive import Drive
from dsi_automation.connectors.media.instructions import paragraphs
from dsi_automation.connectors.media.port import MediumSettings, Progress
from dsi_automation.core.canonical import Json, canonical_bytes
from dsi_automation.core.text import T

BLOCK: Final = 512 * 1024
"""Bytes of one record of the archive: `tar -b 1024`."""
BEFORE: Final = 2
"""Files before the first set."""
EACH: Final = 3
"""Files of each set."""
_COMMANDS: Final = (
    "    mt -f /dev/nst0 rewind && mt -f /dev/nst0 setblk 0\n"
    "    mt -f /dev/nst0 fsf 2 && dd if=/dev/nst0 bs=1M count=1\n"
    "    mt -f /dev/nst0 rewind && mt -f /dev/nst0 fsf 3\n"
    "    tar -b 1024 -xf /dev/nst0\n"
    "    restic -r SET-…/restic snapshots"
)
_LINES: Final = 4096
"""Lines of one record of the trailer: well under what any drive takes at once."""


@dataclass(slots=True)
class Archive(io.RawIOBase):
    """Takes the bytes of an archive, and writes them in records with a hash each."""

    drive: Drive
    progress: Progress
    total: int
    digests: list[str] = field(default_factory=list)
    _waiting: bytearray = field(default_factory=bytearray)
    _whole: Any = field(default_factory=hashlib.sha256)

    def writable(self) -> bool:
        """Tell that it takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; every full block goes to the tape."""
        self._waiting += data
        while len(self._waiting) >= BLOCK:
            self._record(bytes(self._waiting[:BLOCK]))
            del self._waiting[:BLOCK]
        return len(data)

    def end(self) -> str:
        """Write what waits, filled up with zeros, and return the SHA-256 of the whole."""
        if self._waiting:
            self._record(bytes(self._waiting).ljust(BLOCK, b"\0"))
            self._waiting.clear()
        return str(self._whole.hexdigest())

    def _record(self, block: bytes) -> None:
        self.drive.write(block)
        self._whole.update(block)
        self.digests.append(hashlib.sha256(block).hexdigest())
        self.progress(T("writing the tape"), min(len(self.digests) * BLOCK, self.total), self.total)


class Reading(io.RawIOBase):
    """Gives the bytes of the archive the tape stands at, keeping the hash of each block."""

    def __init__(self, drive: Drive, progress: Progress) -> None:
        """Read from the drive, up to the next filemark."""
        super().__init__()
        self._drive = drive
        self._progress = progress
        self._held = b""
        self._ended = False
        self.digests: list[str] = []

    def readable(self) -> bool:
        """Tell that it gives bytes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, fewer at the end."""
        while not self._ended and (size < 0 or len(self._held) < size):
            record = self._drive.read()
            if not record:
                self._ended = True
                break
            self.digests.append(hashlib.sha256(record).hexdigest())
            self._held += record
            self._progress(T("reading the tape back"), len(self.digests) * BLOCK, None)
        size = len(self._held) if size < 0 else size
        given, self._held = self._held[:size], self._held[size:]
        return given

    def drain(self) -> None:
        """Read on to the filemark."""
        while self.read(BLOCK):
            pass


def write_set(drive: Drive, header: Mapping[str, Json], folder: Path, progress: Progress) -> None:
    """Write one set where the tape stands: header, archive, trailer."""
    drive.write(canonical_bytes(dict(header)))
    drive.filemark()
    total = sum(path.stat().st_size for path in trees.files_below(folder))
    archive = Archive(drive, progress, total)
    with tarfile.open(fileobj=archive, mode="w|", format=tarfile.GNU_FORMAT, bufsize=BLOCK) as tar:
        tar.add(folder, arcname=str(header["id"]))
    whole = archive.end()
    drive.filemark()
    drive.write(canonical_bytes({"id": header["id"], "blocks": len(archive.digests), "sha256": whole}))
    for start in range(0, len(archive.digests), _LINES):
        drive.write("".join(f"{digest}\n" for digest in archive.digests[start : start + _LINES]).encode())
    drive.filemark()


def read_set(drive: Drive, folder: Path, progress: Progress) -> list[int] | None:
    """Bring the archive the tape stands at back into a folder; return the numbers of its bad blocks.

    Returns:
        None when the trailer is not whole; no number when all is as it was written.
    """
    reading = Reading(drive, progress)
    broken = False
    try:
        with tarfile.open(fileobj=reading, mode="r|", bufsize=BLOCK) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError):
        # Which block it was is told by the hashes below.
        broken = True
    reading.drain()
    trailer = record_of(drive.read())
    if trailer is None:
        return None
    lines: list[str] = []
    while record := drive.read():
        lines += record.decode(errors="replace").split()
    if len(lines) != trailer.get("blocks"):
        return None
    wrong = [number for number, digest in enumerate(lines) if reading.digests[number : number + 1] != [digest]]
    return wrong or ([len(lines)] if broken or len(reading.digests) != len(lines) else [])


def sets_of(drive: Drive) -> list[dict[str, Any]]:
    """Return the headers of the sets that are whole on the tape, oldest first; it stands somewhere afterwards."""
    found: list[dict[str, Any]] = []
    try:
        drive.rewind()
        drive.forward_files(BEFORE)
        while (header := record_of(drive.read())) is not None and "id" in header:
            drive.forward_files(EACH - 1)
            trailer = record_of(drive.read())
            if trailer is None or trailer.get("id") != header["id"]:
                break
            drive.forward_files(1)
            found.append(header)
    except OSError:
        # The data end within a set: it was cut short.
        return found
    return found


def record_of(record: bytes | None) -> dict[str, Any] | None:
    """Return the JSON a record holds; None when it holds none."""
    try:
        held = json.loads(record) if record else None
    except ValueError:
        return None
    return held if isinstance(held, dict) else None


def tape_instructions(settings: MediumSettings) -> bytes:
    """Return the text for whoever finds the tape."""
    return paragraphs(
        [
            T("{title}: backups of the information systems department.", title=settings.title),
            T(
                "File 0 of this tape is its label, file 1 is this text. Then each backup is three files: a header "
                "(JSON: what it is), a tar archive in records of 512 KiB that holds a repository of the program restic "
                "(https://restic.net), and a trailer with the SHA-256 of each record. Without the password of the "
                "rotation “{rotation}” nobody can read the backups: it is in the department’s vault.",
                rotation=settings.rotation or "-",
            ),
            T("To bring the first backup back (for the next ones add 3 to the number of fsf each time):"),
            _COMMANDS,
        ]
    ).encode()
