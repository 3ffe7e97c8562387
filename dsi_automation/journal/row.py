"""A row of the record as it stands, before anything about it is believed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dsi_automation.journal.model import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """One row; each value may be of any type, since somebody may have put it there."""

    seq: Any
    at: Any
    kind: Any
    subject: Any
    actor: Any
    prev: Any
    hash: Any
    line: Any


def of_entries(entries: Iterable[Entry]) -> Iterator[Row]:
    """Yield entries that were read already as rows."""
    for entry in entries:
        yield of_line(entry.line, entry.hash, entry.seq)


def of_line(line: str, written_hash: str, seq: int) -> Row:
    """Return the row of an exported line: it has no columns besides, so they are what the line says."""
    try:
        data = json.loads(line)
        return Row(seq, data["at"], data["kind"], data["subject"], data["actor"], data["prev"], written_hash, line)
    except (ValueError, KeyError, TypeError):
        return Row(seq, None, None, None, None, None, written_hash, line)
