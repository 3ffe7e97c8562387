"""One application server of the lab: a Tomcat of its own, as a production host has it, and what goes wrong with it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from dsi_automation.connectors.applications.contents import SEAL
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T, Text
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.ca import write_private
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.processes import MARK, pids_in
from dsi_automation.lab.servers import CONTROLLER
from dsi_automation.lab.sshd import OWN_FOLDER, SshServer
from dsi_automation.lab.system import run

PORT: Final = 8080
CONTEXT: Final = "/sydam"
DRIVER: Final = Path("/usr/share/java/postgresql.jar")
CONFIGURATION: Final = ("server.xml", "web.xml", "catalina.properties", "logging.properties")


class ServerFault(StrEnum):
    """What can go wrong with an application server."""

    HANGS_ON_STOP = "hangs_on_stop"
    LIES_ON_STOP = "lies_on_stop"
    DIES_AFTER_START = "dies_after_start"
    DATABASE_DOWN = "database_down"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # the name of a fault
    SLOW = "slow"
    TEST_ACCOUNT_LOCKED = "test_account_locked"


DESCRIPTIONS: Final[dict[ServerFault, Text]] = {
    ServerFault.HANGS_ON_STOP: T("Asked to stop, it waits for ever and keeps its port."),
    ServerFault.LIES_ON_STOP: T("Its script says stopped; the process stays and keeps its port."),
    ServerFault.DIES_AFTER_START: T("It ends so many seconds after its start (default: 60)."),
    ServerFault.DATABASE_DOWN: T("It cannot reach its database."),
    ServerFault.WRONG_PASSWORD: T("It has the wrong password for its database."),
    ServerFault.SLOW: T("Each page takes so many seconds more (default: 5)."),
    ServerFault.TEST_ACCOUNT_LOCKED: T("The account of the connection test is refused."),
}
WITH_SECONDS: Final = frozenset({ServerFault.DIES_AFTER_START, ServerFault.SLOW})


@dataclass(frozen=True)
class TomcatServer:
    """One application server.

    Attributes:
        name: `app1`.
        database: the one it works with, on the lab's PostgreSQL.
    """

    layout: Layout
    clock: Clock
    name: str
    database: str

    @property
    def folder(self) -> Path:
        """Everything of the server, as the lab sees it; the server itself sees it at `here`."""
        return self.layout.server_dir / self.name

    @property
    def here(self) -> Path:
        """CATALINA_BASE, on the server: the same on each."""
        return Path(OWN_FOLDER)

    @property
    def address(self) -> str:
        """Where it listens: the application on 8080, SSH on 22."""
        return self.layout.server_addresses[self.name]

    @property
    def url(self) -> str:
        """Where users find the application."""
        return f"http://{self.address}:{PORT}{CONTEXT}"

    @property
    def ssh(self) -> SshServer:
        """Its SSH server."""
        return SshServer(self.layout, self.clock, self.name, (CONTROLLER,), own=self.folder)

    @property
    def script(self) -> Path:
        """The service script."""
        return self.folder / "bin" / "sydam"

    @property
    def link(self) -> Path:
        """The link to the release in use."""
        return self.folder / "current"

    @property
    def releases(self) -> Path:
        """Where releases lie, side by side."""
        return self.folder / "releases"

    @property
    def cache(self) -> Path:
        """What the application keeps from one start to the next."""
        return self.folder / "cache"

    @property
    def log(self) -> Path:
        """What the application says."""
        return self.folder / "logs" / "catalina.out"

    @property
    def release(self) -> str | None:
        """The release in use; None when none is."""
        try:
            return self.link.readlink().name
        except OSError:
            return None

    def pids(self) -> list[int]:
        """Return the processes of the application: one, or none; more only when something went wrong."""
        wanted = f"-Dsydam.server={self.address}".encode()
        return [pid for pid in pids_in(self.layout.ws_namespace) if wanted in _arguments(pid)]

    def ensure(self, passwords: Passwords) -> bool:
        """Write the server's files, unless they are there.

        Returns:
            Whether they were written.
        """
        if self.script.exists():
            return False
        for name in ("bin", "conf", "lib", "logs", "cache", "faults", "releases", "run", "temp", "work", "webapps"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        source = files("dsi_automation.lab") / "sydam_app" / "server"
        for name in CONFIGURATION:
            text = (source / name).read_text(encoding="utf-8")
            if name == "server.xml":
                text = text.format(**self._settings(passwords))
            write_private(self.folder / "conf" / name, text)
        (self.folder / "conf" / "server").write_text(f"{self.address}\n")
        driver = self.folder / "lib" / DRIVER.name
        driver.unlink(missing_ok=True)
        driver.symlink_to(DRIVER)
        # Last, since it is the sign that all is there.
        write_private(self.script, (source / "sydam").read_text(encoding="utf-8"))
        self.script.chmod(0o755)
        return True

    def call(self, order: str) -> subprocess.CompletedProcess[str]:
        """Run the service script with `start`, `stop` or `status`, as an administrator on the server would."""
        # The mark is that of the server's sshd: whoever ends that, ends what was started here too.
        environment = {**self.layout.environment(), MARK: str(self.ssh.daemon.record)}
        return subprocess.run(
            # In the network and with the mounts of its SSH server, which is where administrators are.
            ["nsenter", f"--target={self.ssh.daemon.pid()}", "--net", "--mount", f"{self.here}/bin/sydam", order],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def kill(self) -> bool:
        """End the application at once, whatever faults are on.

        Returns:
            Whether it ran.
        """
        found = self.pids()
        for pid in found:
            _end(pid)
        while self.pids():
            self.clock.sleep(0.02)
        (self.folder / "run" / "sydam.pid").unlink(missing_ok=True)
        return bool(found)

    def answers(self) -> bool:
        """Tell whether the application answers with its version, as a user would find it."""
        return self.version() is not None

    def version(self) -> str | None:
        """Return what the running application says its release is; None when it does not answer."""
        # The whole answer within a second: a backlog accepts connections before anybody reads them.
        connection = http.client.HTTPConnection(self.address, PORT, timeout=1)
        try:
            connection.request("GET", f"{CONTEXT}/version")
            answer = connection.getresponse()
            return answer.read().decode().strip() if answer.status == http.client.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def listens(self) -> bool:
        """Tell whether something takes connections on its port."""
        try:
            with socket.create_connection((self.address, PORT), timeout=1):
                return True
        except OSError:
            return False

    def put(self, archive: Path, release: str) -> None:
        """Put a release beside the others and use it, as if the toolkit had put it there long ago."""
        place = self.releases / release
        if not place.exists():
            temporary = place.with_name(f"{release}.new")
            shutil.rmtree(temporary, ignore_errors=True)
            with tarfile.open(archive) as packed:
                packed.extractall(temporary, filter="data")
            count = sum(1 for path in temporary.rglob("*") if not path.is_dir())
            digest = hashlib.sha256(archive.read_bytes()).hexdigest()
            seal = json.dumps({"name": release, "sha256": digest, "files": count})
            (temporary / SEAL).write_text(f"{seal}\n")
            temporary.rename(place)
        new = self.link.with_name("current.new")
        new.unlink(missing_ok=True)
        new.symlink_to(self.here / "releases" / release)
        new.rename(self.link)

    @property
    def faults(self) -> dict[ServerFault, str]:
        """The faults that are on, with their seconds where they were given any."""
        folder = self.folder / "faults"
        return {fault: (folder / fault).read_text().strip() for fault in ServerFault if (folder / fault).exists()}

    def fault(self, fault: ServerFault, seconds: float | None = None) -> None:
        """Switch a fault on."""
        (self.folder / "faults" / fault).write_text("" if seconds is None else f"{seconds:g}\n")

    def clear_faults(self, fault: ServerFault | None = None) -> None:
        """Switch one fault off, or all."""
        for one in ServerFault if fault is None else (fault,):
            (self.folder / "faults" / one).unlink(missing_ok=True)

    def resident_bytes(self) -> int:
        """Return how much memory the application holds."""
        lines = [line for pid in self.pids() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def _settings(self, passwords: Passwords) -> dict[str, str]:
        host = f"{self.layout.server_addresses['db1']}:5432"
        options = {
            "sslmode": "verify-ca",
            "sslrootcert": str(self.layout.ca_file),
            "ApplicationName": f"sydam-{self.name}",
            "connectTimeout": "5",
            "socketTimeout": "30",
        }
        url = f"jdbc:postgresql://{host}/{self.database}?" + "&".join(
            f"{key}={value}" for key, value in options.items()
        )
        password = passwords.get("sydam").reveal()
        return {
            "port": str(PORT),
            "address": self.address,
            "url": quoteattr(url)[1:-1],
            "user": "sydam",
            "password": quoteattr(password)[1:-1],
        }


def java_is_there() -> bool:
    """Tell whether this machine can run the servers: a Java, Tomcat and the driver."""
    return shutil.which("java") is not None and DRIVER.exists() and Path("/usr/share/tomcat10/lib").is_dir()


def compile_classes(target: Path) -> None:
    """Compile the web application with the compiler that comes with Tomcat, so that no JDK is needed.

    Raises:
        DsiError: it does not compile.
    """
    source = files("dsi_automation.lab") / "sydam_app" / "src"
    jars = Path("/usr/share/java")
    compiler = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(jars / "eclipse-jdt-core.jar")]
    options = [
        "-17",
        "-proc:none",
        "-nowarn",
        "-g",
        "-encoding",
        "UTF-8",
        "-cp",
        str(jars / "tomcat10-servlet-api.jar"),
    ]
    run([*compiler, "org.eclipse.jdt.internal.compiler.batch.Main", *options, "-d", str(target), str(source)])


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
