"""The simulator on loopback addresses, in a thread of the caller's process: no lab, no root, no directory."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.windows.control import Control
from dsi_automation.lab.windows.control_server import ControlServer
from dsi_automation.lab.windows.joining import DomainJoiner
from dsi_automation.lab.windows.simulator import Simulator
from dsi_automation.lab.windows.spec import SimulatorSpec

START_SECONDS = 30.0


class LoopbackSimulator:
    """A context manager that serves a specification while it is open.

    Give workstations addresses in 127.0.0.0/8 and ports 0: `url` tells which ports they got.

    Args:
        spec: what to serve.
        joiner: the domain, usually a `MemoryJoiner`.
        state: directory of what changes, to test a restart; None keeps nothing.
    """

    def __init__(self, spec: SimulatorSpec, joiner: DomainJoiner | None = None, state: Path | None = None) -> None:
        self.simulator = Simulator(spec, state, joiner)
        self._directory = tempfile.TemporaryDirectory(prefix="dsi-winsim-")
        self._socket = Path(self._directory.name) / "control"
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="workstation simulator", daemon=True)

    @property
    def control(self) -> Control:
        """Return a client of its control socket."""
        return Control(self._socket)

    def url(self, key: str, *, secure: bool = False) -> str:
        """Return the WS-Management URL of a workstation."""
        row = self.control.workstation(key)
        port, scheme = (row["https_port"], "https") if secure else (row["http_port"], "http")
        return f"{scheme}://{row['address']}:{port}/wsman"

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self._thread.start()
        self._started.wait(START_SECONDS)
        if self._failure is not None:
            self.__exit__(None, None, None)
            raise self._failure
        if self._stopping is None:
            raise UnreachableError(T("The workstation simulator does not start."))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        if self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(START_SECONDS)
        self._directory.cleanup()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            self._failure = error
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        stopping = asyncio.Event()
        control = ControlServer(self.simulator, self._socket)
        await self.simulator.start()
        await control.start()
        self._stopping = stopping
        self._started.set()
        await stopping.wait()
        await control.stop()
        await self.simulator.stop()
        mine = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not mine]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_default_executor()
