"""The simulated tenant on the network: https, tokens, batches, faults, the record, and the file that outlives it."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web

from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.lab.graph import batch
from dsi_automation.lab.graph.authority import Authority, AuthorityError
from dsi_automation.lab.graph.errors import GraphError
from dsi_automation.lab.graph.faults import Fault, FaultRule, Place
from dsi_automation.lab.graph.hybrid import Synchronisation
from dsi_automation.lab.graph.record import HIDDEN, Record
from dsi_automation.lab.graph.service import NOTHING, VERSION, Answer, Call, Service
from dsi_automation.lab.graph.settings import GraphSettings
from dsi_automation.lab.graph.store import read_state, write_state
from dsi_automation.lab.graph.tenant import Tenant

logger = logging.getLogger(__name__)

SAVE_SECONDS: Final = 0.5
"""A process that is killed loses at most this much; one that is told to stop loses nothing."""
SHUTDOWN_SECONDS: Final = 2.0
"""How long requests under way may go on when told to stop."""
_STRIKES: Final = frozenset({Fault.THROTTLE, Fault.STATUS, Fault.CUT, Fault.NOT_JSON, Fault.TOKEN_EXPIRED})
_JSON: Final = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_CODES: Final = {
    429: ("TooManyRequests", "Too Many Requests"),
    500: ("InternalServerError", "An internal server error occurred. The operation failed."),
    502: ("BadGateway", "Bad gateway."),
    503: ("serviceNotAvailable", "The service is temporarily unavailable."),
    504: ("UnknownError", ""),
}


class _CutError(Exception):
    """The connection is to be cut."""


class GraphServer:
    """Serves one tenant."""

    def __init__(self, settings: GraphSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.tenant = Tenant(settings, clock or SystemClock())
        kept = read_state(settings.state_file) if settings.state_file is not None else None
        if kept is None:
            self.tenant.fill()
        else:
            self.tenant.load(kept)
        self.authority = Authority(self.tenant)
        self.record = Record(settings.record_file, self.tenant.store.clock)
        self.synchronisation = Synchronisation(self.tenant)
        self._service = Service(self.tenant, self.synchronisation.one)
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.port = settings.port

    async def start(self) -> None:
        """Listen."""
        self.record.open()
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.settings.certificate_file, self.settings.key_file)
        await web.TCPSite(self._runner, self.settings.address, self.settings.port, ssl_context=tls).start()
        self.port = int(self._runner.addresses[0][1])
        self._tasks = [asyncio.create_task(self.synchronisation.cycles()), asyncio.create_task(self._keep())]

    async def stop(self) -> None:
        """Stop listening, and keep the tenant."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await _close(self._runner)
        self.synchronisation.close()
        self.record.close()
        self.save()

    def save(self) -> None:
        """Write the tenant's file, when something changed."""
        if self.settings.state_file is not None and self.tenant.store.changed:
            self.tenant.store.changed = False
            write_state(self.settings.state_file, self.tenant.dump())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            self.save()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        data = await request.read()
        base = f"https://{request.host}"
        if path.startswith(f"{VERSION}/"):
            return await self._graph(request, path, query, data, base)
        return await self._login(request, path, query, data, base)

    async def _graph(self, request: web.Request, path: str, query: str, data: bytes, base: str) -> web.StreamResponse:
        headers = request.headers
        body = _parsed(data)
        asked = str(uuid4())
        ids = {"request-id": asked, "client-request-id": headers.get("client-request-id", asked)}
        try:
            claims = self.authority.claims(headers.get("authorization"))
            call = Call(
                method=request.method,
                path=path.removeprefix(VERSION),
                query=query,
                headers=headers,
                body=body,
                roles=frozenset(claims["roles"]),
                base=base + VERSION,
            )
            answer = await self._struck(call, "outer", ids)
        except GraphError as error:
            answer = self._refusal(error, ids)
        except _CutError:
            self._note(request.method, path, query, request.headers, body, None)
            return _cut(request)
        self._note(request.method, path, query, request.headers, body, answer.status)
        return _response(answer, ids)

    async def _struck(self, call: Call, place: Place, ids: Mapping[str, str]) -> Answer:
        """Carry a call out, with whatever fault strikes it."""
        slow = self.tenant.faults.strike(frozenset({Fault.SLOW}), call.method, call.path, place)
        if slow is not None:
            await asyncio.sleep(slow.seconds)
        rule = self.tenant.faults.strike(_STRIKES, call.method, call.path, place)
        if rule is None or rule.after_commit:
            try:
                answer = await self._carried_out(call, place, ids)
            except GraphError as error:
                answer = self._refusal(error, ids)
            if rule is None:
                return answer
        return self._faulty(rule, ids)

    async def _carried_out(self, call: Call, place: Place, ids: Mapping[str, str]) -> Answer:
        if place == "outer" and call.path == "/$batch":
            if call.method != "POST":
                raise GraphError(
                    405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
                )

            async def run(identifier: str, item: Call, blocked: Answer | None) -> Answer:
                return await self._item(identifier, item, ids, blocked)

            return await batch.answer(call, run)
        return await self._service.answer(call)

    async def _item(self, identifier: str, item: Call, ids: Mapping[str, str], blocked: Answer | None) -> Answer:
        try:
            answer = blocked or await self._struck(item, "item", ids)
        except _CutError:
            self._note(item.method, VERSION + item.path, item.query, item.headers, item.body, None, identifier)
            raise
        self._note(item.method, VERSION + item.path, item.query, item.headers, item.body, answer.status, identifier)
        return answer

    def _faulty(self, rule: FaultRule, ids: Mapping[str, str]) -> Answer:
        if rule.fault is Fault.CUT:
            raise _CutError
        if rule.fault is Fault.TOKEN_EXPIRED:
            expired = GraphError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
            return self._refusal(expired, ids)
        headers = {} if rule.retry_after is None else {"Retry-After": rule.retry_after}
        if rule.fault is Fault.NOT_JSON:
            page = f"<html><head><title>{rule.answered}</title></head><body><h1>Error</h1></body></html>"
            return Answer(rule.answered, page, {"Content-Type": "text/html", **headers})
        code, message = _CODES.get(rule.answered, ("UnknownError", ""))
        return self._refusal(GraphError(rule.answered, code, message, headers=headers), ids)

    def _refusal(self, error: GraphError, ids: Mapping[str, str]) -> Answer:
        body = error.body(ids["request-id"], ids["client-request-id"], self.tenant.store.now())
        return Answer(error.status, body, error.headers)

    async def _login(self, request: web.Request, path: str, query: str, data: bytes, base: str) -> web.StreamResponse:
        form = dict(parse_qsl(data.decode(errors="replace"), keep_blank_values=True))
        correlation = request.headers.get("client-request-id", str(uuid4()))
        try:
            status, body = 200, self._authorised(request.method, path, form, base)
        except AuthorityError as error:
            status, body = error.status, error.body(correlation, self.tenant.store.now(), base)
        except GraphError as error:
            status, body = error.status, error.body(correlation, correlation, self.tenant.store.now())
        self._note(request.method, path, query, request.headers, form or NOTHING, status)
        return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})

    def _authorised(self, method: str, path: str, form: Mapping[str, str], base: str) -> dict[str, Any]:
        match method, path.strip("/").split("/"):
            case "GET", [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return self.authority.configuration(tenant, base)
            case "GET", [_, "discovery", "v2.0", "keys"]:
                return self.authority.keys()
            case "GET", [_, "discovery", "instance"]:
                host = base.removeprefix("https://")
                known = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                tenant = self.settings.tenant_id
                return {
                    "tenant_discovery_endpoint": f"{base}/{tenant}/v2.0/.well-known/openid-configuration",
                    "api-version": "1.1",
                    "metadata": [known],
                }
            case "POST", [tenant, "oauth2", "v2.0", "token"]:
                self._refuse_token(path)
                return self.authority.token(tenant, form, base)
            case _:
                raise GraphError(404, "NotFound", "Resource not found.")

    def _refuse_token(self, path: str) -> None:
        rule = self.tenant.faults.strike(frozenset({Fault.TOKEN_REFUSED}), "POST", path, "outer")
        if rule is not None:
            number = rule.error or "7000222"
            raise AuthorityError(
                number, "invalid_client", "The provided client secret keys or certificates are expired.", 401
            )

    def _note(  # one argument for each member of a line
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: Any,
        status: int | None,
        item: str | None = None,
    ) -> None:
        self.record.add(method, path, query, headers, None if body is NOTHING else body, status, item)


def _parsed(data: bytes) -> Any:
    """Return a body as JSON, NOTHING for an empty one, a mask (which is no object) for one that is no JSON."""
    if not data:
        return NOTHING
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return HIDDEN


def _response(answer: Answer, ids: Mapping[str, str]) -> web.Response:
    headers = {"Cache-Control": "no-cache", "OData-Version": "4.0", **ids, **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    headers.setdefault("Content-Type", _JSON)
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
    return web.Response(status=answer.status, body=text.encode(), headers=headers)


async def _close(runner: web.AppRunner) -> None:
    """Stop serving; connections that clients keep open end now, without TLS's own farewell, which may never come."""
    serving = runner.server
    left = [handler.transport for handler in serving.connections] if serving is not None else []
    await runner.cleanup()
    for transport in left:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # a transport closes its socket in the loop's next round


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
