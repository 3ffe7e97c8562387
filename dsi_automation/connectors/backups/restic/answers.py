"""restic's JSON, read into values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dsi_automation.connectors.backups.restic.model import Lock, Node, Stored

# Go writes nanoseconds, and as many digits as there are.
_FRACTION: Final = re.compile(r"\.(\d{1,6})\d*")


def moment(text: str) -> datetime:
    """Return a moment as Go writes it."""
    return datetime.fromisoformat(_FRACTION.sub(lambda found: "." + found[1].ljust(6, "0"), text)).astimezone(UTC)


def stored(data: Mapping[str, Any]) -> Stored:
    """Return a snapshot of `restic snapshots --json`."""
    return Stored(
        id=data["id"],
        at=moment(data["time"]),
        host=data.get("hostname", ""),
        tags=tuple(data.get("tags") or ()),
        paths=tuple(data.get("paths") or ()),
        tree=data.get("tree", ""),
        original=data.get("original"),
    )


def node(line: str) -> Node | None:
    """Return an entry of `restic ls --json`; None for the line about the snapshot."""
    data = json.loads(line)
    if data.get("struct_type", data.get("message_type")) != "node":
        return None
    modified = data.get("mtime")
    return Node(data["path"], data["type"], int(data.get("size", 0)), None if modified is None else moment(modified))


def lock(identifier: str, data: Mapping[str, Any]) -> Lock:
    """Return a lock of `restic cat lock`."""
    return Lock(
        identifier,
        moment(data["time"]),
        data.get("hostname", ""),
        int(data.get("pid", 0)),
        bool(data.get("exclusive", False)),
    )
