"""A drive behind Linux's SCSI tape driver: `/dev/nst0`, by the requests of <linux/mtio.h>, variable block size.

Written by the manual page st(4); no drive was at hand: see docs/decisions for what was tried on a tape image only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Final

from dsi_automation.connectors.media.drive import DriveStatus

MTIOCTOP: Final = 0x40086D01
MTIOCGET: Final = 0x80306D02
MTFSF, MTWEOF, MTREW, MTOFFL, MTSETBLK = 1, 5, 6, 7, 20
ONLINE: Final = 0x01000000
WRITE_PROTECTED: Final = 0x04000000
_GET: Final = struct.Struct("@lllllii")
LARGEST: Final = 1 << 20
"""Bytes of the longest record that is read."""


class ScsiTapeDrive:
    """A drive of this machine."""

    def __init__(self, device: str) -> None:
        """Use a no-rewind device; it is opened when it is first needed."""
        self._device = device
        self._handle: int | None = None

    def status(self) -> DriveStatus:
        """Return what the drive says."""
        handle = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK)
        try:
            held = bytearray(_GET.size)
            fcntl.ioctl(handle, MTIOCGET, held)
        finally:
            os.close(handle)
        flags = _GET.unpack(held)[3]
        return DriveStatus(bool(flags & ONLINE), bool(flags & WRITE_PROTECTED))

    def rewind(self) -> None:
        """Go to the beginning."""
        self._do(MTREW, 1)

    def forward_files(self, count: int) -> None:
        """Go past so many filemarks."""
        if count:
            self._do(MTFSF, count)

    def read(self) -> bytes | None:
        """Return the next record."""
        try:
            return os.read(self._opened(), LARGEST)
        except OSError as error:
            # st(4): a read at the end of the recorded data fails with EIO, on a new tape with ENOSPC or EIO.
            if error.errno in {errno.EIO, errno.ENOSPC}:
                return None
            raise

    def write(self, record: bytes) -> None:
        """Write one record."""
        written = os.write(self._opened(), record)
        if written != len(record):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._device)

    def filemark(self) -> None:
        """Write a filemark; the driver flushes its buffer before it."""
        self._do(MTWEOF, 1)

    def offline(self) -> None:
        """Rewind and give the tape out."""
        self._do(MTOFFL, 1)
        self.close()

    def close(self) -> None:
        """Let go of the drive."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _opened(self) -> int:
        if self._handle is None:
            try:
                self._handle = os.open(self._device, os.O_RDWR)
            except OSError as error:
                if error.errno not in {errno.EACCES, errno.EROFS}:
                    raise
                self._handle = os.open(self._device, os.O_RDONLY)
            # Records of any length; the drive's own compression gains nothing on encrypted data.
            self._do(MTSETBLK, 0)
        return self._handle

    def _do(self, operation: int, count: int) -> None:
        fcntl.ioctl(self._opened(), MTIOCTOP, struct.pack("@hi", operation, count))
