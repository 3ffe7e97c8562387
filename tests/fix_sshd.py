"""A real sshd for the tests: on a free port of the loopback, with a host key, configuration and keys of its own."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.connectors.ssh.port import SshEndpoint


@dataclass(frozen=True)
class Sshd:
    """Where the server listens, and the files to log in with."""

    folder: Path
    port: int
    user: str

    @property
    def key(self) -> Path:
        return self.folder / "id"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def ssh_command(self) -> str:
        """The ssh command restic takes as `-o sftp.command=`."""
        options = f"-p {self.port} -i {self.key} -o IdentitiesOnly=yes -o UserKnownHostsFile={self.known_hosts}"
        return f"ssh {options} -o BatchMode=yes {self.user}@127.0.0.1 -s sftp"

    def endpoint(self, name: str = "srv1", **changes: object) -> SshEndpoint:
        given = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "key": str(self.key),
            "known_hosts": str(self.known_hosts),
        }
        return SshEndpoint(name, **(given | changes))  # type: ignore[arg-type]


def _keygen(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text()


@contextlib.contextmanager
def new_sshd(
    user: str | None = None, environment: Mapping[str, str] | None = None, settings: str = ""
) -> Iterator[Sshd]:
    """Run an sshd that lets an account in with a key: this one, or another one that it then runs as.

    Args:
        user: the other one; it has a shell.
        environment: of the programs that are run through it.
        settings: further lines of its configuration, before the others: the first one of a name holds.
    """
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    assert Path(program).exists(), "sshd is not installed: apt-get install openssh-server"
    folder = Path(tempfile.mkdtemp(prefix="dsi-sshd-", dir="/tmp"))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    host_key = _keygen(folder / "host")
    (folder / "authorized").write_text(_keygen(folder / "id"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    # A home of its own: bash reads ~/.bashrc for each command of sshd, and what that starts would die with sessions.
    # A home of its own: what this account's shell would read at each start (.bashrc) is none of the tests' business.
    (folder / "home").mkdir()
    given = {"HOME": str(folder / "home"), **(environment or {})}
    named = " ".join(f'{name}="{value}"' for name, value in given.items())
    (folder / "config").write_text(
        f"{settings}SetEnv {named}\n"
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nMaxSessions 50\nMaxStartups 100\nLogLevel ERROR\n"
    )
    if user is not None:
        subprocess.run(["chown", "-R", user, str(folder)], check=True)
    prefix = [] if user is None else ["runuser", "-u", user, "--"]
    # A file and no pipe: sessions that are still open would hold the pipe.
    server = subprocess.Popen([*prefix, program, "-D", "-E", str(folder / "log"), "-f", str(folder / "config")])
    try:
        while server.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        assert server.poll() is None, (folder / "log").read_text()
        yield Sshd(folder, port, user or getpass.getuser())
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    """Return a running sshd that lets this account in with a key."""
    with new_sshd() as made:
        yield made


@pytest.fixture
def ssh_shell(sshd: Sshd) -> Iterator[SshShell]:
    """Return the machine behind that sshd, called srv1."""
    shell = SshShell(sshd.endpoint())
    yield shell
    shell.close()
