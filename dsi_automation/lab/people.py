"""The lab's persons and their SSH keys: who asks, who decides, and the controller, which runs what was planned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.lab.accounts import MAIL_DOMAIN
from dsi_automation.lab.system import run


@dataclass(frozen=True, slots=True)
class LabPerson:
    """Somebody of the lab, as people.yml describes them."""

    id: str
    name: str
    staff_number: str
    role: str
    key: str | None = None
    """Name of the key's file, when it is not the id: `controller` as an id is the controller's own."""

    @property
    def key_name(self) -> str:
        """The name of the private key's file."""
        return self.key or self.id

    @property
    def mail(self) -> str:
        """Where reports go."""
        return f"{self.id}@{MAIL_DOMAIN}"


PERSONS: Final = (
    LabPerson("m.kouadio", "Mariam Kouadio", "LAB-00417", "technician"),
    LabPerson("y.traore", "Yao Traoré", "LAB-00112", "section_head"),
    LabPerson("a.bamba", "Aïssata Bamba", "LAB-00003", "director"),
    LabPerson("s.coulibaly", "Salimata Coulibaly", "LAB-00021", "rssi"),
    # No human being: schedules run in its name, under standing approvals that people signed.
    LabPerson("automate", "Automate du contrôleur", "LAB-90001", "controller", key="controller"),
)

ROLES: Final = {
    "technician": "Technicien",
    "section_head": "Chef de section",
    "director": "Directeur des systèmes d’information",
    "rssi": "Responsable de la sécurité des systèmes d’information",
    "controller": "Contrôleur (tâches planifiées)",
}


def ensure_keys(folder: Path) -> bool:
    """Give everybody an ed25519 key without a passphrase: these keys are for training only.

    Returns:
        Whether a key had to be made.
    """
    missing = [person for person in PERSONS if not (folder / f"{person.key_name}.pub").exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for person in missing:
        private = folder / person.key_name
        # Half a pair, left by a killed start, would make ssh-keygen ask.
        private.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person.id, "-f", str(private)])
    return bool(missing)


def public_key(folder: Path, person: LabPerson) -> str:
    """Return a person's public key: its type and its base64, without the comment."""
    return " ".join((folder / f"{person.key_name}.pub").read_text().split()[:2])
