"""YAML read strictly: one document, no key twice, and the line of every key kept for messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsi_automation.core.errors import UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.problems import InventoryError, Problem, dotted, explain
from dsi_automation.inventory.problems import Path as KeyPath

if TYPE_CHECKING:
    from pydantic import BaseModel
    from yaml.nodes import Node

VAULT_HEADER = "$ANSIBLE_VAULT;"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file's content and where each key of it is."""

    path: Path
    data: Any
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int | None:
        """Return the line of a key path, or of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def validate[ModelT: BaseModel](self, model: type[ModelT]) -> ModelT:
        """Return the content as `model`.

        Raises:
            InventoryError: with every problem found in it.
        """
        from pydantic import ValidationError

        try:
            return model.model_validate({} if self.data is None else self.data)
        except ValidationError as error:
            raise InventoryError([self.problem(path, text) for path, text in explain(error)]) from error

    def problem(self, path: KeyPath, text: Text) -> Problem:
        """Return a problem at a key path of this file."""
        return Problem(str(self.path), dotted(path), text, self.line_of(path))


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        UsageError: it is absent, not readable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            T("The file {path} does not exist.", path=path),
            next_step=T("Write it, or make a starting inventory with: dsi init"),
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            T("The file {path} is not UTF-8 text.", path=path), next_step=T("Save it again with the UTF-8 encoding.")
        ) from error
    except OSError as error:
        raise UsageError(
            T("The file {path} cannot be read: {reason}.", path=path, reason=reason_of(error)),
            next_step=T("Check who may read it with: ls -l {path}", path=path),
        ) from error


def read_yaml(path: Path) -> YamlFile:
    """Return a YAML file of our own, checked for syntax and duplicate keys.

    Raises:
        UsageError: it cannot be read. InventoryError: it is not sound YAML.
    """
    import yaml

    loader = _loader(read_text(path))
    try:
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date such as 2026-13-45 is a ValueError
        raise InventoryError([_syntax(path, error)]) from error
    lines, doubles = _walk(path, node)
    if doubles:
        raise InventoryError(doubles)
    return YamlFile(path, data, lines)


def check_yaml(path: Path) -> list[Problem]:
    """Return what is wrong with the form of a YAML file that somebody else (Ansible) will read.

    Tags such as `!vault` are left alone; a file that is encrypted as a whole is not looked into.
    """
    import yaml

    text = read_text(path)
    if text.startswith(VAULT_HEADER):
        return []
    try:
        node = _loader(text).get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        return [_syntax(path, error)]
    return _walk(path, node)[1]


def _loader(text: str) -> Any:
    import yaml

    # libyaml is ten times faster; the pure parser gives the same nodes where it was not built.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)


def _syntax(path: Path, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error) or type(error).__name__
    return Problem(
        str(path), "", T("this is not valid YAML ({reason}).", reason=reason), None if mark is None else mark.line + 1
    )


def _walk(path: Path, root: Node | None) -> tuple[dict[KeyPath, int], list[Problem]]:
    from yaml.nodes import MappingNode, SequenceNode

    found: dict[KeyPath, int] = {}
    doubles: list[Problem] = []
    todo: list[tuple[KeyPath, Node | None]] = [((), root)]
    seen: set[int] = set()
    while todo:
        here, node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                found[*here, index] = item.start_mark.line + 1
                todo.append(((*here, index), item))
        elif isinstance(node, MappingNode):
            keys: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in keys and name != "<<":
                    text = T("this key is already on line {line}.", line=keys[name])
                    doubles.append(Problem(str(path), dotted((*here, name)), text, line))
                keys.setdefault(name, line)
                found[*here, name] = line
                todo.append(((*here, name), value))
    return found, sorted(doubles, key=lambda problem: problem.line or 0)
