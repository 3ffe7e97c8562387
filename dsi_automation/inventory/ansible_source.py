"""Hosts, groups and variables as Ansible itself reads them, made plain. The only module that knows ansible-core.

Ansible parses and combines; this module asks it for the few variables the toolkit needs, evaluates those that are
templates, and forgets Ansible's own types (ansible-core 2.19 and later tag every value). Nothing is decrypted here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.model import Encrypted
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.problems import InventoryError, Problem
from dsi_automation.inventory.problems import Path as KeyPath
from dsi_automation.inventory.vault import Vault
from dsi_automation.inventory.yamlfile import VAULT_HEADER, check_yaml

_REFERENCE: Final = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*")
_REFERENCE_INSIDE: Final = re.compile(r"\{\{ *([A-Za-z_]\w*) *\}\}")
_VARIABLE_FOLDERS: Final = ("group_vars", "host_vars")


class AnsibleSource:
    """One inventory, read by Ansible."""

    def __init__(self, source: Path, vault_password_file: Path | None) -> None:
        """Read hosts and groups; variables are combined host by host when asked for.

        Raises:
            InventoryError: a YAML file of it is not sound. UsageError: Ansible finds no host in it.
        """
        problems = [problem for path in _yaml_files(source) for problem in check_yaml(path)]
        if problems:
            raise InventoryError(problems)
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import InventoryManager
        from ansible.vars.hostvars import HostVars
        from ansible.vars.manager import VariableManager

        _forget_variable_files()
        self._path = source
        self._loader = _data_loader()
        # Variables beside the current directory's playbooks are none of this inventory's business.
        self._loader.set_basedir(str(source.parent))
        self.vault = Vault(vault_password_file, self._loader)
        try:
            self._manager = InventoryManager(loader=self._loader, sources=[str(source)])
            self._variables = VariableManager(loader=self._loader, inventory=self._manager)
            # Within a play Ansible would add the play's own -e to every host: an approved change could then be sent
            # to another address, or into another domain, than the inventory says.
            self._variables._extra_vars = {}  # noqa: SLF001  # it has no other way
            HostVars(inventory=self._manager, variable_manager=self._variables, loader=self._loader)
        except AnsibleError as error:
            raise self._unreadable(error) from error
        # Groups without hosts are the inventory of a site that only makes accounts; without either, nothing was read.
        if not self._manager.hosts and not set(self._manager.groups) - {"all", "ungrouped"}:
            raise self._unreadable(None)
        self._raw: dict[str | None, Mapping[str, Any]] = {}

    @cached_property
    def hosts(self) -> Mapping[str, None]:
        """Return every host, in the inventory's order."""
        return {str(host.name): None for host in self._manager.get_hosts()}

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return every group and its hosts."""
        return {
            str(name): tuple(str(host) for host in hosts) for name, hosts in self._manager.get_groups_dict().items()
        }

    def select(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return the hosts that Ansible host patterns choose: `ws1`, `abj:&workstations`, `!ws7`, `ws*`, `~ws[12]`.

        Raises:
            UsageError: a part of a pattern names nothing, or nothing is chosen.
        """
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import split_host_pattern

        parts = [str(part) for pattern in patterns for part in split_host_pattern(pattern)]
        try:
            for part in parts:
                self._check_part(part)
            chosen = tuple(str(host.name) for host in self._manager.get_hosts(pattern=parts))
        except (AnsibleError, re.error) as error:
            raise UsageError(
                T("“{pattern}” is not a host pattern Ansible understands.", pattern=" ".join(patterns)),
                next_step=T("Write host or group names, as in: ws1, workstations, abj:&workstations, !ws7"),
            ) from error
        if not chosen:
            raise UsageError(
                T("“{pattern}” chooses no host.", pattern=" ".join(patterns)),
                next_step=T("List hosts and groups with: ansible-inventory -i {path} --graph", path=self._path),
            )
        return chosen

    def _check_part(self, part: str) -> None:
        """Refuse a part of a pattern that matches nothing: Ansible would only warn."""
        wanted = part.lstrip("!&")
        wanted = re.sub(r"\[[\d:-]+\]$", "", wanted) or wanted
        known = {str(name) for name in (*self._manager.hosts, *self._manager.groups)}
        if wanted.startswith("~"):
            found = any(re.match(wanted[1:], name) for name in known)
        else:
            found = wanted in known or any(fnmatchcase(name, wanted) for name in known)
        if not found:
            raise UsageError(
                T("The inventory knows no host or group “{name}”.", name=wanted),
                next_step=did_you_mean(wanted, known),
            )

    def raw(self, host: str | None) -> Mapping[str, Any]:
        """Return a host's variables as Ansible combines them, not evaluated; None for what every host has in common.

        Raises:
            UsageError: Ansible cannot read a variables file.
        """
        if host not in self._raw:
            from ansible.errors import AnsibleError

            # The implicit localhost belongs to no group but `all`.
            found = self._manager.get_host(host or "localhost")
            try:
                self._raw[host] = self._variables.get_vars(host=found)
            except AnsibleError as error:
                raise self._unreadable(error) from error
        return self._raw[host]

    def values(self, host: str | None, names: Iterable[str]) -> dict[str, Any]:
        """Return those of the named variables that are set, evaluated and of plain types.

        Raises:
            InventoryError: a template among them cannot be evaluated; nothing is decrypted for it.
        """
        raw = self.raw(host)
        found, problems = {}, []
        for name in names:
            if name not in raw:
                continue
            try:
                found[name] = plain(self._evaluated(raw, raw[name]))
            except Exception as error:  # noqa: BLE001  # whatever a template's filters and lookups may raise
                reason = " ".join(str(error).split())
                text = T("this template cannot be evaluated ({reason}).", reason=reason)
                problems.append(Problem(*self.place(host, (name,)), text, self.line(host, (name,))))
        if problems:
            raise InventoryError(problems)
        return found

    def _evaluated(self, raw: Mapping[str, Any], value: Any) -> Any:
        if not _has_template(value):
            return value
        from ansible.template import Templar, is_trusted_as_template

        short_cut = _substituted(value, raw) if is_trusted_as_template(value) else None
        if short_cut is not None:
            return short_cut

        return Templar(loader=self._loader, variables=raw).template(value)

    def ciphertext(self, host: str | None, name: str) -> str | None:
        """Return the encrypted form of a variable, following `{{ other }}`; None when it is not set."""
        value, seen = self._followed(host, name)
        if value is None and not seen:
            return None
        return None if not is_encrypted(value) else _ciphertext(value)

    def decrypted_with_its_file(self, host: str | None, name: str) -> str | None:
        """Return a variable of a file that is encrypted as a whole; None when it is no such variable."""
        value, _ = self._followed(host, name)
        origin = _origin(value)
        if not isinstance(value, str) or origin is None or not _is_vault_file(Path(origin[0])):
            return None
        return str.__str__(value)

    def is_set(self, host: str | None, name: str) -> bool:
        """Tell whether a variable exists."""
        return name in self.raw(host)

    def _followed(self, host: str | None, name: str) -> tuple[Any, set[str]]:
        raw, seen = self.raw(host), set[str]()
        value = raw.get(name)
        while isinstance(value, str) and (reference := _REFERENCE.fullmatch(value)) and reference[1] not in seen:
            seen.add(reference[1])
            value = raw.get(reference[1])
        return value, seen

    def place(self, host: str | None, path: KeyPath) -> tuple[str, str]:
        """Return the file a variable comes from and how to name the variable."""
        origin = self._nearest_origin(host, path)
        name = str(path[0]) if host is None or (origin and "group_vars" in origin[0]) else f"{host}: {path[0]}"
        return (origin[0] if origin else str(self._path)), name

    def line(self, host: str | None, path: KeyPath) -> int | None:
        """Return the line of a variable, or of the part of it at that path."""
        origin = self._nearest_origin(host, path)
        return origin[1] if origin else None

    def _nearest_origin(self, host: str | None, path: KeyPath) -> tuple[str, int | None] | None:
        value: Any = self.raw(host)
        found = None
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                break
            found = _origin(value) or found
        return found

    def _unreadable(self, error: Exception | None) -> UsageError:
        detail = {} if error is None else {"ansible": " ".join(str(error).split())}
        return UsageError(
            T("Ansible finds no host in {path}.", path=self._path)
            if error is None
            else T("Ansible cannot read {path}: {reason}", path=self._path, reason=detail["ansible"]),
            next_step=T("See what Ansible makes of it with: ansible-inventory -i {path} --list", path=self._path),
            detail=detail,
        )


