"""What is typed after `-i`: `key=value` again and again, `key=@file` for one value, `@file` for many inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

LARGEST_FILE: Final = 1_048_576
"""Bytes; an input file is written by hand, and anything larger is a mistake in its name."""

PEOPLE: Final = "people"
"""The input whose file is a list of people: a CSV file may be given for it."""


def gather(words: Sequence[str]) -> dict[str, Any]:
    """Return the inputs; values typed on the command line stay strings, the operation's schema converts them.

    A value that really begins with @ is written with two of them.

    Raises:
        UsageError: a word is neither `key=value` nor `@file`, a key comes twice, or a file cannot be read.
    """
    gathered: dict[str, Any] = {}
    for word in words:
        for key, value in _pairs(word):
            if key in gathered:
                raise UsageError(T("The input {key} is given twice.", key=key), next_step=T("Give it once."))
            gathered[key] = value
    return gathered


def typed(key: str, value: str | None) -> list[str]:
    """Return an input as it is typed, none where it has no value; a value that begins with @ is meant so."""
    return [] if value is None else [f"{key}={'@' if value.startswith('@') else ''}{value}"]


def _pairs(word: str) -> list[tuple[str, Any]]:
    if word.startswith("@"):
        return list(from_file(Path(word[1:])).items())
    key, equals, value = word.partition("=")
    if not equals or not key.strip():
        raise UsageError(
            T("“{word}” is not an input.", word=word),
            next_step=T("Write -i key=value, -i key=@file.yml for a value in a file, or -i @file.yml for many inputs."),
        )
    return [(key.strip(), _value(key.strip(), value))]


def _value(key: str, typed: str) -> Any:
    if typed.startswith("@@"):
        return typed[1:]
    if key == PEOPLE and typed.startswith("@"):
        from dsi_automation.composition.people_file import read_people

        return read_people(Path(typed[1:]))
    return content_of(Path(typed[1:])) if typed.startswith("@") else typed


def from_file(path: Path) -> Mapping[str, Any]:
    """Return the inputs a JSON or YAML file holds.

    Raises:
        UsageError: it cannot be read, or is not a mapping.
    """
    content = content_of(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UsageError(
            T("The input file {path} is not a mapping of inputs to values.", path=path),
            next_step=T("Write one “key: value” per line."),
        )
    return content


def content_of(path: Path) -> Any:
    """Return what a JSON or YAML file holds.

    Raises:
        UsageError: it cannot be read, or is neither.
    """
    text = _read(path)
    try:
        return json.loads(text) if path.suffix == ".json" else _yaml(text, path)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _unreadable(path) from error


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) <= LARGEST_FILE:
            return content.decode("utf-8")
    except OSError as error:
        raise UsageError(
            T("The input file {path} cannot be read: {reason}.", path=path, reason=reason_of(error))
        ) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path) from error
    raise UsageError(T("The input file {path} is larger than 1 MiB.", path=path))


def _yaml(text: str, path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> UsageError:
    return UsageError(
        T("The input file {path} is neither JSON nor YAML.", path=path),
        next_step=T("Write one “key: value” per line."),
    )
