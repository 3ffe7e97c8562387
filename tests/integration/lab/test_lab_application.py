"""SYDAM World in the lab works as users and administrators know it, and goes wrong as it is told to."""

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psycopg
import pytest
from waiting import wait_for

from dsi_automation.lab.application import SERVERS
from dsi_automation.lab.releases import BROKEN, FIRST, NEXT, PLANS, ReleasePlan
from dsi_automation.lab.sydam_accounts import CONTROLLER_ROLE, TEST_LOGIN, password_name
from dsi_automation.lab.tomcat import ServerFault

DSI = str(Path(sys.executable).with_name("dsi"))
SECRET = "Mot-de-passe-neuf-1"


class Browser:
    """Does what a user's browser does on one server."""

    def __init__(self, server):
        self.url = server.url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.token = ""

    def go(self, path, **fields):
        """Return the status and the text of the page that comes in the end; fields are posted."""
        data = urllib.parse.urlencode({"jeton": self.token, **fields}).encode() if fields else None
        try:
            answer = self.opener.open(self.url + path, data=data, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        text = answer.read().decode()
        if found := re.search(r'name="jeton" value="([^"]+)"', text):
            self.token = found.group(1)
        return answer.status, text

    def log_in(self, login, password):
        self.go("/connexion")
        return self.go("/connexion", identifiant=login, mot_de_passe=password)


@pytest.fixture
def sydam(application):
    """The session's SYDAM World; put back afterwards."""
    yield application
    application.reset_servers()


@pytest.fixture
def test_server(sydam):
    return sydam.facilities.application.server("apptest")


@pytest.fixture
def over_ssh(sydam, test_server):
    """Return a function that runs the service script of the test server in an SSH session."""

    def run(order):
        keys = sydam.layout.ssh_dir
        options = ["-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={keys / 'known_hosts'}"]
        words = ["ssh", *options, "-i", str(keys / "controller"), f"root@{test_server.address}"]
        script = f"{test_server.here}/bin/sydam"
        return subprocess.run([*words, script, order], capture_output=True, text=True, check=False).returncode

    return run


def password(lab, login):
    return lab.passwords.get(password_name(login)).reveal()


def controller_session(lab, database):
    """Connect to a database as the toolkit does."""
    return psycopg.connect(
        host=lab.facilities.database.address,
        dbname=database,
        user=CONTROLLER_ROLE,
        password=lab.passwords.get(CONTROLLER_ROLE).reveal(),
        sslmode="verify-full",
        sslrootcert=str(lab.layout.ca_file),
    )


@pytest.mark.parametrize("name", SERVERS)
def test_a_user_logs_in_asks_for_a_declaration_and_logs_out_on_every_server(application, name):
    browser = Browser(application.facilities.application.server(name))
    assert "Bienvenue, Test de connexion." in browser.log_in(TEST_LOGIN, password(application, TEST_LOGIN))[1]
    status, page = browser.go("/declaration?numero=100")
    assert status == 200
    assert "Déclaration 100" in page
    assert "Bouaké" in page
    assert "Vous êtes déconnecté" in browser.go("/deconnexion")[1]
    assert "Mot de passe" in browser.go("/declaration?numero=100")[1]
    assert browser.go("/version") == (200, f"{FIRST}\n")


@pytest.mark.parametrize("wrong", [("kone.a", "faux"), ("ancien.a", None), ("' OR 1=1 --", "x")])
def test_whoever_is_not_known_or_not_active_stays_outside(application, wrong):
    login, given = wrong
    browser = Browser(application.facilities.application.server("apptest"))
    status, page = browser.log_in(login, given or password(application, login))
    assert status == 200
    assert "Identifiant ou mot de passe incorrect." in page


def test_a_form_without_its_token_is_refused(application):
    browser = Browser(application.facilities.application.server("apptest"))
    browser.go("/connexion")
    browser.token = "stolen"
    assert browser.go("/connexion", identifiant=TEST_LOGIN, mot_de_passe=password(application, TEST_LOGIN))[0] == 403


def test_a_default_password_must_be_changed_before_anything_else(sydam):
    server = sydam.facilities.application.server("appform")
    browser = Browser(server)
    assert "Changez votre mot de passe" in browser.log_in("toure.m", password(sydam, "toure.m"))[1]
    assert "Changez votre mot de passe" in browser.go("/declaration?numero=100")[1]
    browser.go("/mot-de-passe", nouveau="court", confirmation="court")
    assert "Bienvenue" in browser.go("/mot-de-passe", nouveau=SECRET, confirmation=SECRET)[1]
    assert "Bienvenue" in Browser(server).log_in("toure.m", SECRET)[1]
    assert "incorrect" in Browser(server).log_in("toure.m", password(sydam, "toure.m"))[1]


def test_an_entry_holds_locks_until_it_is_let_go_and_nobody_else_enters(sydam, test_server):
    locked = (
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.mode = 'RowShareLock'"
        " AND l.relation = 'declarations'::regclass AND a.state = 'idle in transaction';"
    )
    first, second = Browser(test_server), Browser(test_server)
    for browser in (first, second):
        browser.log_in(TEST_LOGIN, password(sydam, TEST_LOGIN))
        browser.go("/declaration?numero=7")
    assert "Saisie en cours" in first.go("/saisie", numero="7")[1]
    assert second.go("/saisie", numero="7")[0] == 409
    assert sydam.facilities.database.sql(locked, "sydam_test") == "1"
    assert "Vous êtes déconnecté" in first.go("/deconnexion")[1]
    assert sydam.facilities.database.sql(locked, "sydam_test") == "0"


def test_the_controller_shows_a_message_and_only_as_long_as_it_holds(sydam, test_server):
    with controller_session(sydam, "sydam_test") as session:
        session.execute("INSERT INTO avis (id, texte, jusqua) VALUES (1, 'Arrêt <21 h>', now() + interval '1 h')")
    assert "Arrêt &lt;21 h&gt;" in Browser(test_server).go("/connexion")[1]
    with controller_session(sydam, "sydam_test") as session:
        session.execute("UPDATE avis SET jusqua = now() - interval '1 s'")
    assert "Arrêt" not in Browser(test_server).go("/connexion")[1]


@pytest.mark.parametrize("fault", [ServerFault.DATABASE_DOWN, ServerFault.WRONG_PASSWORD])
def test_without_its_database_the_application_says_so_and_works_when_it_is_back(sydam, test_server, fault):
    test_server.fault(fault)
    status, page = Browser(test_server).log_in(TEST_LOGIN, password(sydam, TEST_LOGIN))
    assert status == 503
    assert "Base de données indisponible" in page
    test_server.clear_faults(fault)
    assert "Bienvenue" in Browser(test_server).log_in(TEST_LOGIN, password(sydam, TEST_LOGIN))[1]


def test_a_locked_test_account_is_refused_and_others_are_not(sydam, test_server):
    test_server.fault(ServerFault.TEST_ACCOUNT_LOCKED)
    assert "incorrect" in Browser(test_server).log_in(TEST_LOGIN, password(sydam, TEST_LOGIN))[1]
    assert "Bienvenue" in Browser(test_server).log_in("kone.a", password(sydam, "kone.a"))[1]


def test_the_service_script_starts_and_stops_what_outlives_the_session_and_tells_how_it_is(over_ssh, test_server):
    assert over_ssh("status") == 0
    assert over_ssh("stop") == 0
    assert over_ssh("stop") == 0
    assert over_ssh("status") == 3
    assert not test_server.listens()
    test_server.fault(ServerFault.DIES_AFTER_START, 3600)
    assert over_ssh("start") == 0
    assert over_ssh("start") == 0
    wait_for(test_server.answers)
    assert over_ssh("status") == 0
    [pid] = test_server.pids()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: over_ssh("status") == 1)
    assert over_ssh("no-such-order") == 2


