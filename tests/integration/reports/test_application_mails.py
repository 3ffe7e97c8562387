"""Users, the DSI and who asked hear of an application once each, whatever the run and the mail server do."""

import threading
from datetime import timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import ClassVar

import pytest
from house import House, refused
from mailhouse import MailKit, Story, mails_of
from waiting import wait_for

from dsi_automation.core.clock import iso
from dsi_automation.core.errors import StoppedError
from dsi_automation.core.events import Silent
from dsi_automation.core.text import T
from dsi_automation.engine.model import RequestState, Window
from dsi_automation.engine.operation import TargetKind
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.backup_model import BackupSettings
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.announcing import Announced, Announcement
from dsi_automation.operations.applications.record import read

WEB = {"path": "/sydam", "expect": "SYDAM"}
SYDAM = {
    "title": "SYDAM World",
    "servers": [{"name": "app1", "host": "app1", "service": {"kind": "systemd", "unit": "sydam"}, "port": 8080}],
    "connection_test": {"credential": "test", "page": WEB, "login": WEB, "query": WEB, "logout": WEB},
    "notice": {"users": ["agents@douanes.lab", "declarants@douanes.lab"], "dsi": ["a.bamba"]},
}
PASSED = {"server": "app1", "steps": [{"name": "port", "seconds": 0.002, "problem": None}]}
FAILED = {
    "server": "app1",
    "steps": [
        {"name": "port", "seconds": 0.002, "problem": None},
        {"name": "query", "seconds": 4.0, "problem": T("the answer is not the one expected.").to_json()},
    ],
}


class Restart(Story):
    """A restart that notes what a test says."""

    name: ClassVar[str] = "application.restart"
    target_kind: ClassVar = TargetKind.APPLICATION


class Kit(MailKit):
    """A toolkit with one application."""

    def __init__(self, house, port, who="m.kouadio"):
        sydam = Application.model_validate(SYDAM)
        settings = BackupSettings(report_to=("y.traore",))
        super().__init__(house, port, who, applications={"sydam": sydam}, backup_settings=settings)
        self.equipment = SimpleNamespace(look=lambda: SimpleNamespace(application_record=self.record))

    def record(self):
        return read(self.noted())

    @cached_property
    def parts(self):
        return self.house.parts(
            self.who,
            operations={"application.restart": self.house.restart},
            targets={TargetKind.APPLICATION: {"sydam": "production"}},
        )

    def asked(self):
        plan = self.engine.plan("application.restart", ("sydam",), {}, Silent())
        return self.engine.request(plan, "Les déclarations ne passent plus", Window()).id


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path, targets=("sydam",))
    made.policy["operations"] = {"application.restart": made.policy["operations"]["folder.fill"]}
    made.restart = Restart()
    yield made
    made.journal.close()


@pytest.fixture
def post(smtp_server):
    return smtp_server()


@pytest.fixture
def kit(house, post):
    return Kit(house, post[1])


def mails(post):
    return mails_of(post[0])


def subjects(post, to):
    return [str(mail["Subject"]) for mail in mails_of(post[0], to)]


def interruption(kit, tested, *, back=True):
    now = iso(kit.clock.now())
    story = [
        (notes.DOWN, {"at": now, "planned": False, "why": "Incident", "since": None}),
        (notes.TESTED, {
            "tests": [tested], "conclusive": tested is PASSED, "attempt": 1, "at": now, "servers": ["app1"],
            "log": {} if tested is PASSED else {"app1": ["SEVERE: connexion refusée"]}, "processes": {},
        }),
    ]  # fmt: skip
    if back:
        story.append((notes.UP, {"at": now, "seconds": 0.0, "release": None}))
    return story


def approved(kit, post):
    request = kit.asked()
    Kit(kit.house, post[1], "y.traore").engine.approve(request, "D’accord")
    post[0].kept.clear()
    return request


