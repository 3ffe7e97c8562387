"""The logins of the lab's SYDAM World, and the roles of its database that the application's operations work with."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import Final

from dsi_automation.lab.accounts import Passwords

CONTROLLER_ROLE: Final = "dsi_sydam"
"""Who reads locks, ends sessions, runs the scripts of releases and the statements of accounts and rule sets."""
OWNER_ROLE: Final = "sydam_tables"
"""Owns the application's tables; the application and the controller are its members."""
ITERATIONS: Final = 10_000
"""Of the lab's hashes: few, since its passwords are long and its machine is small (RFC 8018 asks for 1000 at least)."""
PROFILES: Final = ("AGENT", "VERIFICATEUR", "CHEF_VISITE", "DECLARANT", "CONSULTATION")
TEST_LOGIN: Final = "test.connexion"


@dataclass(frozen=True, slots=True)
class SydamUser:
    """One login of the application."""

    login: str
    name: str
    profile: str
    office: str
    active: bool = True
    must_change: bool = False


USERS: Final = (
    SydamUser(TEST_LOGIN, "Test de connexion", "CONSULTATION", "CIAB1"),
    SydamUser("kone.a", "Awa KONÉ", "AGENT", "CIAB1"),
    SydamUser("diallo.s", "Seydou DIALLO", "VERIFICATEUR", "CIAB5"),
    SydamUser("toure.m", "Moussa TOURÉ", "CHEF_VISITE", "CISP1", must_change=True),
    SydamUser("ancien.a", "Ancien AGENT", "AGENT", "CIBK1", active=False),
)

ROLES: Final = """\
CREATE ROLE {owner} NOLOGIN;
CREATE ROLE {controller} LOGIN PASSWORD '{controller_password}';
GRANT {owner} TO {application}, {controller};
GRANT pg_signal_backend, pg_read_all_stats TO {controller};
"""


def password_name(login: str) -> str:
    """Return the name of a login's password among the lab's."""
    return f"sydam-{login}"


def roles_sql(passwords: Passwords, application: str) -> str:
    """Return the SQL that makes the roles besides the application's own."""
    return ROLES.format(
        owner=OWNER_ROLE,
        controller=CONTROLLER_ROLE,
        controller_password=passwords.get(CONTROLLER_ROLE).reveal(),
        application=application,
    )


def accounts_sql(passwords: Passwords) -> str:
    """Return the SQL that makes the logins; no password in it, only hashes."""
    return "".join(_insert(passwords, user) for user in USERS)


def _insert(passwords: Passwords, user: SydamUser) -> str:
    stored = stored_password(passwords.get(password_name(user.login)).reveal())
    quoted = (f"'{value}'" for value in (user.login, user.name, user.profile, user.office, stored))
    columns = "login, nom, profil, bureau, mot_de_passe, actif, doit_changer"
    flags = f"{str(user.active).lower()}, {str(user.must_change).lower()}"
    return f"INSERT INTO utilisateurs ({columns}) VALUES ({', '.join(quoted)}, {flags});\n"  # noqa: S608  # the lab's own


def stored_password(password: str) -> str:
    """Return a password as the application stores it: `pbkdf2-sha256$ITERATIONS$SALT$HASH` (RFC 8018)."""
    salt = os.urandom(16)
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    return f"pbkdf2-sha256${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"
