"""The lab's network of routers as a whole: started together, looked at, disturbed, put back and taken away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab import network_reset
from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import SYSTEM_PATH, Layout
from dsi_automation.lab.network_topology import SERVER, Circuit, Topology
from dsi_automation.lab.network_wiring import Wiring
from dsi_automation.lab.processes import Daemon, pids_by_namespace
from dsi_automation.lab.routers import LabRouter
from dsi_automation.lab.servers import CONTROLLER, START_SECONDS, wait_until_greeting
from dsi_automation.lab.sshd import SshServer, ensure_key

SERVICES: Final = ("tcp/23", "tcp/80", "tcp/443", "tcp/1521", "tcp/8080", "tcp/8443", "udp/53")
"""What the server at headquarters answers on, in its LAN."""

AT_ONCE: Final = 4
"""How many routers are looked at or restarted at once: more would only wait for a processor."""

LINE_SECONDS: Final = 5.0
SECONDS_EACH: Final = 2.0
"""How much longer each router may take than a server: it needs less than one on a machine that does nothing else."""


@dataclass(frozen=True)
class RoutedNetwork:
    """The routers of a lab, what is behind them, and the circuits between them.

    Attributes:
        count: how many routers; 0 for a lab without.
    """

    layout: Layout
    clock: Clock
    count: int

    @cached_property
    def topology(self) -> Topology:
        """The network on paper."""
        return Topology(self.layout, self.count)

    @property
    def wiring(self) -> Wiring:
        """Its wires."""
        return Wiring(self.topology)

    @cached_property
    def routers(self) -> tuple[LabRouter, ...]:
        """Every router, headquarters first."""
        return tuple(LabRouter(self.topology, place, self.clock) for place in self.topology.places)

    @cached_property
    def hosts(self) -> tuple[SshServer, ...]:
        """The SSH server of every LAN host and of the server at headquarters: in this order."""
        topology, keys = self.topology, (CONTROLLER,)
        found = [
            SshServer(self.layout, self.clock, place.host, keys, namespace=topology.host_namespace(place),
                      at=topology.host_address(place))
            for place in topology.places
        ]  # fmt: skip
        if found:
            found.append(
                SshServer(self.layout, self.clock, SERVER, keys, namespace=topology.server_namespace,
                          at=topology.server_management_address)
            )  # fmt: skip
        return tuple(found)

    @property
    def services(self) -> Daemon:
        """What answers on the server at headquarters."""
        log = self.layout.log_dir / f"{SERVER}-services.log"
        return Daemon(f"{SERVER}-services", self.topology.server_namespace, self.layout.run_dir, log)

    @property
    def daemons(self) -> list[Daemon]:
        """Every process."""
        found = [router.daemon for router in self.routers] + [host.daemon for host in self.hosts]
        return [*found, self.services] if found else []

    @property
    def known_hosts(self) -> Path:
        """The keys of routers and hosts, for whoever connects."""
        return self.layout.ssh_dir / "known_hosts_network"

    def router(self, name: str) -> LabRouter:
        """Return a router by its name.

        Raises:
            UsageError: there is none of that name.
        """
        return _named(name, {router.name: router for router in self.routers})

    def host(self, name: str) -> SshServer:
        """Return a LAN host, or the server at headquarters, by its name.

        Raises:
            UsageError: there is none of that name.
        """
        return _named(name, {host.name: host for host in self.hosts})

    def circuit(self, name: str) -> Circuit:
        """Return a circuit by its name.

        Raises:
            UsageError: there is none of that name.
        """
        return _named(name, {circuit.name: circuit for circuit in self.topology.circuits})

    def start(self) -> bool:
        """Start whatever does not run; it gets ready beside the lab's other steps.

        Returns:
            Whether anything had to be made or started.
        """
        if not self.count:
            return False
        changed = self.wiring.ensure()
        ensure_key(self.layout.ssh_dir / CONTROLLER, f"{CONTROLLER}@{self.layout.name}")
        for router in self.routers:
            changed |= router.start()
        for host in self.hosts:
            ensure_key(host.host_key, host.name)
            changed |= host.start()
        if self.services.needs_start(self.clock):
            command = [sys.executable, "-m", "dsi_automation.lab.listener", self.topology.server_address, *SERVICES]
            self.services.start(command, {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(_package())})
            changed = True
        self._write_known_hosts()
        return changed

    def wait_until_ready(self, names: Iterable[str] | None = None) -> None:
        """Return once every router, or those named, and every host greets.

        Raises:
            DsiError: one ended, or does not.
        """
        chosen = self.routers if names is None else [self.router(name) for name in names]
        # A router greets last of all: FRRouting is there by then.
        seconds = START_SECONDS + SECONDS_EACH * len(chosen)
        wait_until_greeting([*chosen, *self.hosts], self.clock, seconds=seconds)

    def is_up(self) -> bool:
        """Tell whether every wire is there and every process runs."""
        return self.wiring.is_complete() and all(daemon.pid() is not None for daemon in self.daemons)

    def stop(self) -> bool:
        """End every process and take the wires away; what routers saved stays.

        Returns:
            Whether anything was there.
        """
        found = self.wiring.remove()
        for daemon in self.daemons:
            daemon.record.unlink(missing_ok=True)
        return found

    def cut(self, name: str) -> None:
        """Cut a circuit: its line goes down at both ends; returns once both routers' kernels see it."""
        self._operate(name, up=False)

    def mend(self, name: str) -> None:
        """Mend a circuit; returns once both routers' kernels see the line."""
        self._operate(name, up=True)

    def _operate(self, name: str, *, up: bool) -> None:
        circuit = self.circuit(name)
        self.wiring.operate(circuit, up=up)
        until = self.clock.monotonic() + LINE_SECONDS
        # The kernel tells of lines once a second at most (linkwatch).
        while not self.wiring.line_is(circuit, up=up) and self.clock.monotonic() < until:
            self.clock.sleep(0.02)

    def reboot(self, names: Iterable[str]) -> None:
        """Take routers' power away and give it back; returns once they greet."""
        chosen = [self.router(name) for name in names]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(LabRouter.reboot, chosen))
        self.wait_until_ready(router.name for router in chosen)

    def reset(self, names: Iterable[str] | None = None) -> list[str]:
        """Put routers back to how they left the factory, mend every circuit and give LAN hosts their addresses back.

        Args:
            names: of the routers; None for all.

        Returns:
            Those that had to be put back.
        """
        for circuit in self.wiring.cut_circuits():
            self.mend(circuit.name)
        for place in self.topology.places:
            self.wiring.restore_host(place)
        chosen = self.routers if names is None else [self.router(name) for name in names]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            looks = pool.map(network_reset.is_pristine, chosen)
            changed = [router for router, pristine in zip(chosen, looks, strict=True) if not pristine]
            list(pool.map(LabRouter.restore, changed))
        self.wait_until_ready(router.name for router in changed)
        return [router.name for router in changed]

    def ping(self, host: str, address: str, *, count: int = 1, seconds: float = 1.0) -> bool:
        """Tell whether an address answers a host behind a router.

        Args:
            host: from which LAN host, or from the server.
            address: whom it asks.
            count: how many requests; one answer is enough.
            seconds: how long it waits for the last answer.
        """
        command = ["ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W", str(seconds), address]
        enter = ["ip", "netns", "exec", str(self.host(host).namespace), *command]
        return subprocess.run(enter, capture_output=True, check=False, timeout=60).returncode == 0

    def resident_bytes(self) -> int:
        """Return the memory of all processes: proportional set sizes, so that what they share counts once (proc(5))."""
        found = pids_by_namespace(self.topology.namespaces)
        return sum(_proportional(pid) for pids in found.values() for pid in pids)

    def _write_known_hosts(self) -> None:
        keys = {router.address: router.files.host_key for router in self.routers}
        keys |= {host.address: host.host_key for host in self.hosts}
        public = {address: key.with_name(f"{key.name}.pub").read_text().split()[:2] for address, key in keys.items()}
        text = "".join(f"{address} {' '.join(words)}\n" for address, words in public.items())
        write_private(self.known_hosts, text)


def _named[One](name: str, known: dict[str, One]) -> One:
    if name not in known:
        raise UsageError(
            T("The lab’s network has no {name}.", name=name),
            on=name,
            next_step=T("It has: {names}.", names=", ".join(known)),
        )
    return known[name]


def _package() -> Path:
    return Path(__file__).resolve().parents[2]


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
