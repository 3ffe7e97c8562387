"""A small browser: cookies, redirections within one host, verified certificates, and a deadline for each answer."""

from __future__ import annotations

import codecs
import http.client
import re
import socket
import ssl
import time
import urllib.request
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from dsi_automation.connectors.applications.web_forms import Fields, Page, body, page
from dsi_automation.connectors.watchdog import Watchdog
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

LARGEST: Final = 1024 * 1024
"""Bytes of an answer."""
_REDIRECTS: Final = 10
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_SAME_AGAIN: Final = frozenset({307, 308})
"""Redirections that repeat the request with its body (RFC 9110, 15.4.8 and 15.4.9)."""
_CHARSET: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([A-Za-z0-9_:.-]+)""", re.IGNORECASE)


class Browser:
    """Goes from page to page of one host as one user."""

    def __init__(self, base: str, ca_file: str | None) -> None:
        """Begin without cookies.

        Args:
            base: `https://sydam.example:8443`.
            ca_file: PEM, instead of the system's; None for these.
        """
        self._base, self._ca_file = base, ca_file
        self._cookies = CookieJar()
        self._page: Page | None = None

    def connect(self, timeout: float) -> None:
        """Reach the port, and nothing else.

        Raises:
            OSError: it cannot be reached.
        """
        _connected(urlsplit(self._base), time.monotonic() + timeout).close()

    def open(self, path: str, form: Fields | None, timeout: float) -> Page:
        """Get a path, or post a form to it, and follow where it leads.

        Args:
            path: below the base; the action of the page's form is not looked at.
            form: what is filled in; hidden fields of the last page that had a form are sent along.
            timeout: seconds for all of it; the resolver's own time to look a name up is not ours to cut.

        Raises:
            UnreachableError: it takes longer.
            RefusedError: it leads elsewhere or in circles, or holds too much.
            OSError, http.client.HTTPException: the connection or the protocol fails.
        """
        end = time.monotonic() + timeout
        url = self._base + path
        sent = None if form is None else body(form, self._page)
        for _ in range(_REDIRECTS + 1):
            answer, found = self._exchange(url, sent, end, timeout)
            target = found.getheader("Location")
            if answer.status not in _MOVED or target is None:
                if answer.forms or self._page is None:
                    self._page = answer
                return answer
            sent = sent if answer.status in _SAME_AGAIN else None
            url = _followed(url, target)
        raise RefusedError(T("It redirects more than {n} times.", n=_REDIRECTS))

    def _exchange(
        self, url: str, sent: bytes | None, end: float, timeout: float
    ) -> tuple[Page, http.client.HTTPResponse]:
        parts = urlsplit(url)
        request = urllib.request.Request(url)  # noqa: S310  # only cookies are made with it; http(s) is all we speak
        self._cookies.add_cookie_header(request)
        connection = _Connection(parts, end, self._ca_file)
        try:
            connection.connect()
            with Watchdog(connection.sock.fileno(), max(0.0, end - time.monotonic())) as watch:
                try:
                    connection.secure()
                    connection.request(
                        "GET" if sent is None else "POST", _path(parts), sent, self._headers(request, parts, sent)
                    )
                    found = connection.getresponse()
                    content = _content(found)
                except (OSError, http.client.HTTPException):
                    if watch.late:
                        raise too_slow(timeout) from None
                    raise
                if watch.late:
                    raise too_slow(timeout)
        finally:
            connection.close()
        self._cookies.extract_cookies(found, request)
        if len(content) > LARGEST:
            raise RefusedError(T("It answers more than {n} bytes.", n=LARGEST))
        charset = _charset(found, content)
        return page(url, found.status, _phrase(found), content.decode(charset, "replace"), charset), found

    def _headers(self, request: urllib.request.Request, parts: SplitResult, sent: bytes | None) -> dict[str, str]:
        """Return what a browser says of itself; some frameworks refuse a form without where it comes from."""
        headers = {
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "Accept-Encoding": "identity",
            "User-Agent": "dsi-automation",
            "Connection": "close",
        }
        if cookie := request.get_header("Cookie"):
            headers["Cookie"] = cookie
        if sent is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
            if self._page is not None:
                headers["Referer"] = self._page.url
        return headers


class _Connection(http.client.HTTPConnection):
    """A connection that is made before the deadline, with TLS where the scheme says so."""

    def __init__(self, parts: SplitResult, end: float, ca_file: str | None) -> None:
        super().__init__(parts.hostname or "", _port(parts))
        self._parts, self._end, self._ca_file = parts, end, ca_file
        self.default_port = 443 if parts.scheme == "https" else 80

    def connect(self) -> None:
        """Connect, without TLS yet: whoever watches over the socket does so from here on."""
        self.sock = _connected(self._parts, self._end)
        self.sock.settimeout(None)

    def secure(self) -> None:
        """Speak TLS where the scheme says so, and verify who answers."""
        if self._parts.scheme == "https":
            self.sock = _context(self._ca_file).wrap_socket(self.sock, server_hostname=self._parts.hostname)


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise RefusedError(T("The CA file {path} cannot be read.", path=ca_file or "–")) from error


def _content(found: http.client.HTTPResponse) -> bytes:
    """Return an answer's content, and one byte more than may be where it is too long.

    Raises:
        http.client.IncompleteRead: it was cut.
    """
    content = found.read(LARGEST + 1)
    # With a number of bytes to read, http.client takes a cut answer for a whole one.
    if found.length and len(content) <= LARGEST:
        raise http.client.IncompleteRead(b"", found.length)
    return content


def _phrase(found: http.client.HTTPResponse) -> str:
    """Return what a status means: Tomcat sends its number alone (RFC 9112, section 4: the phrase may be empty)."""
    return found.reason or http.client.responses.get(found.status, "-")


def too_slow(timeout: float) -> UnreachableError:
    """Return the error for a step whose time is over."""
    return UnreachableError(T("It took longer than {seconds:g} s.", seconds=timeout))


def _connected(parts: SplitResult, end: float) -> socket.socket:
    """Return a connection to the first address that takes one.

    Raises:
        OSError: none does; TimeoutError when it is for the time.
    """
    failed: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left(end))
            made.connect(address)
        except OSError as error:
            made.close()
            failed = error
        else:
            return made
    raise failed or OSError(parts.hostname)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _path(parts: SplitResult) -> str:
    # What a browser escapes: spaces and what is not ASCII; what is escaped already stays.
    whole = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(whole, safe="/%:=&?~#+!$,;'@()*[]")


def _followed(url: str, target: str) -> str:
    """Return where a redirection leads.

    Raises:
        RefusedError: to another host, or out of encryption.
    """
    before, after = urlsplit(url), urlsplit(urljoin(url, target))
    if after.scheme not in {"http", "https"} or after.hostname != before.hostname:
        raise RefusedError(
            T("It redirects to another host: {host}.", host=redact(after.hostname or after.scheme)),
        )
    if before.scheme == "https" and after.scheme == "http":
        raise RefusedError(T("It redirects from https to http: what follows would not be encrypted."))
    return after._replace(fragment="").geturl()


def _charset(found: http.client.HTTPResponse, content: bytes) -> str:
    """Return how an answer is written: by its header, else by what the page says, else UTF-8."""
    said = _CHARSET.search(content[:1024])
    for name in (found.headers.get_content_charset(), said.group(1).decode() if said else None):
        try:
            if name:
                return codecs.lookup(name).name
        except LookupError:
            continue
    return "utf-8"
