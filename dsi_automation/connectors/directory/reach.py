"""Why a domain controller could not be reached: the network's and TLS's exceptions, as errors of ours."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dsi_automation.connectors.directory.errors import CertificateRefusedError
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.core.errors import DsiError, UnreachableError, UsageError
from dsi_automation.core.text import T, Text

_UNTRUSTED: Final = (
    T("The CA that signed it is not one we trust here."),
    T("Give the site's CA as ca_file in the inventory (PEM), or the right one if it was renewed."),
)
_NAME: Final = (
    T("It bears another name than the one the inventory gives."),
    T("Correct the server's name in the inventory; if it is right, find out what answers at that address."),
)
_EXPIRED: Final = (
    T("It has expired."),
    T("Renew it on the controller; check the time on this machine as well."),
)
BY_VERIFY_CODE: Final[Mapping[int, tuple[Text, Text]]] = MappingProxyType(
    {
        9: (T("It is not valid yet."), T("Check the time on this machine and on the controller.")),
        10: _EXPIRED,
        18: _UNTRUSTED,
        19: _UNTRUSTED,
        20: _UNTRUSTED,
        21: _UNTRUSTED,
        23: (T("It was revoked."), T("Do not connect; ask whoever runs the CA why, then have a new one issued.")),
        62: _NAME,
        64: _NAME,
        66: (T("Its key is too short."), T("Have a certificate with a 2048-bit key or longer issued.")),
        68: (T("It was signed with a weak digest."), T("Have a certificate signed with SHA-256 issued.")),
    }
)
"""OpenSSL's X509_V_ERR_* numbers (x509_vfy.h)."""


def tls_context(endpoint: DirectoryEndpoint) -> ssl.SSLContext:
    """Return a context that demands a certificate of a known CA, bearing the server's name.

    Python 3.13 asks for strict X.509, which refuses a CA without an Authority Key Identifier: many a site's root has
    none, and its absence says nothing about who answers. Everything else of the default context stays.

    Raises:
        UsageError: the CA file cannot be read or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
    except OSError as error:
        raise UsageError(
            T("The CA file {path} cannot be used.", path=str(Path(endpoint.ca_file or ""))),
            meaning=T("It is absent, not readable, or holds no certificate in PEM."),
            next_step=T("Correct ca_file in the inventory."),
            detail={"reason": str(error)},
        ) from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def unreachable(endpoint: DirectoryEndpoint, error: Exception) -> DsiError:
    """Return the error for a connection that could not be made."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(endpoint, error)
    meaning, next_step = _why(endpoint, error)
    return UnreachableError(
        T("The directory {server} cannot be reached.", server=endpoint.server),
        on=endpoint.server,
        meaning=meaning,
        next_step=next_step,
        detail=_detail(endpoint, error),
    )


def lost(endpoint: DirectoryEndpoint, doing: Text, error: BaseException | None) -> UnreachableError:
    """Return the error for a read whose answer did not come, though it was asked twice."""
    return UnreachableError(
        T("The directory {server} did not answer: {doing}.", server=endpoint.server, doing=doing),
        on=endpoint.server,
        meaning=T("The link was lost, or {seconds:g} s passed without an answer.", seconds=endpoint.timeout),
        next_step=T("Try again; if it stays so, look at the load of the controller and at the firewall between."),
        detail=_detail(endpoint, error),
    )


def _why(endpoint: DirectoryEndpoint, error: Exception) -> tuple[Text, Text]:
    where = {"host": endpoint.address or endpoint.server, "port": endpoint.port}
    if isinstance(error, socket.gaierror):
        return (
            T("The name {host} is not known to the DNS.", **where),
            T("Check the server's name in the inventory and this machine's DNS, or give its address."),
        )
    if isinstance(error, ConnectionRefusedError):
        return (
            T("Nothing listens at {host}, port {port}.", **where),
            T("Check the port; a controller without a certificate does not open LDAPS."),
        )
    if isinstance(error, TimeoutError):
        return (
            T("{host}, port {port}, did not answer within {seconds:g} s.", **where, seconds=endpoint.timeout),
            T("Check that the controller is up and that the firewall lets this machine in."),
        )
    if isinstance(error, ssl.SSLError | ConnectionResetError | EOFError):
        return (
            T("{host}, port {port}, does not speak TLS as it should.", **where),
            T("Check the port, and the controller's certificate and TLS versions (1.2 at least)."),
        )
    return (
        T("The network does not lead to {host}, port {port}.", **where),
        T("Check the address in the inventory, the cable, the VPN and the routes of this machine."),
    )


def _certificate(endpoint: DirectoryEndpoint, error: ssl.SSLCertVerificationError) -> CertificateRefusedError:
    code = getattr(error, "verify_code", 0)
    meaning, next_step = BY_VERIFY_CODE.get(code, _UNTRUSTED)
    return CertificateRefusedError(
        T("The certificate of the directory {server} is refused.", server=endpoint.server),
        on=endpoint.server,
        meaning=meaning,
        next_step=next_step,
        detail={**_detail(endpoint, error), "verify_code": code},
    )


def _detail(endpoint: DirectoryEndpoint, error: BaseException | None) -> dict[str, str | int]:
    return {
        "server": endpoint.server,
        "address": endpoint.address or endpoint.server,
        "port": endpoint.port,
        "reason": f"{type(error).__name__}: {error}"[:300],
    }
