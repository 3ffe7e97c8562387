"""What goes to PowerShell and what comes back, as text: pure, no I/O. Values never become part of a script."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

PROGRAM: Final = "powershell.exe"
_MARKED: Final = re.compile(rb"DSI-BEGIN([A-Za-z0-9+/=\s]*)DSI-END")
_LONGEST_COMMAND: Final = 8191
"""Characters of a command line of cmd.exe, through which WinRM starts a program."""


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """A script that stopped: the .NET type of its exception and its HRESULT, unsigned."""

    error: str
    hresult: int


def script(name: str) -> str:
    """Return a script of the package by its name, without `.ps1`.

    Raises:
        UsageError: there is none of that name.
    """
    place = files("dsi_automation.connectors.windows.powershell") / f"{name}.ps1"
    if not re.fullmatch("[a-z_]+", name) or not place.is_file():
        raise UsageError(T("There is no PowerShell script {name}.", name=name))
    return place.read_text("utf-8")


def arguments() -> list[str]:
    """Return the arguments PowerShell is started with: the bootstrap, the same for every script."""
    code = "\n".join(line for line in script("bootstrap").splitlines() if not line.lstrip().startswith("#"))
    encoded = base64.b64encode(code.encode("utf-16-le")).decode()
    assert len(encoded) < _LONGEST_COMMAND - 200  # noqa: S101  # the file is ours, and a test looks too
    return ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand", encoded]


def standard_input(name: str, values: Mapping[str, Any]) -> bytes:
    """Return the two lines the bootstrap reads: script and input, both base64."""
    body = json.dumps(_revealed(values), ensure_ascii=True)
    return b"".join(base64.b64encode(part.encode()) + b"\r\n" for part in (script(name), body))


def result(output: bytes) -> Any | ScriptFailure:
    """Return what a script gave back.

    Raises:
        MalformedAnswerError: the mark is missing, or what it holds is not ours.
    """
    found = _MARKED.search(output)
    if not found:
        raise MalformedAnswerError("no result from PowerShell")
    try:
        answer = json.loads(base64.b64decode(b"".join(found[1].split()), validate=True))
        if answer["ok"]:
            return answer["result"]
        return ScriptFailure(str(answer["error"]), int(answer["hresult"]) & 0xFFFFFFFF)
    except (binascii.Error, ValueError, LookupError, TypeError) as error:
        raise MalformedAnswerError("an unreadable result from PowerShell") from error


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {str(key): _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value
