"""What the lab's directory holds: OUs, people, service accounts, and exactly what each of these may do."""

from __future__ import annotations

from typing import Any, Final

from dsi_automation.lab.accounts import (
    ACCOUNTS,
    ADMINISTRATOR,
    JOINER,
    MAIL_DOMAIN,
    READER,
    SITES,
    USERS,
    Passwords,
)
from dsi_automation.lab.layout import BASE_DN

SITES_OU: Final = f"OU=Sites,{BASE_DN}"
SERVICES_OU: Final = f"OU=Services,{BASE_DN}"
LEAVERS_OU: Final = f"OU=Partis,{BASE_DN}"

COMPUTER: Final = "bf967a86-0de6-11d0-a285-00aa003049e2"
JOINER_RIGHTS: Final = (
    # Create and delete computer objects; a move needs the second where it starts and the first where it ends.
    f"(OA;CI;CCDC;{COMPUTER};;{{sid}})",
    # On those objects: reset the password (user-force-change-password).
    f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{COMPUTER};{{sid}})",
    # Account restrictions (userAccountControl and its like).
    f"(OA;CIIO;WP;4c164200-20c0-11d0-a768-00aa006e0529;{COMPUTER};{{sid}})",
    # dNSHostName and servicePrincipalName: as values checked by the directory, and as properties.
    f"(OA;CIIO;SWWP;72e39547-7b18-11d1-adef-00c04fd8d5cd;{COMPUTER};{{sid}})",
    f"(OA;CIIO;SWWP;f3a64788-5306-11d1-a9c5-0000f80367c1;{COMPUTER};{{sid}})",
    # name, cn (a move writes both), sAMAccountName, displayName (a rename), description.
    f"(OA;CIIO;WP;bf967a0e-0de6-11d0-a285-00aa003049e2;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;bf96793f-0de6-11d0-a285-00aa003049e2;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;3e0abfd0-126a-11d0-a060-00aa006c33ed;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;bf967953-0de6-11d0-a285-00aa003049e2;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;bf967950-0de6-11d0-a285-00aa003049e2;{COMPUTER};{{sid}})",
    # The system's name and version, which a joined workstation's object shows.
    f"(OA;CIIO;WP;3e978925-8c01-11d0-afda-00c04fd930c9;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;3e978926-8c01-11d0-afda-00c04fd930c9;{COMPUTER};{{sid}})",
    f"(OA;CIIO;WP;3e978927-8c01-11d0-afda-00c04fd930c9;{COMPUTER};{{sid}})",
    # msDS-SupportedEncryptionTypes: which Kerberos keys the machine has.
    f"(OA;CIIO;WP;20119867-1d04-4ab7-9371-cfc3d5df0afd;{COMPUTER};{{sid}})",
)
"""What svc-jonction may do in a site's Postes OU, in SDDL (MS-DTYP 2.5.1); GUIDs from MS-ADA* and MS-ADTS 5.1.3.2.1."""

USER: Final = "bf967aba-0de6-11d0-a285-00aa003049e2"
ACCOUNT_ATTRIBUTES: Final = {
    # Made by creating, and written again by a move: cn and name. A login that is free when the account is made.
    "cn": "bf96793f-0de6-11d0-a285-00aa003049e2",
    "name": "bf967a0e-0de6-11d0-a285-00aa003049e2",
    "sAMAccountName": "3e0abfd0-126a-11d0-a060-00aa006c33ed",
    # The addresses, and what the person is found by.
    "userPrincipalName": "28630ebb-41d5-11d1-a9c1-0000f80367c1",
    "mail": "bf967961-0de6-11d0-a285-00aa003049e2",
    "proxyAddresses": "bf967a06-0de6-11d0-a285-00aa003049e2",
    "employeeID": "bf967962-0de6-11d0-a285-00aa003049e2",
    # The person, as the address book shows it.
    "displayName": "bf967953-0de6-11d0-a285-00aa003049e2",
    "sn": "bf967a41-0de6-11d0-a285-00aa003049e2",
    "givenName": "f0f8ff8e-1191-11d0-a060-00aa006c33ed",
    "telephoneNumber": "bf967a49-0de6-11d0-a285-00aa003049e2",
    "department": "bf96794f-0de6-11d0-a285-00aa003049e2",
    "company": "f0f8ff88-1191-11d0-a060-00aa006c33ed",
    "manager": "bf9679b5-0de6-11d0-a285-00aa003049e2",
    "description": "bf967950-0de6-11d0-a285-00aa003049e2",
    # The toolkit's own mark.
    "adminDescription": "bf967919-0de6-11d0-a285-00aa003049e2",
    # Disabled or not; and that the password must be changed at the next logon.
    "userAccountControl": "bf967a68-0de6-11d0-a285-00aa003049e2",
    "pwdLastSet": "bf967a0a-0de6-11d0-a285-00aa003049e2",
}
"""The attributes svc-comptes may write, and the schemaIDGUID of each (MS-ADA1 to MS-ADA3)."""