def plain(value: Any) -> Any:
    """Return a value of Ansible's as plain Python: text, numbers, lists, mappings; `Encrypted` for a vault value."""
    if value is None or isinstance(value, bool):
        return value
    if is_encrypted(value):
        return Encrypted()
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


def is_encrypted(value: Any) -> bool:
    """Tell whether a value is one of Ansible's encrypted strings, without decrypting it."""
    return type(value).__name__ == "EncryptedString"


def _ciphertext(value: Any) -> str:
    from ansible.parsing.vault import VaultHelper

    return str(VaultHelper.get_ciphertext(value, with_tags=False))


def _has_template(value: Any) -> bool:
    if is_encrypted(value):
        return False
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(_has_template(item) for item in value.values())
    return isinstance(value, list | tuple) and any(_has_template(item) for item in value)


def _substituted(value: Any, raw: Mapping[str, Any]) -> str | None:
    """Return a text whose templates only name plain texts, `{{ inventory_hostname }}.example`, evaluated.

    Nearly every template of an inventory is of this kind, and Jinja takes half a millisecond a host to compile it.
    None when it takes Jinja.
    """
    if not isinstance(value, str):
        return None
    if any(brackets in _REFERENCE_INSIDE.sub("", value) for brackets in ("{{", "{%", "{#")):
        return None
    named = {name: raw.get(name) for name in _REFERENCE_INSIDE.findall(value)}
    if not all(isinstance(part, str) and not _has_template(part) for part in named.values()):
        return None
    return _REFERENCE_INSIDE.sub(lambda found: str.__str__(named[found[1]]), value)


