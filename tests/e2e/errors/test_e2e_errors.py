"""What goes wrong around the toolkit: one French sentence, the right exit code, nothing half written."""

import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from fix_office import DSI, ONCE, SECTION_HEAD

from dsi_automation.lab.accounts import READER

OPERATION = "workstation.join"


def told(said, code, *words):
    """Hold that a command ended so, and said these words, in French, without a traceback."""
    assert said.code == code, said
    shown = (said.out + said.err).replace("\u00a0", " ").replace("\u202f", " ")
    assert "Erreur" in shown, said
    assert "À faire" in shown, said
    for word in words:
        assert word in shown, said
    for foreign in ("Traceback", "sqlite3.", "ldap3", "OperationalError", "sqlalchemy", "errno", "Errno"):
        assert foreign not in shown, said


@contextmanager
def written_to(path):
    """Hold a write transaction of the journal, as a stuck process would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("begin immediate")
        yield
        database.execute("rollback")


@pytest.fixture
def key(office):
    return office.add(local=None)


def test_a_database_locked_by_another_process(office, key):
    asked = office.approved(key)
    before = office.kinds()
    with written_to(office.journal_file):
        told(office.dsi("run", asked), 1, "verrouillé par un autre processus")
        told(office.dsi("approve", asked, "--comment", "x", person="a.bamba"), 1)
        assert office.dsi("check", "workstation.check", "ws6").code == 0
    assert (office.kinds(), office.methods(key)) == (before, {})
    assert office.run(asked).code == 0
    assert office.methods(key) == ONCE
    office.assert_whole()


@pytest.fixture
def small_disk(office):
    """Give the office's state a disk of its own, of 1 MB."""
    office.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "dsi-test", str(office.state)]
    subprocess.run(mount, check=True)
    yield office.state
    subprocess.run(["umount", str(office.state)], check=True)


