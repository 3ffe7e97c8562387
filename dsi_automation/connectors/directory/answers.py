"""What each answer of an Active Directory means, and what to do about it.

Result codes: RFC 4511 appendix A. The eight hexadecimal digits at the head of AD's diagnostic are a Win32 error
(MS-ERREF 2.2), and `data xxx` in a refused bind is one too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dsi_automation.connectors.directory.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BindRefusedError,
    BusyError,
    NotFoundError,
    PasswordRefusedError,
)
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T, Text

SUCCESS: Final = 0
NO_SUCH_OBJECT: Final = 32
INVALID_CREDENTIALS: Final = 49
_HEAD: Final = re.compile(r"^([0-9A-Fa-f]{8}):")
_DATA: Final = re.compile(r"\bdata ([0-9A-Fa-f]{3,8})\b")
_NO_PARENT: Final = "parent does not exist"
"""Samba's words for a move into an absent container; Windows answers 32."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result the directory gave.

    Attributes:
        code: the result code.
        name: its name in RFC 4511.
        message: the diagnostic message of the server.
    """

    code: int
    name: str
    message: str

    @property
    def win32(self) -> int | None:
        """Return the Win32 error at the head of the diagnostic, if there is one."""
        head = _HEAD.match(self.message)
        return int(head[1], 16) if head else None

    @property
    def data(self) -> str | None:
        """Return the sub-code of a refused bind, in lower case: `52e`."""
        found = _DATA.search(self.message)
        return found[1].lower() if found else None


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error an answer becomes, and what it tells the reader."""

    error: type[DsiError]
    text: Text
    next_step: Text


_LOOK: Final = T("Look at the object with the directory's own tools, then plan again.")
_BUG: Final = T("Report this with its detail: the toolkit should not ask for that.")
_RIGHTS: Final = T("Delegate the missing right on that organisational unit to the account, and nothing more.")
_AGAIN: Final = T("Try again in a few minutes; if it stays so, look at the state of the domain controller.")
_LDAPS: Final = T("Use port 636; if it is in use already, look at channel binding and signing on the controller.")
_RESET: Final = T("Have the password of the account reset, and replace it where the inventory says it is kept.")
_SECRET: Final = T("Check the account and its password where the inventory says they are kept.")

_ABSENT: Final = Meaning(
    NotFoundError,
    T("The object or the organisational unit does not exist, or the account may not see it."),
    T("Check the name in the inventory; the object may have been moved since: plan again."),
)
_EXISTS: Final = Meaning(
    AlreadyExistsError, T("Another object has that name already."), T("Search for it; move or rename one of the two.")
)
_DENIED: Final = Meaning(AccessDeniedError, T("The account does not have the right to do that."), _RIGHTS)
_BUSY: Final = Meaning(BusyError, T("The domain controller is busy or stopping."), _AGAIN)
_RULE: Final = Meaning(RefusedError, T("A rule of the directory forbids that value."), _LOOK)
_MALFORMED: Final = Meaning(RefusedError, T("The directory does not understand what it was asked."), _BUG)
_SIGNED: Final = Meaning(RefusedError, T("The directory wants an encrypted and signed session."), _LDAPS)

BY_CODE: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        1: Meaning(RefusedError, T("An internal error, or a session it no longer takes as authenticated."), _AGAIN),
        2: _MALFORMED,
        3: Meaning(BusyError, T("The time it allows for one search has passed."), _AGAIN),
        4: Meaning(
            RefusedError,
            T("There are more results than the directory gives."),
            T("Ask for a narrower name, or have MaxPageSize and MaxTempTableSize looked at on the controller."),
        ),
        7: Meaning(
            RefusedError,
            T("It does not accept simple binds."),
            T("Have simple binds over LDAPS allowed."),
        ),
        8: _SIGNED,
        10: Meaning(
            RefusedError,
            T("The object belongs to another domain; referrals are not followed."),
            T("Correct the domain in the inventory, or give a controller of that other domain."),
        ),
        11: Meaning(RefusedError, T("An administrative limit of the directory is reached."), _LOOK),
        12: Meaning(
            RefusedError,
            T("It does not know paged results: this is not an Active Directory."),
            T("Check the server and the port in the inventory."),
        ),
        13: _SIGNED,
        14: _MALFORMED,
        16: _MALFORMED,
        17: _MALFORMED,
        18: _MALFORMED,
        19: _RULE,
        20: Meaning(AlreadyExistsError, T("The object has that value already."), T("Nothing needs doing: plan again.")),
        21: _RULE,
        32: _ABSENT,
        33: _MALFORMED,
        34: Meaning(
            RefusedError, T("That is not a distinguished name."), T("Correct the organisational unit in the inventory.")
        ),
        36: _MALFORMED,
        48: Meaning(BindRefusedError, T("The account may not authenticate this way."), _SECRET),
        50: _DENIED,
        51: _BUSY,
        52: _BUSY,
        53: Meaning(RefusedError, T("A rule of the directory forbids that."), _LOOK),
        54: Meaning(RefusedError, T("The object would be inside itself."), _LOOK),
        60: _MALFORMED,
        61: _MALFORMED,
        64: Meaning(RefusedError, T("Such an object may not be there, or not under that name."), _LOOK),
        65: _RULE,
        66: Meaning(
            RefusedError,
            T("There are objects below it: recovery secrets, perhaps."),
            T("Leave it where it is."),
        ),
        67: _RULE,
        68: _EXISTS,
        69: _RULE,
        71: Meaning(RefusedError, T("That would cross into another domain."), T("Use Microsoft's ADMT.")),
        76: _MALFORMED,
        80: Meaning(RefusedError, T("An error of the directory that has no code of its own."), _LOOK),
    }
)
"""Every result code a server may send, but success, the two of a comparison, and 49."""

