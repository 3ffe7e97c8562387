"""The faults the simulated tenant can be told to have, and when each strikes."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dsi_automation.core.text import T, Text

type Place = Literal["outer", "item"]
"""Where a request came from: by itself, or inside a batch."""


class Fault(StrEnum):
    """What goes wrong. `DESCRIPTIONS` says each in one line."""

    THROTTLE = "throttle"
    STATUS = "status"
    CUT = "cut"
    SLOW = "slow"
    NOT_JSON = "not_json"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  # a fault's name
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # a fault's name
    SYNC_STOPPED = "sync_stopped"
    LICENCE_ERROR = "licence_error"
    MAILBOX_NEVER_READY = "mailbox_never_ready"


DESCRIPTIONS: Final[dict[Fault, Text]] = {
    Fault.THROTTLE: T("Answers 429 or 503 (status), with a Retry-After (retry_after: any text, or none)."),
    Fault.STATUS: T("Answers an error (status: 500, 502, 504...), before or after doing it (after_commit)."),
    Fault.CUT: T("Cuts the connection, before or after doing it (after_commit)."),
    Fault.SLOW: T("Answers after a delay (seconds)."),
    Fault.NOT_JSON: T("Answers an error (status) whose body is a web page."),
    Fault.TOKEN_REFUSED: T("Refuses to issue a token (error: an AADSTS number)."),
    Fault.TOKEN_EXPIRED: T("Says that the token has expired."),
    Fault.SYNC_STOPPED: T("The synchronisation does nothing, and does not say so."),
    Fault.LICENCE_ERROR: T("A licence is accepted, then fails in the background (error: CountViolation...)."),
    Fault.MAILBOX_NEVER_READY: T("A mailbox does not get ready while the fault lasts."),
}
DEFAULT_STATUS: Final = {Fault.THROTTLE: 429, Fault.STATUS: 500, Fault.NOT_JSON: 502}


class FaultRule(BaseModel):
    """One fault switched on.

    Attributes:
        fault: what goes wrong.
        method: only requests with this HTTP method.
        path: only requests whose path below `/v1.0` fits this pattern (`*` and `?`), as in `/users/*/assignLicense`;
            for TOKEN_REFUSED ignored. A `*` alone is every request, the batches around items among them.
        where: `outer` for requests by themselves (a batch is one), `item` for those inside a batch, `any` for both.
        count: how many times it strikes; None for always.
        status: what is answered; 429, 500 or 502 when not given, by the fault.
        retry_after: the Retry-After header's text, whatever it is; None for no header.
        after_commit: whether the request is carried out first.
        seconds: of SLOW.
        error: of LICENCE_ERROR and TOKEN_REFUSED.
        user: of LICENCE_ERROR and MAILBOX_NEVER_READY: only users whose UPN fits this pattern.
    """

    model_config = ConfigDict(extra="forbid")

    fault: Fault
    method: str | None = None
    path: str = "*"
    where: Literal["any", "outer", "item"] = "any"
    count: int | None = Field(default=None, ge=1)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: str | None = None
    after_commit: bool = False
    seconds: float = Field(default=0.0, ge=0)
    error: str = ""
    user: str = "*"

    @property
    def answered(self) -> int:
        """Return the status to answer."""
        return self.status or DEFAULT_STATUS.get(self.fault, 500)

    def fits(self, method: str, path: str, place: Place) -> bool:
        """Tell whether a request is concerned."""
        return (
            (self.method is None or self.method.upper() == method)
            and self.where in ("any", place)
            and fnmatchcase(path.lower(), self.path.lower())
        )


class Faults:
    """The faults that are on."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> None:
        """Switch one on."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Switch all off."""
        self._rules.clear()

    def strike(self, kinds: frozenset[Fault], method: str, path: str, place: Place) -> FaultRule | None:
        """Return the first of these faults that concerns a request, and count it."""
        for rule in self._rules:
            if rule.fault in kinds and rule.fits(method, path, place):
                return self._counted(rule)
        return None

    def background(self, kind: Fault, upn: str = "") -> FaultRule | None:
        """Return a fault of what happens without a request, for one user, and count it."""
        for rule in self._rules:
            if rule.fault is kind and fnmatchcase(upn.lower(), rule.user.lower()):
                return self._counted(rule)
        return None

    def _counted(self, rule: FaultRule) -> FaultRule:
        if rule.count is not None:
            rule.count -= 1
            if rule.count <= 0:
                self._rules.remove(rule)
        return rule
