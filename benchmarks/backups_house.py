"""A controller for backups: an inventory, people, a journal of its own; an sshd on the loopback plays the servers.

Everything is in one temporary folder, besides what the toolkit keeps on a server between two backups, which is
removed again. `DSI_BENCH_DIR` puts the folder elsewhere: the full sizes need some 12 GB there.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.engine.model import Run, Window

SERVER_CACHE: Final = Path("/var/cache/dsi-automation")
"""Where the toolkit keeps hashes and restic's cache on a server that root backs up."""
OPERATIONS: Final = ("server.backup", "database.backup", "backup.verify")


@dataclass(frozen=True, slots=True)
class Took:
    """What something took: wall seconds, and CPU seconds of this process, its children and sshd with its children."""

    wall: float
    cpu: float


class Server:
    """An sshd of its own on a free port of the loopback: the server that is backed up, and the storage."""

    def __init__(self, folder: Path) -> None:
        """Make its keys and configuration."""
        folder.mkdir()
        self.key, self.known_hosts, self._folder = folder / "id", folder / "known_hosts", folder
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        keygen(folder / "host")
        (folder / "authorized").write_text(keygen(self.key))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
            f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
            "Subsystem sftp internal-sftp\nMaxSessions 50\nMaxStartups 100\nLogLevel ERROR\n"
            # What this machine's root has its shell do at each login is nobody's cost.
            f"SetEnv HOME={folder}\n"
        )
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        self._process = subprocess.Popen([program, "-D", "-E", str(folder / "log"), "-f", str(folder / "config")])
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            if self._process.poll() is not None:
                raise RuntimeError((folder / "log").read_text())

    @property
    def ssh(self) -> tuple[str, ...]:
        """Return the words that log in."""
        options = (f"UserKnownHostsFile={self.known_hosts}", "IdentitiesOnly=yes", "BatchMode=yes")
        named = [word for option in options for word in ("-o", option)]
        return ("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.key), *named, "root@127.0.0.1")

    @property
    def sftp_command(self) -> str:
        """Return how restic on the server reaches the storage."""
        return " ".join((*self.ssh, "-s", "sftp"))

    def cpu(self) -> float:
        """Return the CPU seconds of the daemon and of every session that has ended; waits for those that end."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        for _ in range(500):
            if not children.read_text().split():
                break
            time.sleep(0.01)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


class Spent:
    """Measures wall and CPU seconds of a block."""

    def __init__(self, server: Server | None = None) -> None:
        """Count what happens behind `server`, too."""
        self._server = server
        self._cpu, self._wall = self._used(), time.perf_counter()

    def took(self) -> Took:
        """Return what was spent since this was made."""
        wall = time.perf_counter() - self._wall
        return Took(wall, self._used() - self._cpu)

    def _used(self) -> float:
        every = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        behind = 0.0 if self._server is None else self._server.cpu()
        return sum(one.ru_utime + one.ru_stime for one in every) + behind


class Office:
    """An inventory with one backup in it, two people and an empty journal."""

    def __init__(self, folder: Path, name: str, plan: Mapping[str, Any], hosts: Mapping[str, Any]) -> None:
        """Write the inventory; `plan` is the backup as `dsi_backups` says it, and its repository `depot`."""
        self.name, self.folder = name, folder
        inventory, keys = folder / "inventory", folder / "keys"
        (inventory / "group_vars").mkdir(parents=True)
        keys.mkdir()
        (folder / "password").write_text("benchmark 7F3K2Q1")
        (folder / "password").chmod(0o600)
        people = [
            {"id": who, "name": who, "staff_number": str(number), "roles": [who],
             "keys": [{"key": " ".join(keygen(keys / who).split()[:2])}]}
            for number, who in enumerate(("technician", "section_head"), start=100)
        ]  # fmt: skip
        rule = {"requesters": ["technician"], "approvers": ["section_head"], "approvals": 1, "valid_for": "2d"}
        variables = {
            "dsi_repositories": {"depot": plan["repository"]},
            "dsi_backups": {name: {**plan["backup"], "title": name, "repository": "depot"}},
            "dsi_backup": {"scratch_dir": str(folder / "scratch")},
        }
        # JSON is YAML.
        written = {
            "hosts.yml": {"all": {"children": {"servers": {"hosts": dict(hosts)}}}},
            "group_vars/all.yml": variables,
            "people.yml": {
                "version": 1,
                "roles": {person["id"]: person["id"] for person in people},
                "people": people,
            },
            "approval_policy.yml": {"version": 1, "operations": {each: {"production": rule} for each in OPERATIONS}},
            "dsi.yml": {"state_dir": str(folder / "state"), "language": "en"},
        }
        for file, content in written.items():
            (inventory / file).write_text(json.dumps(content))
        self._repositories = set[str]()
        self._people = {
            who: Toolkit(inventory=str(inventory), key=str(keys / who), environ={})
            for who in ("technician", "section_head")
        }

    def run(self, operation: str, server: Server | None = None, **inputs: Any) -> tuple[Took, Run]:
        """Plan, request and approve; then run, and return what the run took, report included.

        Raises:
            RuntimeError: it did not end well.
        """
        technician = self._people["technician"].engine
        plan = technician.plan(operation, (self.name,), inputs, Silent())
        if plan.blockers:
            raise RuntimeError(str(plan.blockers))
        request = technician.request(plan, "Benchmark", Window())
        self._people["section_head"].engine.approve(request.id, "Benchmark")
        spent = Spent(server)
        run = technician.run(request.id, Silent())
        took = spent.took()
        if run.outcome is not Outcome.DONE:
            raise RuntimeError(f"{operation}: {run.outcome}, {run.errors}, {run.error}")
        if operation != "backup.verify":
            self._repositories.add(str(made(run)["repository"]))
        return took, run

    def close(self) -> None:
        """Remove it, with what a server kept for it."""
        (SERVER_CACHE / f"{self.name}.hashes.gz").unlink(missing_ok=True)
        for repository in self._repositories:
            shutil.rmtree(SERVER_CACHE / "restic" / repository, ignore_errors=True)
        for toolkit in self._people.values():
            toolkit.journal.close()
        shutil.rmtree(self.folder)


def note(run: Run, name: str) -> Mapping[str, Any]:
    """Return what the last note of a name says."""
    return next(each.data for each in reversed(run.notes) if each.name == name)


def made(run: Run) -> Mapping[str, Any]:
    """Return the set that a run made."""
    found: Mapping[str, Any] = note(run, "backup.set")["set"]["made"]
    return found


def act(run: Run) -> float:
    """Return the seconds of making the set: the engine's part of the run, without looks, gate and report."""
    return float(note(run, "backup.try")["seconds"])


def bare(words: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a program as a person would.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        words, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def keygen(path: Path) -> str:
    """Make an SSH key and return its public half."""
    bare(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)])
    return Path(f"{path}.pub").read_text()


@contextmanager
def folder() -> Generator[Path]:
    """Return a folder that everybody may pass through: scratch servers of PostgreSQL run as another user."""
    with tempfile.TemporaryDirectory(prefix="dsi-bench-", dir=os.environ.get("DSI_BENCH_DIR")) as made:
        Path(made).chmod(0o755)
        yield Path(made)
