"""The registry of a simulated workstation, as StdRegProv shows it; it follows the workstation's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap.xml import Value
from dsi_automation.lab.windows.spec import RebootReason

LOCAL_MACHINE: Final = 2147483650
USERS: Final = 2147483651
STRING, EXPANDED, DWORD, MULTI = 1, 2, 4, 7
KEY_ABSENT: Final = 2
"""ERROR_FILE_NOT_FOUND, for a key."""
VALUE_ABSENT: Final = 1
TYPE_MISMATCH: Final = 0x80041005

type Values = dict[str, tuple[int, str | int | list[str]]]

_CURRENT_VERSION: Final = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
_CONTROL: Final = "SYSTEM\\CurrentControlSet\\Control"
_SERVICES: Final = "SYSTEM\\CurrentControlSet\\Services"
_WINDOWS: Final = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
_READS: Final[Mapping[str, tuple[str, frozenset[int]]]] = {
    "GetStringValue": ("sValue", frozenset({STRING, EXPANDED})),
    "GetExpandedStringValue": ("sValue", frozenset({STRING, EXPANDED})),
    "GetDWORDValue": ("uValue", frozenset({DWORD})),
    "GetMultiStringValue": ("sValue", frozenset({MULTI})),
}


def call(machine: Machine, method: str, hive: object, key: object, value: object) -> dict[str, Value]:
    """Carry out a StdRegProv method and return its out-parameters, ReturnValue last as Windows orders them."""
    keys = _hive(machine, LOCAL_MACHINE if hive is None else hive)
    path = str(key or "").strip("\\")
    values = next((found for name, found in keys.items() if name.lower() == path.lower()), None)
    children = _children(keys, path)
    if method == "EnumKey":
        if values is None and not children:
            return {"ReturnValue": KEY_ABSENT}
        return {"sNames": children, "ReturnValue": 0}
    if values is None:
        return {"ReturnValue": 0 if children and method == "EnumValues" else KEY_ABSENT}
    if method == "EnumValues":
        return {"sNames": list(values), "Types": [kind for kind, _ in values.values()], "ReturnValue": 0}
    out, kinds = _READS[method]
    found = next((held for name, held in values.items() if name.lower() == str(value or "").lower()), None)
    if found is None:
        return {out: None, "ReturnValue": VALUE_ABSENT}
    return {out: found[1], "ReturnValue": 0} if found[0] in kinds else {out: None, "ReturnValue": TYPE_MISMATCH}


def _children(keys: Mapping[str, Values], path: str) -> list[str]:
    prefix = f"{path}\\".lower() if path else ""
    names = {name[len(prefix) :].split("\\", 1)[0] for name in keys if name.lower().startswith(prefix)}
    return sorted(names - {""})


def _hive(machine: Machine, hive: object) -> dict[str, Values]:
    if hive == LOCAL_MACHINE:
        return _local_machine(machine)
    if hive == USERS:
        loaded = {profile.sid for profile in machine.state.profiles if profile.loaded}
        return {sid: {} for sid in (".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20", *sorted(loaded))}
    return {}


def _local_machine(machine: Machine) -> dict[str, Values]:
    state = machine.state
    next_name = state.pending_name or state.computer_name
    domain = state.membership.dns_name if state.membership else ""
    keys: dict[str, Values] = {
        _CURRENT_VERSION: _current_version(machine),
        f"{_CONTROL}\\ComputerName\\ActiveComputerName": {"ComputerName": (STRING, state.computer_name)},
        f"{_CONTROL}\\ComputerName\\ComputerName": {"ComputerName": (STRING, next_name)},
        f"{_SERVICES}\\Tcpip\\Parameters": {
            "Hostname": (STRING, state.computer_name),
            "NV Hostname": (STRING, next_name),
            "Domain": (STRING, domain),
            "NV Domain": (STRING, domain),
        },
        f"{_SERVICES}\\Netlogon": {"Start": (DWORD, 2 if state.membership else 3)},
        f"{_CONTROL}\\Session Manager": {"ProtectionMode": (DWORD, 1)},
        f"{_WINDOWS}\\Component Based Servicing": {"LastTrustTime": (STRING, "")},
        f"{_WINDOWS}\\WindowsUpdate\\Auto Update": {"AcceleratedInstallRequired": (DWORD, 0)},
        f"{_WINDOWS}\\Policies\\System": {
            "EnableLUA": (DWORD, 1),
            "LocalAccountTokenFilterPolicy": (DWORD, int(machine.spec.local_account_token_filter_policy)),
        },
    }
    _add_pending(machine, keys)
    for profile in state.profiles:
        keys[f"{_CURRENT_VERSION}\\ProfileList\\{profile.sid}"] = {
            "ProfileImagePath": (EXPANDED, profile.path),
            "State": (DWORD, 0),
        }
    return keys


def _current_version(machine: Machine) -> Values:
    system = machine.spec.os
    values: Values = {
        "ProductName": (STRING, system.product_name),
        "EditionID": (STRING, system.edition_id),
        "CurrentBuild": (STRING, system.build),
        "CurrentBuildNumber": (STRING, system.build),
        "InstallationType": (STRING, "Client" if system.product_type == 1 else "Server"),
        "UBR": (DWORD, system.ubr),
    }
    if system.display_version is not None:
        values["DisplayVersion"] = (STRING, system.display_version)
        values["CurrentMajorVersionNumber"] = (DWORD, 10)
    return values


def _add_pending(machine: Machine, keys: dict[str, Values]) -> None:
    """Add what Windows writes while a restart is owed.

    JoinDomain is told of as a key by some tools and as a value by others; both are here.
    """
    reasons = machine.state.pending_reboot
    if machine.state.join_pending:
        keys[f"{_SERVICES}\\Netlogon"]["JoinDomain"] = (STRING, "1")
        keys[f"{_SERVICES}\\Netlogon\\JoinDomain"] = {}
    if RebootReason.COMPONENT_SERVICING in reasons:
        keys[f"{_WINDOWS}\\Component Based Servicing\\RebootPending"] = {}
    if RebootReason.WINDOWS_UPDATE in reasons:
        keys[f"{_WINDOWS}\\WindowsUpdate\\Auto Update\\RebootRequired"] = {}
    if RebootReason.FILE_RENAME in reasons:
        moved = ["\\??\\C:\\WINDOWS\\Temp\\setup.tmp", ""]
        keys[f"{_CONTROL}\\Session Manager"]["PendingFileRenameOperations"] = (MULTI, moved)
