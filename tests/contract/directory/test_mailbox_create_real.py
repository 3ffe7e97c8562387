"""`mailbox.create` on a real Active Directory, the tenant in memory synchronised from it."""

import secrets
import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "operations" / "accounts"))

from desk import Desk, DeskHands, DeskLook, Killed, settings

from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.connectors.m365.memory_rules import Delays
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import WorldChangedError
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MailboxInputs

OPERATION = MailboxCreate()


class Look(DeskLook):
    """As the desk's, with the real directory."""

    def __init__(self, desk, people):
        super().__init__(desk)
        self.people = people

    def accounts(self):
        return self.people.reader()


class Hands(DeskHands):
    """As the desk's, with the real directory."""

    def __init__(self, desk, people):
        super().__init__(desk)
        self.people = people
        self._look = Look(desk, people)

    def accounts(self):
        return self.people.writer()


class Office:
    """One person to hire, in a real directory."""

    def __init__(self, people):
        self.people = people
        self.desk = Desk(clock=SystemClock(), settings=settings(poll=timedelta(seconds=0.2)))
        self.desk.tenant_.delays = Delays()
        self.desk.tenant_.cycle, self.desk.tenant_.on_demand = None, True
        self.desk.tenant_.directory = lambda: people.reader().all_accounts(people.abj)
        self.number = f"7{secrets.randbelow(10**7):07}"
        self.inputs = MailboxInputs(
            matricule=self.number, last_name="N’Guessan Bi", first_names="Éric Jean", site="ABJ",
            contact="eric@mail.example",
        )  # fmt: skip

    def plan(self, approved=None):
        look = Look(self.desk, self.people)
        observed = OPERATION.observe(self.inputs.targets(), self.inputs, look, self.desk.listener)
        if approved is None:
            return OPERATION.plan(self.inputs.targets(), self.inputs, observed)
        return OPERATION.replan(self.inputs.targets(), self.inputs, observed, approved)

    def act(self, actions):
        hands = Hands(self.desk, self.people)
        for action in actions:
            OPERATION.act(action, self.inputs, hands, self.desk.listener)

    def wrong(self, plan):
        look = Look(self.desk, self.people)
        checks = OPERATION.verify(plan, self.inputs, look, self.desk.listener)
        assert "must_change" in {check.name for check in checks}
        return [(check.name, check.observed) for check in checks if not check.ok]


@pytest.fixture
def office(real_people):
    made = Office(real_people)
    yield made
    for account in real_people.reader().by_staff_number([made.number])[made.number]:
        real_people.tool("ldapdelete", stdin=f"<GUID={account.guid}>\n")


def test_an_account_is_made_enabled_and_its_must_change_is_proven_by_773(office):
    plan = office.plan()
    assert plan.blockers == ()
    office.act(plan.actions)
    assert office.wrong(plan) == []
    (secret,) = office.desk.envelopes.ever[office.number]
    login = office.number.lower()
    dn, enabled, must_change = office.people.state_of(login)
    assert (dn.endswith(office.people.abj), enabled, must_change) == (True, True, True)
    assert office.people.reader().password_state(login, secret) is PasswordState.MUST_CHANGE
    assert office.plan().actions == ()


def test_killed_after_the_password_was_set_the_rest_is_done_with_the_same_password(office):
    plan = office.plan()
    office.act(plan.actions[:2])
    office.desk.kill_after(1)
    with pytest.raises(Killed):
        office.act(plan.actions[2:])
    rest = office.plan(plan)
    assert "set_password" not in [action.kind for action in rest.actions]
    office.act(rest.actions)
    assert office.wrong(plan) == []
    assert len(office.desk.envelopes.ever[office.number]) == 1


def test_an_address_taken_meanwhile_is_seen_although_the_directory_would_allow_it(office):
    plan = office.plan()
    office.people.contact(f"{office.people.prefix}contact", str(plan.actions[0].args["address"]))
    with pytest.raises(WorldChangedError):
        office.act(plan.actions)
    assert office.people.reader().by_staff_number([office.number])[office.number] == ()
