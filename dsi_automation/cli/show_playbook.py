"""A playbook's run on the terminal, as the journal holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.journal.model import Entry

PREFIX = "PLB-"


def playbook_entries(toolkit: Toolkit, identifier: str) -> Sequence[Entry]:
    """Return what the journal holds about one run of a playbook; the beginning of its identifier is enough.

    Raises:
        UsageError: there is none, or several.
    """
    from dsi_automation.engine.identifiers import find_id
    from dsi_automation.journal.model import Kind

    if not toolkit.journal_exists:
        raise UsageError(T("There is no journal yet."), next_step=T("It is made at the first request."))
    entries = toolkit.journal.read(kinds=[Kind.PLAYBOOK])
    found = find_id(identifier, {entry.subject for entry in entries})
    return [entry for entry in entries if entry.subject == found]


def playbook_view(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return a playbook's run as `--json` prints it; `ended` is null while it runs, or when it was killed."""
    first, last = entries[0], entries[-1]
    over = last.body["event"] == "ended"
    return {
        "id": first.subject,
        "playbook": first.body["playbook"],
        "person": first.actor,
        "check": first.body["check"],
        "limit": first.body["limit"],
        "request": first.body["request"],
        "started_at": iso(first.at),
        "ended_at": iso(last.at) if over else None,
        "status": last.body["status"] if over else None,
        "exit_code": last.body["exit_code"] if over else None,
        "events": [{"at": iso(entry.at), **entry.body} for entry in entries[1 : -1 if over else None]],
    }


def show_playbook(out: Output, entries: Sequence[Entry]) -> None:
    """Write who ran what, each host's results, and how it ended."""
    first, last = entries[0], entries[-1]
    out.line(T("Playbook run {id}: {playbook}", id=first.subject, playbook=first.body["playbook"]), bold=True)
    out.line(T("by {person}, {start}", person=first.actor, start=local(first.at)), indent=2)
    if first.body["request"]:
        out.line(T("request {request}", request=first.body["request"]), indent=2)
    for entry in entries[1:]:
        body = entry.body
        if "host" in body:
            changed = " *" if body["changed"] else ""
            out.line(f"{body['host']}: {body['event']}{changed} · {body['task']}", indent=2)
            if body["message"] and body["event"] != "ok":
                out.line(body["message"], indent=6, fg="red")
            if body["run"]:
                out.line(T("run {run}: dsi show {run}", run=body["run"]), indent=6)
    if last.body["event"] == "ended":
        good = last.body["exit_code"] == 0
        ended = T("Ended {end}: {status}, exit code {code}", end=local(last.at), status=last.body["status"],
                  code=last.body["exit_code"])  # fmt: skip
        out.line(ended, fg="green" if good else "red", bold=True)
    else:
        out.line(T("No end is recorded: it is under way, or it was killed."), fg="yellow")
