"""The lab's external disks: put in, taken out, pulled out, one at a time; and its mail server."""

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.disks import uuid_of
from dsi_automation.lab.mail import Behaviour
from dsi_automation.lab.system import run


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
    with smtplib.SMTP(server.address, timeout=10) as client:
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
