"""The record of requests: one JSON line each, as they were sent, without what is secret.

A line: `at`, `method`, `path` and `query` as in the request line, `headers` without authorization and cookies, `body`
as JSON, `status` (null: the connection was cut), and `batch`: the id of the item, for one inside a batch.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from dsi_automation.core.clock import Clock, iso

HIDDEN: Final = "•••"
REMEMBERED: Final = 20_000
"""Lines kept in memory for the control socket; the file has them all."""
_SECRETS: Final = frozenset({"password", "newpassword", "currentpassword", "client_secret", "client_assertion"})
_LEFT_OUT: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def without_secrets(value: Any) -> Any:
    """Return a body with the values of passwords, client secrets and assertions replaced."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if str(name).lower() in _SECRETS and held is not None else without_secrets(held)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


class Record:
    """Writes the lines, and remembers the last of them."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: TextIO | None = None
        self.lines: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self.count = 0

    def open(self) -> None:
        """Open the file, to go on at its end; for its owner only, since it holds names and addresses."""
        if self._path is not None:
            self._path.touch(mode=0o600)
            self._file = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: Any,
        status: int | None,
        batch: str | None = None,
    ) -> None:
        """Write one request."""
        line: dict[str, Any] = {
            "at": iso(self._clock.now()),
            "method": method,
            "path": path,
            "query": query,
            "headers": {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT},
            "body": without_secrets(body),
            "status": status,
        }
        if batch is not None:
            line["batch"] = batch
        self.count += 1
        self.lines.append(line)
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
