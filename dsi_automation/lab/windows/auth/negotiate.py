"""The accepting side of SPNEGO (RFC 4178) as it comes inside CredSSP: NTLM, and the signatures of the methods offered.

Over HTTP itself pywinrm sends NTLM bare, and Kerberos' wrapping is left to its library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.lab.windows.auth.ntlm import NtlmAcceptor, NtlmIdentity, Sealer

NTLM_OID: Final = "1.3.6.1.4.1.311.2.2.10"
_SIGNATURE_SIZE: Final = 16


class NegotiateRefusedError(RefusedError):
    """The tokens are not what SPNEGO says, or NTLM was not offered."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What pyspnego expects of `wrap` and `unwrap`: an object with the bytes in `data`."""

    data: bytes


class NegotiateAcceptor:
    """One SPNEGO exchange; methods as pyspnego calls them.

    Args:
        ntlm: takes the NTLM tokens.
    """

    def __init__(self, ntlm: NtlmAcceptor) -> None:
        self._ntlm = ntlm
        self._offered: list[str] = []
        self._sealer: Sealer | None = None
        self.identity: NtlmIdentity | None = None
        """Who it is, once proved."""

    def step(self, token: bytes) -> bytes:
        """Take the client's token and return the answer to it.

        Raises:
            RefusedError: malformed, or NTLM is not offered.
            InvalidCredentialError: the wrong password.
        """
        from spnego._spnego import NegState, NegTokenInit, NegTokenResp, unpack_token
        from spnego.exceptions import InvalidCredentialError

        inner: bytes | None
        mic: bytes | None
        try:
            given = unpack_token(token)
        except (ValueError, IndexError, KeyError) as error:
            raise _refuse("token") from error
        if isinstance(given, NegTokenInit):
            self._offered = list(given.mech_types)
            if NTLM_OID not in self._offered:
                raise _refuse("mechTypes")
            if self._offered[0] != NTLM_OID or not given.mech_token:
                # A client with a Kerberos ticket begins with that one (RFC 4178 5: another choice is signed for).
                return NegTokenResp(NegState.request_mic, NTLM_OID).pack()
            inner, mic = given.mech_token, given.mech_list_mic
        elif isinstance(given, NegTokenResp):
            inner, mic = given.response_token, given.mech_list_mic
        else:
            raise _refuse("token")
        if not self._ntlm.challenged:
            return NegTokenResp(NegState.accept_incomplete, NTLM_OID, self._ntlm.challenge(inner or b"")).pack()
        try:
            self.identity, self._sealer = self._ntlm.authenticate(inner or b"")
        except RefusedError as error:
            # pyspnego sends it to the client as STATUS_LOGON_FAILURE, as Windows does (MS-CSSP 2.2.1, errorCode).
            raise InvalidCredentialError(context_msg="NTLM") from error
        return NegTokenResp(NegState.accept_complete, mech_list_mic=self._answer(self._sealer, mic)).pack()

    def wrap(self, message: bytes) -> Wrapped:
        """Seal a message (GSS_Wrap: the signature, then the sealed bytes)."""
        signature, sealed = self._established().seal(message)
        return Wrapped(signature + sealed)

    def unwrap(self, message: bytes) -> Wrapped:
        """Open a sealed message."""
        return Wrapped(self._established().unseal(message[:_SIGNATURE_SIZE], message[_SIGNATURE_SIZE:]))

    def _established(self) -> Sealer:
        if self._sealer is None:
            raise _refuse("order")
        return self._sealer

    def _answer(self, sealer: Sealer, mic: bytes | None) -> bytes | None:
        """Check the client's signature of the methods it offered, and return ours (RFC 4178 5)."""
        from spnego._spnego import pack_mech_type_list

        if mic is None:
            return None
        offered = pack_mech_type_list(self._offered)
        sealer.verify(offered, mic)
        return sealer.sign(offered)


def _refuse(why: str) -> NegotiateRefusedError:
    return NegotiateRefusedError(T("The simulated workstation refuses the negotiation ({why}).", why=why))
