"""`make demo`: the toolkit's main job done for real, told step by step; each step's exit code is checked.

Every line that starts with `$` is a command as a technician types it, run as it is shown.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text
from dsi_automation.lab.network import free_networks
from dsi_automation.lab.releases import NEXT

NAME: Final = "demo"
TECHNICIAN, SECTION_HEAD, DIRECTOR, RSSI = "m.kouadio", "y.traore", "a.bamba", "s.coulibaly"
SITE, CIRCUIT = "rtr-spy", "spy-abj"
"""The router that is configured, and its circuit to headquarters."""
STEPS: Final = 3
"""Standing requests that one backup asks for: the backup, its proof, the copy on a medium."""

AGENTS: Final = """\
matricule;nom;prénoms;contact;site;service;responsable
200001A;N’GUESSAN;Konan Éric;+225 07 08 09 10 11;ABJ;Informatique;100001A
200002B;KOUAMÉ épse TRA BI;Aya Rose;aya@example.org;ABJ;Recettes;100002B
"""


class DemoFailedError(Exception):
    """A step did not end as it must."""


@dataclass
class Stage:
    """Where the demo plays: the environment of its commands, and what the lab told about itself."""

    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    lab: dict[str, Any] = field(default_factory=dict)
    step: int = 0

    def title(self, text: Text) -> None:
        """Announce the next step."""
        self.step += 1
        heading = f" {self.step}. {text}"
        print(f"\n{'─' * 78}\n{heading}\n{'─' * 78}", flush=True)  # noqa: T201  # a demo is told on the terminal

    def say(self, text: Text) -> None:
        """Tell the reader something."""
        print(f"  {text}", flush=True)  # noqa: T201

    def sh(self, words: list[str], *, expect: int = 0, quiet: bool = False) -> str:
        """Show a command, run it and show what it printed.

        Args:
            expect: the exit code it must end with.
            quiet: keep what it printed to ourselves.

        Raises:
            DemoFailedError: it ended otherwise.
        """
        print(f"\n$ {shlex.join(words)}", flush=True)  # noqa: T201
        done = subprocess.run(
            words, env=self.environment, stdout=subprocess.PIPE if quiet else None, text=True, check=False
        )
        if expect:
            self.say(T("(exit code {code}, as it must be)", code=done.returncode))
        if done.returncode != expect:
            raise DemoFailedError(
                str(T("exit code {code} where {expected} was expected", code=done.returncode, expected=expect))
            )
        return done.stdout or ""

    def dsi(self, *words: str, person: str | None = None, expect: int = 0) -> None:
        """Run `dsi` as one of the lab's persons."""
        key = [one["key"] for one in self.lab["persons"] if one["id"] == person]
        self.sh(["dsi", *words, *(["--key", *key] if key else [])], expect=expect)

    def ask(self, *words: str) -> Any:
        """Return what a `dsi` command tells as JSON, without showing it."""
        words = ("dsi", *words, "--json")
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def main() -> int:
    """Play the demo from an empty machine to a verified record, and remove the lab."""
    stage = Stage()
    # Commands are shown as typed, so `dsi` must be found as it stands.
    stage.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{stage.environment.get('PATH', os.defpath)}"
    for variable in ("DSI_INVENTORY", "DSI_KEY", "DSI_STATE", "DSI_DATABASE_URL"):
        stage.environment.pop(variable, None)
    try:
        _lab(stage)
        _look(stage)
        request = _ask(stage)
        _decide(stage, request)
        _act(stage, request)
        _look_again(stage)
        _accounts(stage)
        _backups(stage)
        _sydam(stage)
        _network(stage)
        _record(stage)
    except DemoFailedError as error:
        print(f"\n{T('The demo stopped: {error}', error=error)}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        subprocess.run(["dsi", "lab", "down", "--name", NAME], env=stage.environment, check=False)
    stage.say(T("To explore by yourself: dsi lab up, then dsi lab status."))
    return 0


def _lab(stage: Stage) -> None:
    # What an interrupted demo left would spoil the story.
    subprocess.run(["dsi", "lab", "down", "--name", NAME], env=stage.environment, capture_output=True, check=False)
    stage.title(
        T("A laboratory: an Active Directory, workstations, servers, their data, an application and two routers")
    )
    # Beside whatever lab is up already.
    network = next(free_networks(), None)
    if network is None:
        raise DemoFailedError(str(T("every network of 198.18.0.0/15 is in use")))
    stage.sh(["dsi", "lab", "up", "--name", NAME, "--network", str(network), "--routers", "2"])
    stage.lab = stage.ask("lab", "status", "--name", NAME)
    stage.environment["DSI_INVENTORY"] = stage.lab["files"]["inventory"]
    stage.say(T("From here on the inventory is {path}.", path=stage.lab["files"]["inventory"]))


def _look(stage: Stage) -> None:
    stage.title(T("Look: is each workstation what procedure C asks for?"))
    stage.dsi("check", "workstation.check", "workstations", expect=ExitCode.NOT_COMPLIANT)
    stage.title(T("Plan: what would joining them take? A Windows 7 gets no plan"))
    stage.dsi("plan", "workstation.join", "ws1", "-i", "user=awa.kone")
    stage.dsi("plan", "workstation.join", "ws3", expect=ExitCode.NOT_COMPLIANT)
    stage.dsi("plan", "workstation.join", "ws6")


def _ask(stage: Stage) -> str:
    stage.title(T("Ask: the technician puts the plan for three workstations forward, signed"))
    stage.dsi(
        *("request", "workstation.join", "ws1", "ws2", "ws5", "-i", "users=ws1:awa.kone"),
        *("--reason", str(T("New workstations of the Abidjan office"))),
        person=TECHNICIAN,
    )
    return str(stage.ask("requests")["requests"][0]["id"])


def _decide(stage: Stage, request: str) -> None:
    stage.title(T("Decide: nobody approves their own request"))
    stage.dsi("run", request, person=TECHNICIAN, expect=ExitCode.GATE_CLOSED)
    stage.dsi("approve", request, "--comment", "OK", person=TECHNICIAN, expect=ExitCode.GATE_CLOSED)
    stage.dsi("show", request)
    stage.dsi("approve", request, "--comment", str(T("Seen with the office, go ahead")), person=SECTION_HEAD)


def _act(stage: Stage, request: str) -> None:
    stage.title(T("Act: rename, join, restart, place, migrate the profile, then look again"))
    stage.dsi("run", request, person=TECHNICIAN)
    stage.say(T("The approval was for once:"))
    stage.dsi("run", request, person=TECHNICIAN, expect=ExitCode.GATE_CLOSED)


def _look_again(stage: Stage) -> None:
    stage.title(T("Look again: a second plan finds nothing to do; the directory says the same to anybody"))
    stage.dsi("plan", "workstation.join", "ws1", "ws2", "ws5", "-i", "users=ws1:awa.kone")
    domain = stage.lab["domain"]
    stage.environment["LDAPTLS_CACERT"] = stage.lab["files"]["ca"]
    reader = next(one for one in stage.lab["accounts"] if one["account"].startswith("svc-lecture"))
    who = ["-D", reader["account"], "-y", reader["password_file"]]
    where = ["-H", f"ldaps://{domain['address']}", "-b", f"OU=Sites,{domain['base_dn']}"]
    stage.sh(["ldapsearch", "-LLL", "-x", *where, *who, "(objectClass=computer)", "dn"])


def _accounts(stage: Stage) -> None:
    stage.title(T("Mail accounts: two agents, from their staff numbers to proven mailboxes and their hand-over"))
    with tempfile.TemporaryDirectory(prefix="dsi-demo-") as folder:
        agents = Path(folder) / "agents.csv"
        agents.write_text(AGENTS, encoding="utf-8")
        stage.sh(["cat", str(agents)])
        people = f"people=@{agents}"
        stage.dsi(
            *("request", "mailbox.create", "-i", people, "--reason", str(T("New agents of the Abidjan office"))),
            person=TECHNICIAN,
        )
        request = str(stage.ask("requests")["requests"][0]["id"])
        stage.dsi("approve", request, "--comment", str(T("Seen with the office, go ahead")), person=SECTION_HEAD)
        stage.dsi("run", request, person=TECHNICIAN)
        stage.dsi("mailbox", "handover", str(stage.ask("runs")["runs"][0]["id"]), person=TECHNICIAN)
        stage.say(T("A second plan finds nothing to do:"))
        stage.dsi("plan", "mailbox.create", "-i", people)


def _backups(stage: Stage) -> None:
    stage.title(T("Backups: the SYDAM database copied, proven by a restore, put on a disk and handed over"))
    stage.dsi("backup", "list")
    stage.dsi("lab", "disk", "insert", "disque-01", "--name", NAME)
    stage.dsi(
        *("backup", "ask", "sydam", "--until", f"{datetime.now(UTC).date() + timedelta(days=30)}"),
        *("--reason", str(T("The validated backup plan"))),
        person=TECHNICIAN,
    )
    for asked in stage.ask("requests")["requests"][:STEPS]:
        stage.dsi("approve", asked["id"], "--comment", str(T("The validated backup plan")), person=DIRECTOR)
    stage.dsi("backup", "run", "sydam", person=TECHNICIAN)
    stage.dsi("backup", "sets", "sydam")
    stage.say(T("The section head and the director have got their mail:"))
    stage.dsi("lab", "mail", "list", "--name", NAME)
    stage.dsi("lab", "disk", "remove", "--name", NAME)
    stage.dsi("media", "handover", "disque-01", "--to", SECTION_HEAD, person=TECHNICIAN)
    stage.dsi("media", "list")
    stage.say(T("What backups exist for: the database brought back, to another place."))
    place = f"{stage.lab['files']['directory']}/restored"
    stage.dsi(
        *("request", "backup.restore", "sydam", "-i", f"destination={place}"),
        *("--reason", str(T("An exercise"))),
        person=TECHNICIAN,
    )
    request = str(stage.ask("requests")["requests"][0]["id"])
    stage.dsi("approve", request, "--comment", "OK", person=SECTION_HEAD)
    stage.dsi("run", request, person=TECHNICIAN)


def _sydam(stage: Stage) -> None:
    stage.title(
        T("SYDAM World: restarted as the DSI agreed, tested as a user would; then a release on its test server")
    )
    stage.dsi("application", "check", "sydam")
    stage.dsi("application", "restart", "sydam", "--reason", str(T("Screens are frozen")), person=TECHNICIAN)
    _agreed(stage, DIRECTOR)
    stage.dsi("application", "availability", "sydam")
    stage.say(T("The release is signed; it goes beside the one in use, and the next stage opens once it is accepted."))
    stage.dsi("sources", "show", NEXT)
    stage.dsi(
        *("request", "sources.integrate", "sydam-test", "-i", f"release={NEXT}"),
        *("--reason", str(T("Remarks on declarations"))),
        person=TECHNICIAN,
    )
    _agreed(stage, SECTION_HEAD)
    stage.dsi("sources", "accept", NEXT, "test", "--comment", str(T("Tried by the section")), person=SECTION_HEAD)
    stage.dsi("sources", "status")


def _agreed(stage: Stage, person: str, *, expect: int = 0) -> None:
    """Have the newest request approved by somebody, and carry it out."""
    request = str(stage.ask("requests")["requests"][0]["id"])
    stage.dsi("approve", request, "--comment", "OK", person=person)
    stage.dsi("run", request, person=TECHNICIAN, expect=expect)


def _network(stage: Stage) -> None:
    stage.title(T("Routers: a new circuit that carries nothing takes itself back; then it carries; then an access"))
    stage.say(T("The operator has not plugged its line in yet: the change is made, not proven, and gone again."))
    stage.dsi("lab", "network", "cut", CIRCUIT, "--name", NAME)
    why = ("--reason", str(T("The new line of San-Pédro")))
    stage.dsi("router", "configure", SITE, *why, person=TECHNICIAN)
    _agreed(stage, SECTION_HEAD, expect=ExitCode.VERIFICATION_FAILED)
    stage.dsi("lab", "network", "mend", CIRCUIT, "--name", NAME)
    stage.dsi("router", "configure", SITE, *why, person=TECHNICIAN)
    _agreed(stage, SECTION_HEAD)
    stage.dsi("router", "check")
    stage.say(T("What comes from the LAN is dropped, but for what the RSSI agreed to, until a day:"))
    stage.dsi(
        *("access", "allow", "--from", "10.64.2.10", "--to", "srv-siege", "--service", "sydam", "--until", "+30d"),
        *("--why", str(T("Declarations of San-Pédro")), "--reference", "DSI-2026-0412", "--for", "B. Koné"),
        person=TECHNICIAN,
    )
    _agreed(stage, RSSI)
    stage.dsi("access", "list")


def _record(stage: Stage) -> None:
    stage.title(T("The record: verified here, then on any machine with ssh-keygen and sha256sum alone"))
    stage.dsi("journal", "verify")
    with tempfile.TemporaryDirectory(prefix="dsi-demo-") as folder:
        export = Path(folder) / "journal.tar.gz"
        stage.dsi("journal", "export", str(export))
        stage.sh(["tar", "-xzf", str(export), "-C", folder])
        script = next(Path(folder).rglob("check.sh"))
        stage.sh(["sh", "-c", f"cd {shlex.quote(str(script.parent))} && sh check.sh"])


if __name__ == "__main__":
    sys.exit(main())
