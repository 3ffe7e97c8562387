"""The simulated tenant on a free loopback port, in a thread of the caller's process: no lab, no root, no directory."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.ca import Authority, write_private
from dsi_automation.lab.graph.certificate import make_application_certificate
from dsi_automation.lab.graph.client import GraphControl
from dsi_automation.lab.graph.control_server import ControlServer
from dsi_automation.lab.graph.server import GraphServer
from dsi_automation.lab.graph.settings import App, GraphSettings, Hybrid

START_SECONDS: Final = 30.0
ADDRESS: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class GraphEndpoint:
    """Where a tenant answers and how to prove who asks.

    Attributes:
        base_url: `https://127.0.0.1:PORT/v1.0`.
        authority: `https://127.0.0.1:PORT`.
        certificate: PEM with the application's certificate and private key.
        secret: its client secret.
        record_file: the requests, JSON lines.
    """

    base_url: str
    authority: str
    ca_file: Path
    tenant_id: str
    client_id: str
    certificate: Path
    secret: str
    record_file: Path
    control: GraphControl


class LoopbackGraph:
    """A context manager that serves a tenant while it is open.

    Args:
        folder: where its certificates, state and record go; a temporary one when not given. The same folder again
            is the same tenant again.
        settings: members of `GraphSettings` that differ from the defaults; `hybrid` is off unless given.
    """

    def __init__(self, folder: Path | None = None, **settings: Any) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="dsi-graph-") if folder is None else None
        self.folder = folder if folder is not None else Path(self._temporary.name if self._temporary else "")
        self._settings = _settings(self.folder, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._stopping: asyncio.Event | None = None
        self._port = 0
        self._thread = threading.Thread(target=self._run, name="Microsoft 365 simulator", daemon=True)

    @property
    def settings(self) -> GraphSettings:
        """Return what it is told; the port is 0 for a free one."""
        return self._settings

    @property
    def endpoint(self) -> GraphEndpoint:
        """Return where it answers; once it is open."""
        authority = f"https://{ADDRESS}:{self._port}"
        return GraphEndpoint(
            base_url=f"{authority}/v1.0",
            authority=authority,
            ca_file=self.folder / "ca" / "ca.pem",
            tenant_id=self._settings.tenant_id,
            client_id=self._settings.app.client_id,
            certificate=self.folder / "app.pem",
            secret=(self.folder / "secret").read_text(),
            record_file=self.folder / "requests.jsonl",
            control=GraphControl(self._settings.control_socket),
        )

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self._thread.start()
        self._started.wait(START_SECONDS)
        if self._failure is not None:
            self.__exit__(None, None, None)
            raise self._failure
        if self._stopping is None:
            raise UnreachableError(T("The Microsoft 365 simulator does not start."))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._stopping is not None and self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(START_SECONDS)
        if self._temporary is not None:
            self._temporary.cleanup()

    def _run(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            self._failure = error
        finally:
            self._started.set()
            loop.close()

    async def _serve(self) -> None:
        server = GraphServer(self._settings)
        control = ControlServer(server)
        await server.start()
        await control.start()
        self._port = server.port
        self._stopping = asyncio.Event()
        self._started.set()
        await self._stopping.wait()
        await control.stop()
        await server.stop()
        mine = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()


def _settings(folder: Path, changes: dict[str, Any]) -> GraphSettings:
    authority = Authority(folder / "ca", SystemClock())
    authority.ensure()
    certificate, key = authority.issue("graph", ["localhost"], [ADDRESS])
    make_application_certificate(folder / "app.pem", SystemClock())
    secret = folder / "secret"
    if not secret.exists():
        write_private(secret, secrets.token_urlsafe(24))
    values: dict[str, Any] = {
        "address": ADDRESS,
        "port": 0,
        "certificate_file": certificate,
        "key_file": key,
        "control_socket": folder / "control",
        "record_file": folder / "requests.jsonl",
        "state_file": folder / "state.json",
        "app": App(certificate_file=folder / "app.pem", secret_file=secret),
        "hybrid": Hybrid(enabled=False, every=0),
    }
    return GraphSettings.model_validate({**values, **changes})
