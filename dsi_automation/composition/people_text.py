"""The text of a file of people, whatever program saved it: UTF-8, UTF-16 or the code page of a French Windows."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

LARGEST: Final = 4_194_304
"""Bytes: the most people at once (`MOST_ROWS`) with fields of any likely length, in UTF-16."""
SPREADSHEETS: Final = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEYOND_ASCII: Final = re.compile(r"[\x80-\U0010ffff]")


def read_text(path: Path) -> str:
    """Return a file's text, decoded.

    Raises:
        UsageError: it cannot be read, is a workbook, is too large, or holds bytes of no known encoding.
    """
    if path.suffix.lower() in SPREADSHEETS:
        raise UsageError(
            T("{path} is a workbook, not a CSV file.", path=path),
            next_step=T("Save the sheet as “CSV UTF-8” and name that file."),
        )
    return decoded(_read(path), path)


def decoded(content: bytes, path: object) -> str:
    """Return the text of a file's bytes.

    The byte order mark decides where there is one. Without: UTF-8, unless that cannot be, then UTF-16 where half of
    it is NUL, else Windows code page 1252, in which a French Excel saves “CSV”.

    Raises:
        UsageError: bytes that the encoding does not have; says on which line.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], encoding, path)
    if wide := _wide(content):
        return _strictly(content, wide, path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _mostly_utf8(content):
            raise _undecodable(path, "UTF-8", content[: error.start].count(b"\n") + 1) from error
        return _strictly(content, "cp1252", path)


def _strictly(content: bytes, encoding: str, path: object) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "replace").count("\n") + 1
        raise _undecodable(path, encoding.upper(), line) from error


def _wide(content: bytes) -> str | None:
    """Return which UTF-16 it is, when nearly every other byte is NUL, as in Latin text; None for none."""
    sample = content[:400]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if max(odd, even) * 3 < len(sample):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _mostly_utf8(content: bytes) -> bool:
    """Tell whether what is not ASCII is UTF-8 for the greater part: then a byte that is not, is damage."""
    text = content.decode("utf-8", "replace")
    beyond = _BEYOND_ASCII.findall(text)
    return beyond.count("\ufffd") * 2 < len(beyond)


def _undecodable(path: object, encoding: str, line: int) -> UsageError:
    return UsageError(
        T(
            "{path}, line {line}: a character is not in the encoding {encoding}.",
            path=path,
            line=line,
            encoding=encoding,
        ),
        next_step=T("Correct that line, or save the file again as “CSV UTF-8”."),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            T("The input file {path} cannot be read: {reason}.", path=path, reason=reason_of(error))
        ) from error
    if len(content) > LARGEST:
        raise UsageError(
            T("The file {path} is larger than {size} MiB.", path=path, size=LARGEST >> 20),
            next_step=T("Split it: each part is a request of its own."),
        )
    return content
