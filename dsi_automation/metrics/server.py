"""The exporter: OpenMetrics or Prometheus' own text format over HTTP, read-only."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T
from dsi_automation.metrics.collector import registry_of

READ_SECONDS: Final = 10
"""How long a client may take to ask: one that says nothing holds a thread."""
_PAGE: Final = b"""<!doctype html>
<html lang="en"><head><title>dsi metrics</title></head>
<body><h1>dsi metrics</h1><p><a href="/metrics">/metrics</a> - <a href="/-/healthy">/-/healthy</a></p></body></html>
"""


class Exporter:
    """Serves one collector until it is stopped."""

    def __init__(
        self, collector: Collector, host: str, port: int, *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        """Take the address; nothing is answered before `serve`.

        Raises:
            StorageError: the address cannot be taken.
            UsageError: the certificate or its key cannot be used.
        """
        handler = type("Handler", (_Handler,), {"registry": registry_of(collector)})
        kind = _Server6 if ":" in host else _Server
        try:
            self._server = kind((host, port), handler)
        except (OSError, OverflowError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise StorageError(
                T("The address {host}:{port} cannot be taken: {reason}.", host=host, port=port, reason=reason),
                next_step=T("Choose another with --listen, or stop what holds it."),
            ) from error
        self._stopped = threading.Event()
        if certificate is not None:
            self._server.tls = _context(certificate, key)

    @cached_property
    def address(self) -> tuple[str, int]:
        """Return where it answers."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def serve(self) -> None:
        """Answer until `stop` is called; what is being answered then is finished first."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """Ask `serve` to return; may be called from a signal handler and from any thread."""
        threading.Thread(target=self._server.shutdown, daemon=True).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = True
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake happens in the client's own thread: one that stalls keeps nobody else waiting.
        request.settimeout(READ_SECONDS)
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        try:
            secured = self.tls.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        try:
            super().finish_request(secured, client_address)
        finally:
            secured.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of three addresses."""

    registry: Collector
    server_version = "dsi"
    sys_version = ""
    protocol_version = "HTTP/1.0"
    timeout = READ_SECONDS

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, kind, encode(self.registry), packed=True)
        elif path == "/-/healthy":
            self._answer(HTTPStatus.OK, "text/plain; charset=utf-8", b"ok\n")
        elif path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", _PAGE)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found\n")

    do_HEAD = do_GET  # noqa: N815  # the base class's name

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, *, packed: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if packed and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Write no log of scrapes."""


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            T("The certificate {file} or its key cannot be used: {reason}.", file=certificate.name, reason=str(error)),
            next_step=T("Give PEM files of one pair, readable by whoever runs this, with --tls-cert and --tls-key."),
        ) from error
    return context
