"""The accepting side of CredSSP (MS-CSSP): TLS inside HTTP headers, a negotiation inside it, the password last.

TLS and the TSRequest structures are pyspnego's; who asks is decided by our own NTLM acceptor.
"""

from __future__ import annotations

import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from spnego.tls import CredSSPTLSContext

    from dsi_automation.lab.windows.auth.negotiate import NegotiateAcceptor


class CredSspRefusedError(RefusedError):
    """The exchange is not what MS-CSSP says, or whoever asks is not let in."""


class CredSspAcceptor:
    """One CredSSP exchange on one connection, and the TLS that seals what follows."""

    def __init__(self, negotiation: NegotiateAcceptor) -> None:
        import spnego

        self.negotiation = negotiation
        self._context = cast(
            "Any",
            spnego.server(
                protocol="credssp", credssp_negotiate_context=negotiation, credssp_tls_context=_tls(), credentials=None
            ),
        )

    @property
    def complete(self) -> bool:
        """Tell whether the client is known and has handed over its password."""
        return bool(self._context.complete)

    @property
    def delegated(self) -> tuple[str, str]:
        """Return the account and the password that were handed over."""
        given = self._context.get_extra_info("client_credential")
        return str(given.username), str(given.password)

    def step(self, token: bytes) -> bytes:
        """Take the client's token and return the answer to it, empty at the end.

        Raises:
            CredSspRefusedError: anything about it is wrong.
        """
        from spnego.exceptions import SpnegoError

        try:
            return bytes(self._context.step(token) or b"")
        except (SpnegoError, ssl.SSLError, ValueError, IndexError, KeyError) as error:
            raise CredSspRefusedError(_WHAT, detail={"cause": type(error).__name__}) from error

    def seal(self, message: bytes) -> tuple[bytes, bytes]:
        """Return the message as TLS records, cut where WinRM cuts them (MS-WSMV 2.2.9.1.3)."""
        wrapped = self._context.wrap_winrm(message)
        return bytes(wrapped.header), bytes(wrapped.data)

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Return the clear message.

        Raises:
            CredSspRefusedError: it does not belong to this session, or was changed.
        """
        from spnego.exceptions import SpnegoError

        try:
            return bytes(self._context.unwrap(signature + sealed).data)
        except (SpnegoError, ssl.SSLError) as error:
            raise CredSspRefusedError(_WHAT, detail={"cause": type(error).__name__}) from error


@cache
def _tls() -> CredSSPTLSContext:
    """Return the TLS settings of every simulated workstation, with a certificate of its own making as Windows has.

    The client cannot check it; the negotiation inside proves that nobody stands between (MS-CSSP 3.1.5).
    """
    from spnego.tls import default_tls_context, generate_tls_certificate

    certificate, key, public_key = generate_tls_certificate()
    made = default_tls_context(usage="accept")
    # WinRM on Windows 10 and 11 agrees on TLS 1.2 here; pywinrm computes its trailers for no later one.
    made.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "credssp.pem")
        path.touch(mode=0o600)
        path.write_bytes(certificate + key)
        made.context.load_cert_chain(path)
    made.public_key = public_key
    return made


_WHAT = T("The simulated workstation refuses the CredSSP sign-in.")
