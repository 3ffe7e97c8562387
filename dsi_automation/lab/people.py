"""The lab's three persons and their SSH keys: one asks, the two others may decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.lab.system import run


@dataclass(frozen=True, slots=True)
class LabPerson:
    """Somebody of the lab, as people.yml describes them."""

    id: str
    name: str
    staff_number: str
    role: str


PERSONS: Final = (
    LabPerson("m.kouadio", "Mariam Kouadio", "LAB-00417", "technician"),
    LabPerson("y.traore", "Yao Traoré", "LAB-00112", "section_head"),
    LabPerson("a.bamba", "Aïssata Bamba", "LAB-00003", "director"),
)

ROLES: Final = {
    "technician": "Technicien",
    "section_head": "Chef de section",
    "director": "Directeur des systèmes d’information",
}


def ensure_keys(folder: Path) -> bool:
    """Give everybody an ed25519 key without a passphrase: these keys are for training only.

    Returns:
        Whether a key had to be made.
    """
    missing = [person for person in PERSONS if not (folder / f"{person.id}.pub").exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for person in missing:
        private = folder / person.id
        # Half a pair, left by a killed start, would make ssh-keygen ask.
        private.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person.id, "-f", str(private)])
    return bool(missing)


def public_key(folder: Path, person: LabPerson) -> str:
    """Return a person's public key: its type and its base64, without the comment."""
    return " ".join((folder / f"{person.id}.pub").read_text().split()[:2])
