"""Who asked, who decides and for whom an access is hear of routers and accesses: what was done, or that it is back."""

from datetime import timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import ClassVar

import pytest
from house import FillInputs, House, refused
from mailhouse import MailKit, Story, mails_of

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.events import Silent
from dsi_automation.engine.model import Window
from dsi_automation.engine.operation import TargetKind
from dsi_automation.inventory.backup_model import BackupSettings
from dsi_automation.inventory.network_model import NetworkSettings, RouterDescription
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network import notes
from dsi_automation.operations.network.record import Decided, read, rule_to_json

SETTINGS = {
    "headquarters": "ABJ", "ranges": ["10.64.0.0/12"],
    "sites": {"ABJ": {"range": "10.64.0.0/22", "lan": "10.64.0.0/24"}},
}  # fmt: skip
BACK = (notes.REVERTED, {"why": "ping", "by": "timer", "same": True, "remaining": []})
SECRET = "enable secret 5 $1$abc"


class Inputs(FillInputs):
    expired: bool = False
    why: str = ""
    beneficiary: str = ""


class Step(Story):
    target_kind: ClassVar = TargetKind.HOST
    inputs_model: ClassVar = Inputs


class Configure(Step):
    name: ClassVar[str] = "router.configure"


class Allow(Step):
    name: ClassVar[str] = "access.allow"


class Revoke(Step):
    name: ClassVar[str] = "access.revoke"


class Kit(MailKit):
    """A toolkit with one router."""

    def __init__(self, house, port, who="m.kouadio"):
        described = RouterDescription.model_validate(
            {"platform": "frr", "lan": "lan0", "management": {"interface": "mgmt0", "sources": ["192.0.2.1/32"]}}
        )
        network = Network(
            NetworkSettings.model_validate(SETTINGS), {"rtr-abj": Router("rtr-abj", "ABJ", described)}, {}
        )
        super().__init__(house, port, who, applications={}, backup_settings=BackupSettings(), network=network)
        self.equipment = SimpleNamespace(look=lambda: SimpleNamespace(access_record=self.record))

    def record(self):
        return read(self.noted(), lambda _run: Decided("m.kouadio", ("y.traore",)))

    @cached_property
    def parts(self):
        return self.house.parts(
            self.who, operations=self.house.steps, targets={TargetKind.HOST: {"rtr-abj": "production"}}
        )

    def run(self, post, operation, *story, fault=None, **inputs):
        """Ask, have it approved, and run it with a story; the mails kept are those of its end."""
        step = self.house.steps[operation]
        step.story = story
        self.empty()
        asked = self.engine.request(
            self.engine.plan(operation, ("rtr-abj",), inputs, Silent()), "Nouveau site", Window()
        )
        Kit(self.house, self.inventory.mail.port, "y.traore").engine.approve(asked.id, "D’accord")
        post[0].kept.clear()
        if fault is not None:
            step.faults["after the story"] = fault
        return self.engine.run(asked.id, Silent())

    def empty(self):
        for file in (self.house.root / "targets" / "rtr-abj").iterdir():
            file.unlink()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path, targets=("rtr-abj",))
    made.steps = {step.name: step for step in (Configure(), Allow(), Revoke())}
    made.policy["operations"] = dict.fromkeys(made.steps, made.policy["operations"]["folder.fill"])
    yield made
    made.journal.close()


@pytest.fixture
def post(smtp_server):
    return smtp_server()


@pytest.fixture
def kit(house, post):
    return Kit(house, post[1])


def mails(post, to):
    return mails_of(post[0], to)


def allowed(house, identifier="ac-aaaaaa", beneficiary="Recette de San-Pédro", **ends):
    rule = AccessRule(
        identifier, "10.64.0.8/32", "10.64.0.5/32", "tcp", 8443, 8443, house.clock.now() + timedelta(**ends)
    )
    said = {"why": "Contrôle", "reference": "N-12", "beneficiary": beneficiary, "at": None}
    return notes.ALLOWED, {"rule": rule_to_json(rule), **said}


def revoked(identifier="ac-aaaaaa"):
    return notes.REVOKED, {"id": identifier, "why": "expired", "key": []}


def test_those_who_decide_hear_of_a_request_and_who_asked_of_the_decision(kit, post):
    asked = kit.engine.request(
        kit.engine.plan("access.allow", ("rtr-abj",), {"why": "Contrôle", "beneficiary": "Recette"}, Silent()),
        "Demande N-12", Window(),
    )  # fmt: skip
    (told,) = mails(post, "y.traore")
    assert told["Subject"] == "[DSI] À DÉCIDER — rtr-abj : ouverture d’un accès"
    assert "Pour : Recette" in told.get_content()
    assert mails(post, "m.kouadio") == []
    Kit(kit.house, post[1], "y.traore").engine.refuse(asked.id, "Trop large")
    (answer,) = mails(post, "m.kouadio")
    assert "Trop large" in answer.get_content()


