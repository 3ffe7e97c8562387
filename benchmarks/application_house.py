"""A lab with SYDAM World, people who restart it through the toolkit, and the same restart typed by hand."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from benchmarks import labs
from benchmarks.application_probe import is_open
from benchmarks.backups_house import bare
from benchmarks.processes import HERE, PYTHON
from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.engine.model import Window
from dsi_automation.journal.model import Entry
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.sshd import OWN_FOLDER
from dsi_automation.lab.tomcat import PORT

APPLICATION: Final = "sydam"
POLL: Final = 0.005
_START: Final = re.compile(r"(    cd \"\$base\" \|\| return 1\n)(?:    sleep [\d.]+\n)?(    # shellcheck)")


def lab() -> AbstractContextManager[Lab]:
    """Start a lab with SYDAM World beside others, and take it down."""
    return labs.lab(lambda found: found.up(0, application=True))


def start_takes(lab: Lab, servers: Sequence[str], seconds: float) -> None:
    """Let the service scripts prepare for so long before they start Java: the lab's own start takes half a second."""
    for server in servers:
        script = lab.facilities.application.server(server).script
        text = script.read_text()
        # Another file in its place: nobody reads half of one.
        new = script.with_name("sydam.new")
        new.write_text(re.sub(_START, rf"\1    sleep {seconds:g}\n\2", text))
        new.chmod(0o755)
        new.rename(script)


@dataclass(frozen=True, slots=True)
class Edge:
    """A port that closed or opened, at a moment of CLOCK_MONOTONIC."""

    server: str
    open: bool
    at: float


class Probe:
    """The process that watches the ports."""

    def __init__(self, lab: Lab, servers: Sequence[str]) -> None:
        """Watch these servers."""
        self._names = {f"{lab.layout.server_addresses[name]}:{PORT}": name for name in servers}
        self.edges: list[Edge] = []
        self._process = subprocess.Popen(
            [PYTHON, "-m", "benchmarks.application_probe", *self._names], cwd=HERE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def closed(self, server: str, since: float) -> tuple[float, float]:
        """Return from when until when a port was closed, the first time since a moment; waits until it opened."""
        return self._edge(server, since, opened=False), self._edge(server, since, opened=True)

    def _edge(self, server: str, since: float, *, opened: bool) -> float:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for edge in list(self.edges):
                if edge.server == server and edge.at > since and edge.open is opened:
                    return edge.at
            time.sleep(POLL)
        raise RuntimeError(f"{server}: no such change was seen since {since}: {self.edges}")

    def _read(self) -> None:
        for line in self._process.stdout or ():
            port, state, at = line.split()
            self.edges.append(Edge(self._names[port], state == "open", float(at)))


@dataclass(slots=True)
class ByHand:
    """The service scripts over SSH, typed one after the other; logged in before, once on each server."""

    lab: Lab
    folder: Path
    servers: Sequence[str]
    _masters: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        for server in self.servers:
            self._masters.append(subprocess.Popen([*self._ssh(server), "-N", "-o", "ControlMaster=yes"]))
            while not self._socket(server).exists():
                time.sleep(POLL)
        return self

    def __exit__(self, *_: object) -> None:
        for master in self._masters:
            master.terminate()
            master.wait()

    def restart(self, servers: Sequence[str]) -> None:
        """Stop servers and empty their caches, the last one first; start each and wait until its port is open."""
        for server in reversed(servers):
            bare([*self._ssh(server), f"{OWN_FOLDER}/bin/sydam", "stop"])
            bare([*self._ssh(server), "find", f"{OWN_FOLDER}/cache", "-mindepth", "1", "-delete"])
        for server in servers:
            bare([*self._ssh(server), f"{OWN_FOLDER}/bin/sydam", "start"])
            while not is_open(f"{self.lab.layout.server_addresses[server]}:{PORT}"):
                time.sleep(POLL)

    def _socket(self, server: str) -> Path:
        return self.folder / server

    def _ssh(self, server: str) -> list[str]:
        ssh = self.lab.layout.root / "ssh"
        options = (f"UserKnownHostsFile={ssh}/known_hosts", "BatchMode=yes", f"ControlPath={self._socket(server)}")
        named = [word for option in options for word in ("-o", option)]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            f"{ssh}/controller",
            *named,
            f"root@{self.lab.layout.server_addresses[server]}",
        ]


class Toolkits:
    """The technician and the director, with the inventory of a lab."""

    def __init__(self, lab: Lab) -> None:
        """Read nothing yet."""
        layout = lab.layout
        self._technician, self._director = (
            Toolkit(inventory=str(layout.inventory_dir), key=str(layout.key_dir / who), environ={})
            for who in ("m.kouadio", "a.bamba")
        )

    def restart(self, servers: Sequence[str]) -> Sequence[Entry]:
        """Plan, ask and approve a restart, then run it; return what the journal has of the run.

        Raises:
            RuntimeError: it did not end well.
        """
        engine = self._technician.engine
        inputs = {"why": "Benchmark", "notice": "none", "servers": list(servers)}
        plan = engine.plan("application.restart", (APPLICATION,), inputs, Silent())
        request = engine.request(plan, "Benchmark", Window())
        self._director.engine.approve(request.id, "Benchmark")
        run = engine.run(request.id, Silent())
        if run.outcome is not Outcome.DONE:
            raise RuntimeError(f"{run.outcome}, {run.errors}, {run.error}")
        return self._technician.journal.read(subject=run.id)

    def close(self) -> None:
        """Close both journals."""
        for toolkit in (self._technician, self._director):
            with suppress(AttributeError):
                toolkit.journal.close()
