"""What the simulators' control sockets share: HTTP with JSON on a unix socket, for the lab and for tests."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from aiohttp import web
from pydantic import ValidationError

from dsi_automation.core.errors import DsiError, UsageError

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlSocket(ABC):
    """Serves a control socket; whoever can open the socket's file may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Return what can be asked."""

    async def start(self) -> None:
        """Open the socket, for its owner only."""
        application = web.Application(middlewares=[_errors])
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            await web.UnixSite(self._runner, str(self._path)).start()
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Close the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        # input values are left out: a specification holds passwords
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        return web.json_response({"error": said}, status=422)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=422)
    except UsageError as error:
        return web.json_response({"error": error.what.render("en"), **error.to_json()}, status=404)
    except DsiError as error:
        return web.json_response({"error": error.what.render("en"), **error.to_json()}, status=500)