def test_who_may_decide_hears_of_a_request_and_who_asked_of_the_refusal(kit, post):
    request = kit.asked()
    assert subjects(post, "y.traore") == ["[DSI] À DÉCIDER — SYDAM World : redémarrage"]
    assert subjects(post, "m.kouadio") == []
    refused_one = Kit(kit.house, post[1], "y.traore").engine.refuse(request, "Attendre la clôture de 18 h")
    assert refused_one.state is RequestState.REFUSED
    assert subjects(post, "m.kouadio") == ["[DSI] REFUSÉ, DIFFÉRÉ — SYDAM World : redémarrage"]
    body = mails(post)[-1].get_content()
    assert "Attendre la clôture de 18 h" in body
    assert "différée" in body


def test_an_approval_tells_who_asked_what_comes_next(kit, post):
    request = kit.asked()
    Kit(kit.house, post[1], "y.traore").engine.approve(request, "D’accord")
    assert subjects(post, "m.kouadio") == ["[DSI] ACCORDÉ — SYDAM World : redémarrage"]
    assert f"dsi run {request}" in mails(post)[-1].get_content()


def test_a_decision_stands_when_its_mail_cannot_be_written(kit, post):
    request = kit.asked()
    boss = Kit(kit.house, post[1], "y.traore")
    boss.inventory.applications = None  # nothing about it can be read
    assert boss.engine.refuse(request, "Non").state is RequestState.REFUSED


def test_the_dsi_is_told_it_is_available_and_who_asked_is_left_alone(kit, post):
    request = approved(kit, post)
    kit.house.restart.story = interruption(kit, PASSED)
    run = kit.engine.run(request, Silent())
    assert run.exit_code == 0
    (subject,) = subjects(post, "a.bamba")
    assert subject.startswith("[DSI] DISPONIBLE — SYDAM World (redémarrage du 21/11/2026")
    assert subjects(post, "m.kouadio") == []
    assert "app1 : port 2 ms" in mails(post)[0].get_content()
    assert kit.teller.make_up(Silent()) == []


def test_a_failed_test_tells_the_dsi_and_who_asked_what_failed_where_with_the_log(kit, post):
    request = approved(kit, post)
    kit.house.restart.story = interruption(kit, FAILED, back=False)
    kit.house.restart.faults["after the story"] = refused("The connection test of app1 is not conclusive.")
    run = kit.engine.run(request, Silent())
    assert run.exit_code != 0
    assert subjects(post, "a.bamba") == subjects(post, "m.kouadio")
    assert subjects(post, "a.bamba")[0].startswith("[DSI] INDISPONIBLE — SYDAM World")
    body = mails(post)[0].get_content()
    for words in ("ÉCHEC à l’étape requête", "SEVERE: connexion refusée", "dsi application check sydam", run.id):
        assert words in body


def test_a_release_that_went_back_is_told_with_the_test_it_failed_and_the_one_that_is_good(kit, post):
    request = approved(kit, post)
    failed, good = interruption(kit, FAILED, back=False), interruption(kit, PASSED)[1:]
    back = (notes.ROLLED_BACK, {"release": "1.4.0", "files": True, "scripts": [], "by_hand": []})
    kit.house.restart.story = [*failed, *good, back]
    kit.house.restart.faults["after the story"] = refused("Release 1.4.0 did not pass.")
    kit.engine.run(request, Silent())
    (subject,) = subjects(post, "a.bamba")
    assert subject.startswith("[DSI] RETOUR À LA VERSION PRÉCÉDENTE — SYDAM World")
    body = mails(post)[0].get_content()
    assert body.index("Test de connexion :") < body.index("ÉCHEC à l’étape requête")
    assert "SEVERE: connexion refusée" in body


def test_what_failed_before_any_stop_is_not_told_as_an_interruption(kit, post):
    request = approved(kit, post)
    kit.house.restart.faults["sydam/a"] = [refused()]
    kit.engine.run(request, Silent())
    (subject,) = subjects(post, "a.bamba")
    assert subject.startswith("[DSI] NON EFFECTUÉ — SYDAM World")
    assert "n’a pas été interrompu" in mails(post)[0].get_content()