def test_a_server_that_hangs_keeps_its_port_and_one_that_lies_says_stopped_and_answers(over_ssh, test_server):
    test_server.fault(ServerFault.LIES_ON_STOP)
    assert over_ssh("stop") == 0
    assert over_ssh("status") == 3
    assert test_server.answers()
    test_server.clear_faults()
    test_server.kill()
    over_ssh("start")
    wait_for(test_server.answers)
    test_server.fault(ServerFault.HANGS_ON_STOP)
    assert over_ssh("stop") == 1
    assert over_ssh("status") == 0
    with socket.create_connection((test_server.address, 8080), timeout=60):
        assert test_server.listens()


def test_a_release_is_what_runs_after_its_script_and_a_reset_brings_the_first_back(sydam, test_server):
    script = PLANS[1].scripts[0]
    with controller_session(sydam, "sydam_test") as session:
        session.execute(script.text)
    test_server.kill()
    test_server.put(sydam.facilities.application.maker.archive(NEXT), NEXT)
    sydam.facilities.application.start(["apptest"])
    sydam.facilities.application.wait(["apptest"])
    browser = Browser(test_server)
    browser.log_in(TEST_LOGIN, password(sydam, TEST_LOGIN))
    assert "<dt>Observation</dt><dd>Reprise</dd>" in browser.go("/declaration?numero=7")[1]
    assert test_server.version() == NEXT
    with controller_session(sydam, "sydam_test") as session:
        session.execute(script.undo)
    assert browser.go("/declaration?numero=8")[0] == 500
    sydam.reset_servers()
    assert (test_server.version(), test_server.release) == (FIRST, FIRST)


