"""What of a playbook's run lands in the journal: who ran what, each host's result, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.journal.model import Draft, Journal, Kind

PREFIX: Final = "PLB"
"""Of the identifiers of playbook runs, beside REQ and RUN."""
RESULTS: Final = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
}
"""ansible-runner's events that tell a host's result, and the word for it."""


class PlaybookRecorder:
    """Appends the events of one playbook's run to the journal as they come."""

    def __init__(self, journal: Journal, run_id: str, actor: str) -> None:
        """Record under `run_id`, on behalf of a person's identifier or `controller`."""
        self._journal = journal
        self._run_id = run_id
        self._actor = actor

    def started(self, playbook: str, *, check: bool, limit: str | None, request: str | None) -> None:
        """Record the start."""
        self._append({"event": "started", "playbook": playbook, "check": check, "limit": limit, "request": request})

    def take(self, event: Mapping[str, Any]) -> None:
        """Record an event of ansible-runner, if it is a host's result or the final count."""
        data = event.get("event_data", {})
        name = str(event.get("event"))
        if name in RESULTS:
            result = data.get("res") or {}
            run = result.get("run") or {}
            self._append(
                {
                    "event": RESULTS[name],
                    "host": data.get("host"),
                    "task": data.get("task"),
                    "changed": bool(result.get("changed")),
                    "message": str(result.get("msg", "")),
                    "run": run.get("id"),
                }
            )
        elif name == "playbook_on_stats":
            counts = ("ok", "changed", "failures", "dark", "skipped", "rescued", "ignored")
            self._append({"event": "stats", **{count: data.get(count, {}) for count in counts}})

    def ended(self, status: str, rc: int, exit_code: int) -> None:
        """Record the end: ansible-runner's status, ansible-playbook's exit code and that of `dsi`."""
        self._append({"event": "ended", "status": status, "rc": rc, "exit_code": int(exit_code)})

    def _append(self, body: Mapping[str, Any]) -> None:
        with self._journal.transaction() as transaction:
            transaction.append(Draft(Kind.PLAYBOOK, self._run_id, self._actor, body))
