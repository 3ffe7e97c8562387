"""The faults a simulated workstation can be told to have, and when each strikes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from dsi_automation.core.text import T, Text


class Fault(StrEnum):
    """What goes wrong. `DESCRIPTIONS` says each in one line."""

    SLOW = "slow"
    HANG = "hang"
    RESET_BEFORE = "reset_before"
    RESET_AFTER_WRITE = "reset_after_write"
    QUOTA = "quota"
    EMPTY_400 = "empty_400"
    TIMEOUT_AFTER_JOIN = "timeout_after_join"
    ACCESS_DENIED = "access_denied"
    WBEM_SHUTTING_DOWN = "wbem_shutting_down"
    INVALID_CLASS = "invalid_class"
    NO_DC = "no_dc"
    JOIN_RETURNS = "join_returns"
    REBOOT_NEVER_RETURNS = "reboot_never_returns"
    REBOOT_IGNORED = "reboot_ignored"
    PAGE_SIZE = "page_size"
    STALE_SCHEMA = "stale_schema"
    REASON_ONLY = "reason_only"


DESCRIPTIONS: Final[dict[Fault, Text]] = {
    Fault.SLOW: T("Answers after a delay (value: seconds)."),
    Fault.HANG: T("Accepts the connection and never answers."),
    Fault.RESET_BEFORE: T("Cuts the connection before doing anything."),
    Fault.RESET_AFTER_WRITE: T("Does the method, then cuts the connection without an answer."),
    Fault.QUOTA: T("Refuses: too many shells or operations at once (2150859174)."),
    Fault.EMPTY_400: T("Answers HTTP 400 with an empty body, as after a long idle time."),
    Fault.TIMEOUT_AFTER_JOIN: T("Does the method, then answers that it timed out (2150858793)."),
    Fault.ACCESS_DENIED: T("Refuses: access denied by WMI (0x80041003)."),
    Fault.WBEM_SHUTTING_DOWN: T("Refuses: WMI is shutting down (0x80041033)."),
    Fault.INVALID_CLASS: T("Refuses: the class does not exist (0x80041010), as with a damaged WMI repository."),
    Fault.NO_DC: T("A join finds no domain controller (1355)."),
    Fault.JOIN_RETURNS: T("A join does nothing and returns a code (value: the code)."),
    Fault.REBOOT_NEVER_RETURNS: T("The next restart never ends."),
    Fault.REBOOT_IGNORED: T("A restart is accepted and never happens."),
    Fault.PAGE_SIZE: T("Gives lists in small pages (value: instances per page)."),
    Fault.STALE_SCHEMA: T("The class schema has no methods, as after a failed update."),
    Fault.REASON_ONLY: T("Refuses with a SOAP fault that has a reason and no code."),
}
NEED_VALUE: Final = frozenset({Fault.SLOW, Fault.JOIN_RETURNS, Fault.PAGE_SIZE})
"""Faults that are nothing without their value."""


class FaultRule(BaseModel):
    """One fault switched on.

    Attributes:
        fault: what goes wrong.
        value: what the fault's description calls its value: seconds, a page size, a return code.
        count: how many matching requests it strikes; None for all of them.
        method: only requests that invoke this CIM method, by name; None for any request.
        class_name: only requests about this CIM class; None for any class.
    """

    model_config = ConfigDict(extra="forbid")

    fault: Fault
    value: float = 0.0
    count: int | None = Field(default=None, ge=1)
    method: str | None = None
    class_name: str | None = None
