"""Where this controller finds its inventory and keeps its state, and where each of these values came from."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from dsi_automation.core import secrets
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import DEFAULT_LANGUAGE, LANGUAGES, T, Text
from dsi_automation.inventory.model import SettingsFile
from dsi_automation.inventory.problems import InventoryError, Problem
from dsi_automation.inventory.yamlfile import read_yaml

FILE: Final = "dsi.yml"
SYSTEM_INVENTORY: Final = Path("/etc/dsi/inventory")
HOSTS_FILES: Final = ("hosts.yml", "hosts.yaml", "hosts.ini", "hosts")


@dataclass(frozen=True, slots=True)
class Setting[ValueT]:
    """A value and where it was found, for `dsi doctor`."""

    value: ValueT
    source: Text


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command needs to know before it does anything.

    Attributes:
        inventory: the hosts file (or whatever Ansible is given as its source).
        state_dir: folder of journal, controller key and checkpoints.
        database_url: SQLAlchemy URL of the journal.
        language: `fr` or `en`.
        key: the person's private or public SSH key file; None for the agent.
        vault_password_file: None when neither environment nor dsi.yml name one (ansible.cfg still may).
        workers: how many targets are looked at at once.
    """

    inventory: Setting[Path]
    state_dir: Setting[Path]
    database_url: Setting[str]
    language: Setting[str]
    key: Setting[Path | None]
    vault_password_file: Setting[Path | None]
    workers: Setting[int]

    @property
    def home(self) -> Path:
        """Return the inventory's folder, where people.yml, approval_policy.yml and dsi.yml are."""
        return self.inventory.value.parent


def load_settings(
    environ: Mapping[str, str],
    directory: Path,
    *,
    inventory: Path | None = None,
    key: Path | None = None,
    system_inventory: Path = SYSTEM_INVENTORY,
) -> Settings:
    """Return the settings in force.

    Args:
        environ: the environment variables.
        directory: the current directory, where an ansible.cfg may be.
        inventory: `--inventory`; a folder or a hosts file.
        key: `--key`.
        system_inventory: where to look last.

    Raises:
        UsageError: no inventory is found, or dsi.yml is wrong.
    """
    found = find_inventory(environ, directory, option=inventory, system=system_inventory)
    home = found.value.parent
    path = home / FILE
    file = read_yaml(path).validate(SettingsFile) if path.exists() else SettingsFile()
    state_dir = _state_dir(file, environ, home)
    return Settings(
        inventory=found,
        state_dir=state_dir,
        database_url=_database_url(file, environ, path, state_dir),
        language=_language(file, environ),
        key=_key(environ, directory, key),
        vault_password_file=_vault_password_file(file, environ, home, directory),
        workers=Setting(file.workers, _from_file() if "workers" in file.model_fields_set else _default()),
    )


def find_inventory(
    environ: Mapping[str, str], directory: Path, *, option: Path | None = None, system: Path = SYSTEM_INVENTORY
) -> Setting[Path]:
    """Return the hosts file: from the option, DSI_INVENTORY, the ansible.cfg here, or the system's folder.

    Raises:
        UsageError: there is none, or what was named does not exist.
    """
    if option is not None:
        return Setting(_hosts_file(directory / option), T("option --inventory"))
    if environ.get("DSI_INVENTORY"):
        return Setting(_hosts_file(directory / environ["DSI_INVENTORY"]), _variable("DSI_INVENTORY"))
    configuration = directory / "ansible.cfg"
    named = _from_ansible_cfg(configuration)
    if named is not None:
        return Setting(_hosts_file(named), T("ansible.cfg of the current directory"))
    if system.exists():
        return Setting(_hosts_file(system), _default())
    raise UsageError(
        T(
            "No inventory is found: neither --inventory, nor DSI_INVENTORY, nor an ansible.cfg here, nor {path}.",
            path=system,
        ),
        next_step=T("Give one with --inventory, make one with dsi init, or start the training lab with dsi lab up."),
    )


