"""The accounts of the lab's directory and where their passwords are kept."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ca import write_private

ADMINISTRATOR: Final = "Administrator"
JOINER: Final = "svc-jonction"
READER: Final = "svc-lecture"
ACCOUNTS: Final = "svc-comptes"
LOCAL_ADMINISTRATOR: Final = "Administrateur"

MAIL_DOMAIN: Final = "douanes.lab"
"""What stands after the @ of people's addresses: a UPN suffix of the forest and the tenant's verified domain."""

LENGTH: Final = 20
SIGNS: Final = "-_.+="
"""Signs that need no quoting in YAML, a shell or a URL's userinfo: people paste these passwords."""


@dataclass(frozen=True, slots=True)
class LabUser:
    """A user of the domain.

    Attributes:
        login: the sAMAccountName.
        given_name: first name.
        surname: family name.
        site: the code of the site whose OU the account is in.
        staff_number: the matricule, kept as employeeID.
    """

    login: str
    given_name: str
    surname: str
    site: str
    staff_number: str

    @property
    def address(self) -> str:
        """The mail address, which is the userPrincipalName too."""
        return f"{self.login}@{MAIL_DOMAIN}"


@dataclass(frozen=True, slots=True)
class LabSite:
    """A site of the lab: its code and its name."""

    code: str
    name: str


SITES: Final = (LabSite("ABJ", "Abidjan"), LabSite("SPY", "San-Pédro"), LabSite("BKE", "Bouaké"))

USERS: Final = (
    LabUser("awa.kone", "Awa", "KONÉ", "ABJ", "100001A"),
    LabUser("seydou.diallo", "Seydou", "DIALLO", "ABJ", "100002B"),
    LabUser("eric.nguessan", "Éric", "N’GUESSAN", "ABJ", "100003C"),
    LabUser("adjoua.brou", "Adjoua", "BROU", "SPY", "100004D"),
    LabUser("moussa.toure", "Moussa", "TOURÉ", "SPY", "100005E"),
    LabUser("fatou.ouattara", "Fatou", "OUATTARA", "BKE", "100006F"),
    LabUser("ibrahim.cisse", "Ibrahim", "CISSÉ", "BKE", "100007G"),
)


def generate() -> str:
    """Return a new password: 20 characters with all four classes Active Directory counts."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SIGNS)
    everything = "".join(classes)
    chosen = [secrets.choice(kind) for kind in classes]
    chosen += [secrets.choice(everything) for _ in range(LENGTH - len(classes))]
    secrets.SystemRandom().shuffle(chosen)
    # A leading sign reads as an option on a command line and as a marker in YAML.
    first = next(index for index, sign in enumerate(chosen) if sign.isalpha())
    chosen[0], chosen[first] = chosen[first], chosen[0]
    return "".join(chosen)


class Passwords:
    """The lab's passwords: one 0600 file each, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder."""
        self.folder = folder

    def file(self, account: str) -> Path:
        """Return the path of an account's password file."""
        return self.folder / account

    def get(self, account: str) -> Secret:
        """Return an account's password, a new one if it has none."""
        path = self.file(account)
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, generate())
        return Secret(path.read_text().rstrip("\n"))
