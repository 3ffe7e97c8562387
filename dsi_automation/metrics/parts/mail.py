"""Mails that wait to be sent: a relay that is down delays them, and this shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.metrics.spec import Part, Sheet, gauge

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

WAITING = gauge("dsi_mails_waiting", "Mails that are not sent yet.")
SET_ASIDE = gauge("dsi_mails_set_aside", "Mails that were offered for too long or refused, and wait for somebody.")
OLDEST = gauge("dsi_mail_oldest_waiting_timestamp_seconds", "When the oldest mail that waits was written.")


def fill(view: View, sheet: Sheet) -> None:
    """Write how many wait."""
    if view.waiting_mails is None:
        return
    waiting, aside, oldest = view.waiting_mails()
    sheet.put(WAITING, waiting)
    sheet.put(SET_ASIDE, aside)
    if oldest is not None:
        sheet.put(OLDEST, oldest)


PART = Part("mail", (WAITING, SET_ASIDE, OLDEST), fill)