def fill(folder):
    """Fill a disk to its last byte; return the file that does."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return path


def test_a_full_disk(office, key, small_disk):
    asked = office.approved(key)
    before = office.kinds()
    ballast = fill(small_disk)
    for command in (["run", asked], ["request", OPERATION, key, "--reason", "x"]):
        told(office.dsi(*command), 1, "plein")
    assert (office.kinds(), office.methods(key)) == (before, {})
    ballast.unlink()
    assert office.run(asked).code == 0
    assert office.methods(key) == ONCE
    office.assert_whole()


def test_a_disk_that_fills_up_at_the_very_start(office, key, small_disk):
    ballast = fill(small_disk)
    told(office.dsi("request", OPERATION, key, "--reason", "x"), 1, "plein")
    ballast.unlink()
    assert office.run(office.approved(key)).code == 0
    office.assert_whole()


def test_a_state_folder_that_can_only_be_read(office, key, small_disk):
    asked = office.approved(key)
    before = office.kinds()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    told(office.dsi("run", asked), 1, "lecture")
    told(office.dsi("request", OPERATION, key, "--reason", "x"), 1)
    assert (office.kinds(), office.methods(key)) == (before, {})
    assert office.dsi("show", asked).code == 0
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert office.run(asked).code == 0
    office.assert_whole()


def directory(office, **changes):
    office._apply("group_vars/all.yml", lambda held: held["dsi_directory"].update(changes))


def password(office, credential, value):
    path = office.folder / "password"
    path.write_text(value)
    path.chmod(0o600)
    source = {"file": str(path)}
    office._apply("group_vars/all.yml", lambda held: held["dsi_credentials"][credential].update(password=source))


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        (lambda office: directory(office, address=office.lab.machine("ws1").spec.address), 3, ("636",)),
        (lambda office: directory(office, address=office.lab.layout.address(250), timeout_seconds=1), 3, ("636",)),
        (lambda office: directory(office, address=None, server="dc9.nowhere.invalid"), 3, ("dc9.nowhere.invalid",)),
        (lambda office: directory(office, ca_file="/etc/ssl/certs/ca-certificates.crt"), 3, ("certificat",)),
        (lambda office: directory(office, ca_file="/nowhere/ca.pem"), 2, ("/nowhere/ca.pem",)),
        (lambda office: password(office, "directory_read", "wrong-Password-1"), 3, (READER,)),
        (lambda office: password(office, "directory_read", ""), 2, ("vide",)),
    ],
    ids=["no LDAPS there", "dead", "name unknown", "foreign CA", "no CA file", "wrong password", "empty password"],
)
def test_a_directory_that_cannot_be_asked(office, key, trouble, code, words):
    trouble(office)
    told(office.dsi("request", OPERATION, key, "--reason", "x"), code, *words)
    assert (office.kinds(), office.methods(key)) == ([], {})


@pytest.mark.parametrize(
    ("variables", "state", "words"),
    [
        ({"ansible_host": "poste.nowhere.invalid"}, "unreachable", "poste.nowhere.invalid"),
        ({"ansible_port": 5999}, "unreachable", "5999"),
        ({"ansible_winrm_ca_trust_path": "/etc/ssl/certs/ca-certificates.crt"}, "failed", "certificat"),
        (
            {"ansible_winrm_scheme": "http", "ansible_port": 5985, "ansible_winrm_transport": "basic"},
            "failed",
            "rien ne serait chiffré",
        ),
    ],
    ids=["name unknown", "port closed", "foreign CA", "readable channel"],
)
def test_a_workstation_that_cannot_be_asked(office, variables, state, words):
    office.host("ws2", **variables)
    said = office.dsi("check", "workstation.check", "ws2", "ws6", "--json")
    rows = {row["target"]: row for row in said.json["targets"]}
    assert rows["ws6"]["state"] == "compliant"
    assert rows["ws2"]["state"] == state, said
    assert words in str(rows["ws2"]["error"]), said
    assert said.code == (3 if state == "unreachable" else rows["ws2"]["error"]["exit_code"])


def test_a_wrong_password_of_the_local_administrator(office):
    password(office, "local_administrator", "Wrong-Password-1")
    said = office.dsi("check", "workstation.check", "ws2", "--json")
    assert said.code == 3, said
    assert "n’accepte pas le compte" in said.out
    assert "Wrong-Password-1" not in said.out + said.err


def test_output_that_nobody_can_take(office):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [DSI, "operations"], env=office.env(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, "ne peut pas être écrite" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_half_written_when_the_signature_cannot_be_made(office, key):
    broken = office.folder / "broken"
    broken.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n")
    broken.chmod(0o600)
    for person in (str(broken), str(office.folder / "absent")):
        said = office.dsi("request", OPERATION, key, "--reason", "x", person=person)
        assert said.code in (1, 2, 4), said
        assert "Traceback" not in said.err
    asked = office.request(key)["id"]
    said = office.dsi("approve", asked, "--comment", "vu", person=str(broken))
    assert said.code in (1, 2, 4), said
    assert office.kinds() == ["journal.opened", "request.made"]
    assert office.dsi("approve", asked, "--comment", "vu", person=SECTION_HEAD).code == 0
    assert office.state.stat().st_mode & 0o077 == 0
    office.assert_whole()


def test_a_lab_in_a_folder_with_too_long_a_path_is_refused_at_once(office):
    office.environment["DSI_LAB_DIR"] = str(office.folder / ("x" * 80))
    told(office.dsi("lab", "up", "--name", "long", "--network", "198.19.0.0/22"), 2, "trop long")
    assert not (office.folder / ("x" * 80)).exists()


def test_a_lab_refused_its_network_can_be_started_on_another(office, short_folder):
    name, first = "refused", office.lab.layout.network
    office.environment["DSI_LAB_DIR"] = str(short_folder)
    for network in (first, first.supernet()):
        said = office.dsi("lab", "up", "--name", name, "--network", str(network))
        told(said, 2, f"{network} est déjà utilisé")
    assert office.dsi("lab", "down", "--name", name).code == 0
