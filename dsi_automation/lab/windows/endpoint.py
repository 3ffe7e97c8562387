"""One workstation on the network: its ports, its connections, and its going away for a restart."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiohttp import web

from dsi_automation.lab.windows.auth.gatekeeper import Gatekeeper, Session
from dsi_automation.lab.windows.auth.ntlm import bindings_hash
from dsi_automation.lab.windows.auth.sealing import SealedBodyError, close_body, open_body, sealed_protocol
from dsi_automation.lab.windows.certificates import Authority
from dsi_automation.lab.windows.faults import Fault
from dsi_automation.lab.windows.joining import DomainJoiner
from dsi_automation.lab.windows.machine import Caller, Machine
from dsi_automation.lab.windows.service import Answer, Service
from dsi_automation.lab.windows.soap.faults import SoapFaultError
from dsi_automation.lab.windows.soap.request import IdentifyRequest, parse

logger = logging.getLogger(__name__)

LARGEST_REQUEST: Final = 500 * 1024
"""MaxEnvelopeSizekb of current Windows, in bytes; sealing may add a little."""
LARGEST_REQUEST_OLD: Final = 150 * 1024
_SEALING_OVERHEAD: Final = 4096
_IDLE_SECONDS: Final = 150.0
_SOAP: Final = "application/soap+xml"
_GOODBYE_SECONDS: Final = 0.2
"""Between the answer of a shutdown and the end of its connections."""


class Endpoint:
    """The network side of one workstation.

    Args:
        authority: issues its HTTPS certificate; None leaves the HTTPS port closed.
        certificate_user: the local account client certificates stand for.
    """

    def __init__(
        self,
        machine: Machine,
        joiner: DomainJoiner,
        authority: Authority | None = None,
        certificate_user: str | None = None,
    ) -> None:
        self.machine = machine
        self.service = Service(machine, joiner)
        self.http_port = machine.spec.http_port
        self.https_port = machine.spec.https_port if authority is not None else None
        self._authority = authority
        self._certificate_user = certificate_user
        self._servers: list[tuple[asyncio.Server, web.Server]] = []
        self._sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()
        self._return: asyncio.Task[None] | None = None
        machine.restart = self.go_down

    @property
    def up(self) -> bool:
        """Tell whether its ports are open."""
        return bool(self._servers)

    async def start(self) -> None:
        """Open its ports, the same ones again after a restart.

        Raises:
            OSError: the address is not there, or a port is taken.
        """
        spec = self.machine.spec
        if not spec.answers or self._servers:
            return
        if self.http_port is not None:
            gatekeeper = Gatekeeper(self.machine, secure=False)
            self.http_port = await self._listen(self.http_port, gatekeeper, None)
        if self.https_port is not None and self._authority is not None:
            names = list(dict.fromkeys((self.machine.dns_name, self.machine.state.computer_name, spec.key)))
            tls = self._authority.issue(names, spec.address)
            gatekeeper = Gatekeeper(
                self.machine,
                secure=True,
                bindings=bindings_hash(tls.certificate_sha256),
                certificate_user=self._certificate_user,
            )
            self.https_port = await self._listen(self.https_port, gatekeeper, tls.context)

    async def stop(self) -> None:
        """Close its ports and cut its connections."""
        if self._return is not None:
            self._return.cancel()
            self._return = None
        self._cut_everything()

    def go_down(self, comes_back: bool) -> None:  # noqa: FBT001  # the shape of a callback
        """Go away after the answer in hand is out; come back after the restart's time, if it does."""
        self.machine.state.rebooting = True
        self.machine.save()
        self._return = asyncio.get_running_loop().create_task(self._away(comes_back=comes_back))

    async def bring_back(self) -> None:
        """Finish a restart now: everything that waited for it is applied."""
        await self.stop()
        self.machine.state.reboot(self.machine.now())
        self.machine.save()
        self.service.restarted()
        await self.start()

    async def _away(self, *, comes_back: bool) -> None:
        await asyncio.sleep(_GOODBYE_SECONDS)
        self._cut_everything()
        if comes_back:
            await asyncio.sleep(self.machine.spec.reboot_seconds)
            self._return = None
            try:
                await self.bring_back()
            except OSError:
                logger.exception("%s cannot listen again after its restart", self.machine.spec.key)

    async def _listen(self, port: int, gatekeeper: Gatekeeper, tls: Any) -> int:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(request, gatekeeper)

        server = web.Server(answer, keepalive_timeout=_IDLE_SECONDS, access_log=None, handler_cancellation=True)
        listening = await asyncio.get_running_loop().create_server(
            server, self.machine.spec.address, port, ssl=tls, backlog=64
        )
        self._servers.append((listening, server))
        return int(listening.sockets[0].getsockname()[1])

    def _cut_everything(self) -> None:
        for listening, server in self._servers:
            listening.close()
            for connection in list(server.connections):
                _reset(connection.transport)
        self._servers.clear()

    async def _answer(self, request: web.BaseRequest, gatekeeper: Gatekeeper) -> web.StreamResponse:
        if any(rule.fault is Fault.HANG and rule.method is rule.class_name is rule.count for rule in self._faults()):
            await asyncio.Event().wait()
        if request.path not in {"/wsman", "/wsman-anon/identify"}:
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        body = await self._read(request)
        if body is None:
            return web.Response(status=413)
        if request.path.startswith("/wsman-anon") or request.headers.get("WSMANIDENTIFY", "") == "unauthenticated":
            return self._anonymous(body)
        session = self._sessions.setdefault(request.transport, Session())
        certificate = request.get_extra_info("peercert")
        decision = gatekeeper.check(session, request.headers, certificate=bool(certificate))
        if decision.caller is None:
            return _response(401, b"", "", decision.headers)
        if not body:
            return _response(200, b"", "", decision.headers)
        return await self._envelope(request, body, session, decision.caller, decision.headers)

    async def _envelope(
        self, request: web.BaseRequest, body: bytes, session: Session, caller: Caller, headers: tuple[str, ...]
    ) -> web.StreamResponse:
        content_type = request.headers.get("Content-Type", "")
        try:
            protocol = sealed_protocol(content_type)
            if protocol is not None:
                if session.sealer is None:
                    return web.Response(status=400)
                body = open_body(body, session.sealer)
        except SealedBodyError:
            return web.Response(status=400)
        if protocol is None:
            if request.scheme == "http":
                return web.Response(status=500)  # AllowUnencrypted=false
            if not content_type.lower().startswith(_SOAP):
                return web.Response(status=415)
        answer = await self.service.handle(body, caller)
        if answer.cut:
            _reset(request.transport)
            raise asyncio.CancelledError
        return _sealed(answer, session, protocol, headers)

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        largest = (LARGEST_REQUEST if self.machine.modern else LARGEST_REQUEST_OLD) + _SEALING_OVERHEAD
        if (request.content_length or 0) > largest:
            return None
        chunks = bytearray()
        async for chunk in request.content.iter_any():
            chunks += chunk
            if len(chunks) > largest:
                return None
        return bytes(chunks)

    def _anonymous(self, body: bytes) -> web.StreamResponse:
        try:
            asked = isinstance(parse(body), IdentifyRequest)
        except SoapFaultError:
            asked = False
        if not asked:
            return web.Response(status=401, headers={"WWW-Authenticate": "Negotiate"})
        self.machine.requests["Identify"] += 1
        return _response(200, self.service.identify(authenticated=False), f"{_SOAP};charset=UTF-8", ())

    def _faults(self) -> list[Any]:
        return [rule for rule in self.machine.state.faults if rule.method is None and rule.class_name is None]


def _sealed(answer: Answer, session: Session, protocol: str | None, headers: tuple[str, ...]) -> web.Response:
    if protocol is None or session.sealer is None or not answer.body:
        return _response(answer.status, answer.body, f"{_SOAP};charset=UTF-8" if answer.body else "", headers)
    body, content_type = close_body(answer.body, session.sealer, protocol)
    return _response(answer.status, body, content_type, headers)


def _response(status: int, body: bytes, content_type: str, authenticate: tuple[str, ...]) -> web.Response:
    response = web.Response(status=status, body=body, headers={"Server": "Microsoft-HTTPAPI/2.0"})
    if content_type:
        response.headers["Content-Type"] = content_type
    for header in authenticate:
        response.headers.add("WWW-Authenticate", header)
    return response


def _reset(transport: Any) -> None:
    """Cut a connection with a reset, as a machine that goes away does, not with a polite end."""
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