BY_WIN32: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        0x0005: _DENIED,
        0x04DC: Meaning(RefusedError, T("The session is not authenticated."), _SECRET),
        0x0523: Meaning(RefusedError, T("That is not an account name the directory accepts."), _LOOK),
        0x0524: _EXISTS,
        0x052D: Meaning(
            PasswordRefusedError,
            T("The password does not meet the domain's policy: length, complexity or history."),
            T("Have another password made."),
        ),
        0x2028: _SIGNED,
        0x202F: Meaning(AlreadyExistsError, T("That value must be unique and another object has it."), _LOOK),
        0x2030: _ABSENT,
        0x2071: _EXISTS,
        0x2089: _ABSENT,
        0x208D: _ABSENT,
        0x2098: _DENIED,
        0x216D: Meaning(
            AccessDeniedError,
            T("The account has created as many computers as ms-DS-MachineAccountQuota lets it."),
            T("Delegate the creation of computer objects on the sites' organisational units: it then knows no quota."),
        ),
        0x21C7: Meaning(AlreadyExistsError, T("Another object has that service principal name."), _LOOK),
        0x21C8: Meaning(AlreadyExistsError, T("Another object has that user principal name."), _LOOK),
    }
)
"""Win32 errors that say more than the result code they come with."""

BY_BIND_DATA: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {
        "525": (T("The directory does not know this account."), _SECRET),
        "52e": (T("The account or its password is wrong."), _SECRET),
        "52f": (T("A restriction on the account forbids it, an empty password or a protected group perhaps."), _SECRET),
        "530": (
            T("The account may not log on at this hour."),
            T("Have its logon hours widened, or wait."),
        ),
        "531": (T("The account may not log on from this machine."), T("Add this machine to its list of workstations.")),
        "532": (T("The password of the account has expired."), _RESET),
        "533": (T("The account is disabled."), T("Have it enabled by whoever disabled it, once the reason is known.")),
        "534": (T("The account was not granted this kind of logon."), T("Grant it network logon on the controller.")),
        "568": (T("The account is in too many groups."), T("Use an account made for this task alone.")),
        "701": (T("The account has expired."), T("Have its expiry date moved.")),
        "773": (T("The password is right but must be changed before it is used."), _RESET),
        "775": (
            T("The account is locked after too many wrong passwords."),
            T("Find what keeps trying an old password, then have the account unlocked."),
        ),
        "80090346": (
            T("The controller wants a channel binding token, which a simple bind does not carry."),
            T("Have LdapEnforceChannelBinding set to 1 (when supported) on the controller."),
        ),
    }
)
"""Sub-codes of invalidCredentials (MS-ERREF 2.2, in hexadecimal)."""


def refused(answer: Answer, doing: Text, *, on: str, server: str) -> DsiError:
    """Return the error for an operation that the directory did not carry out."""
    meaning = _meaning(answer)
    return meaning.error(
        T("The directory {server} did not do this: {doing}.", server=server, doing=doing),
        on=on,
        meaning=meaning.text,
        next_step=meaning.next_step,
        detail=_detail(answer, server),
    )


def bind_refused(answer: Answer, *, user: str, server: str) -> DsiError:
    """Return the error for a refused bind: by sub-code when the credentials were judged, else as any answer."""
    what = T("The directory {server} does not let {user} in.", server=server, user=user)
    if answer.code != INVALID_CREDENTIALS:
        meaning = _meaning(answer)
        error = meaning.error if issubclass(meaning.error, BusyError) else BindRefusedError
        return error(what, on=server, meaning=meaning.text, next_step=meaning.next_step, detail=_detail(answer, server))
    text, next_step = BY_BIND_DATA.get(answer.data or "", BY_BIND_DATA["52e"])
    return BindRefusedError(what, on=server, meaning=text, next_step=next_step, detail=_detail(answer, server))


def _meaning(answer: Answer) -> Meaning:
    if _NO_PARENT in answer.message:
        return _ABSENT
    if answer.win32 is not None and answer.win32 in BY_WIN32:
        return BY_WIN32[answer.win32]
    return BY_CODE.get(answer.code, BY_CODE[80])


def _detail(answer: Answer, server: str) -> dict[str, str | int]:
    detail: dict[str, str | int] = {"server": server, "ldap_result": answer.code, "ldap_name": answer.name}
    if answer.message:
        detail["diagnostic"] = answer.message[:500]
    if answer.code == INVALID_CREDENTIALS and answer.data:
        detail["sub_code"] = answer.data
    return detail
