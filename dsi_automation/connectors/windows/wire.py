"""pywinrm's Transport with the holes closed. Importing this imports requests: only `transport` does, when it sends."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout
from winrm import transport as pywinrm
from winrm.encryption import Encryption
from winrm.exceptions import InvalidCredentialsError, WinRMError

from dsi_automation.connectors.windows import errors, failures
from dsi_automation.connectors.windows.adapter import ONCE, MachineAdapter
from dsi_automation.connectors.windows.markup import LARGEST_ANSWER
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T

# It logs a traceback before it raises, and the ticket when debugging; what matters is in our error.
logging.getLogger("winrm.vendor.requests_kerberos").setLevel(logging.CRITICAL)

_CHUNK: Final = 65536
_HANDSHAKE: Final = frozenset({Transport.NTLM, Transport.KERBEROS, Transport.CREDSSP})
_ENVELOPE_STATUS: Final = frozenset({200, 500})


class Wire(pywinrm.Transport):
    """One connection: greeted once, then one POST per message.

    pywinrm leaves the authentication's hook on every request, so that a 401 in the middle of a session starts a new
    handshake and sends the message again, sealed with the old key. Here only the greeting goes through requests and
    has the hook: a message is sent once, on the greeting's own connection, by urllib3. That also spares a third of
    the CPU time of a read, which requests spends on cookies, proxies and merging what never changes.
    """

    def __init__(self, endpoint: WindowsEndpoint, url: str, authorities: str | None, clock: Clock) -> None:
        """Describe the connection to pywinrm; nothing is sent."""
        secret = endpoint.transport not in {Transport.KERBEROS, Transport.CERTIFICATE}
        super().__init__(
            endpoint=url,
            username=endpoint.user or None,
            password=endpoint.password.reveal() if secret else None,
            service="HTTP",
            ca_trust_path=endpoint.ca_file or authorities,  # type: ignore[arg-type]  # None is what its docs allow
            cert_pem=endpoint.certificate,
            cert_key_pem=endpoint.certificate_key,
            read_timeout_sec=math.ceil(endpoint.read_timeout),
            kerberos_hostname_override=endpoint.kerberos_host,
            auth_method=endpoint.transport.value,
            message_encryption="always" if endpoint.scheme == "http" else "never",
            proxy=None,
        )
        self._target = endpoint
        self._clock = clock
        self._path = urlsplit(url).path
        self._headers: Mapping[str, str] | None = None
        self._machine: Any = None

    def greet(self) -> None:
        """Connect and authenticate.

        Raises:
            AuthenticationError: not accepted, or the method is not offered.
        """
        session = self.build_session()
        if self.encryption is not None:
            return  # build_session has authenticated already
        self._harden(session)
        if self._target.transport in _HANDSHAKE:
            self._authenticate(session)
        elif self._target.transport is Transport.BASIC:
            # requests encodes text as Latin-1, which has no euro sign; Windows reads UTF-8.
            user, password = self._target.user.encode(), self._target.password.reveal().encode()
            session.auth = requests.auth.HTTPBasicAuth(user, password)

    def setup_encryption(self, session: requests.Session) -> None:
        """Authenticate, then have pywinrm seal every message; called by pywinrm for plain HTTP."""
        self._harden(session)
        self._authenticate(session)
        if not _has_key(session, self._target):
            raise errors.UnsealedChannelError(
                T("{machine} agreed on no key to seal the messages with.", machine=self._target.name),
                on=self._target.name,
                meaning=T("Nothing was sent."),
                next_step=T("Check that {host} is the machine it should be; use HTTPS.", host=self._target.host),
            )
        self.encryption = Encryption(session, self.auth_method)

    def send(self, data: bytes, timeout: float) -> tuple[int, bytes]:
        """Send one message and return the HTTP status and the opened body."""
        session = self.build_session()
        headers, body = self._prepared(session, data)
        deadline = self._clock.monotonic() + timeout
        response = self._connection(session).urlopen(
            "POST",
            self._path,
            body=body,
            headers=headers,
            retries=ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=self._target.connect_timeout, read=timeout),
            preload_content=False,
            decode_content=False,
        )
        try:
            answer = self._read(response, deadline)
        finally:
            response.close()
            response.release_conn()
        return response.status, self._opened(response, answer)

    def shut(self) -> None:
        """Close the connection; nothing it raises matters any more."""
        self.encryption = self._headers = self._machine = None
        self.close_session()

    def _harden(self, session: requests.Session) -> None:
        session.trust_env = False
        session.proxies = {}
        # A compressed answer could unpack to gigabytes; WinRM compresses only when asked to.
        session.headers["Accept-Encoding"] = "identity"
        for prefix in ("http://", "https://"):
            session.mount(prefix, MachineAdapter())

    def _prepared(self, session: requests.Session, data: bytes) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of a message, sealed where there is a key."""
        if self.encryption is not None:
            sealed = self.encryption.prepare_encrypted_request(session, self.endpoint, data)
            return sealed.headers, sealed.body  # type: ignore[return-value]  # it is bytes, whatever requests allows
        if self._headers is None:
            # Once per session: they are the same for every message.
            self._headers = dict(session.prepare_request(requests.Request("POST", self.endpoint)).headers)
        return {**self._headers, "Content-Length": str(len(data))}, data

    def _connection(self, session: requests.Session) -> Any:
        """Return urllib3's side of the connection that the greeting authenticated."""
        if self._machine is None:
            request = requests.PreparedRequest()
            request.url = self.endpoint
            adapter = session.get_adapter(self.endpoint)
            assert isinstance(adapter, MachineAdapter)  # noqa: S101  # _harden mounted it
            self._machine = adapter.get_connection_with_tls_context(request, session.verify, cert=session.cert)
        return self._machine

    def _authenticate(self, session: requests.Session) -> None:
        prepared = session.prepare_request(requests.Request("POST", self.endpoint, data=None))
        timeout = (self._target.connect_timeout, self._target.read_timeout)
        response = session.send(prepared, timeout=timeout, allow_redirects=False)
        if response.status_code == 401:
            offered = response.headers.get("WWW-Authenticate", "")
            if not _offers(offered, self._target.transport):
                raise _not_offered(self._target)
            raise failures.not_authenticated(self._target)
        if response.status_code in {404, 503}:
            raise failures.from_status(self._target, response.status_code, empty=not response.content)

    def _read(self, response: BaseHTTPResponse, deadline: float) -> bytes:
        """Read a body as it comes: a machine that drips a byte now and then never runs into the socket's timeout."""
        parts, size = [], 0
        while part := response.read1(_CHUNK, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER:
                raise failures.bad_answer(self._target, "too large")
            if self._clock.monotonic() > deadline:
                raise failures.late(self._target)
        return b"".join(parts)

    def _opened(self, response: BaseHTTPResponse, body: bytes) -> bytes:
        if self.encryption is None or not body:
            return body
        sealed = self.encryption.protocol_string.decode()
        kind = response.headers.get("Content-Type", "")
        if f'protocol="{sealed}"' not in kind:
            if response.status in _ENVELOPE_STATUS:
                # pywinrm would take it; but anybody on the way could have written it.
                raise failures.bad_answer(self._target, "not sealed")
            return body
        # What pywinrm reads of an answer: its type, its content, and whom it was asked of.
        answer = requests.Response()
        answer.headers["Content-Type"] = kind
        answer._content = body  # noqa: SLF001  # what `content` returns
        answer.request = requests.PreparedRequest()
        answer.request.url = self.endpoint
        return bytes(self.encryption.parse_encrypted_response(answer))


def translate(endpoint: WindowsEndpoint, error: Exception) -> DsiError:
    """Return our error for what a library raised; its own text may hold more than one wants to show."""
    if isinstance(error, InvalidCredentialsError):
        return failures.not_authenticated(endpoint)
    if isinstance(error, PermissionError):
        # requests_ntlm: the machine answered the negotiation with no challenge.
        return _not_offered(endpoint)
    if isinstance(error, requests.exceptions.InvalidURL | UnicodeError):
        return UsageError(
            T("{host} is no address or name of a machine.", host=endpoint.host),
            on=endpoint.name,
            next_step=T("Check ansible_host in the inventory."),
        )
    name = type(error).__name__
    if name in {"KerberosExchangeError", "MutualAuthenticationError", "GSSError"}:
        return _no_ticket(endpoint, name)
    if isinstance(error, requests.RequestException | HTTPError | OSError):
        return failures.from_exception(endpoint, error)
    if name in {"AuthenticationException", "NTStatusException"}:
        # requests_credssp: its text is the only thing that tells the two apart.
        offered = "available authentication method" not in str(error)
        return failures.not_authenticated(endpoint) if offered else _not_offered(endpoint)
    if isinstance(error, WinRMError) and "pykerberos" in str(error):
        return UsageError(
            T("Kerberos is not installed on this controller."),
            on=endpoint.name,
            next_step=T("Install the package with its extra: dsi-automation[kerberos]."),
        )
    if isinstance(error, WinRMError | ValueError | LookupError | struct.error) or _from_authentication(error):
        return failures.bad_answer(endpoint, name)
    return errors.BadAnswerError(
        T("The exchange with {machine} failed.", machine=endpoint.name), on=endpoint.name, detail={"cause": name}
    )


def scrub(error: BaseException) -> None:
    """Take the request out of an exception of requests and of what it was raised from: it holds the message."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, requests.RequestException):
            seen.request = None
            seen.response = None
        seen = seen.__cause__ or seen.__context__


def _has_key(session: Any, endpoint: WindowsEndpoint) -> bool:
    if endpoint.transport is Transport.NTLM:
        return getattr(session.auth, "session_security", None) is not None
    if endpoint.transport is Transport.KERBEROS:
        return bool(getattr(session.auth, "auth_done", False))
    contexts = list(getattr(session.auth, "contexts", {}).values())
    # An impostor may say 200 half way through the exchange: only a finished context has a key.
    return bool(contexts) and all(each._context.complete for each in contexts)  # noqa: SLF001


def _offers(header: str, transport: Transport) -> bool:
    words = header.lower()
    wanted = {Transport.NTLM: ("ntlm", "negotiate"), Transport.KERBEROS: ("negotiate", "kerberos")}
    return any(word in words for word in wanted.get(transport, (transport.value,)))


def _not_offered(endpoint: WindowsEndpoint) -> errors.AuthenticationError:
    return errors.AuthenticationError(
        T("{machine} does not offer {method}.", machine=endpoint.name, method=endpoint.transport.value),
        on=endpoint.name,
        next_step=T("Choose another ansible_winrm_transport, or enable this one on the machine."),
    )


def _no_ticket(endpoint: WindowsEndpoint, cause: str) -> errors.AuthenticationError:
    host = endpoint.kerberos_host or endpoint.host
    return errors.AuthenticationError(
        T("No Kerberos ticket for HTTP/{host} as {user}.", host=host, user=endpoint.user),
        on=endpoint.name,
        meaning=T("The ticket is missing or expired, the name is not the one in the domain, or the clocks differ."),
        next_step=T("Get a ticket with kinit, and check ansible_winrm_kerberos_hostname_override."),
        detail={"cause": cause},
    )


def _from_authentication(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in {"spnego", "requests_credssp", "winrm", "gssapi"}
