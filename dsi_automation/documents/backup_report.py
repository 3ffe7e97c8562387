"""The report of a backup, its verification and its copies, as a PDF (procedures D and R)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.documents.faces import Faces, drawn
from dsi_automation.documents.fonts import UnprintableError, printable
from dsi_automation.documents.house import Heading, Sheet, Words

_TITLE_AND_ROWS: Final = 30.0
"""A title and its first rows, millimetres."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One run of the chain.

    Attributes:
        rows: names and values.
        points: sentences, each tried, found or compared thing one.
        alarms: sentences that must not be overlooked.
    """

    title: Words
    rows: Sequence[tuple[Words, Words]]
    points: Sequence[Words] = ()
    alarms: Sequence[Words] = ()


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What the report says.

    Attributes:
        verdict: one line, at the top; `ok` says whether it is good news.
        summary: names and values, below it.
        evidence: what binds the report to the journal.
    """

    organisation: str
    title: Words
    verdict: Words
    date: date
    reference: str
    summary: Sequence[tuple[Words, Words]]
    chapters: Sequence[Chapter]
    evidence: Sequence[tuple[Words, Words]]
    ok: bool = True


def backup_report(report: BackupReport) -> bytes:
    """Return the report as a PDF, in the reader's language; a character that no font has is shown as `?`."""
    return drawn(lambda faces: _drawn(report, faces), code=False)


def _drawn(report: BackupReport, faces: Faces | None) -> bytes:
    heading = Heading(
        safe(report.organisation),
        T("Information systems department"),
        safe(report.title),
        report.date,
        report.reference,
    )
    sheet = Sheet(heading, faces=faces)
    sheet.notice(safe(report.verdict), (), alarm=not report.ok)
    sheet.settings(_safe(report.summary))
    for chapter in report.chapters:
        _room(sheet)
        sheet.section(safe(chapter.title))
        sheet.settings(_safe(chapter.rows))
        if chapter.alarms:
            sheet.ln(1.5)
            sheet.notice(T("To be seen to"), [safe(alarm) for alarm in chapter.alarms], alarm=True)
        sheet.ln(1.5)
        for point in chapter.points:
            sheet.paragraph(f"• {safe(point)}")
    _room(sheet)
    sheet.section(T("Evidence"))
    sheet.settings(_safe(report.evidence))
    return sheet.to_bytes()


def _room(sheet: Sheet) -> None:
    """Begin a new page where a title would stand alone at the foot of one."""
    if sheet.get_y() + _TITLE_AND_ROWS > sheet.page_break_trigger:
        sheet.add_page()


def safe(words: Words) -> str:
    """Return words with `?` for each character that cannot be printed: a report must not fail for a file's name."""
    text = str(words)
    try:
        return printable(text)
    except UnprintableError:
        return "".join(_one(character) for character in text)


def _one(character: str) -> str:
    try:
        return printable(character)
    except UnprintableError:
        return "?"


def _safe(rows: Sequence[tuple[Words, Words]]) -> list[tuple[Words, Words]]:
    return [(safe(name), safe(value)) for name, value in rows]
