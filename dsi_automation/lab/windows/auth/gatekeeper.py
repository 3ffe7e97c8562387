"""Signing in over HTTP as WinRM does it: the connection is authenticated, not the request (RFC 4559; MS-WSMV 2.1)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from dsi_automation.core.errors import RefusedError
from dsi_automation.lab.windows.auth.credssp import CredSspAcceptor
from dsi_automation.lab.windows.auth.kerberos import KerberosAcceptor
from dsi_automation.lab.windows.auth.negotiate import NegotiateAcceptor
from dsi_automation.lab.windows.auth.ntlm import SIGNATURE, NtlmAcceptor
from dsi_automation.lab.windows.auth.sealing import Sealer
from dsi_automation.lab.windows.machine import Caller, Machine
from dsi_automation.lab.windows.soap.names import CERTIFICATE_PROFILE


@dataclass
class Session:
    """What is known about one connection."""

    caller: Caller | None = None
    sealer: Sealer | None = None
    ntlm: NtlmAcceptor | None = None
    kerberos: KerberosAcceptor | None = None
    credssp: CredSspAcceptor | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the request may go on, and the WWW-Authenticate headers of the answer."""

    caller: Caller | None
    headers: tuple[str, ...] = field(default=())


class Gatekeeper:
    """Decides who is asking, on one port of one workstation.

    Args:
        secure: the port speaks HTTPS; Basic and client certificates exist only there.
        bindings: the channel bindings' hash of the port's certificate.
        certificate_user: the local account a client certificate of the site's CA stands for.
    """

    def __init__(
        self, machine: Machine, *, secure: bool, bindings: bytes | None = None, certificate_user: str | None = None
    ) -> None:
        self._machine = machine
        self._secure = secure
        self._bindings = bindings
        self._certificate_user = certificate_user

    def check(self, session: Session, headers: Mapping[str, str], *, certificate: bool) -> Decision:
        """Return who sends this request.

        Args:
            certificate: the TLS connection has a client certificate that the client CA issued.
        """
        header = headers.get("Authorization", "").strip()
        if not header:
            return Decision(session.caller, () if session.caller else self._offers())
        scheme, _, rest = header.partition(" ")
        try:
            return self._scheme(session, header, scheme.lower(), rest.strip(), certificate=certificate)
        except (RefusedError, ValueError):  # ValueError: not base64, not text
            session.caller = session.sealer = session.ntlm = session.kerberos = session.credssp = None
            return Decision(None, self._offers())

    def _scheme(self, session: Session, header: str, scheme: str, rest: str, *, certificate: bool) -> Decision:
        if scheme in {"negotiate", "kerberos"}:
            token = base64.b64decode(rest, validate=True)
            if token.startswith(SIGNATURE):
                return self._ntlm(session, token)
            return self._kerberos(session, token)
        if scheme == "credssp" and self._machine.spec.credssp:
            return self._credssp(session, base64.b64decode(rest, validate=True))
        if scheme == "basic" and self._secure:
            session.caller = self._basic(base64.b64decode(rest, validate=True).decode())
        elif header == CERTIFICATE_PROFILE and self._secure and certificate and self._certificate_user:
            session.caller = self._machine.local_caller(self._certificate_user, "certificate")
        else:
            session.caller = None
        return Decision(session.caller, () if session.caller else self._offers())

    def _ntlm(self, session: Session, token: bytes) -> Decision:
        if session.ntlm is None or not session.ntlm.challenged or token[8:9] == b"\x01":
            session.caller = session.sealer = None
            session.ntlm = self._ntlm_acceptor(self._bindings)
            challenge = base64.b64encode(session.ntlm.challenge(token)).decode()
            return Decision(None, (f"Negotiate {challenge}",))
        identity, session.sealer = session.ntlm.authenticate(token)
        session.ntlm = None
        session.caller = self._machine.local_caller(identity.user, "ntlm")
        return Decision(session.caller)

    def _kerberos(self, session: Session, token: bytes) -> Decision:
        keytab = self._machine.keytab
        if keytab is None or not keytab.exists():
            return Decision(None, self._offers())
        acceptor = session.kerberos if session.kerberos and not session.kerberos.complete else KerberosAcceptor(keytab)
        session.kerberos, session.caller, session.sealer = acceptor, None, None
        answer = base64.b64encode(acceptor.step(token) or b"").decode()
        headers = (f"Negotiate {answer}",) if answer else ()
        if acceptor.complete:
            session.sealer = acceptor
            session.caller = self._machine.domain_caller(acceptor.principal)
        return Decision(session.caller, headers)

    def _credssp(self, session: Session, token: bytes) -> Decision:
        if session.credssp is None or session.credssp.complete:
            session.caller = session.sealer = None
            session.credssp = CredSspAcceptor(NegotiateAcceptor(self._ntlm_acceptor(None)))
        acceptor = session.credssp
        answer = base64.b64encode(acceptor.step(token)).decode()
        if not acceptor.complete:
            return Decision(None, (f"CredSSP {answer}",))
        session.sealer, session.caller = acceptor, self._delegated(acceptor)
        return Decision(session.caller, () if session.caller else self._offers())

    def _delegated(self, acceptor: CredSspAcceptor) -> Caller | None:
        """Return who it is: CredSSP signs in with the password that was handed over, so it must be right too."""
        identity = acceptor.negotiation.identity
        account = None if identity is None else self._machine.local_user(identity.user)
        if account is None or account.password != acceptor.delegated[1]:
            return None
        return self._machine.local_caller(account.name, "credssp")

    def _ntlm_acceptor(self, bindings: bytes | None) -> NtlmAcceptor:
        machine = self._machine
        return NtlmAcceptor(machine.state.computer_name.upper(), machine.dns_name, machine.local_hash, bindings)

    def _basic(self, pair: str) -> Caller | None:
        name, _, password = pair.partition(":")
        domain, _, user = name.rpartition("\\")
        account = self._machine.local_user(user)
        known = self._machine.local_hash(user, domain) is not None
        if account is None or not known or account.password != password:
            return None
        return self._machine.local_caller(user, "basic")

    def _offers(self) -> tuple[str, ...]:
        offers = ["Negotiate"]
        if self._machine.keytab is not None:
            offers.append("Kerberos")
        if self._machine.spec.credssp:
            offers.append("CredSSP")
        if self._secure:
            offers.append('Basic realm="WSMAN"')
        return tuple(offers)
