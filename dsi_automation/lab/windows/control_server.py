"""The control socket: HTTP with JSON on a unix socket, for the lab and for tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from dsi_automation.lab.control_socket import ControlSocket
from dsi_automation.lab.windows.faults import FaultRule
from dsi_automation.lab.windows.simulator import Simulator
from dsi_automation.lab.windows.spec import WorkstationSpec


class ControlServer(ControlSocket):
    """Serves the control socket; whoever can open the socket's file may use it."""

    def __init__(self, simulator: Simulator, path: Path) -> None:
        super().__init__(path)
        self._simulator = simulator

    def routes(self) -> Iterable[web.RouteDef]:
        """Return what can be asked."""
        return (
            web.get("/ready", self._ready),
            web.get("/workstations", self._list),
            web.post("/workstations", self._add),
            web.get("/workstations/{key}", self._show),
            web.delete("/workstations/{key}", self._remove),
            web.get("/workstations/{key}/requests", self._requests),
            web.post("/workstations/{key}/faults", self._fault),
            web.delete("/workstations/{key}/faults", self._clear),
            web.post("/workstations/{key}/reset", self._reset),
            web.post("/workstations/{key}/reboot", self._reboot),
        )

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"ready": True, "workstations": len(self._simulator.endpoints)})

    async def _list(self, _: web.Request) -> web.StreamResponse:
        rows = [self._row(key) for key in self._simulator.endpoints]
        return web.json_response(rows)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        return web.json_response({**self._simulator.endpoint(key).machine.snapshot(), **self._row(key)})

    async def _requests(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._simulator.endpoint(request.match_info["key"]).machine.log_lines())

    async def _add(self, request: web.Request) -> web.StreamResponse:
        endpoint = await self._simulator.add(WorkstationSpec.model_validate_json(await request.read()))
        return web.json_response(self._row(endpoint.machine.spec.key), status=201)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        await self._simulator.remove(request.match_info["key"])
        return web.json_response({})

    async def _fault(self, request: web.Request) -> web.StreamResponse:
        rule = FaultRule.model_validate_json(await request.read())
        self._simulator.set_fault(request.match_info["key"], rule)
        return web.json_response({}, status=201)

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        self._simulator.clear_faults(request.match_info["key"])
        return web.json_response({})

    async def _reset(self, request: web.Request) -> web.StreamResponse:
        await self._simulator.reset(request.match_info["key"])
        return web.json_response({})

    async def _reboot(self, request: web.Request) -> web.StreamResponse:
        """Bring the machine back now: also one whose restart never ends, or that was shut down."""
        await self._simulator.endpoint(request.match_info["key"]).bring_back()
        return web.json_response({})

    def _row(self, key: str) -> dict[str, object]:
        endpoint = self._simulator.endpoint(key)
        return {
            "key": key,
            "computer_name": endpoint.machine.state.computer_name,
            "address": endpoint.machine.spec.address,
            "http_port": endpoint.http_port,
            "https_port": endpoint.https_port,
            "up": endpoint.up,
        }