def test_a_change_that_was_made_is_told_to_who_asked_and_to_who_decides(kit, post):
    run = kit.run(post, "router.configure", (notes.ARMED, {"seconds": 300, "at": ""}), (notes.CONFIRMED, {"at": ""}))
    assert run.exit_code == 0
    (told,) = mails(post, "m.kouadio")
    assert told["Subject"] == "[DSI] FAIT — rtr-abj : configuration des routeurs"
    assert "rtr-abj (ABJ) : fait, et vérifié" in told.get_content()
    assert len(mails(post, "y.traore")) == 1


def test_a_change_that_went_back_says_what_happened_and_that_the_site_is_back(kit, post):
    fault = refused("The ping of 10.255.0.2 got no answer.")
    kit.run(post, "router.configure", (notes.ARMED, {"seconds": 300, "at": ""}), BACK, fault=fault)
    (told,) = mails(post, "m.kouadio")
    assert told["Subject"] == "[DSI] NON FAIT — rtr-abj : configuration des routeurs"
    body = told.get_content()
    for words in (
        "The ping of 10.255.0.2",
        "revenu à ce qu’il était",
        "comme ils étaient avant",
        "sa propre minuterie",
    ):
        assert words in body


def test_what_remains_of_a_change_is_counted_and_its_lines_are_in_no_mail(kit, post):
    left = (notes.REVERTED, {"why": "ping", "by": "controller", "same": False, "remaining": [SECRET]})
    kit.run(post, "router.configure", (notes.ARMED, {"seconds": 300, "at": ""}), left, fault=refused())
    (told,) = mails(post, "m.kouadio")
    assert "1 ligne du changement reste" in told.get_content()
    assert "comme ils étaient avant" not in told.get_content()
    assert SECRET not in told.as_string()
    assert "dsi router check rtr-abj" in told.get_content()


def test_a_change_that_never_touched_a_router_says_so(kit, post):
    kit.run(post, "router.configure", fault=refused())
    assert "n’a pas été touché" in mails(post, "m.kouadio")[0].get_content()


def test_a_run_cut_short_while_the_timer_is_armed_says_that_the_router_goes_back_by_itself(kit, post):
    kit.run(post, "router.configure", (notes.ARMED, {"seconds": 300, "at": ""}), fault=refused())
    assert "revient de lui-même" in mails(post, "m.kouadio")[0].get_content()


@pytest.mark.parametrize("beneficiary", ["k.kouassi@douanes.example", "y.traore", "Recette de San-Pédro"])
def test_an_access_that_was_opened_is_told_with_who_what_and_until_when(kit, post, house, beneficiary):
    kit.run(post, "access.allow", allowed(house, beneficiary=beneficiary, days=30))
    (told,) = mails(post, "y.traore")
    body = told.get_content()
    for words in ("ac-aaaaaa", "10.64.0.8/32 → 10.64.0.5/32 tcp/8443", "21/12/2026", "Contrôle", "N-12", beneficiary):
        assert words in body
    assert len(mails(post, "m.kouadio")) == 1
    assert len(mails(post, "k.kouassi@douanes.example")) == ("@" in beneficiary)


def test_expired_accesses_are_told_in_one_report_to_who_decides_with_those_that_end_soon(kit, post, house):
    kit.run(post, "access.allow", allowed(house, minutes=30))
    kit.run(post, "access.allow", allowed(house, "ac-bbbbbb", days=3))
    house.clock.forward(hours=1)
    kit.run(post, "access.revoke", revoked(), expired=True)
    (told,) = mails(post, "y.traore")
    assert told["Subject"] == "[DSI] Accès : 1 échus et retirés, 1 bientôt échus"
    body = told.get_content()
    assert body.index("Échus, et retirés") < body.index("ac-aaaaaa") < body.index("Bientôt échus")
    assert body.index("Bientôt échus") < body.index("ac-bbbbbb")
    assert "dans 3 jours au plus" in body
    assert mails(post, "m.kouadio") == []


def test_an_hour_that_removes_nothing_repeats_no_mail(kit, post, house):
    kit.run(post, "access.allow", allowed(house, days=3))
    kit.run(post, "access.revoke", expired=True)
    assert len(mails(post, "y.traore")) == 1
    assert kit.run(post, "access.revoke", expired=True).exit_code == 0
    assert len(post[0].kept) == 0


def test_an_expired_access_that_could_not_be_removed_is_the_subject(kit, post, house):
    kit.run(post, "access.allow", allowed(house, minutes=30))
    house.clock.forward(hours=1)
    kit.run(post, "access.revoke", BACK, fault=refused("The router refused."), expired=True)
    (told,) = mails(post, "y.traore")
    assert told["Subject"] == "[DSI] ACCÈS ÉCHUS TOUJOURS OUVERTS : 1"
    assert "The router refused." in told.get_content()


def test_a_run_is_told_of_once_also_when_it_is_made_up_for(kit, post):
    kit.run(post, "router.configure", (notes.CONFIRMED, {"at": ""}))
    before = len(post[0].kept)
    assert kit.teller.make_up(Silent()) == []
    assert len(post[0].kept) == before
