"""Reads an RMAN log: by message codes and by the shape of its tables, never by a friendly last line.

`Recovery Manager complete.` stands under failures too; its absence means that the log was cut off. Lines are read one
at a time: a log of gigabytes costs no more memory than a short one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from dsi_automation.connectors.backups.oracle.codes import DECORATION, FAILOVER, WARNINGS, Trouble, trouble

KEPT: Final = 200
"""Stacks, warnings and pieces of each kind that are kept word for word; all of them are counted."""

_LONGEST_LINE: Final = 65_536

_ECHO: Final = re.compile(r"\s*(?:RMAN>|\d+>)")
_CODE: Final = re.compile(r"(?:(?<=^)|(?<=[\s:(]))((?:RMAN|ORA|TNS|LRM|PLS|KBHS|SP2)-\d{4,5})(?=:|\s*$)")
_SYSTEM_ERROR: Final = re.compile(r"\s*[A-Za-z][\w./ -]* [Ee]rr(?:or|eur): (\d+)\b")
_COMPLETE: Final = re.compile(r"Recovery Manager complete\.\s*$")
_OTHER_WORDS: Final = re.compile(r"Recovery Manager(?!\s*:)(?! complete\.).*\D$|(?!connected to ).*\(DBID=\d+")
"""The end of a log, or the line that names the database, in a language that is not English."""
_CONNECTED: Final = re.compile(r".*?\(?\b(?:DBID)=(\d+)")
_TARGET: Final = re.compile(r"connected to target database: ([^\s(]+)")
_PIECE: Final = re.compile(r"(?:channel \S+: )?piece handle=(.+?)(?: tag=(\S+))?(?: comment=.*)?$")
_SHORT_OF: Final = re.compile(r"specification does not match any (?:backup|archived log)|^no backup of .* found")
_SKIPPED: Final = re.compile(
    r"(?:channel \S+: )?(?:skipping (?:datafile|inaccessible|offline|readonly)|"
    r"(?:data)?file \d+ is excluded|backup cancelled because)"
)
_CROSSCHECKED: Final = re.compile(r"crosschecked backup piece: found to be '(\w+)'")
_BACKUP_PIECE: Final = re.compile(r"backup piece handle=(.+?) RECID=")
_FILE_ROW: Final = re.compile(r"\s*\d+\s+([A-Z]+)\s+(\d+)\s+\d+\s+\d+\s+\d+\s*$")
_LOG_ROW: Final = re.compile(r"\s*\d+\s+\d+\s+([A-Z]+)\s+(\d+)\s+\d+\s+\S.*$")
_OTHER_ROW: Final = re.compile(r"\s*(?:SPFILE|Control File)\s+([A-Z]+)\s+(\d+)\s+\d+\s*$")
_BLOCK_ROW: Final = re.compile(r"\s*(?:Data|Index|Other)\s+(\d+)\s+\d+\s*$")
_ROWS: Final = (_FILE_ROW, _LOG_ROW, _OTHER_ROW)
"""Rows of a validation: the status, then how many blocks are marked corrupt or failed."""
_CORRUPT: Final = re.compile(r"\S+ found one or more corrupt blocks")
_SET_DONE: Final = re.compile(r"channel \S+: backup set complete")
_VALIDATED: Final = re.compile(r"channel \S+: validation complete")


@dataclass(frozen=True, slots=True)
class Stack:
    """Messages that belong together, from the top; the cause stands last.

    Attributes:
        system_errors: numbers the operating system gave.
    """

    codes: tuple[str, ...]
    lines: tuple[str, ...]
    system_errors: tuple[int, ...] = ()

    @property
    def trouble(self) -> Trouble:
        """Return what it is about."""
        return trouble(self.codes, self.system_errors)

    @property
    def cause(self) -> str:
        """Return the line that says why: the lowest one with a code."""
        return next((line for line in reversed(self.lines) if _CODE.search(line)), self.lines[-1])


@dataclass(frozen=True, slots=True)
class Piece:
    """A backup piece as the log names it; an autobackup's tag is not told."""

    handle: str
    tag: str | None


@dataclass(slots=True)
class RmanLog:
    """What a log says.

    Attributes:
        complete: whether RMAN came to its end, well or not.
        foreign: it is not in English, so that only its codes say anything.
        stacks: what failed, in order; `failures` how many in all.
        warnings: codes and words of what is told but fails nothing.
        corrupt: rows of a validation that are not in order, word for word.
        failover: RMAN went to an older backup than the one asked for.
        nothing_found: there was no backup of what was asked for.
        skipped: what RMAN left out, word for word.
        statuses: how often crosscheck found what.
        expired: pieces that crosscheck did not find `AVAILABLE`.
        validated: how often a validation of a backup set came to its end.
    """

    complete: bool = False
    foreign: bool = False
    dbid: int | None = None
    database: str | None = None
    stacks: list[Stack] = field(default_factory=list)
    failures: int = 0
    warnings: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    failover: bool = False
    nothing_found: bool = False
    skipped: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    expired: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    sets: int = 0
    validated: int = 0
    lines: int = 0

    @property
    def clean(self) -> bool:
        """Tell whether nothing in it speaks against what it is the log of."""
        doubts = (
            self.foreign,
            self.failures,
            self.corrupt,
            self.failover,
            self.nothing_found,
            self.skipped,
            self.expired,
        )
        return self.complete and not any(doubts)


