"""SYDAM World in the lab's inventory: three applications, their sources, rule sets, policy and evening restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from dsi_automation.lab import backup_plan
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.application import INSTANCES, PRODUCTION, TEST, TRAINING
from dsi_automation.lab.database import DATABASE, TEST_DATABASE, TRAINING_DATABASE
from dsi_automation.lab.facilities import Facilities
from dsi_automation.lab.layout import APPLICATION_SERVERS, Layout
from dsi_automation.lab.releases import SOURCE
from dsi_automation.lab.servers import CONTROLLER
from dsi_automation.lab.sshd import OWN_FOLDER
from dsi_automation.lab.sydam_accounts import CONTROLLER_ROLE, ITERATIONS, PROFILES, TEST_LOGIN, password_name
from dsi_automation.lab.tomcat import CONTEXT, PORT, TomcatServer

CREDENTIAL: Final = "sydam_test"
"""Name of the test account's entry in `dsi_credentials`."""
DATABASES: Final = {PRODUCTION: DATABASE, TEST: TEST_DATABASE, TRAINING: TRAINING_DATABASE}
TITLES: Final = {
    PRODUCTION: "SYDAM World",
    TEST: "SYDAM World (test)",
    TRAINING: "SYDAM World (formation)",
}
ENVIRONMENTS: Final = {PRODUCTION: "production", TEST: "test", TRAINING: "training"}
USERS: Final = ("utilisateurs.sydam@douanes.lab",)
DSI: Final = ("a.bamba",)
STEERED: Final = ("application.stop", "application.start", "application.restart")
"""Operations that the evening's standing approval may cover."""
ASKED: Final = ("sources.integrate", "rules.update", "application.account")
"""Operations that are asked for one by one."""


def hosts(layout: Layout) -> dict[str, Any]:
    """Return the group of the application servers."""
    addresses = layout.server_addresses
    group = backup_plan.hosts(layout)
    return {
        "hosts": {name: {"ansible_host": addresses[name]} for name in APPLICATION_SERVERS},
        "vars": group["vars"],
    }


def variables(layout: Layout, facilities: Facilities, passwords: Passwords) -> dict[str, Any]:
    """Return what the inventory says to all hosts about SYDAM World."""
    maker = facilities.application.maker
    return {
        "dsi_applications": {name: _application(layout, facilities, passwords, name) for name in INSTANCES},
        "dsi_sources": {SOURCE: _sources(layout.release_dir, maker.allowed_signers)},
        "dsi_rules": {"tarif": tariff(), "selectivite": selectivity()},
    }


def credentials(passwords: Passwords) -> dict[str, Any]:
    """Return the accounts the applications' entries name."""
    return {CREDENTIAL: {"user": TEST_LOGIN, "password": backup_plan.secret(passwords, password_name(TEST_LOGIN))}}


def schedules() -> dict[str, Any]:
    """Return the schedules of the application, by name."""
    return {
        "sydam-soir": {
            "title": "SYDAM World : arrêt et redémarrage du soir",
            "steps": [{"operation": "application.restart", "targets": [PRODUCTION], "inputs": {"planned": True}}],
            "cron": "0 21 * * *",
            "too_late_after": "2h",
        }
    }


def policy() -> dict[str, Any]:
    """Return the rules of approval; the director is the guide's DSI, who alone agrees to what users feel."""
    emergency = {"roles": ["technician"], "ratifiers": ["director"], "ratify_within": "24h"}
    found: dict[str, Any] = {}
    for operation in (*STEERED, *ASKED):
        found[operation] = {}
        for environment in ENVIRONMENTS.values():
            is_felt = environment == "production" and operation != "application.account"
            rule: dict[str, Any] = {
                "requesters": ["technician"],
                "approvers": ["director"] if is_felt else ["section_head", "director"],
                "approvals": 1,
                "valid_for": "7d",
            }
            if operation in STEERED:
                rule["requesters"] = ["technician", CONTROLLER]
                rule["standing"] = {"allowed": True, "longest": backup_plan.LONGEST_STANDING}
                rule["emergency"] = emergency
            found[operation][environment] = rule
    return found


def tariff() -> dict[str, Any]:
    """Return the description of the tariff."""
    rate = {"type": "decimal", "minimum": 0, "maximum": 100, "digits": 2}
    return {
        "title": "Tarif douanier",
        "application": PRODUCTION,
        "table": "public.tarif",
        "key": ["position"],
        "columns": {
            "position": {"pattern": "[0-9]{10}"},
            "designation": {},
            "unite": {"values": ["kg", "u", "t", "m2"]},
            "dd": {**rate, "maximum": 35},
            "rst": rate,
            "tva": rate,
            "effet": {"type": "date"},
        },
        "minimum_rows": 100,
        "most_changed": 0.2,
        "checks": [
            {
                "title": "Aucun droit au-dessus du plafond",
                "database": DATABASE,
                "query": "SELECT count(*) FROM tarif WHERE dd > 35",
                "equals": "0",
            }
        ],
    }


def selectivity() -> dict[str, Any]:
    """Return the description of the rules of selectivity."""
    return {
        "title": "Règles de sélectivité",
        "application": PRODUCTION,
        "table": "public.selectivite",
        "key": ["code"],
        "columns": {
            "code": {"pattern": "SEL[0-9]{3}"},
            "libelle": {},
            "critere": {"values": ["origine", "position", "declarant", "bureau", "valeur"]},
            "valeur": {},
            "circuit": {"values": ["vert", "jaune", "rouge", "bleu"]},
            "priorite": {"type": "integer", "minimum": 1, "maximum": 99},
            "active": {"type": "boolean"},
        },
        "minimum_rows": 10,
        "most_changed": 0.5,
        "checks": [
            {
                "title": "Au moins une règle active",
                "database": DATABASE,
                "query": "SELECT count(*) FROM selectivite WHERE active",
                "minimum": 1,
            }
        ],
    }