def _forget_variable_files() -> None:
    """Have Ansible look for group_vars and host_vars anew: it remembers them for the life of the process."""
    from ansible.plugins.loader import vars_loader

    module = sys.modules.get(type(vars_loader.get("host_group_vars")).__module__)
    for name in ("FOUND", "NAK", "CANONICAL_PATHS"):
        getattr(module, name, set()).clear()


def _data_loader() -> Any:
    """Return a loader that hands out what it parsed instead of a deep copy: nobody here changes it."""
    from ansible.parsing.dataloader import DataLoader

    class SharingLoader(DataLoader):  # type: ignore[misc]  # the class is imported late on purpose
        def load_from_file(self, file_name: str, *args: Any, **kwargs: Any) -> Any:
            return super().load_from_file(file_name, *args, **{**kwargs, "unsafe": True})

    return SharingLoader()


def _origin(value: Any) -> tuple[str, int | None] | None:
    """Return file and line of a value, where Ansible kept them. Its tags are not a public interface: ask politely."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:
        return None
    tag = Origin.get_tag(value)
    return None if tag is None or tag.path is None else (str(tag.path), tag.line_num)


def _is_vault_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(VAULT_HEADER)) == VAULT_HEADER.encode()
    except OSError:
        return False


def _yaml_files(source: Path) -> list[Path]:
    """Return the YAML files Ansible will read: the hosts file, and the variables beside it."""
    folders = [source.parent / name for name in _VARIABLE_FOLDERS]
    found = [source] if source.suffix in {".yml", ".yaml"} else []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.is_file() and not hidden and path.suffix in {".yml", ".yaml", ".json", ""}:
                found.append(path)
    return found
