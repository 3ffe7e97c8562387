"""What the operating system's refusals mean, in the reader's language; its own words are in the machine's."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from dsi_automation.core.text import T, Text

_REASONS: Final[Mapping[int, Text]] = {
    errno.ENOENT: T("it, or its folder, does not exist"),
    errno.ENOTDIR: T("a part of its path is not a folder"),
    errno.EISDIR: T("it is a folder"),
    errno.EACCES: T("permission denied"),
    errno.EPERM: T("permission denied"),
    errno.EROFS: T("the file system is read-only"),
    errno.ENOSPC: T("the disk is full"),
    errno.EDQUOT: T("the disk quota is used up"),
    errno.EFBIG: T("it would be too large"),
    errno.ENAMETOOLONG: T("its name is too long"),
    errno.EMFILE: T("too many files are open"),
    errno.ENFILE: T("too many files are open"),
    errno.EIO: T("the disk has an error"),
    errno.ELOOP: T("its symbolic links go in circles"),
    errno.ETXTBSY: T("it is in use"),
    errno.EBUSY: T("it is in use"),
}


def reason_of(error: OSError) -> Text:
    """Return why the operating system refused, as the end of a sentence."""
    known = _REASONS.get(error.errno or 0)
    return known if known is not None else T("system error {code}", code=errno.errorcode.get(error.errno or 0, "?"))
