"""Registry reads through StdRegProv, whoever calls its methods (WS-Management or memory)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dsi_automation.connectors.windows.errors import AccessDeniedError
from dsi_automation.connectors.windows.methods import explain
from dsi_automation.connectors.windows.port import CimValue, Hive, MethodResult
from dsi_automation.core.text import T

type StaticCall = Callable[[str, Mapping[str, CimValue]], MethodResult]

_ABSENT: Final = frozenset({1, 2})
"""Value or key not there (ERROR_FILE_NOT_FOUND; 1 is what the provider says of an absent value)."""
_DENIED: Final = frozenset({5, 0x80041003, 0x80070005})
_OTHER_TYPE: Final = frozenset({0x80041005, 13})
"""WBEM_E_TYPE_MISMATCH: the value is there, and of another type than asked for."""
_READERS: Final = (
    ("GetStringValue", "sValue"),
    ("GetDWORDValue", "uValue"),
    ("GetMultiStringValue", "sValue"),
    ("GetExpandedStringValue", "sValue"),
    ("GetQWORDValue", "uValue"),
)


def value(call: StaticCall, machine: str, hive: Hive, key: str, name: str) -> str | int | tuple[str, ...] | None:
    """Return a registry value, or None when key or value is absent.

    One call for a string or when there is none; one more per type tried otherwise.

    Raises:
        AccessDeniedError: the key may not be read.
    """
    for method, parameter in _READERS:
        result = call(method, {"hDefKey": int(hive), "sSubKeyName": key, "sValueName": name})
        if result.return_value in _OTHER_TYPE:
            continue
        if result.return_value in _ABSENT:
            return None
        _check(result, method, machine, key)
        return _plain(result.out.get(parameter), multiple=method == "GetMultiStringValue")
    return None


def key_exists(call: StaticCall, machine: str, hive: Hive, key: str) -> bool:
    """Tell whether a key exists.

    Raises:
        AccessDeniedError: the key may not be read.
    """
    result = call("EnumKey", {"hDefKey": int(hive), "sSubKeyName": key})
    if result.return_value in _ABSENT:
        return False
    _check(result, "EnumKey", machine, key)
    return True


def _check(result: MethodResult, method: str, machine: str, key: str) -> None:
    if result.return_value in _DENIED:
        raise AccessDeniedError(
            T("{machine} does not let this account read the registry key {key}.", machine=machine, key=key),
            on=machine,
            next_step=T("Use an administrator of the machine."),
        )
    if result.return_value:
        raise explain(method, result.return_value, machine)


def _plain(found: CimValue, *, multiple: bool) -> str | int | tuple[str, ...]:
    if multiple:
        return tuple(str(each) for each in found) if isinstance(found, tuple) else ()
    if isinstance(found, int):
        return found
    return "" if found is None else str(found)