class LogReader:
    """Is fed a log line by line."""

    def __init__(self, warnings: Collection[str] = ()) -> None:
        """Take codes that are told but fail nothing, besides the documented ones."""
        self._tolerated = WARNINGS | frozenset(warnings)
        self._log = RmanLog()
        # The cause stands last: of a stack without end, its end is kept.
        self._codes: deque[str] = deque(maxlen=KEPT)
        self._open: deque[str] = deque(maxlen=KEPT)
        self._numbers: deque[int] = deque(maxlen=KEPT)
        self._status = ""

    def feed(self, line: str) -> None:
        """Read one more line."""
        self._log.lines += 1
        line = line.rstrip("\r\n\x00")
        if _ECHO.match(line):
            self._end_of_stack()
            return
        codes = _CODE.findall(line)
        if codes:
            self._coded(line, codes)
            return
        number = _SYSTEM_ERROR.match(line)
        if self._open and (number or line.startswith((" ", "\t", "Additional information"))):
            self._numbers.extend([int(number[1])] if number else [])
            self._open.append(line)
            return
        self._end_of_stack()
        self._plain(line)

    def done(self) -> RmanLog:
        """Return what the whole log says."""
        self._end_of_stack()
        return self._log

    def _coded(self, line: str, codes: list[str]) -> None:
        if FAILOVER in codes:
            self._log.failover = True
            return
        if all(code in DECORATION for code in codes):
            if "RMAN-00569" in codes:
                self._end_of_stack()
                self._open.append(line)  # a frame alone is a failure too: the log may end here
            return
        if not self._open and all(code in self._tolerated for code in codes):
            _keep(self._log.warnings, line.strip())
            return
        self._codes.extend(codes)
        self._open.append(line)

    def _end_of_stack(self) -> None:
        if not self._open:
            return
        self._log.failures += 1
        _keep(self._log.stacks, Stack(tuple(self._codes), tuple(self._open), tuple(self._numbers)))
        self._codes.clear()
        self._open.clear()
        self._numbers.clear()

    def _plain(self, line: str) -> None:
        log = self._log
        if _COMPLETE.search(line):
            log.complete = True
        elif _OTHER_WORDS.match(line):
            log.foreign = True
            self._identity(line)
        elif line.startswith("failover to previous backup"):
            log.failover = True
        elif _SHORT_OF.search(line):
            log.nothing_found = True
        elif _SKIPPED.match(line):
            _keep(log.skipped, line)
        elif _SET_DONE.match(line):
            log.sets += 1
        elif _VALIDATED.match(line):
            log.validated += 1
        elif piece := _PIECE.match(line):
            _keep(log.pieces, Piece(piece[1], piece[2]))
        elif not self._identity(line) and not self._crosscheck(line):
            self._validation(line)

    def _identity(self, line: str) -> bool:
        found = _CONNECTED.match(line)
        if found is None or self._log.dbid is not None:
            return False
        self._log.dbid = int(found[1])
        name = _TARGET.match(line)
        self._log.database = name[1] if name else None
        return True

    def _crosscheck(self, line: str) -> bool:
        if found := _CROSSCHECKED.match(line):
            self._status = found[1]
            self._log.statuses[found[1]] = self._log.statuses.get(found[1], 0) + 1
            if found[1] != "AVAILABLE":
                _keep(self._log.expired, "?")
            return True
        if piece := _BACKUP_PIECE.match(line):
            if self._status not in {"AVAILABLE", ""} and self._log.expired and self._log.expired[-1] == "?":
                self._log.expired[-1] = piece[1]
            return True
        return False

    def _validation(self, line: str) -> None:
        row = next((found for form in _ROWS if (found := form.match(line))), None)
        if row is not None:
            bad = row[1] != "OK" or int(row[2]) > 0
        elif blocks := _BLOCK_ROW.match(line):
            bad = int(blocks[1]) > 0
        else:
            bad = _CORRUPT.match(line) is not None
        if bad:
            _keep(self._log.corrupt, line.strip())


def read(lines: Iterable[str], warnings: Collection[str] = ()) -> RmanLog:
    """Read a whole log."""
    reader = LogReader(warnings)
    for line in lines:
        reader.feed(line)
    return reader.done()


def lines_of(stream: BinaryIO) -> Iterator[str]:
    """Return the lines of a log in whatever encoding it is: codes and shapes are ASCII."""
    while line := stream.readline(_LONGEST_LINE):
        yield line.decode(errors="backslashreplace")


def _keep[Item](kept: list[Item], item: Item) -> None:
    if len(kept) < KEPT:
        kept.append(item)
