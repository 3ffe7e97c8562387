"""One router of the lab: a real FRRouting on wires of its own, with its SSH server, its files and its host name."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab import network
from dsi_automation.lab.layout import SYSTEM_PATH, Layout
from dsi_automation.lab.network_topology import LAN, MANAGEMENT, Place, Topology
from dsi_automation.lab.network_wiring import Wiring
from dsi_automation.lab.processes import Daemon, end_all
from dsi_automation.lab.router_files import RouterFiles
from dsi_automation.lab.servers import CONTROLLER
from dsi_automation.lab.system import run

LAUNCH: Final = """\
set -e
cd /
hostname "$2"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
# Private to this router, since `ip netns exec` gave it mounts of its own. All of /etc, for a file bound alone is let go
# silently when anybody renames the machine's.
cat /proc/sys/kernel/random/uuid >"$1/boot_id"
mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id
mount --bind "$1/etc" /etc
mount --bind "$1/home" /home
mount --bind "$1/sbin" /usr/local/sbin
# The last of them: the lab itself is under /var/lib by default.
mount --bind "$1/lib" /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir /run/sshd
install -d -o frr -g frr -m 755 /run/frr /var/log/frr
dsi-cc _filter || true
/usr/lib/frr/frrinit.sh start </dev/null
dsi-cc _boot || true
exec /usr/sbin/sshd -D -e
"""
"""As init of such a machine does it: files, filter, FRRouting, what `dsi-cc` left undone, and SSH when all is there."""
CONSOLE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class LabRouter:
    """One router."""

    topology: Topology
    place: Place
    clock: Clock

    @property
    def layout(self) -> Layout:
        """The lab's."""
        return self.topology.layout

    @property
    def name(self) -> str:
        """Its name in the inventory, and its host name."""
        return self.place.router

    @property
    def address(self) -> str:
        """Where it is managed."""
        return self.topology.management_address(self.place)

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return self.topology.router_namespace(self.place)

    @property
    def daemon(self) -> Daemon:
        """Its SSH server, which everything of it comes before."""
        return Daemon(self.name, self.namespace, self.layout.run_dir, self.layout.log_dir / f"{self.name}.log")

    @property
    def files(self) -> RouterFiles:
        """Its files."""
        public = self.layout.ssh_dir / f"{CONTROLLER}.pub"
        return RouterFiles(self.layout.router_dir / self.name, self.name, self.address, public)

    def start(self) -> bool:
        """Start it, unless it runs; it gets ready beside the others.

        Returns:
            Whether it was started.
        """
        if self.daemon.pid() is not None:
            return False
        # What a leader killed by hand left behind.
        end_all([self.namespace])
        self.files.ensure()
        launch = ["unshare", "--uts", "/bin/sh", "-c", LAUNCH, "router", str(self.files.folder), self.name]
        self.daemon.start(launch, {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": "/root"})
        return True

    def stop(self) -> bool:
        """Take its power away: what was not saved is gone.

        Returns:
            Whether it ran.
        """
        found = end_all([self.namespace])
        self.daemon.record.unlink(missing_ok=True)
        return found

    def reboot(self) -> None:
        """Take its power away and give it back; it gets ready by itself."""
        self.stop()
        self.flush()
        self.start()

    def restore(self) -> None:
        """Put it back to how it left the factory; it gets ready by itself."""
        self.stop()
        self.flush()
        self.files.restore()
        self.start()

    def flush(self) -> None:
        """Take away what its kernel still has: addresses, routes, filter, connections; every interface is up."""
        wires = Wiring(self.topology).interfaces(self.place)
        address = f"{self.address}/{self.layout.network.prefixlen}"
        network.batch(
            [
                *(f"addr flush dev {name}" for name in wires),
                # FRRouting hangs its routes on next hops: a route goes with the one it hangs on.
                "nexthop flush",
                "route flush table main",
                *(f"link set {name} up" for name in wires),
                f"addr add {address} dev {MANAGEMENT}",
            ],
            self.namespace,
        )
        for command in (["nft", "flush", "ruleset"], ["conntrack", "-F"]):
            run(["ip", "netns", "exec", self.namespace, *command])

    def enter(self, *command: str) -> list[str]:
        """Return what runs a program on the router itself, as its root.

        Raises:
            UsageError: the router does not run.
        """
        pid = self.daemon.pid()
        if pid is None:
            raise UsageError(
                T("The router {name} does not run.", name=self.name), next_step=T("Start it with `dsi lab up`.")
            )
        return ["nsenter", f"--target={pid}", "--mount", "--uts", "--net", *command]

    def run(self, *command: str) -> str:
        """Run a program on the router itself, as its root, and return what it printed.

        Raises:
            UsageError: the router does not run.
            DsiError: the program failed.
        """
        done = subprocess.run(
            self.enter(*command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=CONSOLE_SECONDS,
            env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": "/root"},
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()[-600:]
            raise DsiError(T("{router} refused it: {said}", router=self.name, said=said), on=self.name)
        return done.stdout

    def console(self, *commands: str) -> str:
        """Type commands at its console cable, in one session, and return what it printed.

        Raises:
            UsageError: the router does not run.
            DsiError: it refused one; those before it are in force.
        """
        return self.run("vtysh", *(part for command in commands for part in ("-c", command)))

    def configure(self, *lines: str) -> None:
        """Type lines of configuration mode at its console, as somebody does by hand; nothing is saved.

        Raises:
            DsiError: it refused one; those before it are in force.
        """
        self.console("configure terminal", *lines)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Its interfaces: management, LAN, circuits."""
        circuits = self.topology.circuits_of(self.place)
        return (MANAGEMENT, LAN, *(one.end_at(self.place) for one in circuits))
