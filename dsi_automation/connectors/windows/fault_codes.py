"""What the codes of a fault mean: one sentence each, and what to do.

Sources: wsmerror.h and wbemcli.h (names in the comments), MS-ERREF.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.windows import errors
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T, Text


@dataclass(frozen=True, slots=True)
class Known:
    """A code's kind of error and its sentences; `{machine}` in `what` is filled in where the error is made."""

    error: type[DsiError]
    what: Text
    next_step: Text


_RIGHTS: Final = T(
    "Use an account of the local Administrators group; for a local account other than the built-in Administrator, "
    "look at LocalAccountTokenFilterPolicy."
)
_WAIT: Final = T("Wait a minute and try again.")
_UPDATE: Final = T("Check the version of Windows: the class may be missing there, or the WMI repository damaged.")
_REPORT: Final = T("This should not happen: report it to whoever maintains the toolkit, with the code.")
_WMI: Final = T("Look at the WMI service on the machine (winmgmt /verifyrepository); restart it or the machine.")

# AccessDenied, WBEM_E_ACCESS_DENIED, ERROR_WSMAN_ACCESS_DENIED's HRESULT form
_DENIED: Final = (5, 0x80041003, 0x80070005)
# WBEM_E_INVALID_CLASS, _INVALID_QUERY, _INVALID_NAMESPACE, _INVALID_METHOD, _METHOD_NOT_IMPLEMENTED;
# ERROR_WSMAN_INVALID_ACTIONURI, _CANNOT_PROCESS_FILTER: our queries are well formed, so a class or column is missing
_FEATURE: Final = (0x80041010, 0x80041017, 0x8004100E, 0x8004102E, 0x80041055, 0x80338001, 0x8033801A)
# ERROR_WSMAN_RESOURCE_NOT_FOUND, WBEM_E_NOT_FOUND
_NOT_FOUND: Final = (0x80338000, 0x80041002)
# shells, operations, connections per user; WBEM_E_QUOTA_VIOLATION
QUOTA: Final = (0x803381A5, 0x803381A6, 0x803381A7, 0x8004106C)
# ERROR_WSMAN_OPERATION_TIMEDOUT, WBEM_E_TIMED_OUT
TIMED_OUT: Final = (0x80338029, 0x80043001)
# ERROR_WSMAN_INVALID_SELECTORS, _UNEXPECTED_SELECTORS, _INVALID_URI_WMI_SINGLETON, WBEM_E_INVALID_PARAMETER,
# ERROR_INVALID_PARAMETER
_OURS: Final = (0x8033803D, 0x8033805B, 0x803380FA, 0x80041008, 87, 0x80070057, 0x80338041)
# WBEM_E_SHUTTING_DOWN; RPC server unavailable, call failed, call failed and did not execute; operation aborted
STOPPING: Final = (0x80041033, 0x800706BA, 0x800706BE, 0x800706BF, 0x800703E3, 995)
# WBEM_E_FAILED, _PROVIDER_FAILURE, _CRITICAL_ERROR, _PROVIDER_LOAD_FAILURE
_FAILED: Final = (0x80041001, 0x80041004, 0x8004100A, 0x80041013)
_EXISTS: Final = (0x800700B7,)

UNCERTAIN: Final = frozenset((*TIMED_OUT, *STOPPING, *_FAILED))
"""Faults after which a method may still have been carried out, or go on."""

_GROUPS: Final = (
    (_DENIED, Known(errors.AccessDeniedError, T("{machine} refuses this to the account used."), _RIGHTS)),
    (_FEATURE, Known(errors.FeatureAbsentError, T("The Windows of {machine} does not have what was asked."), _UPDATE)),
    (_NOT_FOUND, Known(errors.NotFoundError, T("{machine} has no such object."), _UPDATE)),
    (QUOTA, Known(errors.BusyError, T("{machine} has no room for another call just now (WinRM quota)."), _WAIT)),
    (TIMED_OUT, Known(errors.AnswerTimeoutError, T("{machine} took longer over the call than it was given."), _WAIT)),
    (_OURS, Known(RefusedError, T("{machine} does not accept the call as it was made."), _REPORT)),
    (STOPPING, Known(errors.BusyError, T("WMI is stopping or starting on {machine}."), _WAIT)),
    (_FAILED, Known(RefusedError, T("WMI failed on {machine}."), _WMI)),
    (_EXISTS, Known(RefusedError, T("What was to be made exists already on {machine}."), T("Look at it first."))),
)
KNOWN: Final[Mapping[int, Known]] = {code: known for codes, known in _GROUPS for code in codes}
