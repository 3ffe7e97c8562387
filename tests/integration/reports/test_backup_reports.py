"""Every end of a backup run makes one report and one mail a person, and never changes what became of the run."""

import io
import json
from functools import cached_property
from types import SimpleNamespace

import pypdf
import pytest
from mailhouse import MailKit, mails_of
from vault import Vault

from dsi_automation.core.errors import RefusedError, StorageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import BackupSettings
from dsi_automation.journal.model import Kind

PEOPLE = (
    SimpleNamespace(id="m.kouadio", name="Mariam Kouadio", mail="m.kouadio@douanes.lab"),
    SimpleNamespace(id="y.traore", name="Yao Traoré", mail="y.traore@douanes.lab"),
    SimpleNamespace(id="a.bamba", name="Aïssata Bamba", mail="a.bamba@douanes.lab"),
)


class Kit(MailKit):
    """A toolkit with the vault of the unit tests."""

    def __init__(self, vault, port):
        self.vault = vault
        super().__init__(
            vault.house, port,
            people=PEOPLE,
            backup_plan=vault.backup_plan,
            backup_settings=BackupSettings(report_to=("y.traore", "a.bamba")),
            accounts=SimpleNamespace(organisation="Direction Générale des Douanes"),
        )  # fmt: skip

    @cached_property
    def parts(self):
        return self.vault.parts()

    def journal_head(self):
        head = self.journal.head()
        return head.seq, head.hash

    def reports(self):
        return sorted((self.vault.house.state / "reports").glob("*.json"))


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    yield made
    made.house.journal.close()


@pytest.fixture
def post(smtp_server):
    return smtp_server()


@pytest.fixture
def kit(vault, post):
    return Kit(vault, post[1])


def mails(post):
    return mails_of(post[0])


def backup(kit, request=None):
    request = request or kit.vault.standing("server.backup")
    kit.clock.forward(seconds=1)
    return kit.engine.run(request, kit.vault)


def test_a_success_is_told_at_a_glance_with_the_report_attached(kit, post):
    run = backup(kit)
    assert run.exit_code == 0
    got = mails(post)
    assert [mail["To"] for mail in got] == ["y.traore@douanes.lab", "a.bamba@douanes.lab"]
    assert got[0]["Subject"].startswith("[DSI] RÉUSSIE — sauvegarde srv1 du 22/11/2026 ")
    assert got[0]["Subject"].endswith("(non vérifiée)")
    (attached,) = got[0].iter_attachments()
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(attached.get_content())).pages)
    assert run.id in pages
    assert "Approuvée par" in pages
    assert "Essai 1 sur 3" in pages
    (path,) = kit.reports()
    report = json.loads(path.read_text())
    assert report["runs"][0]["sets"][0]["set"]["run"] == run.id
    assert report["runs"][0]["decisions"][0]["person"] == "Yao Traoré"
    assert path.with_suffix(".pdf").read_bytes() == attached.get_content()


def test_a_chain_makes_one_report_that_says_verified(kit, post):
    requests = [kit.vault.standing("server.backup")]
    backup(kit, requests[0])
    post[0].kept.clear()
    requests.append(kit.vault.standing("backup.verify"))
    with kit.teller.deferred(kit.vault):
        first = backup(kit, requests[0])
        backup(kit, requests[1])
    got = mails(post)
    assert len(got) == 2
    assert got[0]["Subject"].endswith("(vérifiée)")
    report = json.loads((kit.vault.house.state / "reports" / f"{first.id}.json").read_text())
    assert [run["operation"] for run in report["runs"]] == ["server.backup", "backup.verify"]
    assert report["ok"]
    assert report["proven"]


def test_a_failure_is_told_as_one_with_each_try_and_its_error(kit, post):
    request = kit.vault.standing("server.backup")
    kit.vault.store.source.clear()
    run = backup(kit, request)
    assert run.exit_code != 0
    got = mails(post)
    assert got[0]["Subject"].startswith("[DSI] ÉCHEC — sauvegarde srv1 du 22/11/2026 ")
    (report,) = [json.loads(path.read_text()) for path in kit.reports()]
    assert not report["ok"]
    why = next(iter(report["runs"][0]["errors"].values()))["what"]
    body = got[0].get_body().get_content().replace("\n", " ")
    assert why.split()[0] in body


def test_a_mail_server_that_is_down_delays_the_mail_and_changes_no_outcome(vault, post):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
    kit = Kit(vault, nobody)
    run = backup(kit)
    assert run.exit_code == 0
    waiting = kit.teller.outbox.waiting()
    assert sorted(mail.tries for mail in waiting) == [0, 1]  # the second did not wait for nobody as well
    again = Kit(vault, post[1])
    assert len(again.teller.flush(now=True).sent) == 2
    assert len({mail["Message-ID"] for mail in mails(post)}) == 2
    assert again.teller.flush(now=True).sent == ()


