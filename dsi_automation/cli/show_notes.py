"""What a run noted of what it did, on the terminal: tries, sets, proofs, copies, routers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli import show_application_notes, show_network_notes
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dsi_automation.cli.output import Output
    from dsi_automation.engine.model import Note


def show_note(out: Output, note: Note) -> None:
    """Write one note; of a try only one that failed, and nothing of a kind nobody knows."""
    words = (
        _KINDS.get(note.name) or show_application_notes.KINDS.get(note.name) or show_network_notes.KINDS.get(note.name)
    )
    said = None if words is None else words(note.data)
    if said is not None:
        good = bool(note.data.get("ok", "error" not in note.data))
        good = good and not any(
            room.is_bad(note.name, note.data) for room in (show_application_notes, show_network_notes)
        )
        out.line(Text("• {said}", {"said": said}), indent=2, fg=None if good else "red")
        for sentence in note.data.get("failed", ()):
            out.line(sentence, indent=6, fg="red")
        if note.name == "application.tested":
            for line in show_application_notes.log(note.data):
                out.line(line, indent=6)
        if note.name == "router.reverted":
            for difference in show_network_notes.lines(note.data):
                out.line(difference, indent=6, fg="red")


def _try(data: Mapping[str, Any]) -> Text | None:
    if data["error"] is None:
        return None
    return T("try {number} of {of} failed: {why}", number=data["number"], of=data["of"], why=data["error"]["what"])


def _set(data: Mapping[str, Any]) -> Text:
    from dsi_automation.operations.backups.facts import amount, size_words

    made = data["set"]["made"]
    return T(
        "set {set}: {size}, {added} more in the repository",
        set=data["set"]["id"],
        size=size_words(made["files"], made["size"]),
        added=amount(made["added"]),
    )


def _proof(data: Mapping[str, Any]) -> Text:
    from dsi_automation.operations.backups.facts import size_words

    brought = size_words(data["restored_files"], data["restored_bytes"])
    if data["ok"]:
        return T(
            "{set} is verified (level {level}): {size} brought back", set=data["set"], level=data["level"], size=brought
        )
    return T("{set} did not stand its verification: {size} brought back", set=data["set"], size=brought)


def _copy(data: Mapping[str, Any]) -> Text:
    if data["ok"]:
        return T("{set} is on {medium}, read back and compared", set=data["set"], medium=data["medium"])
    return T("the copy of {set} on {medium} does not count", set=data["set"], medium=data["medium"])


def _forgotten(data: Mapping[str, Any]) -> Text | None:
    from dsi_automation.operations.backups.facts import amount

    sets = data["sets"]
    if not sets:
        return None
    return TN(
        "{n} set removed, as the plan says how long they are kept; {freed} freed",
        "{n} sets removed, as the plan says how long they are kept; {freed} freed",
        len(sets),
        freed=amount(data["freed"]),
    )


def _restored(data: Mapping[str, Any]) -> Text:
    from dsi_automation.operations.backups.facts import size_words

    size = size_words(data["files"], data["bytes"])
    return T("{size} of {set} brought back to {place}", size=size, set=data["set"], place=data["destination"])


def _cleared(data: Mapping[str, Any]) -> Text:
    return T("removed from {medium}: {sets}", medium=data["medium"], sets=", ".join(data["sets"]))


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text | None]]] = {
    "backup.try": _try,
    "backup.set": _set,
    "backup.proof": _proof,
    "backup.copy": _copy,
    "backup.forgotten": _forgotten,
    "backup.restored": _restored,
    "medium.cleared": _cleared,
}
