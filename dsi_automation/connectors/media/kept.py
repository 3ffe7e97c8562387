"""What must still be kept is never removed, whatever the plan says: the medium itself says until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dsi_automation.connectors.media.errors import MediumRefusedError
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.text import T


def still_kept(title: str, table: Iterable[Mapping[str, Any]], sets: Sequence[str], now: datetime) -> None:
    """Make sure that every set to be removed may go.

    Args:
        table: what the medium says of its sets; `kept_until` is a moment, in ISO 8601.

    Raises:
        MediumRefusedError: one of them is to be kept longer.
    """
    for item in table:
        until = item.get("kept_until")
        if item.get("id") in sets and until is not None and parse_iso(str(until)) > now:
            raise MediumRefusedError(
                T("{title} holds {set}, to be kept until {until}.", title=title, set=str(item["id"]), until=str(until)),
                next_step=T("Put in another medium of the rotation, or wait until then."),
            )