ACCOUNTS_RIGHTS: Final = (
    # Create and delete user objects; a move into the leavers' OU needs the second where it starts and the first there.
    f"(OA;CI;CCDC;{USER};;{{sid}})",
    # On those objects: reset the password (user-force-change-password) ...
    f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{USER};{{sid}})",
    # ... and write these attributes, one by one: property sets would bring dozens that nobody asked for.
    *(f"(OA;CIIO;WP;{guid};{USER};{{sid}})" for guid in ACCOUNT_ATTRIBUTES.values()),
)
"""What svc-comptes may do in a site's Utilisateurs OU and in the leavers' OU, in SDDL."""


def site_ou(code: str) -> str:
    """Return the DN of a site's OU."""
    return f"OU={code},{SITES_OU}"


def workstation_ou(code: str) -> str:
    """Return the DN of the OU of a site's workstations."""
    return f"OU=Postes,{site_ou(code)}"


def users_ou(code: str) -> str:
    """Return the DN of the OU of a site's users."""
    return f"OU=Utilisateurs,{site_ou(code)}"


def order(passwords: Passwords) -> dict[str, Any]:
    """Return the order that fills an empty directory (see `populate.py`)."""
    return {
        "administrator": passwords.get(ADMINISTRATOR).reveal(),
        "ous": _ous(),
        "users": [*_service_accounts(passwords), *people(passwords)],
        "upn_suffixes": [MAIL_DOMAIN],
        "delegations": [
            *({"account": JOINER, "ou": workstation_ou(site.code), "aces": list(JOINER_RIGHTS)} for site in SITES),
            *({"account": ACCOUNTS, "ou": unit, "aces": list(ACCOUNTS_RIGHTS)} for unit in account_ous()),
        ],
    }


def account_ous() -> list[str]:
    """Return the DNs of the OUs people's accounts are in: those of the sites, and the leavers'."""
    return [*(users_ou(site.code) for site in SITES), LEAVERS_OU]


def restoration(passwords: Passwords) -> dict[str, Any]:
    """Return the order that puts people's accounts back as they were: those of the start, and no other."""
    return {"people": people(passwords), "prune_users_below": account_ous()}


def _ous() -> list[dict[str, str]]:
    units = [
        {"dn": SITES_OU, "description": "Sites de la direction"},
        {"dn": SERVICES_OU},
        {"dn": LEAVERS_OU, "description": "Personnes parties"},
    ]
    for site in SITES:
        units += [
            {"dn": site_ou(site.code), "description": site.name},
            {"dn": workstation_ou(site.code), "description": f"Postes de travail, {site.name}"},
            {"dn": users_ou(site.code), "description": f"Utilisateurs, {site.name}"},
        ]
    return units


def _service_accounts(passwords: Passwords) -> list[dict[str, Any]]:
    purposes = {
        JOINER: "Jonction des postes au domaine",
        READER: "Lecture seule de l'annuaire",
        ACCOUNTS: "Comptes des personnes",
    }
    return [
        {
            "login": login,
            "password": passwords.get(login).reveal(),
            "ou": SERVICES_OU,
            "description": purpose,
            "service": True,
        }
        for login, purpose in purposes.items()
    ]


def people(passwords: Passwords) -> list[dict[str, Any]]:
    """Return the people of the start, as `populate.py` makes them."""
    return [
        {
            "login": user.login,
            "password": passwords.get(user.login).reveal(),
            "ou": users_ou(user.site),
            "given_name": user.given_name,
            "surname": user.surname,
            "display_name": f"{user.surname} {user.given_name}",
            "mail": user.address,
            "principal": user.address,
            "staff_number": user.staff_number,
        }
        for user in USERS
    ]