def test_a_report_that_cannot_be_written_is_told_and_the_run_stands(kit):
    (kit.vault.house.state / "reports").write_text("a file where a folder should be")
    run = backup(kit)
    assert run.exit_code == 0
    assert "report.failed" in [event.kind for event in kit.vault.events]


def test_a_run_that_raised_is_told_too(kit, post):
    request = kit.vault.standing("server.backup")
    kit.vault.store.source["/srv/x"] = b"x"

    def gone(_operation):
        raise RefusedError(T("No."))

    kit.vault.look = lambda: gone("look")
    with pytest.raises(RefusedError):
        backup(kit, request)
    assert mails(post)[0]["Subject"].startswith("[DSI] ÉCHEC — ")


def test_what_a_kill_left_untold_is_told_once(kit, post):
    run = kit.vault.run(kit.vault.standing("server.backup"))  # an engine that tells nobody
    assert mails(post) == []
    assert kit.teller.make_up(kit.vault) == []  # its process lives: it may still tell
    bury(kit)
    assert kit.teller.make_up(kit.vault) == [run.id]
    assert len(mails(post)) == 2
    assert kit.teller.make_up(kit.vault) == []
    assert len(mails(post)) == 2


def test_a_run_that_a_kill_cut_short_is_told_as_not_finished_and_its_end_again(kit, post):
    request = kit.vault.standing("server.backup")

    def killed(permit):
        raise KeyboardInterrupt

    hands, kit.vault.hands = kit.vault.hands, killed
    with pytest.raises(KeyboardInterrupt):
        kit.vault.run(request)
    kit.vault.hands = hands
    journal = kit.journal
    bury(kit)
    (run,) = kit.teller.make_up(kit.vault)
    assert kit.teller.make_up(kit.vault) == []
    first = [str(mail["Subject"]) for mail in mails(post)]
    assert len(first) == 2
    assert all("ÉCHEC" in subject for subject in first)
    assert "interrompu" in mails(post)[0].get_body().get_content()
    kit.journal = journal
    assert kit.engine.resume(run, kit.vault).exit_code == 0
    assert ["RÉUSSIE" in str(mail["Subject"]) for mail in mails(post)] == [False, False, True, True]


def bury(kit):
    """Have the journal tell that the processes of its runs are gone."""
    entries = kit.journal.read

    def as_if_dead(**asked):
        found = entries(**asked)
        for entry in found:
            if entry.kind is Kind.RUN_STARTED:
                parts = entry.body["owner"].split("/")
                parts[2] = "1"
                entry.body["owner"] = "/".join(parts)
        return found

    kit.journal = SimpleNamespace(read=as_if_dead, head=kit.journal.head, holders=kit.journal.holders)


def test_no_secret_is_in_a_report_or_a_mail(kit, post):
    secret = Secret("Tr3s-Secret-42")
    request = kit.vault.standing("server.backup")

    def leaking():
        raise RefusedError(T("login with {word} failed", word=secret.reveal()))

    kit.vault.look = leaking
    with pytest.raises(RefusedError):
        backup(kit, request)
    told = b"".join(kept.content for kept in post[0].kept) + b"".join(path.read_bytes() for path in kit.reports())
    assert told
    assert secret.reveal().encode() not in told


def test_a_missed_occurrence_is_mailed_once(kit, post):
    for _ in range(2):
        kit.teller.tell_missed("srv1", T("Missed."), kit.clock.now(), None, kit.vault)
    got = mails(post)
    assert len(got) == 2
    assert got[0]["Subject"].startswith("[DSI] MANQUÉE — srv1 du 22/11/2026")


def test_a_full_disk_is_a_storage_error_of_the_outbox(kit):
    kit.vault.house.state.joinpath("outbox").write_text("in the way")
    from email.message import EmailMessage

    message = EmailMessage()
    message["To"], message["Subject"] = "a@x.lab", "s"
    with pytest.raises(StorageError):
        kit.teller.outbox.put(message, "key")


def test_a_password_of_the_mail_server_that_cannot_be_read_loses_no_mail(kit):
    kit.inventory.mail = kit.inventory.mail.model_copy(update={"credential": "messagerie"})

    def locked(_name):
        raise RefusedError(T("The vault is locked."))

    kit.equipment = SimpleNamespace(look=lambda: SimpleNamespace(account=locked))
    assert backup(kit).exit_code == 0
    assert len(kit.teller.outbox.waiting()) == 2
