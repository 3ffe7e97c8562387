"""mailbox.create through the real connector, over https, to the lab's Graph simulator; the directory is in memory."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "operations" / "accounts"))

from desk import Desk, DeskHands, DeskLook, settings

from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.connectors.m365.client import GraphReader
from dsi_automation.connectors.m365.errors import NoSeatError
from dsi_automation.connectors.m365.writer import GraphWriter
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.plan import Plan
from dsi_automation.lab.graph.faults import Fault
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MailboxInputs

OPERATION = MailboxCreate()
NUMBERS = ("400001A", "400002B")
INPUTS = MailboxInputs(
    people=tuple(
        {"matricule": number, "last_name": name, "first_names": "Aya Rose", "site": "ABJ", "contact": "a@mail.example"}
        for number, name in zip(NUMBERS, ("N’Guessan", "Tra Bi"), strict=True)
    )
)


class Look(DeskLook):
    """As the desk's, with the tenant on the wire."""

    def __init__(self, desk: Desk, connection) -> None:
        super().__init__(desk)
        self._tenant = GraphReader(connection)


class Hands(DeskHands):
    """As the desk's, with the tenant on the wire."""

    def __init__(self, desk: Desk, connection) -> None:
        super().__init__(desk)
        self._look = Look(desk, connection)
        self._tenant = GraphWriter(connection, desk.permit, None)


class Office:
    """A desk whose tenant is the simulator."""

    def __init__(self, place) -> None:
        self.control, self._connection = place.control, place.connection
        self.control.delays(create=0.2, location=0.2, licence=0.2, mailbox=0.3)
        self.control.seed_user(userPrincipalName="dsi@douanes.lab", displayName="DSI", mailboxReady=True)
        quick = settings(poll=timedelta(seconds=0.2), ready_deadline=timedelta(minutes=3))
        self.desk = Desk(hybrid=False, clock=SystemClock(), settings=quick)

    def plan(self) -> Plan:
        look = Look(self.desk, self._connection)
        observed = OPERATION.observe(INPUTS.targets(), INPUTS, look, self.desk.listener)
        return OPERATION.plan(INPUTS.targets(), INPUTS, observed)

    def act(self, plan: Plan) -> dict[str, RefusedError]:
        """Do everything; return what was refused, by target."""
        hands, refused = Hands(self.desk, self._connection), {}
        for target in plan.targets:
            try:
                for action in plan.actions_for(target):
                    OPERATION.act(action, INPUTS, hands, self.desk.listener)
            except RefusedError as error:
                refused[target] = error
        return refused

    def wrong(self, plan: Plan) -> list[tuple[str, str, str]]:
        look = Look(self.desk, self._connection)
        checks = OPERATION.verify(plan, INPUTS, look, self.desk.listener)
        return [(check.target, check.name, check.observed) for check in checks if not check.ok]


@pytest.fixture
def office(wire) -> Office:
    return Office(wire)


def test_two_people_get_mailboxes_that_are_proven_and_a_second_plan_is_empty(office: Office) -> None:
    plan = office.plan()
    assert plan.blockers == ()
    assert office.act(plan) == {}
    assert office.wrong(plan) == []
    for number in NUMBERS:
        (secret,) = office.desk.envelopes.ever[number]
        address = str(plan.actions_for(number)[0].args["address"])
        assert office.control.sign_in(address, secret.reveal()) == "must_change"
        assert office.desk.look.accounts().password_state(number, secret) is PasswordState.MUST_CHANGE
        assert secret.reveal() not in json.dumps(office.control.mails())
    assert len(office.control.mails()) == 2
    assert office.plan().actions == ()


def test_a_504_after_the_user_was_made_is_one_user_with_the_sealed_password(office: Office) -> None:
    office.control.fault(Fault.STATUS, method="POST", path="/users", status=504, after_commit=True, count=1)
    plan = office.plan()
    assert office.act(plan) == {}
    assert office.wrong(plan) == []
    assert len([user for user in office.control.users() if user.get("employeeId") in NUMBERS]) == 2
    (secret,) = office.desk.envelopes.ever[NUMBERS[0]]
    assert office.control.sign_in(str(plan.actions[0].args["address"]), secret.reveal()) == "must_change"


def test_a_licence_that_fails_in_the_background_is_a_row_with_its_reason(office: Office) -> None:
    plan = office.plan()
    address = str(plan.actions_for(NUMBERS[0])[0].args["address"])
    office.control.fault(Fault.LICENCE_ERROR, error="CountViolation", user=address)
    refused = office.act(plan)
    assert list(refused) == [NUMBERS[0]]
    assert isinstance(refused[NUMBERS[0]], NoSeatError)
    done = replace(plan, targets=(NUMBERS[1],), actions=plan.actions_for(NUMBERS[1]))
    assert office.wrong(done) == []