def test_releases_bear_a_checksum_and_a_signature_that_others_can_check(application):
    maker = application.facilities.application.maker
    for version in (FIRST, NEXT, BROKEN):
        archive = maker.archive(version)
        words = ["ssh-keygen", "-Y", "verify", "-n", "dsi-release", "-f", str(maker.allowed_signers)]
        with archive.open("rb") as content:
            subprocess.run(
                [*words, "-I", "integration@douanes.lab", "-s", str(maker.signature(version))],
                stdin=content,
                check=True,
                capture_output=True,
            )
        subprocess.run(["sha256sum", "-c", maker.checksum(version).name], cwd=archive.parent, check=True)
    before = maker.archive(NEXT).read_bytes()
    maker.make(PLANS[1])
    assert maker.archive(NEXT).read_bytes() == before
    unsigned = maker.make(ReleasePlan("9.9.9"), signed=False)
    assert not maker.signature("9.9.9").exists()
    unsigned.unlink()
    maker.checksum("9.9.9").unlink()


def test_faults_are_switched_from_the_command_line_and_shown(sydam, test_server):
    environment = {"PATH": os.environ["PATH"], "HOME": "/root", "DSI_LANG": "en"}
    environment["DSI_LAB_DIR"] = str(sydam.layout.root.parent)

    def dsi(*words):
        command = [DSI, "lab", "application", *words, "--name", sydam.layout.name, "--json"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert set(json.loads(dsi("fault").stdout)) == set(ServerFault)
    assert dsi("fault", "apptest", "slow", "--seconds", "2").returncode == 0
    assert test_server.faults == {ServerFault.SLOW: "2"}
    shown = {one["name"]: one for one in json.loads(dsi("status").stdout)["servers"]}
    assert shown["apptest"]["faults"] == {"slow": "2"}
    assert shown["app1"]["version"] == FIRST
    assert dsi("fault", "apptest", "--off").returncode == 0
    assert test_server.faults == {}
    assert dsi("fault", "apptest", "no-such-fault").returncode == 2
    assert dsi("fault", "app9", "slow").returncode == 2
