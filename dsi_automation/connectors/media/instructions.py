"""How to bring a copy back without this toolkit: written on every medium, in French, for whoever finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dsi_automation.connectors.media.port import MediumSettings
from dsi_automation.core.text import T, Text

NAME: Final = "LISEZMOI.txt"
_COMMANDS: Final = (
    "    restic --no-lock -r sets/SET-…/restic snapshots\n"
    "    restic --no-lock -r sets/SET-…/restic check --read-data\n"
    "    restic --no-lock -r sets/SET-…/restic restore SNAPSHOT --target /tmp/restauration"
)


def instructions(settings: MediumSettings, sets: Sequence[Mapping[str, Any]]) -> str:
    """Return the text for a disk or an LTFS volume that holds these sets."""
    sentences: list[Text | str] = [
        T("{title}: backups of the information systems department.", title=settings.title),
        T(
            "This medium holds encrypted copies of backups. Each folder of `sets` is one backup: SET.json says "
            "what it is, SHA256SUMS holds the hash of each file, `restic` is a repository of the program restic "
            "(https://restic.net). Without the password of the rotation “{rotation}” nobody can read it: it is "
            "in the department’s vault, and nowhere on this medium.",
            rotation=settings.rotation or "-",
        ),
        T("To check that the medium is as it was written:"),
        "    cd sets/SET-… && sha256sum --quiet --check SHA256SUMS",
        T("To list, to check and to bring back (on a read-only medium, keep --no-lock):"),
        _COMMANDS,
        T(
            "SNAPSHOT is the identifier that SET.json gives; a database has a second one, with its archived "
            "logs. If the folder `outils` holds restic, that program runs on any Linux without installation."
        ),
        T("Sets on this medium:"),
        *(_line(item) for item in sets),
    ]
    return paragraphs(sentences)


def paragraphs(sentences: Sequence[Text | str]) -> str:
    """Return sentences in French, whoever runs the toolkit: the medium is for whoever finds it."""
    return "\n\n".join(s.render("fr") if isinstance(s, Text) else s for s in sentences) + "\n"


def _line(item: Mapping[str, Any]) -> str:
    facts = [item.get(name) for name in ("job", "made_at", "engine", "snapshot")]
    return "    " + "  ".join([str(item["id"]), *(str(fact) for fact in facts if fact)])
