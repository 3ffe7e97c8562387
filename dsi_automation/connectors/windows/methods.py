"""What the return codes of the methods mean, in a sentence each, with the next step.

Sources: the methods' pages of the Win32 documentation, MS-ERREF (Win32 codes), MS-WKST (NetrJoinDomain2), KB5020276.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.windows.errors import MethodFailedError
from dsi_automation.core.text import T, Text


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says and what to do about it."""

    meaning: Text
    next_step: Text


_RIGHT: Final = Meaning(
    T("The account given has not the right to do this."),
    T("Check the delegation of the account on the OU, or that it is an administrator of the machine."),
)
_PARAMETER: Final = Meaning(
    T("Windows finds one of the values unacceptable."),
    T("Check the name, the domain and the OU in the inventory."),
)
_PASSWORD: Final = Meaning(
    T("Windows knows no such account with that password."),
    T("Check the user and the password of the account that joins machines; it may also be expired."),
)
_NO_DOMAIN: Final = Meaning(
    T("The machine finds no controller of that domain."),
    T("Check the DNS servers of the machine first: they must be those of the domain."),
)
_SHUTTING_DOWN: Final = Meaning(
    T("The machine is shutting down or restarting already."),
    T("Wait until it is back, then look again."),
)

_JOIN: Final[Mapping[int, Meaning]] = {
    2: Meaning(
        T("The OU given does not exist, or its name is not written as it should be."),
        T("Check the OU of the site in the inventory, `OU=...,DC=...` with commas."),
    ),
    5: _RIGHT,
    53: Meaning(
        T("The machine does not find the network path to the domain controller."),
        T("Check the network of the machine, its DNS servers, and port 445 to the controller."),
    ),
    87: _PARAMETER,
    110: Meaning(
        T("The machine cannot open what it needs on the domain controller."),
        T("Check the firewall between the machine and the controller, then the controller itself."),
    ),
    1219: Meaning(
        T("The machine already has a connection to the controller under another account."),
        T("Restart the machine, or close its open shares, and try again."),
    ),
    1311: _NO_DOMAIN,
    1323: Meaning(
        T("The password of the computer account could not be set."),
        T("Check that the joining account may reset it: the computer object may belong to somebody else."),
    ),
    1326: _PASSWORD,
    1330: Meaning(
        T("The password of the account that joins machines is expired."),
        T("Have it renewed, then put the new one where the inventory takes it from."),
    ),
    1331: Meaning(
        T("The account that joins machines is disabled."),
        T("Have it enabled again."),
    ),
    1332: Meaning(
        T("The domain has no account for this machine, and none was to be created."),
        T("Join with the option that creates the account (2)."),
    ),
    1355: _NO_DOMAIN,
    1909: Meaning(
        T("The account that joins machines is locked."),
        T("Have it unlocked, and look for what tries wrong passwords."),
    ),
    2202: Meaning(
        T("The user name is not written as Windows expects it."),
        T("Write it DOMAIN\\user or user@domain."),
    ),
    2224: Meaning(
        T("The domain has an account of this name already."),
        T("Look whose it is: reuse it, remove it, or choose another name."),
    ),
    2691: Meaning(
        T("The machine is a member of a domain already."),
        T("Look which one; leaving a domain is a decision of its own."),
    ),
    2692: Meaning(
        T("The machine is not a member of a domain."),
        T("Look at the machine again: nothing may be left to do."),
    ),
    2732: Meaning(
        T("The domain refuses to reuse the existing computer account (hardening of October 2022, KB5020276)."),
        T("Have the object removed, or joined by the account that created it."),
    ),
    8557: Meaning(
        T("The joining account has created as many machines as the domain allows it."),
        T("Delegate the creation of computer objects on the OU; the quota (ms-DS-MachineAccountQuota) then is moot."),
    ),
}
_RENAME: Final[Mapping[int, Meaning]] = {
    5: _RIGHT,
    52: Meaning(
        T("The name is in use on the network already."),
        T("Choose another name."),
    ),
    87: _PARAMETER,
    123: _PARAMETER,
    1210: Meaning(
        T("Windows does not accept this as a computer name."),
        T("At most 15 letters, digits and hyphens, not digits alone: check the site's naming rule."),
    ),
    1323: _JOIN[1323],
    1326: _PASSWORD,
    1355: _NO_DOMAIN,
    2224: _JOIN[2224],
    8557: _JOIN[8557],
}
_SHUTDOWN: Final[Mapping[int, Meaning]] = {
    5: _RIGHT,
    21: Meaning(T("The machine is not ready for this."), T("Wait a minute and try again.")),
    1115: _SHUTTING_DOWN,
    1190: _SHUTTING_DOWN,
    1191: Meaning(
        T("Users are signed in, and the restart was not to be forced."),
        T("Wait until they have left, or restart with force."),
    ),
    1314: Meaning(
        T("The account has not the privilege to shut the machine down."),
        T("Use an administrator of the machine."),
    ),
}
_OWNER: Final[Mapping[int, Meaning]] = {
    5: _RIGHT,
    32: Meaning(
        T("A file of the profile is in use."),
        T("Have the user sign out, restart the machine, and try again before anybody signs in."),
    ),
    87: _PARAMETER,
    183: Meaning(
        T("The new owner has a profile on this machine already."),
        T("Decide which profile to keep; the other one is replaced only when the plan says so."),
    ),
    1332: Meaning(
        T("The machine does not know the new owner."),
        T("Check that the machine is in the domain and restarted since, and that it reaches a controller."),
    ),
    170: Meaning(
        T("The profile is loaded: somebody is signed in with it."),
        T("Have the user sign out, restart the machine, and try again before anybody signs in."),
    ),
}
_BY_METHOD: Final[Mapping[str, Mapping[int, Meaning]]] = {
    "JoinDomainOrWorkgroup": _JOIN,
    "UnjoinDomainOrWorkgroup": _JOIN,
    "Rename": _RENAME,
    "Win32Shutdown": _SHUTDOWN,
    "Reboot": _SHUTDOWN,
    "Shutdown": _SHUTDOWN,
    "ChangeOwner": _OWNER,
}
_HRESULT_WIN32: Final = 0x80070000


def explain(method: str, code: int, machine: str) -> MethodFailedError:
    """Return the error for a method that answered with a code other than 0.

    Args:
        code: as answered; an HRESULT around a Win32 code (0x8007xxxx) means that code.
        machine: the machine's name in the inventory.
    """
    plain = code & 0xFFFF if code & 0xFFFF0000 == _HRESULT_WIN32 else code
    known = _BY_METHOD.get(method, {}).get(plain)
    return MethodFailedError(
        T("{method} failed on {machine} with code {code}.", method=method, machine=machine, code=plain),
        on=machine,
        meaning=known.meaning if known else None,
        next_step=known.next_step if known else T("Look it up on the machine: net helpmsg {code}.", code=plain),
        detail={"method": method, "code": code},
    )
