"""The control socket: HTTP with JSON on a unix socket, for the lab and for tests. `GraphControl` is its client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from aiohttp import web

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.control_socket import ControlSocket
from dsi_automation.lab.graph.faults import FaultRule
from dsi_automation.lab.graph.server import GraphServer
from dsi_automation.lab.graph.service import VERSION
from dsi_automation.lab.graph.store import Entry
from dsi_automation.lab.graph.sync import AdUser


class ControlServer(ControlSocket):
    """Serves the control socket; whoever can open the socket's file may use it."""

    def __init__(self, server: GraphServer) -> None:
        super().__init__(server.settings.control_socket)
        self._server = server
        self._tenant = server.tenant

    def routes(self) -> Iterable[web.RouteDef]:
        """Return what can be asked."""
        return (
            web.get("/ready", self._ready),
            web.post("/reset", self._reset),
            web.post("/faults", self._fault),
            web.delete("/faults", self._clear),
            web.post("/delays", self._delays),
            web.post("/seats", self._seats),
            web.get("/skus", self._skus),
            web.post("/roles", self._roles),
            web.post("/tokens/expire", self._expire),
            web.post("/seed/{kind}", self._seed),
            web.get("/users", self._users),
            web.get("/users/{key}", self._user),
            web.post("/users/{key}", self._change),
            web.delete("/users/{key}", self._delete),
            web.post("/sign-in", self._sign_in),
            web.get("/mails", self._mails),
            web.get("/requests", self._requests),
            web.post("/hybrid", self._hybrid),
            web.post("/sync", self._sync),
        )

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        settings = self._server.settings
        facts = {
            "ready": True,
            "port": self._server.port,
            "tenant_id": settings.tenant_id,
            "client_id": settings.app.client_id,
            "hybrid": self._tenant.hybrid,
            "last_sync": self._server.synchronisation.last(),
            "users": sum(1 for _ in self._tenant.store.live("user")),
            "deleted": sum(1 for _ in self._tenant.store.deleted()),
            "requests": self._server.record.count,
        }
        return web.json_response(facts)

    async def _reset(self, _: web.Request) -> web.StreamResponse:
        self._tenant.reset()
        self._server.record.lines.clear()
        self._server.record.count = 0
        self._server.synchronisation.rearm()
        return web.json_response({})

    async def _fault(self, request: web.Request) -> web.StreamResponse:
        self._tenant.faults.add(FaultRule.model_validate_json(await request.read()))
        return web.json_response({}, status=201)

    async def _clear(self, _: web.Request) -> web.StreamResponse:
        self._tenant.faults.clear()
        return web.json_response({})

    async def _delays(self, request: web.Request) -> web.StreamResponse:
        self._tenant.set_delays(await request.json())
        return web.json_response(self._tenant.delays.model_dump())

    async def _seats(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self._tenant.set_seats(asked["part_number"], asked["total"], asked["status"])
        return web.json_response({})

    async def _skus(self, _: web.Request) -> web.StreamResponse:
        settings = self._server.settings
        return web.json_response(self._tenant.licences.rows(settings.tenant_id, settings.tenant_name))

    async def _roles(self, request: web.Request) -> web.StreamResponse:
        self._tenant.roles = list((await request.json())["roles"])
        self._tenant.store.changed = True
        return web.json_response({})

    async def _expire(self, _: web.Request) -> web.StreamResponse:
        self._tenant.tokens_valid_from = self._tenant.store.now()
        return web.json_response({})

    async def _seed(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind not in ("users", "groups", "contacts", "deleted_users"):
            raise UsageError(T("The simulated tenant has no {kind}.", kind=kind))
        return web.json_response(self._shown(self._tenant.seed(kind, await request.json())), status=201)

    async def _users(self, request: web.Request) -> web.StreamResponse:
        self._tenant.settle()
        store = self._tenant.store
        rows = store.deleted() if "deleted" in request.query else store.live("user")
        return web.json_response([self._shown(entry) for entry in rows])

    async def _user(self, request: web.Request) -> web.StreamResponse:
        self._tenant.settle()
        found = self._find(request.match_info["key"])
        return web.json_response(None if found is None else self._shown(found))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        entry = self._named(request)
        self._tenant.change(entry, await request.json())
        return web.json_response(self._shown(entry))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        entry = self._named(request)
        if "purge" in request.query:
            self._tenant.store.remove(entry)
        else:
            self._tenant.rules.delete(entry)
        return web.json_response({})

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        entry = self._tenant.user(asked["upn"])
        if entry is None or entry.password is None:
            outcome = "unknown"
        elif not entry.has_password(asked["password"]):
            outcome = "wrong"
        elif not entry.props.get("accountEnabled"):
            outcome = "disabled"
        else:
            outcome = "must_change" if entry.must_change else "ok"
        return web.json_response({"outcome": outcome})

    async def _mails(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._tenant.mails)

    async def _requests(self, request: web.Request) -> web.StreamResponse:
        method, pattern = request.query.get("method"), request.query.get("path", "*").lower()
        lines = [
            line
            for line in islice(self._server.record.lines, int(request.query.get("since", "0")), None)
            if method in (None, line["method"]) and fnmatchcase(line["path"].removeprefix(VERSION).lower(), pattern)
        ]
        return web.json_response(lines)

    async def _hybrid(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self._tenant.hybrid = bool(asked["enabled"])
        if asked.get("every") is not None:
            self._tenant.every = float(asked["every"])
        self._tenant.store.changed = True
        self._server.synchronisation.rearm()
        return web.json_response({})

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if "rows" in asked:
            users = [AdUser.model_validate(row) for row in asked["rows"]]
            counts = self._server.synchronisation.take(users, asked.get("remove", []))
        else:
            counts = await self._server.synchronisation.now(full=asked.get("full", True))
        return web.json_response(asdict(counts))

    def _find(self, key: str) -> Entry | None:
        store = self._tenant.store
        by_id = store.entries.get(key.lower())
        if by_id is not None and by_id.kind == "user":
            return by_id
        found = [*store.find("userPrincipalName", key), *store.find("employeeId", key), *store.holders(key)]
        return next((entry for entry in found if entry.kind == "user" and entry.deleted_at is None), None)

    def _named(self, request: web.Request) -> Entry:
        found = self._find(request.match_info["key"])
        if found is None:
            raise UsageError(T("The simulated tenant has no user {name}.", name=request.match_info["key"]))
        return found

    def _shown(self, entry: Entry) -> dict[str, Any]:
        return {**self._tenant.row(entry), "mailbox": entry.mailbox}