def test_a_stop_that_was_cut_short_is_not_told_as_untouched(kit, post):
    request = approved(kit, post)
    kit.house.restart.story = [("application.stopping", {"server": "app1", "at": iso(kit.clock.now())})]
    kit.house.restart.faults["after the story"] = StoppedError(T("Asked to stop."))
    run = kit.engine.run(request, Silent())
    (subject,) = subjects(post, "a.bamba")
    assert subject.startswith("[DSI] DISPONIBLE EN PARTIE — SYDAM World")
    assert f"dsi resume {run.id}" in mails(post)[0].get_content()


def test_an_end_that_a_killed_process_left_untold_is_made_up_once(kit, post, monkeypatch):
    request = approved(kit, post)
    kit.house.restart.story = interruption(kit, PASSED)
    silent = Kit(kit.house, post[1])
    monkeypatch.setattr(silent.teller, "_ended", lambda _run, _observer: None)
    run = silent.engine.run(request, Silent())
    monkeypatch.setattr("dsi_automation.journal.owner.is_dead", lambda _owner: True)
    assert kit.teller.make_up(Silent()) == [run.id]
    assert kit.teller.make_up(Silent()) == []
    assert len(subjects(post, "a.bamba")) == 1


def test_users_are_told_once_for_each_run_and_kind(kit, post):
    before = Announcement("sydam", Announced.BEFORE, True, "Maintenance du soir", stops_at=kit.clock.now())
    back = Announcement("sydam", Announced.BACK, True, "Maintenance du soir", seconds=245.0, release="1.4.0")
    for told in (before, before, back, before):
        kit.teller.announce("RUN-1", told)
    kit.teller.flush()
    assert subjects(post, "agents") == [
        "[DSI] SYDAM World : arrêt programmé le 21/11/2026 12:00",
        "[DSI] SYDAM World : de nouveau disponible",
    ]
    assert len(subjects(post, "declarants")) == 2
    assert "4 min 05 s" in mails(post)[-1].get_content()
    kit.teller.announce("RUN-2", before)
    kit.teller.flush()
    assert len(subjects(post, "agents")) == 3


def test_a_stop_that_was_put_off_is_announced_anew_with_its_new_moment(kit, post):
    for later in (0, 30):
        stops_at = kit.clock.now() + timedelta(minutes=later)
        kit.teller.announce("RUN-1", Announcement("sydam", Announced.BEFORE, False, "Incident", stops_at=stops_at))
        kit.teller.announce("RUN-1", Announcement("sydam", Announced.PUT_OFF, False, "Attente", stops_at=stops_at))
    kit.teller.flush()
    assert [subject.split(" : ")[1] for subject in subjects(post, "agents")] == [
        "arrêt non programmé le 21/11/2026 12:00",
        "l’arrêt annoncé n’a pas lieu",
        "arrêt non programmé le 21/11/2026 12:30",
        "l’arrêt annoncé n’a pas lieu",
    ]


def test_a_mail_server_that_hangs_does_not_hold_up_a_stop(kit, monkeypatch):
    hanging, asked = threading.Event(), threading.Event()

    class Relay:
        def send(self, message):
            asked.set()
            assert hanging.wait(60)

    monkeypatch.setattr("dsi_automation.composition.mails._relay", lambda _toolkit: Relay())
    kit.teller.announce("RUN-1", Announcement("sydam", Announced.BEFORE, False, "Incident", stops_at=kit.clock.now()))
    assert asked.wait(60)  # it is being offered while we go on
    assert len(kit.teller.outbox.waiting()) == 2
    hanging.set()
    wait_for(lambda: not kit.teller.outbox.waiting())


def test_a_planned_stop_that_was_missed_is_told_to_the_dsi_of_the_application(kit, post):
    kit.teller.tell_missed("soir", T("Missed."), kit.clock.now(), None, Silent(), targets=["sydam"])
    kit.teller.tell_missed("nuit", T("Missed."), kit.clock.now(), None, Silent(), targets=["srv1"])
    assert [mail["To"] for mail in mails(post)] == ["a.bamba@douanes.lab", "y.traore@douanes.lab"]
