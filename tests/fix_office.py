"""An office for end-to-end tests: the `dsi` command as its people type it, on the session's lab.

Each office has an inventory and a journal of its own, so that tests do not see one another's requests; workstations
are added to the lab and people hired as a test needs them, with names and numbers that nobody else has.
"""

import csv
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass

import forking
import pytest
import yaml
from forking import DSI

from dsi_automation.lab.windows.spec import LocalUser, Profile

FAKETIME = "/usr/bin/faketime"
TECHNICIAN, SECTION_HEAD, DIRECTOR = "m.kouadio", "y.traore", "a.bamba"
RENAME, JOIN = "Win32_ComputerSystem.Rename", "Win32_ComputerSystem.JoinDomainOrWorkgroup"
UNJOIN = "Win32_ComputerSystem.UnjoinDomainOrWorkgroup"
RESTART, OWNER = "Win32_OperatingSystem.Win32Shutdown", "Win32_UserProfile.ChangeOwner"
ONCE = {RENAME: 1, JOIN: 1, RESTART: 1}
OPERATION = "workstation.join"
COMMAND = 600
"""Seconds a command may take until it is taken for one that never ends."""
_numbers = itertools.count(1)
_staff = itertools.count(1)


@dataclass(frozen=True)
class Said:
    """What a command ended with and said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        return self.json["error"]

    def __str__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Office:
    """An inventory, a journal and the people who work with them."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.inventory, self.state = folder / "inventory", folder / "state"
        self.journal_file = self.state / "journal.db"
        self.environment = {}
        self.said = []
        self._edits = []
        self._added = []
        self.refresh()

    # The inventory: the lab's, with this office's own changes.

    def refresh(self):
        """Take the lab's inventory as it is now, with everything this office changed in it."""
        shutil.rmtree(self.inventory, ignore_errors=True)
        shutil.copytree(self.lab.layout.inventory_dir, self.inventory)
        (self.inventory / "dsi.yml").write_text(f"state_dir: {self.state}\n")
        for path, change in self._edits:
            self._apply(path, change)

    def edit(self, name, change):
        """Change a YAML file of the inventory: `change` gets what it holds."""
        self._edits.append((name, change))
        self._apply(name, change)

    def _apply(self, name, change):
        path = self.inventory / name
        held = yaml.safe_load(path.read_text())
        change(held)
        path.write_text(yaml.safe_dump(held, allow_unicode=True, sort_keys=False))

    def settings(self, **changes):
        """Change `dsi_workstation` of the inventory."""
        self.edit("group_vars/all.yml", lambda held: held["dsi_workstation"].update(changes))

    def host(self, key, **variables):
        """Give a host variables of its own."""
        folder = self.inventory / "host_vars"
        folder.mkdir(exist_ok=True)
        (folder / f"{key}.yml").write_text(yaml.safe_dump(variables))

    # The workstations.

    def add(self, *, name=None, local="awa", site="ABJ", **options):
        """Put a workstation of its own into the lab: Windows 11, badly named, restarting quickly."""
        number = next(_numbers)
        if local is not None:
            options.setdefault("users", [LocalUser(name=local, rid=1001, password="Local-1234", full_name="Awa Koné")])
            options.setdefault("profiles", [Profile(user=local, path=f"C:\\Users\\{local}")])
        options.setdefault("reboot_seconds", 0.3)
        key = f"e2e{number}"
        if not self.lab.add_workstation(key, name or f"OLD-{number}", site, **options).silent:
            self._added.append(key)
        self.refresh()
        return key

    def clear_faults(self):
        """Switch the faults of its own workstations off; those of other offices are none of its business."""
        for key in self._added:
            self.lab.clear_faults(key)

    def shown(self, key):
        return self.lab.simulator.control.workstation(key)

    def methods(self, key):
        """Return how often each method was really carried out."""
        return {name: count for name, count in self.shown(key)["methods"].items() if not name.startswith("StdRegProv")}

    def name_of(self, key):
        return self.shown(key)["state"]["computer_name"]

    def objects(self, name):
        return self.lab.search(f"(sAMAccountName={name}$)", ["distinguishedName", "userAccountControl", "objectGUID"])

    # People, their accounts and their mailboxes.

    def staff(self, count=None, **fields):
        """Return somebody to make a mailbox for, as a row of a file, or `count` of them; no two are alike."""
        if count is not None:
            return [self.staff(**fields) for _ in range(count)]
        number = next(_staff)
        letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")
        row = {
            "matricule": f"{300000 + number}{chr(ord('A') + number % 26)}",
            "last_name": f"YAO {letters.upper()}",
            "first_names": "Affoué",
            "contact": "+225 07 01 02 03 04",
            "site": "ABJ",
        }
        return {**row, **fields}

    def csv(self, rows, name="staff.csv"):
        """Write people into a file; return its path."""
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, list(dict.fromkeys(key for row in rows for key in row)), restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    @property
    def graph(self):
        """The control of the lab's Microsoft 365 tenant."""
        return self.lab.tenant.control

    def accounts(self, staff_number):
        """Return the directory's accounts of a staff number, with what the toolkit writes."""
        wanted = ["sAMAccountName", "userPrincipalName", "mail", "proxyAddresses", "userAccountControl", "pwdLastSet"]
        return self.lab.search(f"(employeeID={staff_number})", [*wanted, "objectGUID", "adminDescription"])

    def cloud_users(self, staff_number):
        """Return the tenant's users of a staff number."""
        return [user for user in self.graph.users() if user.get("employeeId") == staff_number]

    @property
    def letters(self):
        """The folder of the hand-over letters."""
        return self.state / "letters"

    # The command.

    def words(self, *arguments, faketime=None):
        return [*([FAKETIME, "-f", faketime] if faketime else []), DSI, *map(str, arguments)]

    def env(self, person=TECHNICIAN, **more):
        fixed = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "DSI_INVENTORY": str(self.inventory),
            "DSI_KEY": str(self.lab.layout.key_dir / person) if "/" not in person else person,
        }
        return {**fixed, **self.environment, **more}

    def dsi(self, *arguments, person=TECHNICIAN, faketime=None, env=None, timeout=COMMAND):
        """Run one command to its end."""
        words, environment = self.words(*arguments, faketime=faketime), self.env(person, **(env or {}))
        done = forking.run(words, cwd=self.folder, env=environment, timeout=timeout)
        said = Said(done.returncode, done.stdout, done.stderr)
        self.said.append(said.out + said.err)
        return said

    def start(self, *arguments, person=TECHNICIAN, **more):
        """Start one command and go on."""
        return forking.start(
            self.words(*arguments), cwd=self.folder, env=self.env(person, **more),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def finish(self, process, timeout=COMMAND):
        """Wait for a command that was started."""
        out, err = process.communicate(timeout=timeout)
        self.said.append(out + err)
        return Said(process.returncode, out, err)

    def plan(self, *arguments, operation=OPERATION, **more):
        return self.dsi("plan", operation, *arguments, "--json", **more)

    def request(self, *arguments, operation=OPERATION, **more):
        """Ask for an operation, by default a join; return the request."""
        said = self.dsi("request", operation, *arguments, "--reason", "un collègue arrive", "--json", **more)
        assert said.code == 0, said
        return said.json

    def approved(self, *arguments, by=SECTION_HEAD, operation=OPERATION):
        """Ask for an operation and have it approved; return the request's identifier."""
        asked = self.request(*arguments, operation=operation)["id"]
        said = self.dsi("approve", asked, "--comment", "vu", person=by)
        assert said.code == 0, said
        return asked

    def run(self, *arguments, **more):
        return self.dsi("run", *arguments, "--json", **more)

    # The journal, read beside the command.

    def entries(self):
        """Return the journal's entries (sequence number, kind, subject, line), oldest first."""
        if not self.journal_file.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.journal_file}?mode=ro", uri=True, timeout=30)) as database:
            rows = database.execute("select seq, kind, subject, line from entries order by seq")
            return [(seq, kind, subject, json.loads(line)) for seq, kind, subject, line in rows]

    def kinds(self):
        return [kind for _, kind, _, _ in self.entries()]

    def runs(self):
        return list(dict.fromkeys(subject for _, kind, subject, _ in self.entries() if kind == "run.started"))

    def assert_whole(self):
        """The journal verifies, by the command."""
        said = self.dsi("journal", "verify", "--json")
        assert (said.code, said.json["problems"]) == (0, []), said


@pytest.fixture
def office(lab, tmp_path):
    """An office with an empty journal."""
    made = Office(lab, tmp_path)
    yield made
    made.clear_faults()
