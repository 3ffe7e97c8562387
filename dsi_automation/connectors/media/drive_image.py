"""A tape image in a file, in the SIMH format (.tap): a drive with records and filemarks where there is none.

A record is its length (four bytes, little-endian), its bytes, padded to an even number, and its length again; a
filemark is four zero bytes. See "SIMH Magtape Representation and Handling", Supnik, 2006. A file that may not be
written is a tape with its tab set; `capacity` is where the tape ends.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media.drive import DriveStatus

_LENGTH: Final = struct.Struct("<I")
_MARK: Final = _LENGTH.pack(0)
_WRITABLE: Final = 0o222


class TapeImageDrive:
    """A drive with the image in it when the file is there."""

    def __init__(self, path: Path, capacity: int | None = None) -> None:
        """Use an image.

        Args:
            capacity: bytes after which the tape is at its end.
        """
        self._path = path
        self._capacity = capacity
        self._at = 0

    def status(self) -> DriveStatus:
        """Return whether the image is there and may be written."""
        if not self._path.is_file():
            return DriveStatus(online=False)
        # By its mode, not by access(2): root may write anything.
        return DriveStatus(online=True, write_protected=not self._path.stat().st_mode & _WRITABLE)

    def rewind(self) -> None:
        """Go to the beginning."""
        self._there()
        self._at = 0

    def forward_files(self, count: int) -> None:
        """Go past so many filemarks."""
        passed = 0
        while passed < count:
            record = self._next(data=False)
            if record is None:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(self._path))
            passed += record == b""

    def read(self) -> bytes | None:
        """Return the next record."""
        return self._next(data=True)

    def write(self, record: bytes) -> None:
        """Write one record; what lay after is lost."""
        length = _LENGTH.pack(len(record))
        self._put(length + record + b"\0" * (len(record) % 2) + length)

    def filemark(self) -> None:
        """Write a filemark."""
        self._put(_MARK)

    def offline(self) -> None:
        """Rewind; the file stays where it is."""
        self.rewind()

    def close(self) -> None:
        """Hold nothing."""

    def _put(self, data: bytes) -> None:
        if self.status().write_protected:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self._path))
        if self._capacity is not None and self._at + len(data) > self._capacity:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._there()
        with self._path.open("r+b") as image:
            image.truncate(self._at)
            image.seek(self._at)
            image.write(data)
            if data == _MARK:
                image.flush()
                os.fsync(image.fileno())
        self._at += len(data)

    def _next(self, *, data: bool) -> bytes | None:
        self._there()
        with self._path.open("rb") as image:
            image.seek(self._at)
            head = image.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return None
            (length,) = _LENGTH.unpack(head)
            if length == 0:
                self._at += _LENGTH.size
                return b""
            record = image.read(length) if data else b"-"
            image.seek(self._at + _LENGTH.size + length + length % 2)
            if image.read(_LENGTH.size) != head:
                # A record cut short by a kill, or a length that was damaged: the data end here.
                return None
            self._at = image.tell()
            return record

    def _there(self) -> None:
        if not self._path.is_file():
            raise OSError(errno.ENOMEDIUM, os.strerror(errno.ENOMEDIUM), str(self._path))
