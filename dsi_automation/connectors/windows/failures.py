"""Faults, HTTP answers and the failures of requests, urllib3 and pywinrm turned into our errors.

Their own words stay behind: they may repeat a request, a user or a header. What is kept are codes and class names.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from dsi_automation.connectors.windows import errors, fault_codes
from dsi_automation.connectors.windows.faults import Fault
from dsi_automation.connectors.windows.port import WindowsEndpoint
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text


def from_fault(endpoint: WindowsEndpoint, fault: Fault) -> DsiError:
    """Return the error for a fault: by the first of its codes that has a meaning here."""
    detail = {"codes": [f"0x{code:08X}" for code in fault.codes], "subcode": fault.subcode}
    if fault.reason:
        detail["reason"] = redact(fault.reason)
    for code in fault.codes:
        known = fault_codes.KNOWN.get(code)
        if known:
            what = Text(known.what.template, {"machine": endpoint.name})
            return known.error(what, on=endpoint.name, next_step=known.next_step, detail=detail)
    return RefusedError(
        T(
            "{machine} refused the call: {code}.",
            machine=endpoint.name,
            code=f"0x{fault.codes[0]:08X}" if fault.codes else fault.subcode or T("no code given"),
        ),
        on=endpoint.name,
        next_step=T("Look the code up in Microsoft's documentation of WinRM and WMI errors."),
        detail=detail,
    )


def from_status(endpoint: WindowsEndpoint, status: int, *, empty: bool) -> DsiError:
    """Return the error for an HTTP answer that is neither a result nor a fault."""
    name, detail = endpoint.name, {"http_status": status}
    if status == 400 and empty:
        return errors.SessionEndedError(
            T("{machine} no longer knows the session.", machine=name),
            on=name,
            next_step=T("Try again: a new session is opened."),
            detail=detail,
        )
    if status in {401, 407}:
        return not_authenticated(endpoint)
    if status == 403:
        return errors.AccessDeniedError(
            T("{machine} does not let this account use WinRM.", machine=name), on=name, detail=detail
        )
    if status == 404:
        return RefusedError(
            T("{machine} answers, but not as WinRM.", machine=name),
            on=name,
            next_step=T("Check the port in the inventory (ansible_port) and that WinRM listens there."),
            detail=detail,
        )
    if status == 413:
        return RefusedError(
            T("{machine} finds the request too large (MaxEnvelopeSizekb).", machine=name), on=name, detail=detail
        )
    if status == 503:
        return errors.BusyError(
            T("WinRM is not ready on {machine}.", machine=name),
            on=name,
            next_step=T("Wait a minute and try again."),
            detail=detail,
        )
    return errors.BadAnswerError(
        T("{machine} gave an answer that is not WinRM's (HTTP {status}).", machine=name, status=status),
        on=name,
        next_step=T("Check that nothing stands between the controller and the machine (proxy, redirection)."),
        detail=detail,
    )


def not_authenticated(endpoint: WindowsEndpoint) -> errors.AuthenticationError:
    """Return the error for credentials that are not accepted."""
    return errors.AuthenticationError(
        T("{machine} does not accept the account {user}.", machine=endpoint.name, user=endpoint.user),
        on=endpoint.name,
        meaning=T("Wrong name, wrong password, or an account that is disabled or locked."),
        next_step=T("Check the credential of this machine in the inventory; do not try again and again: it locks."),
    )


def bad_answer(endpoint: WindowsEndpoint, why: str) -> errors.BadAnswerError:
    """Return the error for an answer that cannot be read."""
    return errors.BadAnswerError(
        T("The answer of {machine} cannot be read.", machine=endpoint.name),
        on=endpoint.name,
        next_step=T("Try again; if it stays so, look at the machine and at what stands in between."),
        detail={"why": why},
    )


def unknown_outcome(endpoint: WindowsEndpoint, method: str, cause: DsiError) -> UnknownOutcomeError:
    """Return the error for a method that was sent and whose result is not known."""
    return UnknownOutcomeError(
        T("The answer of {machine} to {method} was lost.", machine=endpoint.name, method=method),
        on=endpoint.name,
        meaning=T("It may have been carried out."),
        next_step=T("Look at the machine again before anything else; the call is not repeated."),
        detail={"cause": type(cause).__name__, **cause.detail},
    )


def from_exception(endpoint: WindowsEndpoint, error: BaseException) -> DsiError:
    """Return the error for what requests, urllib3 or the socket raised."""
    chain = list(_chain(error))
    names = {type(each).__name__ for each in chain}
    detail = {"cause": type(error).__name__}
    name, place = endpoint.name, f"{endpoint.host}:{endpoint.port}"
    for each in chain:
        if isinstance(each, ssl.SSLError):
            return _tls(endpoint, each)
    if "NameResolutionError" in names or "gaierror" in names:
        return errors.ConnectionFailedError(
            T("The name {host} of {machine} is not known.", host=endpoint.host, machine=name),
            on=name,
            next_step=T("Check ansible_host in the inventory, and the DNS."),
            detail=detail,
        )
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return errors.ConnectionFailedError(
            T("{machine} does not answer at {place}.", machine=name, place=place),
            on=name,
            next_step=T("Check that it is switched on, on the network, and that the firewall lets WinRM through."),
            detail=detail,
        )
    if names & {"NewConnectionError", "ConnectionRefusedError"}:
        return errors.ConnectionFailedError(
            T("No connection to {machine} at {place}.", machine=name, place=place),
            on=name,
            next_step=T("Check that WinRM runs there (winrm quickconfig) and that the port is right."),
            detail=detail,
        )
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return late(endpoint)
    return errors.ConnectionLostError(
        T("The connection to {machine} broke.", machine=name),
        on=name,
        next_step=T("Try again; if it stays so, look at the network and at the machine."),
        detail=detail,
    )


def late(endpoint: WindowsEndpoint) -> errors.AnswerTimeoutError:
    """Return the error for an answer that did not come in time."""
    return errors.AnswerTimeoutError(
        T("{machine} did not answer in time.", machine=endpoint.name),
        on=endpoint.name,
        next_step=T("Look at the machine's load and at its WMI service; then try again."),
    )


def _tls(endpoint: WindowsEndpoint, error: ssl.SSLError) -> DsiError:
    name, authority = endpoint.name, endpoint.ca_file or T("the system's authorities")
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.TrustError(
            T("The certificate of {machine} cannot be trusted.", machine=name),
            on=name,
            meaning=T("It was checked for {host} against {authority}.", host=endpoint.host, authority=authority),
            next_step=T(
                "Check ansible_winrm_ca_trust_path and that the certificate bears this name and is not expired."
            ),
            detail={"verify_code": error.verify_code, "verify_message": error.verify_message},
        )
    return errors.TrustError(
        T("No secure connection to {machine}: the TLS exchange failed.", machine=name),
        on=name,
        next_step=T("Check that HTTPS listens on port {port} there.", port=endpoint.port),
        detail={"reason": error.reason or type(error).__name__},
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it stands for: causes, contexts, and the exceptions urllib3 keeps as arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [item for item in inner if isinstance(item, BaseException)]
