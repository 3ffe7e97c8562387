"""The lab's external disks: put in, taken out, pulled out, one at a time; and its mail server."""

import json
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.disks import uuid_of
from dsi_automation.lab.mail import Behaviour
from dsi_automation.lab.system import run

WITHOUT_LOOPS = """
import json, sys
from dsi_automation.connectors.media.mounts import mounted_at
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UsageError
from dsi_automation.lab.backup_plan import _media
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.disks import Disks
from dsi_automation.lab.layout import Layout
from ipaddress import IPv4Network
from pathlib import Path

layout = Layout("noloop", IPv4Network("198.19.240.0/22"), Path(sys.argv[1]))
disks = Disks(layout, SystemClock())
disks.ensure()
plan = _media(layout, disks, Passwords(Path(sys.argv[1]) / "passwords"))["media"]["disque-01"]
disks.insert("disque-01")
try:
    disks.insert("disque-02")
except UsageError:
    held = (layout.disk_mount / ".dsi-uuid").read_text().strip()
(layout.disk_mount / "set").write_text("a set")
gone = [disks.remove().name, sorted(path.name for path in layout.disk_mount.iterdir())]
disks.insert("disque-01")
kept = (layout.disk_mount / "set").read_text()
pulled = [disks.pull().name, disks.down(), mounted_at(layout.disk_mount) is None]
print(json.dumps({"kind": plan["kind"], "uuid": plan["uuid"], "held": held, "gone": gone, "kept": kept,
                  "pulled": pulled}))
"""
HIDE_LOOPS = """
mkdir "$1/dev" && mount -t tmpfs none "$1/dev"
for node in null zero urandom; do touch "$1/dev/$node" && mount --bind "/dev/$node" "$1/dev/$node"; done
mount --rbind "$1/dev" /dev && shift && exec "$@"
"""


@pytest.fixture
def disks(servers):
    found = servers.facilities.disks
    yield found
    found.reset()


@pytest.fixture
def mail(servers):
    found = servers.facilities.mail
    found.reset()
    yield found
    found.reset()


def send(server, subject):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "dsi@douanes.lab", "y.traore@douanes.lab", subject
    message.set_content("Tout va bien, à demain.")
    with smtplib.SMTP(server.address, timeout=60) as client:
        client.send_message(message)


def test_a_disk_that_is_in_has_the_uuid_of_the_inventory(disks):
    disks.insert("disque-02")
    shown = run(["findmnt", "-n", "-M", str(disks.layout.disk_mount), "-o", "UUID,LABEL,FSTYPE"]).split()
    assert shown == [uuid_of(disks.layout, "disque-02"), "DISQUE-02", "ext4"]


def test_what_is_written_on_a_disk_stays_on_it_and_on_no_other(disks):
    mount = disks.layout.disk_mount
    disks.insert("disque-01")
    (mount / "set").write_text("a set")
    disks.remove()
    assert list(mount.iterdir()) == []
    disks.insert("disque-02")
    assert not (mount / "set").exists()
    disks.remove()
    disks.insert("disque-01")
    assert (mount / "set").read_text() == "a set"


def test_one_disk_is_in_at_a_time_and_one_in_use_does_not_come_out_in_order(disks):
    disks.insert("disque-01")
    with pytest.raises(UsageError):
        disks.insert("disque-02")
    with (disks.layout.disk_mount / "open").open("w"), pytest.raises(UsageError):
        disks.remove()
    with pytest.raises(UsageError):
        disks.insert("disque-09")
    assert disks.remove().name == "disque-01"


def test_a_disk_pulled_out_fails_who_writes_and_loses_what_was_not_on_it(disks):
    mount = disks.layout.disk_mount
    disks.insert("disque-01")
    (mount / "old").write_text("safe")
    run(["sync", "--file-system", str(mount)])
    writer = (mount / "new").open("wb", buffering=0)
    writer.write(b"x" * 100_000)
    disks.pull()
    with pytest.raises(OSError, match="Input/output"):
        writer.write(b"y" * 100_000)
    with pytest.raises(UsageError):
        # The writer has not noticed yet.
        disks.pull()
    writer.close()
    disks.insert("disque-01")
    assert (mount / "old").read_text() == "safe"
    assert not (mount / "new").exists() or (mount / "new").stat().st_size == 0


def test_where_no_loop_device_is_given_a_folder_stands_in_and_the_inventory_says_so(tmp_path):
    lab = tmp_path / "lab"
    lab.mkdir()
    # A mount namespace of its own, whose /dev has no loop device: as in many containers.
    hidden = ["unshare", "--mount", "sh", "-e", "-c", HIDE_LOOPS, "sh", str(tmp_path)]
    done = subprocess.run(
        [*hidden, sys.executable, "-c", WITHOUT_LOOPS, str(lab)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kind"] == "folder"
    assert found["held"] == found["uuid"]
    assert found["gone"] == ["disque-01", []]
    assert found["kept"] == "a set"
    assert found["pulled"] == ["disque-01", True, True]
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_a_daemon_started_meanwhile_does_not_keep_a_disk_busy(servers, disks, mail):
    disks.insert("disque-01")
    mail.behave(Behaviour.DOWN)
    mail.behave(Behaviour.ACCEPT)
    disks.remove()
    assert [disk.device for disk in disks.all()] == [None, None, None]
    assert str(disks.layout.disk_mount) not in Path("/proc", str(mail.daemon.pid()), "mountinfo").read_text()


def test_every_mail_is_kept_in_its_order(mail):
    for subject in ("Sauvegarde réussie", "Sauvegarde en échec"):
        send(mail, subject)
    assert [str(one["Subject"]) for one in mail.mails()] == ["Sauvegarde réussie", "Sauvegarde en échec"]
    assert "à demain" in mail.mail(1).get_content()
    with pytest.raises(UsageError):
        mail.mail(3)


def test_a_mail_server_that_refuses_or_is_down_keeps_nothing(servers, mail):
    mail.behave(Behaviour.DEFER)
    with pytest.raises(smtplib.SMTPDataError) as later:
        send(mail, "later")
    mail.behave(Behaviour.REJECT)
    with pytest.raises(smtplib.SMTPDataError) as never:
        send(mail, "never")
    mail.behave(Behaviour.DOWN)
    with pytest.raises(ConnectionRefusedError):
        send(mail, "lost")
    assert (later.value.smtp_code, never.value.smtp_code) == (451, 550)
    assert list(mail.mails()) == []
    assert servers.is_up()
