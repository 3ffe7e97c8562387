"""One authenticated connection to one machine: pywinrm's transport, held to what this toolkit promises.

What is added to pywinrm: nothing from the environment (proxies, .netrc, CA bundles), no redirection, no repeated
POST, a connect timeout, a limit on the size and the duration of an answer, no readable answer on a sealed connection,
and no secret over a connection that is not sealed.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from dsi_automation.connectors.windows import errors, failures, soap
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.connectors.windows.wire import Wire

SEALING: Final = frozenset({Transport.NTLM, Transport.KERBEROS, Transport.CREDSSP})
"""Methods whose session key also encrypts the messages, so that plain HTTP will do."""
FRESH: Final = 30.0
"""Seconds without a call after which a write opens a new session first: WinRM forgets them after minutes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status and the body, opened if it was sealed."""

    status: int
    body: bytes


class Channel(Protocol):
    """What the client needs of a connection; tests give it others."""

    @property
    def to(self) -> str:
        """Return the address for the messages' To header."""
        ...

    def open(self, *, fresh: bool = False) -> None:
        """Connect and authenticate, unless that is done; `fresh` if the session idled for more than `FRESH`."""
        ...

    def exchange(self, data: bytes, timeout: float) -> Answer:
        """Send one message and return what comes back, waiting that many seconds at most."""
        ...

    def close(self) -> None:
        """Drop the connection; `open` makes a new one."""
        ...


def check_sealed(endpoint: WindowsEndpoint) -> None:
    """Refuse a channel that would carry passwords and secrets readable.

    Raises:
        UnsealedChannelError: plain HTTP with a method that does not seal.
        UsageError: the scheme is neither http nor https.
    """
    if endpoint.scheme not in {"http", "https"}:
        raise UsageError(T("{scheme} is no scheme of WinRM.", scheme=endpoint.scheme), on=endpoint.name)
    if endpoint.scheme == "http" and endpoint.transport not in SEALING:
        raise errors.UnsealedChannelError(
            T(
                "Plain HTTP with {transport} would send everything to {machine} readable.",
                transport=endpoint.transport.value,
                machine=endpoint.name,
            ),
            on=endpoint.name,
            meaning=T("Nothing was sent."),
            next_step=T("Set ansible_winrm_scheme to https, or ansible_winrm_transport to ntlm or kerberos."),
        )


class WinrmChannel:
    """A connection over HTTP or HTTPS. One thread at a time: the sealing counts messages."""

    def __init__(self, endpoint: WindowsEndpoint, clock: Clock) -> None:
        """Check the endpoint; nothing is sent yet.

        Raises:
            UnsealedChannelError: it would not be sealed.
            UsageError: a file it names is not there.
        """
        check_sealed(endpoint)
        _check_files(endpoint)
        self._endpoint = endpoint
        self._clock = clock
        self._wire: Wire | None = None
        self._used = 0.0
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        self._to = f"{endpoint.scheme}://{host}:{endpoint.port}/wsman"

    @property
    def to(self) -> str:
        """Return the address of the service."""
        return self._to

    def open(self, *, fresh: bool = False) -> None:
        """Connect and authenticate with an empty message, so that a later failure is known to be the message's.

        Raises:
            ConnectionFailedError, AuthenticationError, TrustError: nothing but the authentication was sent.
        """
        if self._wire is not None and fresh and self._clock.monotonic() - self._used > FRESH:
            self.close()
        if self._wire is None:
            from dsi_automation.connectors.windows import wire

            made = self._guarded(wire.Wire, self._endpoint, self._to, system_authorities(), self._clock)
            try:
                self._guarded(made.greet)
            except DsiError:
                made.shut()
                raise
            self._wire, self._used = made, self._clock.monotonic()

    def exchange(self, data: bytes, timeout: float) -> Answer:
        """Send one message, once, and return what comes back.

        Raises:
            ConnectionFailedError: it was not sent.
            ConnectionLostError, AnswerTimeoutError, BadAnswerError: it was sent.
        """
        self.open()
        assert self._wire is not None  # noqa: S101  # open made it or raised
        try:
            status, body = self._guarded(self._wire.send, data, timeout)
        except DsiError:
            # Whatever is still on its way would be taken for the next answer, and the sealing is out of step.
            self.close()
            raise
        self._used = self._clock.monotonic()
        if status == 401 or (status == 400 and not body):
            self.close()
            if self._endpoint.transport in SEALING:
                raise failures.from_status(self._endpoint, 400, empty=True)
        return Answer(status, body)

    def close(self) -> None:
        """Drop the connection and forget the session."""
        if self._wire is not None:
            self._wire.shut()
            self._wire = None

    def _guarded(self, call: Any, *arguments: Any) -> Any:
        """Call into the libraries and let only our errors out."""
        try:
            return call(*arguments)
        except DsiError:
            raise
        except Exception as error:
            from dsi_automation.connectors.windows import wire

            wire.scrub(error)
            raise wire.translate(self._endpoint, error) from error


def system_authorities() -> str | None:
    """Return the file of the authorities this system trusts, or None when there is none in the usual places."""
    places = (ssl.get_default_verify_paths().openssl_cafile, "/etc/ssl/certs/ca-certificates.crt")
    return next((place for place in places if Path(place).is_file()), None)


def _check_files(endpoint: WindowsEndpoint) -> None:
    wanted = [endpoint.ca_file] if endpoint.scheme == "https" and endpoint.ca_file else []
    if endpoint.transport is Transport.CERTIFICATE:
        if not endpoint.certificate or not endpoint.certificate_key:
            raise UsageError(
                T("{machine}: the certificate transport needs a certificate and its key.", machine=endpoint.name),
                on=endpoint.name,
                next_step=T("Set ansible_winrm_cert_pem and ansible_winrm_cert_key_pem."),
            )
        wanted += [endpoint.certificate, endpoint.certificate_key]
    elif endpoint.transport is not Transport.KERBEROS and not (endpoint.user and endpoint.password.reveal()):
        raise UsageError(
            T("{machine}: no user or no password to connect with.", machine=endpoint.name),
            on=endpoint.name,
            next_step=T("Give the machine a credential in the inventory (dsi_credential)."),
        )
    for path in wanted:
        if not Path(path).is_file():
            raise UsageError(
                T("{machine}: there is no file {path}.", machine=endpoint.name, path=path), on=endpoint.name
            )


def identify(channel: Channel, timeout: float) -> Answer:
    """Ask who answers, which needs nothing but a service."""
    return channel.exchange(soap.identify().data, timeout)
