"""An office whose backups are small and its own: the `dsi` command on the servers of the session's lab.

Its repositories, scratch folder, data and journal are nobody else's, so that what one test breaks harms no other;
the standing approvals are asked for and signed once.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fix_office import SECTION_HEAD, TECHNICIAN, Office
from fix_restic import CHEAP, hasten
from waiting import wait_for

from dsi_automation.lab.mail import Behaviour

AUTOMATE = "controller"
"""The name of the key of the person `automate`, in whose name schedules run."""
FILES = 40
_numbers = itertools.count(1)


class VaultOffice(Office):
    """An office that backs up."""

    def __init__(self, lab, folder):
        super().__init__(lab, folder)
        self.name = f"o{os.getpid()}x{next(_numbers)}"
        self.parts = lab.facilities
        self.asks = None
        self.data = lab.layout.server_dir / "srv1" / self.name
        self.scratch = lab.layout.scratch_dir / self.name
        self.scratch.mkdir(parents=True)
        self.data.mkdir()
        for number in range(FILES):
            (self.data / f"fiche-{number:02}.txt").write_bytes(os.urandom(64) * 64)
        self.edit("group_vars/all.yml", self._small)

    def _small(self, held):
        for name, repository in held["dsi_repositories"].items():
            repository["url"] = repository["url"].removesuffix(name) + f"{self.name}-{name}"
            repository["read_url"] = str(self.repository(name))
            repository["password"] = {"file": str(self.secret(f"depot-{name}"))}
        held["dsi_backup"]["scratch_dir"] = str(self.scratch)
        retry = {"tries": 2, "wait": "1s", "factor": 1, "longest": "1s"}
        jobs = held["dsi_backups"]
        jobs["srv1"] |= {"paths": [str(self.data)], "before": None, "after": None, "minimum_files": 10, "retry": retry}
        jobs["sydam"] |= {"media": None, "retry": retry, "stage_dir": str(self.scratch / "stage")}
        jobs["sydam-oracle"] |= {"media": None, "retry": retry}
        jobs["voisin"] = {**jobs["srv1"], "title": "Voisin", "media": None}
        held["dsi_media"]["rotations"]["externe"]["password"] = {"file": str(self.secret("rotation"))}

    def secret(self, name):
        """Return the file of a password of this office's own."""
        path = self.folder / "secrets" / name
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_text(f"Canari-{name}-{os.urandom(8).hex()}")
            path.chmod(0o600)
        return path

    def repository(self, name="serveurs"):
        return self.lab.layout.store_dir / f"{self.name}-{name}"

    # People.

    def asked(self, job):
        """Have a backup's plan asked for; return the requests by operation."""
        last = f"{datetime.now(UTC).date() + timedelta(days=30)}"
        said = self.dsi("backup", "ask", job, "--until", last, "--reason", "le plan validé", "--json")
        assert said.code == 0, said
        return {one["plan"]["operation"]: one["id"] for one in said.json["requests"]}

    def standing(self, job):
        """Have a backup's plan asked for and signed; return the requests by operation."""
        asked = self.asked(job)
        for request in asked.values():
            done = self.dsi("approve", request, "--comment", "vu", person=SECTION_HEAD)
            assert done.code == 0, done
        return asked

    def signed(self):
        """Make sure that srv1's plan is signed, whatever ran before; return the requests by operation."""
        if self.asks is None:
            self.asks = self.standing("srv1")
        return self.asks

    def ready(self):
        """Make sure of a good set of srv1 on disque-01, whatever ran before; return the newest set."""
        self.signed()
        if not self.sets():
            self.parts.disks.insert("disque-01")
            said = self.backup("srv1")
            assert said.code == 0, said
        return self.sets()[0]

    # What is seen of a backup.

    def backup(self, *jobs, **more):
        said = self.dsi("backup", "run", *(jobs or ("srv1",)), "--json", person=AUTOMATE, **more)
        self._hasten()
        return said

    def _hasten(self):
        """Let the next run, which opens a repository some fifteen times, open those of this office in milliseconds."""
        for place in self.lab.layout.store_dir.glob(f"{self.name}-*"):
            name, keys = place.name.removeprefix(f"{self.name}-"), [*place.glob("keys/*")]
            if len(keys) == 1 and json.loads(keys[0].read_bytes())["N"] > CHEAP["N"]:
                hasten(place, self.secret(f"depot-{name}").read_text())

    def sets(self, job="srv1"):
        """Return the sets of a backup, newest first."""
        said = self.dsi("backup", "sets", job, "--json")
        assert said.code == 0, said
        return said.json["sets"]

    def health(self, job="srv1"):
        return self.dsi("backup", "status", job, "--json").json["backups"][0]

    def report(self, *words):
        return self.dsi("backup", "report", *words, "--json")

    def reports(self):
        return sorted((self.state / "reports").glob("RUN-*.json"))

    def mails(self):
        return list(self.parts.mail.mails())

    def subjects(self):
        """Return the subjects of the mails to the section head, oldest first."""
        return [str(mail["Subject"]) for mail in self.mails() if "traore" in str(mail["To"])]

    def gauges(self):
        """Return the metrics of this machine: what stands before the value, and the value."""
        path = self.folder / "dsi.prom"
        said = self.dsi("metrics", "write", "--textfile", path, "--no-verify")
        assert said.code == 0, said
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def gauge(self, name, job="srv1"):
        found = [value for key, value in self.gauges().items() if key.startswith(f"{name}{{") and f'"{job}"' in key]
        return found[0] if found else None

    # Processes.

    def processes(self):
        """Return the command lines that name this office: its repositories, data or scratch folder."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (folder / "environ").read_bytes().decode(errors="replace")
                if int(folder.name) != os.getpid() and self.name in line + environment:
                    found[int(folder.name)] = line
        return found

    def locks(self, name="serveurs"):
        folder = self.repository(name) / "locks"
        return list(folder.iterdir()) if folder.is_dir() else []

    def announced(self, after):
        """Return the kinds of journal entries after a number, with the actions that were announced."""
        if not self.journal_file.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.journal_file}?mode=ro", uri=True, timeout=30)) as database:
            rows = database.execute("select kind, line from entries where seq > ? order by seq", (after,)).fetchall()
        return [f"{kind} {line}" for kind, line in rows]

    @property
    def last(self):
        return len(self.entries())

    def killed(self, *words, when):
        """Start a command, and kill it with SIGKILL as soon as `when(self, seq)` says so."""
        last = self.last
        process = self.start(*words, person=AUTOMATE)
        try:
            wait_for(lambda: when(self, last) or process.poll() is not None)
        finally:
            process.send_signal(signal.SIGKILL)
        said = self.finish(process)
        assert said.code == -signal.SIGKILL, said
        return said

    def quiet(self, seconds=10):
        """Wait until no process names this office any more; return those that stay."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not self.processes(), seconds, every=0.05)
        return self.processes()


def action(kind):
    """Return a moment to kill at: an action of this kind was announced."""
    return lambda office, last: any(
        one.startswith("action.about_to") and f'/{kind}"' in one for one in office.announced(last)
    )


def program(*words):
    """Return a moment to kill at: a program of this office runs with these words in its command line."""
    return lambda office, _: any(all(word in line for word in words) for line in office.processes().values())


@pytest.fixture(scope="module")
def vaults(servers, tmp_path_factory):
    """An office with an approved plan for srv1; each test leaves its backup as good as it found it."""
    made = VaultOffice(servers, tmp_path_factory.mktemp("vaults"))
    servers.facilities.mail.reset()
    servers.facilities.disks.reset()
    yield made
    servers.facilities.disks.down()
    servers.facilities.mail.behave(Behaviour.ACCEPT)
    for place in (made.data, made.scratch, *servers.layout.store_dir.glob(f"{made.name}-*")):
        shutil.rmtree(place, ignore_errors=True)


__all__ = ["AUTOMATE", "TECHNICIAN", "VaultOffice", "action", "program", "vaults"]
