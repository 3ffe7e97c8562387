"""An office that operates SYDAM World: the `dsi` command on the real servers, database and mail of the session's lab.

Each test has a journal of its own; the application is put right before it and after it, whatever became of it.
"""

import csv
import json
import re
import shutil
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import requests
from fix_office import DIRECTOR, SECTION_HEAD, TECHNICIAN
from fix_vault_office import VaultOffice
from waiting import wait_for

from dsi_automation.lab.application_plan import USERS
from dsi_automation.lab.database import DATABASE, DATABASES
from dsi_automation.lab.releases import FIRST
from dsi_automation.lab.sshd import ensure_key
from dsi_automation.lab.sydam_accounts import OWNER_ROLE

PRODUCTION, TEST, TRAINING = "sydam", "sydam-test", "sydam-formation"
WHY = "Incident réseau"
AGENT = "agent_de_saisie"
"""A role of people who work in the database beside the application; its password is its name."""
SCRIPTS = "SELECT release || ' ' || file FROM versions_schema ORDER BY id"


class ApplicationOffice(VaultOffice):
    """An office that stops, starts and changes SYDAM World."""

    @property
    def application(self):
        return self.parts.application

    def server(self, name):
        return self.application.server(name)

    def describe(self, name=PRODUCTION, *, servers=None, **changes):
        """Describe an application otherwise; `servers` changes each of its servers."""

        def change(held):
            described = held["dsi_applications"][name]
            described.update(changes)
            for server in described["servers"]:
                server.update(servers or {})

        self.edit("group_vars/all.yml", change)

    def ready(self):
        """Make sure that SYDAM World runs, without a fault, with its first release, and that nobody was mailed."""
        self.parts.database.start(self.lab.authority, self.lab.passwords)
        self.parts.database.wait_until_ready()
        for server in self.application.servers:
            server.clear_faults()
            # One that lied is not in its own file any more.
            if server.pids() and server.call("status").returncode != 0:
                server.kill()
        self.sql(f"DROP ROLE IF EXISTS {AGENT}")
        changed = any(server.release != FIRST for server in self.application.servers)
        if changed or any(self.sql(SCRIPTS, name) for name in DATABASES):
            self.lab.reset_servers()
        self.parts.mail.reset()
        self.application.start()
        self.application.wait()

    # People.

    def hire(self, person):
        """Have another technician, with a key of their own; return where that is."""
        private = self.folder / "keys" / person
        ensure_key(private, person)
        key = " ".join(private.with_name(f"{person}.pub").read_text().split()[:2])
        entry = {
            "id": person,
            "name": person,
            "staff_number": "LAB-00991",
            "roles": ["technician"],
            "keys": [{"key": key}],
        }
        self.edit("people.yml", lambda held: held["people"].append({**entry, "mail": f"{person}@douanes.lab"}))
        return str(private)

    def agreed(self, *words, by=DIRECTOR, person=TECHNICIAN):
        """Make a request with a command of its own, and have it approved; return its identifier."""
        said = self.dsi(*words, "--json", person=person)
        assert said.code == 0, said
        done = self.dsi("approve", said.json["id"], "--comment", "vu", person=by)
        assert done.code == 0, done
        return said.json["id"]

    def restart(self, *words, **more):
        """Have a restart in an incident agreed to; return the request's identifier."""
        return self.agreed("application", "restart", PRODUCTION, "--reason", WHY, *words, **more)

    def integration(self, application, release):
        """Have an integration agreed to; return the request's identifier."""
        by = DIRECTOR if application == PRODUCTION else SECTION_HEAD
        words = ("-i", f"release={release}", "--reason", f"Version {release}")
        return self.agreed("request", "sources.integrate", application, *words, by=by)

    def tariff(self, rates, name="tarif.csv"):
        """Ask for other rates of duty, by position, and have them agreed to; return the request's identifier."""
        file = self.folder / name
        said = self.dsi("rules", "export", "tarif", "--output", file)
        assert said.code == 0, said
        with file.open(newline="", encoding="utf-8") as source:
            rows = list(csv.DictReader(source, delimiter=";"))
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, rows[0], delimiter=";")
            writer.writeheader()
            writer.writerows({**row, "dd": rates.get(row["position"], row["dd"])} for row in rows)
        words = ("-i", "rules=tarif", "-i", f"file={file}", "--reason", "Annexe fiscale")
        return self.agreed("request", "rules.update", PRODUCTION, *words)

    def told(self, to=USERS[0]):
        """Return the subjects of the mails to somebody, by default the users, oldest first, in small letters."""
        return [str(mail["Subject"]).lower() for mail in self.mails() if to in str(mail["To"])]

    def last_mail(self, to):
        """Return what the last mail to somebody says."""
        return [mail for mail in self.mails() if to in str(mail["To"])][-1].get_body(("plain",)).get_content()

    # What is seen of the application.

    def pids(self, *names):
        return {name: self.server(name).pids() for name in names or ("app1", "app2")}

    def starts(self, *names):
        """Return how often each server was started, by its own log."""
        logs = {name: self.server(name).log for name in names or ("app1", "app2")}
        return {name: log.read_text().count("Server startup in") for name, log in logs.items()}

    def versions(self, *names):
        """Return what the running servers say their releases are."""
        return {self.server(name).version() for name in names or ("app1", "app2")}

    def sql(self, text, database=DATABASE):
        return self.parts.database.sql(text, database)

    def in_a_month(self):
        return f"{datetime.now(UTC).date() + timedelta(days=30)}"

    def interruptions(self, application=PRODUCTION):
        """Return the interruptions of this month."""
        shown = self.dsi("application", "availability", application, "--json")
        assert shown.code == 0, shown
        month = shown.json["availability"][-1]["month"]
        return self.dsi("application", "availability", application, "--month", month, "--json").json["interruptions"]

    @contextmanager
    def person(self, number, *, works=False):
        """Somebody at work in the database who holds a declaration's lock; yields the session.

        Args:
            works: whether a statement of theirs runs, or nothing at all.
        """
        link = psycopg.connect(
            host=self.parts.database.address, dbname=DATABASE, user=AGENT, password=AGENT, sslmode="require",
            options="-c lock_timeout=20s",
        )  # fmt: skip
        pid = link.info.backend_pid
        try:
            link.execute("SELECT numero FROM declarations WHERE numero = %s FOR UPDATE", (number,))
            if works:
                link.pgconn.send_query(b"SELECT pg_sleep(600)")
            yield link
        finally:
            link.close()
            # What still runs does not see that nobody waits for it.
            self.sql(f"SELECT pg_terminate_backend({pid}) WHERE EXISTS ({self.session(pid)})")

    def session(self, pid):
        """Return the question for a session of this process number."""
        return f"SELECT pid FROM pg_stat_activity WHERE pid = {pid} AND usename = '{AGENT}'"  # noqa: S608  # ours

    def alive(self, *links):
        """Return which of these sessions are still there."""
        return [link for link in links if self.sql(self.session(link.info.backend_pid))]

    def idle_for(self, link, seconds):
        """Return once the database says that a session has been idle for so long."""
        idle = f"{self.session(link.info.backend_pid)} AND now() - state_change > interval '{seconds} s'"
        wait_for(lambda: self.sql(idle), every=0.2)

    def duty(self, *positions):
        """Return the rates of duty of these positions of the tariff."""
        names = ", ".join(f"'{position}'" for position in positions)
        return self.sql(f"SELECT dd FROM tarif WHERE position IN ({names}) ORDER BY position").split()  # noqa: S608  # ours

    def browser(self, server="app1"):
        """Return somebody at a browser, and where SYDAM World is for them."""
        return Visitor(self.server(server).url)

    # Killing.

    def noted(self, after=0):
        """Return what runs noted after an entry of the journal: names, and what was noted."""
        lines = (line.partition(" ") for line in self.announced(after))
        bodies = [json.loads(line)["body"] for kind, _, line in lines if kind == "run.noted"]
        return [(body["note"], body["data"]) for body in bodies]

    def killed_at(self, moments, *words):
        """Start a command and kill it at the first moment, resume it and kill it at the next, and so on.

        What ends faster than it is killed has ended. Returns what the last resume said, and how many kills struck.
        """
        struck = 0
        for moment in moments:
            struck += self.killed_once(moment, *words)
            words = ("resume", self.runs()[-1])
        return self.dsi(*words, "--json"), struck

    def killed_once(self, moment, *words):
        """Start a command and kill it at a moment; tell whether it had not ended before."""
        last = self.last
        process = self.start(*words, "--json", person=TECHNICIAN)
        wait_for(lambda: moment(self, last) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        said = self.finish(process)
        assert said.code in {-signal.SIGKILL, 0, 6}, said
        return said.code == -signal.SIGKILL


class Visitor:
    """Somebody who uses SYDAM World with a browser."""

    def __init__(self, url):
        self.url, self.session = url, requests.Session()

    def log_in(self, login, password):
        """Fill in the form of the login page; return the page that follows."""
        return self.post(
            "/connexion", self.session.get(f"{self.url}/connexion"), identifiant=login, mot_de_passe=password
        )

    def post(self, path, page, **fields):
        """Post the form of a page, with what it hides in it."""
        (token,) = set(re.findall(r'name="jeton" value="([^"]+)"', page.text))
        return self.session.post(f"{self.url}{path}", {"jeton": token, **fields}, timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()


def note(name, server=None):
    """Return a moment to kill at: something was noted, about one server where it is named."""
    return lambda office, last: any(
        found == name and server in {None, data.get("server")} for found, data in office.noted(last)
    )


@pytest.fixture
def sydam(application, tmp_path):
    """An office of its own on SYDAM World, which runs as it should."""
    made = ApplicationOffice(application, tmp_path)
    made.ready()
    made.sql(f"CREATE ROLE {AGENT} LOGIN PASSWORD '{AGENT}' IN ROLE {OWNER_ROLE}")
    yield made
    made.ready()
    for place in (made.data, made.scratch, *application.layout.store_dir.glob(f"{made.name}-*")):
        shutil.rmtree(place, ignore_errors=True)
