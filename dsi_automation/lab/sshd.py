"""One OpenSSH server of the lab: its settings, its start and its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.processes import MARK, Daemon
from dsi_automation.lab.system import run

CHROOT: Final = "/run/chroot"
"""Where the server that is restricted to a folder sees it: everything above must be root's (sshd_config(5))."""
OWN_FOLDER: Final = "/run/sydam"
"""Where a server that has a folder of its own sees it: two servers of one application have the same paths."""
LAUNCH: Final = f"""\
set -e
# Private to this server, since `ip netns exec` gave it mounts of its own: nothing is left on the machine's /run.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd {CHROOT}
# Without PAM, sshd refuses an account that is locked (`!`), as root is on many machines.
mount --bind "$1" /etc/shadow
if [ -n "$2" ]; then mount --bind "$2" {CHROOT}; fi
if [ -n "$4" ]; then mkdir {OWN_FOLDER} && mount --bind "$4" {OWN_FOLDER}; fi
exec /usr/sbin/sshd -D -e -f "$3"
"""
SETTINGS: Final = """\
ListenAddress {address}:22
HostKey {host_key}
PidFile none
AuthorizedKeysFile {authorized}
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
# The lab's folder may be below one that everybody writes in, as /tmp.
StrictModes no
UseDNS no
PrintMotd no
MaxStartups 100
MaxSessions 100
# How the lab finds what was started in a session again; and a home of the server's own, since the shell would read this
# machine's ~/.bashrc for every command: whatever it starts, in sessions that tests kill.
SetEnv {mark}={record} HOME={home}
Subsystem sftp internal-sftp
"""
RESTRICTED: Final = f"""\
ForceCommand internal-sftp
ChrootDirectory {CHROOT}
AllowTcpForwarding no
AllowAgentForwarding no
PermitTunnel no
X11Forwarding no
PermitTTY no
"""


@dataclass(frozen=True)
class SshServer:
    """The sshd of one server of the lab.

    Attributes:
        name: the server's name in the lab.
        keys: names of those who log in, by their key pairs in `layout.ssh_dir`.
        folder: what the server is restricted to, over SFTP; None for a whole login.
        own: what the server alone sees at `/run/sydam`; None for nothing.
        namespace: where it lives; None for that of the other servers.
        at: its address; None for the one `layout` has for its name.
    """

    layout: Layout
    clock: Clock
    name: str
    keys: tuple[str, ...]
    folder: Path | None = None
    own: Path | None = None
    namespace: str | None = None
    at: str | None = None

    @property
    def address(self) -> str:
        """Where it listens, port 22."""
        return self.at or self.layout.server_addresses[self.name]

    @property
    def daemon(self) -> Daemon:
        """The process."""
        namespace = self.namespace or self.layout.ws_namespace
        return Daemon(self.name, namespace, self.layout.run_dir, self.layout.log_dir / f"{self.name}.log")

    @property
    def host_key(self) -> Path:
        """The server's own key."""
        return self.layout.ssh_dir / f"host_{self.name}"

    def start(self) -> bool:
        """Start the server, unless it runs.

        Returns:
            Whether it was started.
        """
        if not self.daemon.needs_start(self.clock):
            return False
        settings = self._write_settings()
        shadow = self.layout.ssh_dir / "shadow"
        names = [line.split(":", 1)[0] for line in Path("/etc/passwd").read_text().splitlines() if ":" in line]
        write_private(shadow, "".join(f"{name}:*:20000:0:99999:7:::\n" for name in names))
        self.daemon.start(
            [
                "/bin/sh",
                "-c",
                LAUNCH,
                self.name,
                str(shadow),
                str(self.folder or ""),
                str(settings),
                str(self.own or ""),
            ],
            self.layout.environment(),
        )
        return True

    def stop(self) -> bool:
        """Stop the server and the sessions it holds.

        Returns:
            Whether it ran.
        """
        return self.daemon.stop(self.clock)

    def _write_settings(self) -> Path:
        folder = self.layout.ssh_dir
        authorized, settings = folder / f"authorized_{self.name}", folder / f"sshd_{self.name}"
        home = folder / f"home_{self.name}"
        home.mkdir(mode=0o700, exist_ok=True)
        write_private(authorized, "".join((folder / f"{key}.pub").read_text() for key in self.keys))
        text = SETTINGS.format(
            address=self.address,
            host_key=self.host_key,
            authorized=authorized,
            mark=MARK,
            record=self.daemon.record,
            home=home,
        )
        write_private(settings, text + (RESTRICTED if self.folder else ""))
        return settings


def ensure_key(private: Path, comment: str) -> bool:
    """Make an ed25519 pair without a passphrase, unless it is there.

    Returns:
        Whether it was made.
    """
    public = private.with_name(private.name + ".pub")
    if public.exists():
        return False
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Half a pair, left by a killed start, would make ssh-keygen ask.
    private.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(private)])
    return True
