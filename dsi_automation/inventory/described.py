"""What every part of the inventory is read with: variables of the whole inventory, held against their models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from dsi_automation.core.text import T, Text
from dsi_automation.inventory.near import did_you_mean, near
from dsi_automation.inventory.problems import InventoryError, Problem, dotted, explain

if TYPE_CHECKING:
    from dsi_automation.inventory.ansible_source import AnsibleSource

GLOBAL_NAMES: Final = (
    "dsi_sites",
    "dsi_directory",
    "dsi_workstation",
    "dsi_credentials",
    "dsi_accounts",
    "dsi_m365",
    "dsi_repositories",
    "dsi_backups",
    "dsi_backup",
    "dsi_media",
    "dsi_mail",
    "dsi_applications",
    "dsi_sources",
    "dsi_rules",
    "dsi_network",
    "dsi_links",
)


class Described(ABC):
    """An inventory as its parts read it."""

    home: Path

    @property
    @abstractmethod
    def ansible(self) -> AnsibleSource:
        """Return hosts, groups and variables as Ansible reads them."""

    def has(self, name: str) -> bool:
        """Tell whether a variable of the whole inventory (`dsi_m365`, ...) is there."""
        return name in self._globals

    def _meant(self, name: str) -> list[str]:
        """Return the variable that is perhaps meant to be `name`, of those that are none of ours."""
        return [other for other in near(name, self.ansible.raw(None), most=1) if other not in GLOBAL_NAMES]

    def _must_have(self, name: str, text: Text) -> None:
        if self.has(name):
            return
        close = self._meant(name)
        if close:
            text = T("{text} It is perhaps what {near} is meant to be.", text=text, near=close[0])
        else:
            text = T("{text} inventories/example/group_vars/all.yml (“dsi init” writes a copy) shows it.", text=text)
        raise InventoryError([Problem(str(self.home / "group_vars" / "all.yml"), name, text)])

    def _described(self, name: str, text: Text) -> bool:
        """Tell whether a variable is there.

        Raises:
            InventoryError: it is not, but another's name is so near that it was meant to be: nothing is left out
                silently.
        """
        if not self.has(name) and self._meant(name):
            self._must_have(name, text)
        return self.has(name)

    def _absolute(self, path: str) -> str:
        return str((self.home / Path(path)).absolute())

    @cached_property
    def _globals(self) -> Mapping[str, Any]:
        return self.ansible.values(None, GLOBAL_NAMES)

    def _validated(self, kind: Any, name: str, value: Any) -> Any:
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise InventoryError([self._problem(None, (name, *path), text) for path, text in explain(error)]) from error

    def _validated_of(self, host: str, kind: Any, name: str, value: Any) -> Any:
        """Return a host's variable, held against its model."""
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise InventoryError([self._problem(host, (name, *path), text) for path, text in explain(error)]) from error

    def _problem(self, host: str | None, path: tuple[str | int, ...], text: Text) -> Problem:
        file, name = self.ansible.place(host, path)
        shown = dotted((name, *path[1:]))
        return Problem(file, shown, text, self.ansible.line(host, path))


def unknown(name: str, where: str) -> Text:
    """Return what is said of a name that is not where it should be."""
    return T("{where} has no “{name}”, or not what is needed of it.", where=where, name=name)


def unknown_credential(name: str, known: Iterable[str]) -> Text:
    """Return what is said of an account that is not in `dsi_credentials`."""
    text = T("“{name}” is not an account of dsi_credentials.", name=name)
    return T("{text} {hint}", text=text, hint=did_you_mean(name, known))
