"""The journal: how long it is, and whether it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.metrics.spec import Part, Sheet, counter, gauge, info

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

ENTRIES = counter("dsi_journal_entries_total", "Entries of the journal.")
LAST = gauge("dsi_journal_last_entry_timestamp_seconds", "When the last entry was written; 0 for none.")
HEAD = info("dsi_journal_head_info", "First half of the last entry's hash: kept elsewhere, it shows a cut.", "hash")
VERIFIED = gauge("dsi_journal_verified", "1 when the last whole verification of the journal found nothing.")
VERIFIED_AT = gauge(
    "dsi_journal_last_verification_timestamp_seconds", "When the whole journal was last verified; 0 for never."
)
PROBLEMS = gauge("dsi_journal_problems", "What the last whole verification found.")
VERIFIED_ENTRIES = gauge("dsi_journal_verified_entries", "Entries that the last whole verification looked at.")


def fill(view: View, sheet: Sheet) -> None:
    """Write the length of the journal and what its last verification said."""
    verified = view.verified
    sheet.put(VERIFIED, float(verified is not None and verified.ok))
    sheet.put(VERIFIED_AT, None if verified is None else verified.at)
    if verified is not None:
        sheet.put(PROBLEMS, verified.problems)
        sheet.put(VERIFIED_ENTRIES, verified.seq)
    record = view.record
    sheet.put(ENTRIES, record.seq)
    sheet.put(LAST, record.at)
    sheet.put(HEAD, 1, record.head[:32])


PART = Part("journal", (ENTRIES, LAST, HEAD, VERIFIED, VERIFIED_AT, PROBLEMS, VERIFIED_ENTRIES), fill)