def _hosts_file(path: Path) -> Path:
    """Return the hosts file for a folder, or the file itself, as an absolute path."""
    path = path.expanduser().absolute()
    if not path.exists():
        raise UsageError(
            T("The inventory {path} does not exist.", path=path),
            next_step=T(
                "Correct the path, make an inventory with dsi init, or start the training lab with dsi lab up."
            ),
        )
    if path.is_file():
        return path
    for name in HOSTS_FILES:
        if (path / name).exists():
            return path / name
    raise UsageError(
        T("The folder {path} holds no inventory: none of {names}.", path=path, names=", ".join(HOSTS_FILES)),
        next_step=T("Name the file itself with --inventory, or make an inventory with dsi init."),
    )


def _from_ansible_cfg(path: Path) -> Path | None:
    if not path.is_file():
        return None
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",), strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise UsageError(
            T("The file {path} cannot be read as an Ansible configuration.", path=path),
            next_step=T("Correct it (ansible-config view shows what Ansible makes of it), or use --inventory."),
        ) from error
    named = parser.get("defaults", "inventory", fallback="").strip()
    if "," in named:
        raise UsageError(
            T("The inventory in {path} names several sources; dsi reads one.", path=path),
            next_step=T("Put them in one folder as the folder hosts of an inventory, or use --inventory."),
        )
    return path.parent / Path(named).expanduser() if named else None


def _state_dir(file: SettingsFile, environ: Mapping[str, str], home: Path) -> Setting[Path]:
    if file.state_dir is not None:
        return Setting((home / Path(file.state_dir).expanduser()).absolute(), _from_file())
    if environ.get("DSI_STATE"):
        return Setting(Path(environ["DSI_STATE"]).expanduser().absolute(), _variable("DSI_STATE"))
    if environ.get("XDG_STATE_HOME"):
        return Setting(Path(environ["XDG_STATE_HOME"]).absolute() / "dsi", _variable("XDG_STATE_HOME"))
    user_home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return Setting(user_home / ".local" / "state" / "dsi", _default())


def _database_url(file: SettingsFile, environ: Mapping[str, str], path: Path, state_dir: Setting[Path]) -> Setting[str]:
    if environ.get("DSI_DATABASE_URL"):
        url = environ["DSI_DATABASE_URL"]
        for password in _passwords_in(url):
            secrets.register(password)
        return Setting(url, _variable("DSI_DATABASE_URL"))
    if file.database_url is not None:
        if _passwords_in(file.database_url):
            text = T("a password is not written here: put it in ~/.pgpass, or give the whole URL in DSI_DATABASE_URL.")
            raise InventoryError([Problem(str(path), "database_url", text)])
        return Setting(file.database_url, _from_file())
    return Setting(f"sqlite:///{state_dir.value / 'journal.db'}", state_dir.source)


def _passwords_in(url: str) -> set[str]:
    """Return the passwords of a URL, before the host or among its parameters, as written and as meant."""
    try:
        parts = urlsplit(url)
        found = {parts.password, *parse_qs(parts.query).get("password", [])}
    except ValueError:
        return set()
    return {form for password in found if password for form in (password, unquote(password))}


def _language(file: SettingsFile, environ: Mapping[str, str]) -> Setting[str]:
    asked = environ.get("DSI_LANG", "")[:2].lower()
    if asked in LANGUAGES:
        return Setting(asked, _variable("DSI_LANG"))
    if file.language is not None:
        return Setting(file.language, _from_file())
    return Setting(DEFAULT_LANGUAGE, _default())


def _key(environ: Mapping[str, str], directory: Path, option: Path | None) -> Setting[Path | None]:
    if option is not None:
        return Setting((directory / option.expanduser()).absolute(), T("option --key"))
    if environ.get("DSI_KEY"):
        return Setting((directory / Path(environ["DSI_KEY"]).expanduser()).absolute(), _variable("DSI_KEY"))
    return Setting(None, T("SSH agent"))


def _vault_password_file(
    file: SettingsFile, environ: Mapping[str, str], home: Path, directory: Path
) -> Setting[Path | None]:
    name = "ANSIBLE_VAULT_PASSWORD_FILE"
    if environ.get(name):
        return Setting((directory / Path(environ[name]).expanduser()).absolute(), _variable(name))
    if file.vault_password_file is not None:
        return Setting((home / Path(file.vault_password_file).expanduser()).absolute(), _from_file())
    return Setting(None, _default())


def _variable(name: str) -> Text:
    return T("environment variable {name}", name=name)


def _from_file() -> Text:
    return T("dsi.yml of the inventory")


def _default() -> Text:
    return T("default")
