"""`release.yml`: what a release says of itself, read strictly; see `port` for an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.core.text import T, Text

FILE: Final = "release.yml"
LARGEST: Final = 1 << 20
"""Bytes: a description has a few lines; more of them is something else."""


@dataclass(frozen=True, slots=True)
class ScriptPaths:
    """One database script as the description names it."""

    file: str
    undo: str | None


@dataclass(frozen=True, slots=True)
class Description:
    """What `release.yml` says."""

    version: str
    title: str
    scripts: tuple[ScriptPaths, ...]


def read(content: bytes, name: str) -> Description:
    """Return what the description of the release `name` says.

    Raises:
        ReleaseError: it is not right, or is that of another release.
    """
    said = _mapping(_loaded(content, name), ("version", "title", "scripts"), ("version", "title"), name, FILE)
    version, title = _text(said, "version", name), _text(said, "title", name)
    if version != name:
        raise wrong(name, T("{file} says that it is release {found}.", file=FILE, found=version))
    scripts = tuple(_script(item, number, name) for number, item in enumerate(_list(said, name), start=1))
    paths = [path for one in scripts for path in (one.file, one.undo) if path is not None]
    if twice := sorted({path for path in paths if paths.count(path) > 1}):
        raise wrong(name, T("{file} names twice: {paths}.", file=FILE, paths=", ".join(twice)))
    return Description(version, title, scripts)


def wrong(name: str, why: Text) -> ReleaseError:
    """Return the error for a release that is not as it must be."""
    return ReleaseError(
        T("Release {name} cannot be used: {why}", name=name, why=why),
        next_step=T("Have whoever makes releases correct it, sign it again and give it a new version."),
    )


def inside(path: str) -> bool:
    """Tell whether a path stays within the release, as it is written."""
    parts = PurePosixPath(path).parts
    return bool(parts) and path.isprintable() and "\\" not in path and not path.startswith("/") and ".." not in parts


def _loaded(content: bytes, name: str) -> Any:
    if len(content) > LARGEST:
        raise wrong(name, T("{file} is longer than a description is.", file=FILE))
    try:
        # Every value is a text: a version such as 1.10 is no number.
        node = yaml.compose(content.decode(), Loader=yaml.BaseLoader)
        _once(node, name)
        return yaml.load(content.decode(), Loader=yaml.BaseLoader)  # noqa: S506  # makes texts, lists and mappings only
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "-" if mark is None else str(mark.line + 1)
        raise wrong(name, T("{file} is not YAML, line {line}.", file=FILE, line=line)) from error


def _once(node: Any, name: str) -> None:
    """Refuse a key that is given twice: YAML would take the last one, a reader the first."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise wrong(name, T("{file} names twice: {paths}.", file=FILE, paths=", ".join(twice)))
        for _, value in node.value:
            _once(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _once(value, name)


def _mapping(
    value: object, known: Sequence[str], needed: Sequence[str], name: str, where: object
) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise wrong(name, T("{where}: a mapping is expected.", where=where))
    if unknown := sorted(str(key) for key in value if key not in known):
        raise wrong(name, T("{where} has what nothing reads: {keys}.", where=where, keys=", ".join(unknown)))
    if missing := [key for key in needed if key not in value]:
        raise wrong(name, T("{where} does not say: {keys}.", where=where, keys=", ".join(missing)))
    return value


def _text(said: Mapping[str, object], key: str, name: str) -> str:
    value = said[key]
    if not isinstance(value, str) or not value.strip():
        raise wrong(name, T("{where} does not say: {keys}.", where=FILE, keys=key))
    return value.strip()


def _list(said: Mapping[str, object], name: str) -> Sequence[object]:
    value = said.get("scripts", [])
    if value == "":
        return ()
    if not isinstance(value, list):
        raise wrong(name, T("{where}: a list is expected.", where="scripts"))
    return value


def _script(item: object, number: int, name: str) -> ScriptPaths:
    where = T("Script {number} of {file}", number=number, file=FILE)
    said = _mapping(item, ("file", "undo"), ("file",), name, where)
    for key in said:
        path = said[key]
        if not isinstance(path, str) or not inside(path):
            raise wrong(name, T("{where}: {path} is not a path within the release.", where=where, path=str(path)))
    undo = said.get("undo")
    return ScriptPaths(str(said["file"]), None if undo is None else str(undo))
