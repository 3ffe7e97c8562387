"""The methods of a simulated workstation, with their consequences.

Rules from Microsoft's documentation of Win32_ComputerSystem, Win32_OperatingSystem and Win32_UserProfile, and from
MS-WKST NetrJoinDomain2 / NetrRenameMachineInDomain2. A method's failure is its ReturnValue; only what the WMI
provider itself refuses is a fault.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from dsi_automation.core.secrets import Secret
from dsi_automation.lab.windows.faults import Fault
from dsi_automation.lab.windows.joining import Code, DomainJoiner, JoinFlag, JoinRequest
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap import faults
from dsi_automation.lab.windows.soap.faults import wbem_fault

type Arguments = Mapping[str, object]

_NETBIOS_NAME: Final = re.compile(r"^[A-Za-z0-9!@#$%^&')(.\-_{}~]{1,15}$")
_SID: Final = re.compile(r"^S-1-\d+(-\d+)+$")
_KNOWN_FLAGS: Final = sum(JoinFlag)
_REPLACE, _DELETE_REPLACED = 1, 2
_DISABLE_ACCOUNT: Final = 4


async def rename(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:
    """Win32_ComputerSystem.Rename: the new name waits for a restart; a member's account is renamed at once."""
    name = str(given.get("Name") or "")
    if not name:
        return Code.INVALID_PARAMETER
    if not _NETBIOS_NAME.match(name) or name.isdigit() or name.startswith("."):
        return Code.INVALID_COMPUTERNAME
    if machine.state.membership is not None:
        user, password = _credentials(given)
        current = machine.state.pending_name or machine.state.computer_name
        code = await asyncio.to_thread(joiner.rename, current, name, user, password)
        if code != Code.OK:
            return code
    machine.state.pending_name = name
    machine.done("Win32_ComputerSystem", "Rename")
    return Code.OK


