"""The writes of `workstation.join`: each looks first, and does nothing that is already done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.directory.names import parent, same_dn
from dsi_automation.connectors.windows.methods import explain
from dsi_automation.connectors.windows.port import Hive, MethodResult
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T
from dsi_automation.operations.tools import Hands, Look
from dsi_automation.operations.workstation import profile_repair
from dsi_automation.operations.workstation.facts import COMPUTER_NAME_KEY, PENDING_JOIN_KEY, read_boot
from dsi_automation.operations.workstation.join_settle import patient, wait

# NetJoinDomain flags (MS-WKST NetrJoinDomain2, Win32_ComputerSystem.JoinDomainOrWorkgroup).
JOIN_DOMAIN: Final = 0x1
ACCOUNT_CREATE: Final = 0x2
JOIN_WITH_NEW_NAME: Final = 0x400
FORCED_REBOOT: Final = 6
"""Win32Shutdown flags: 2 restart + 4 forced."""
JOIN_SECONDS: Final = 180.0
"""A join discovers a controller first, which takes longer than an ordinary method."""


def refuse_unfitting(targets: Sequence[str], user: str | None, users: Mapping[str, str]) -> None:
    """Refuse a user that could be meant for several machines, or for one that is not a target.

    Raises:
        UsageError: as said.
    """
    if user and len(targets) > 1:
        raise UsageError(
            T("The input user is for one machine, and {n} are asked for.", n=len(targets)),
            next_step=T("Give users, a login for each machine: -i users=@file.yml."),
        )
    unknown = sorted(set(users) - set(targets))
    if unknown:
        raise UsageError(
            T("users names machines that are not among the targets: {names}.", names=", ".join(unknown)),
            next_step=T("Remove them, or add them to the targets."),
        )


def leave(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Take the machine out of another domain; its object there stays, for whoever runs that domain."""
    with hands.windows(action.target) as machine:
        computer = machine.query("Win32_ComputerSystem", ("Name", "Domain", "PartOfDomain"))[0]
        if not computer["PartOfDomain"] or str(computer["Domain"]).lower() != str(action.args["domain"]).lower():
            return
        # Without the option that disables the account, the other domain is not asked (NetUnjoinDomain).
        result = machine.invoke(
            "Win32_ComputerSystem",
            "UnjoinDomainOrWorkgroup",
            {"FUnjoinOptions": 0},
            {"Name": str(computer["Name"])},
            timeout=JOIN_SECONDS,
        )
    _accept("UnjoinDomainOrWorkgroup", result, action)


def rename(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Give the machine its new name, effective at the restart."""
    new = str(action.args["to"])
    with hands.windows(action.target) as machine:
        computer = machine.query("Win32_ComputerSystem", ("Name", "PartOfDomain"))[0]
        later = machine.registry_value(Hive.LOCAL_MACHINE, COMPUTER_NAME_KEY, "ComputerName")
        if new.upper() in {str(computer["Name"]).upper(), str(later).upper()} and later is not None:
            return
        parameters: dict[str, Any] = {"Name": new}
        if computer["PartOfDomain"]:
            # A member's object is renamed in the directory too, by an account that may.
            account = hands.join_account()
            parameters |= {"UserName": account.user, "Password": account.password}
        result = machine.invoke("Win32_ComputerSystem", "Rename", parameters, {"Name": str(computer["Name"])})
    _accept("Rename", result, action)


def move(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Move the computer object into the OU of the site."""
    target_ou, directory = str(action.args["to"]), hands.directory().for_target(action.target)
    computer = directory.computer(str(action.args["name"]))
    if computer is None or computer.guid != action.args["guid"]:
        computer = next((one for one in directory.computers() if one.guid == action.args["guid"]), None)
    if computer is None:
        raise RefusedError(
            T("The object {name} is no longer in the directory.", name=action.args["name"]),
            on=action.target,
            next_step=T("Look who removed it, then make a new plan."),
        )
    if not same_dn(parent(computer.dn), target_ou):
        directory.move(computer.dn, target_ou)


def join(action: Action, hands: Hands, observer: Observer) -> None:
    """Make the machine a member of the domain, its object created in (or reused from) the OU of the site."""
    args, account = action.args, hands.join_account()
    with hands.windows(action.target) as machine:
        computer = machine.query("Win32_ComputerSystem", ("Name", "Domain", "PartOfDomain"))[0]
        if computer["PartOfDomain"] and str(computer["Domain"]).lower() == str(args["domain"]).lower():
            return
        flags = JOIN_DOMAIN | ACCOUNT_CREATE
        if str(computer["Name"]).upper() != str(args["name"]).upper():
            flags |= JOIN_WITH_NEW_NAME
        observer.notify(Event("wait", T("Joining {domain} ...", domain=args["domain"]), action.target))
        result = machine.invoke(
            "Win32_ComputerSystem",
            "JoinDomainOrWorkgroup",
            {
                "Name": str(args["domain"]),
                "UserName": account.user,
                "Password": account.password,
                "AccountOU": str(args["ou"]),
                "FJoinOptions": flags,
            },
            {"Name": str(computer["Name"])},
            timeout=JOIN_SECONDS,
        )
    _accept("JoinDomainOrWorkgroup", result, action)


def reboot(action: Action, hands: Hands, observer: Observer) -> None:
    """Restart the machine and wait until its boot time changed and it answers."""
    with hands.windows(action.target) as machine:
        before = read_boot(machine)
        try:
            result = machine.invoke("Win32_OperatingSystem", "Win32Shutdown", {"Flags": FORCED_REBOOT, "Reserved": 0})
        except UnknownOutcomeError:
            # A forced restart cuts its own answer: the boot time tells.
            result = MethodResult(0, {})
    _accept("Win32Shutdown", result, action)
    wait(
        action.target,
        hands.look,
        observer,
        lambda: patient(lambda: _restarted(action.target, hands.look, before)),
        T("Restarting ..."),
    )


def migrate_profile(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Give the local profile to the domain user (Win32_UserProfile.ChangeOwner)."""
    source, new = str(action.args["from_sid"]), str(action.args["to_sid"])
    with hands.windows(action.target) as machine:
        profiles = machine.query("Win32_UserProfile", ("SID", "LocalPath", "Loaded"), {"Special": False})
        by_sid = {str(profile["SID"]): profile for profile in profiles}
        if new in by_sid and str(by_sid[new]["LocalPath"]).casefold() == str(action.args["path"]).casefold():
            return
        if by_sid.get(source, {}).get("Loaded"):
            raise RefusedError(
                T("The profile {path} is in use: somebody is signed in with it.", path=action.args["path"]),
                on=action.target,
                next_step=T("Have the user sign out, then run: dsi resume RUN."),
            )
        result = machine.invoke("Win32_UserProfile", "ChangeOwner", {"NewOwnerSID": new, "Flags": 0}, {"SID": source})
    _accept("ChangeOwner", result, action)


ACTS: Final[Mapping[str, Callable[[Action, Hands, Observer], None]]] = {
    "leave": leave,
    "rename": rename,
    "move": move,
    "join": join,
    "reboot": reboot,
    "migrate_profile": migrate_profile,
    profile_repair.KIND: profile_repair.repair,
}


def _accept(method: str, result: MethodResult, action: Action) -> None:
    if result.return_value != 0:
        raise explain(method, result.return_value, action.target)


def _restarted(target: str, look: Look, before: datetime) -> bool:
    with look.windows(target) as machine:
        return read_boot(machine) != before and not machine.registry_key_exists(Hive.LOCAL_MACHINE, PENDING_JOIN_KEY)
