"""mailbox.create through the real engine, journal and gate: a batch is done once, and no address is a surprise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from counter import Counter

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import HolderKind, TenantHolder
from dsi_automation.core.errors import WorldChangedError
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import Text
from dsi_automation.engine.model import Request, Window


class Tools:
    """The two halves over the counter's desk."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def look(self) -> Any:
        return self._desk.look

    def hands(self, permit: Any) -> Any:
        del permit
        return self._desk.hands


def row(number: str, last: str, first: str = "Aya") -> dict[str, Any]:
    return {"matricule": number, "last_name": last, "first_names": first, "contact": "0707123456", "site": "ABJ"}


ROWS = [row("100100A", "Kouamé"), row("100200A", "KOUAME"), row("100300A", "N’Guessan", "Éric")]


@pytest.fixture
def office(counter: Counter) -> Counter:
    counter.house.options["tools"] = Tools(counter.desk)
    counter.desk.clock.moment = counter.house.clock.now()
    return counter


def approved(office: Counter, rows: list[dict[str, Any]], **more: Any) -> Request:
    plan = office.engine.plan("mailbox.create", (), {"people": rows, **more}, Silent())
    request = office.engine.request(plan, "New colleagues", Window())
    office.house.engine("y.traore").approve(request.id, "Fine")
    return request


def accounts(office: Counter) -> dict[str, Account]:
    return {one.login: one for one in office.desk.directory.accounts.values()}


def test_an_approved_batch_ends_in_ready_mailboxes_and_a_second_one_changes_nothing(office: Counter) -> None:
    run = office.engine.run(approved(office, ROWS).id, Silent())
    assert (run.outcome, run.exit_code) == (Outcome.DONE, 0), run.errors
    assert {login: one.mail for login, one in accounts(office).items()} == {
        "100100a": "aya.kouame@douanes.lab",
        "100200a": "aya.kouame.0a@douanes.lab",
        "100300a": "eric.nguessan@douanes.lab",
    }
    assert all(check.ok for check in run.evidence)
    written = len(office.desk.wrote)
    again = office.engine.plan("mailbox.create", (), {"people": ROWS[::-1]}, Silent())
    assert again.targets == ("100100A", "100200A", "100300A")
    assert again.actions == ()
    assert len(office.desk.wrote) == written


def test_an_address_taken_between_plan_and_run_ends_the_run_with_7_before_anything_is_done(office: Counter) -> None:
    request = approved(office, ROWS)
    office.desk.tenant_.held["eric.nguessan@douanes.lab"] = TenantHolder(HolderKind.GROUP, "g", "Éric’s group")
    with pytest.raises(WorldChangedError) as changed:
        office.engine.run(request.id, Silent())
    assert changed.value.exit_code is ExitCode.WORLD_CHANGED
    assert changed.value.on == "100300A"
    assert accounts(office) == {}
    assert office.desk.wrote == []
    fresh = office.engine.plan("mailbox.create", (), {"people": ROWS}, Silent())
    assert fresh.actions_for("100300A")[0].args["address"] == "eric.nguessan.0a@douanes.lab"


def test_rows_in_another_order_are_the_same_plan(office: Counter) -> None:
    one = office.engine.plan("mailbox.create", (), {"people": ROWS}, Silent())
    other = office.engine.plan("mailbox.create", (), {"people": ROWS[::-1]}, Silent())
    assert one.digest == other.digest


def test_a_lost_answer_is_looked_at_alone_and_keeps_the_address_planned_beside_the_homonym(office: Counter) -> None:
    told, lost = office.desk.directory.lose, list[str]()

    def lose(doing: Text) -> bool:
        said = doing.render("en")
        if "create the account 100200a" in said and not lost:
            lost.append(said)
            return True
        return bool(told and told(doing))

    office.desk.directory.lose = lose
    run = office.engine.run(approved(office, ROWS).id, Silent())
    assert len(lost) == 1
    assert run.outcome is Outcome.DONE, run.errors
    assert accounts(office)["100200a"].mail == "aya.kouame.0a@douanes.lab"
    assert len(accounts(office)) == 3


def test_one_seat_for_two_people_makes_the_first_one_and_the_other_is_left_out_by_name(office: Counter) -> None:
    sku = office.desk.skus["bureau"]
    office.desk.tenant_.bought[sku.id] = replace(sku, total=1)
    run = office.engine.run(approved(office, ROWS[:2]).id, Silent())
    assert run.outcome is Outcome.DONE, run.errors
    assert list(accounts(office)) == ["100100a"]
    plan = office.engine.plan("mailbox.create", (), {"people": ROWS[:2]}, Silent())
    assert [blocker.target for blocker in plan.blockers] == ["100200A"]