async def join(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:
    """Win32_ComputerSystem.JoinDomainOrWorkgroup: really makes the account, with the given credentials."""
    if (rule := machine.strikes(Fault.JOIN_RETURNS)) is not None:
        return int(rule.value)
    if machine.strikes(Fault.NO_DC) is not None:
        return Code.NO_SUCH_DOMAIN
    name, options = given.get("Name"), int(str(given.get("FJoinOptions") or 0))
    if not name or options & ~_KNOWN_FLAGS:
        return Code.INVALID_PARAMETER
    user, password = _credentials(given)
    if user is None and password is not None:
        return Code.INVALID_PARAMETER
    flags = JoinFlag(options)
    if JoinFlag.JOIN_DOMAIN not in flags:
        return _join_workgroup(machine, str(name))
    if machine.state.membership is not None and JoinFlag.DOMAIN_JOIN_IF_JOINED not in flags:
        return Code.ALREADY_JOINED
    if machine.joining:
        return Code.SESSION_CREDENTIAL_CONFLICT
    machine.joining = True
    try:
        return await _join_domain(machine, joiner, str(name), flags, given)
    finally:
        machine.joining = False


async def _join_domain(machine: Machine, joiner: DomainJoiner, name: str, flags: JoinFlag, given: Arguments) -> int:
    user, password = _credentials(given)
    renamed = JoinFlag.JOIN_WITH_NEW_NAME in flags and machine.state.pending_name
    account_ou = given.get("AccountOU")
    request = JoinRequest(
        domain=name.split("\\", 1)[0],
        computer=renamed or machine.state.computer_name,
        user=user,
        password=password,
        account_ou=str(account_ou) if account_ou else None,
        flags=flags,
        keytab=machine.store.path(machine.spec.key, ".keytab"),
        system=machine.spec.os.caption.strip(),
        version=f"{machine.spec.os.version.rsplit('.', 1)[0]} ({machine.spec.os.build})",
    )
    outcome = await asyncio.to_thread(joiner.join, request)
    if outcome.membership is not None:
        machine.state.membership = outcome.membership
        machine.done("Win32_ComputerSystem", "JoinDomainOrWorkgroup")
    return outcome.code


def _join_workgroup(machine: Machine, name: str) -> int:
    if machine.state.membership is not None:
        return Code.ALREADY_JOINED
    machine.state.workgroup = name.upper()
    machine.done("Win32_ComputerSystem", "JoinDomainOrWorkgroup")
    return Code.OK


async def unjoin(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:
    """Win32_ComputerSystem.UnjoinDomainOrWorkgroup: option 4 also disables the account."""
    options = int(str(given.get("FUnjoinOptions") or 0))
    if options & ~_DISABLE_ACCOUNT:
        return Code.INVALID_PARAMETER
    if machine.state.membership is None:
        return Code.NOT_JOINED
    user, password = _credentials(given)
    disable = bool(options & _DISABLE_ACCOUNT)
    code = await asyncio.to_thread(joiner.unjoin, machine.state.computer_name, user, password, disable=disable)
    if code == Code.OK:
        machine.state.membership = None
        machine.done("Win32_ComputerSystem", "UnjoinDomainOrWorkgroup")
    return code


async def reboot(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:  # noqa: ARG001  # one signature
    """Win32_OperatingSystem.Reboot: the endpoint goes away and comes back with a new boot time."""
    machine.done("Win32_OperatingSystem", "Reboot")
    _go_down(machine, comes_back=True)
    return Code.OK


async def shutdown(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:  # noqa: ARG001
    """Win32_OperatingSystem.Shutdown: the endpoint goes away and stays away."""
    machine.done("Win32_OperatingSystem", "Shutdown")
    _go_down(machine, comes_back=False)
    return Code.OK


async def win32_shutdown(machine: Machine, joiner: DomainJoiner, given: Arguments) -> int:  # noqa: ARG001
    """Win32_OperatingSystem.Win32Shutdown: 0 log off, 1 shut down, 2 reboot, 8 power off; 4 forces."""
    flags = int(str(given.get("Flags") or 0))
    if flags & ~0b1111:
        return Code.INVALID_PARAMETER
    machine.done("Win32_OperatingSystem", "Win32Shutdown")
    if flags & 2:
        _go_down(machine, comes_back=True)
    elif flags & (1 | 8):
        _go_down(machine, comes_back=False)
    else:
        machine.state.logged_on_user = None
        machine.save()
    return Code.OK


def _go_down(machine: Machine, *, comes_back: bool) -> None:
    if machine.strikes(Fault.REBOOT_IGNORED) is not None:
        return
    if comes_back and machine.strikes(Fault.REBOOT_NEVER_RETURNS) is not None:
        comes_back = False
    machine.restart(comes_back)


def change_owner(machine: Machine, sid: str, given: Arguments) -> int:
    """Win32_UserProfile.ChangeOwner: the profile at its path changes hands; its user must be out.

    Raises:
        SoapFaultError: in use, a SID nobody has, the new owner has a profile and flag 1 was not given.
    """

    def refuse(status: int) -> faults.SoapFaultError:
        return wbem_fault(status, "ExecMethod", modern=machine.modern)

    flags = int(str(given.get("Flags") or 0))
    new_owner = str(given.get("NewOwnerSID") or "")
    profile = next((held for held in machine.state.profiles if held.sid == sid), None)
    if profile is None or profile.special:
        raise refuse(faults.WBEM_ACCESS_DENIED)
    if not _SID.match(new_owner) or flags & ~(_REPLACE | _DELETE_REPLACED):
        raise refuse(faults.WBEM_INVALID_PARAMETER)
    if not new_owner.startswith(f"{machine.spec.machine_sid}-") and machine.state.boot_membership is None:
        raise refuse(faults.NONE_MAPPED)
    if profile.loaded:
        raise refuse(faults.IN_USE)
    replaced = next((held for held in machine.state.profiles if held.sid == new_owner), None)
    if replaced is not None and replaced is not profile:
        if not flags & _REPLACE:
            raise refuse(faults.ALREADY_EXISTS)
        if replaced.loaded:
            raise refuse(faults.IN_USE)
        machine.state.profiles.remove(replaced)
    profile.sid = new_owner
    machine.done("Win32_UserProfile", "ChangeOwner")
    return Code.OK


def _credentials(given: Arguments) -> tuple[str | None, Secret | None]:
    user, password = given.get("UserName"), given.get("Password")
    return (
        str(user) if user else None,
        None if password is None else Secret(str(password)),
    )


METHODS: Final[Mapping[tuple[str, str], Callable[[Machine, DomainJoiner, Arguments], Awaitable[int]]]] = {
    ("Win32_ComputerSystem", "Rename"): rename,
    ("Win32_ComputerSystem", "JoinDomainOrWorkgroup"): join,
    ("Win32_ComputerSystem", "UnjoinDomainOrWorkgroup"): unjoin,
    ("Win32_OperatingSystem", "Reboot"): reboot,
    ("Win32_OperatingSystem", "Shutdown"): shutdown,
    ("Win32_OperatingSystem", "Win32Shutdown"): win32_shutdown,
    ("Win32_OperatingSystem", "Win32ShutdownTracker"): win32_shutdown,
}