def _application(layout: Layout, facilities: Facilities, passwords: Passwords, name: str) -> dict[str, Any]:
    servers = [facilities.application.server(one) for one in INSTANCES[name]]
    return {
        "title": TITLES[name],
        "environment": ENVIRONMENTS[name],
        "servers": [_server(server) for server in servers],
        # What a production host is given minutes for is done here in seconds.
        "stable_for": "2s",
        "database": _database(layout, facilities, passwords, name),
        "locks": {"idle_for": "2s", "tables": ["public.declarations", "public.articles"]},
        "before": {"queries": [_query(name, "Des déclarations sont là", "SELECT count(*) FROM declarations")]},
        "after": {
            "queries": [_query(name, "Le tarif est là", "SELECT count(*) FROM tarif")],
            "commands": [
                {
                    "title": "Le cache est là",
                    "host": server.name,
                    "command": f"test -d {OWN_FOLDER}/cache",
                    "timeout": "20s",
                }
                for server in servers
            ],
        },
        "connection_test": connection_test(),
        "when_not_conclusive": {"tries": 2, "then": "person"},
        "notice": {
            "users": list(USERS),
            "countdown": ["2s", "1s"],
            "message": {
                "show": "INSERT INTO avis (id, texte, jusqua) VALUES (1, :text, :until) ON CONFLICT (id) DO UPDATE"
                " SET texte = excluded.texte, jusqua = excluded.jusqua, publie_le = now()",
                "clear": "DELETE FROM avis WHERE id = 1",
            },
            "dsi": list(DSI),
        },
        "planned_hours": "20:00-23:00",
        "deployment": {"releases": f"{OWN_FOLDER}/releases", "link": f"{OWN_FOLDER}/current", "keep": 3},
        "accounts": accounts(),
    }


def _server(server: TomcatServer) -> dict[str, Any]:
    script = f"{OWN_FOLDER}/bin/sydam"
    return {
        "name": server.name,
        "host": server.name,
        "service": {
            "kind": "script",
            "start": f"{script} start",
            "stop": f"{script} stop",
            "status": f"{script} status",
        },
        "port": PORT,
        "stop_within": "10s",
        "start_within": "60s",
        "kill": True,
        "log": f"{OWN_FOLDER}/logs/catalina.out",
        "caches": [f"{OWN_FOLDER}/cache"],
    }


def _database(layout: Layout, facilities: Facilities, passwords: Passwords, name: str) -> dict[str, Any]:
    found = {
        "kind": "postgresql",
        "server": facilities.database.address,
        "database": DATABASES[name],
        "user": CONTROLLER_ROLE,
        "password": backup_plan.secret(passwords, CONTROLLER_ROLE),
        "ca_file": str(layout.ca_file),
        "application_user": "sydam",
    }
    return found | ({"backup": "sydam"} if name == PRODUCTION else {})


def _query(name: str, title: str, query: str) -> dict[str, Any]:
    return {"title": title, "database": DATABASES[name], "query": query, "minimum": 1}


def connection_test() -> dict[str, Any]:
    """Return what a user of the lab's SYDAM World does."""
    return {
        "scheme": "http",
        "credential": CREDENTIAL,
        "page": {"path": f"{CONTEXT}/connexion", "expect": "Mot de passe"},
        "login": {
            "path": f"{CONTEXT}/connexion",
            "form": {"identifiant": "{user}", "mot_de_passe": "{password}"},
            "expect": "Bienvenue",
            "refuse": "mot de passe incorrect",
        },
        "query": {"path": f"{CONTEXT}/declaration?numero=100", "expect": "Déclaration 100", "refuse": "introuvable"},
        "logout": {"path": f"{CONTEXT}/deconnexion", "expect": "Vous êtes déconnecté"},
        "timeout": "20s",
    }


def accounts() -> dict[str, Any]:
    """Return how logins are made: rows of the table `utilisateurs`."""
    return {
        "store": {
            "kind": "sql",
            "find": "SELECT login, nom AS name, profil AS profile, bureau AS office, actif AS active,"
            " doit_changer AS must_change FROM utilisateurs WHERE login = :login",
            "create": "INSERT INTO utilisateurs (login, nom, profil, bureau, mot_de_passe, doit_changer, cree_le)"
            " VALUES (:login, :name, :profile, :office, :password, true, :now)",
            "change": "UPDATE utilisateurs SET nom = :name, profil = :profile, bureau = :office,"
            " mot_de_passe = :password, doit_changer = true, actif = true, modifie_le = :now WHERE login = :login",
            "disable": "UPDATE utilisateurs SET actif = false, modifie_le = :now WHERE login = :login",
            "iterations": ITERATIONS,
        },
        "profiles": list(PROFILES),
        "password_length": 14,
    }


def _sources(folder: Path, allowed_signers: Path) -> dict[str, Any]:
    return {
        "title": "Sources de SYDAM World",
        "releases": {"kind": "archives", "folder": str(folder)},
        "allowed_signers": str(allowed_signers),
        "stages": [
            {"name": "test", "application": TEST, "acceptors": ["section_head"]},
            {"name": "formation", "application": TRAINING, "acceptors": ["section_head"]},
            {
                "name": "production",
                "application": PRODUCTION,
                "acceptors": ["section_head", "director"],
                "needs_backup": "24h",
            },
        ],
        "script_timeout": "60s",
    }
