"""What mailbox.create reads: few exchanges for everybody, only what decides; who is away is said of each target."""

from __future__ import annotations

from typing import Any

import pytest
from desk import Desk, DeskLook

from dsi_automation.connectors.m365.port import HolderKind, TenantHolder
from dsi_automation.core.errors import DsiError, UnreachableError, UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.people import MailboxInputs

OPERATION = MailboxCreate()


def batch(count: int, **more: Any) -> MailboxInputs:
    rows = [
        {"matricule": f"{100000 + n}A", "last_name": f"Kouamé {chr(97 + n % 26)}{chr(97 + n // 26)}",
         "first_names": "Aya", "contact": "0707123456", "site": "ABJ"}
        for n in range(count)
    ]  # fmt: skip
    return MailboxInputs.model_validate({"people": rows, **more})


def observe(desk: Desk, inputs: MailboxInputs) -> Observed[PersonFacts, AccountsWorld | None]:
    return OPERATION.observe(inputs.targets(), inputs, desk.look, desk.listener)


@pytest.mark.parametrize("count", [1, 40, 300])
def test_many_people_take_as_many_exchanges_with_the_directory_as_one(count: int) -> None:
    desk = Desk()
    seen = observe(desk, batch(count))
    assert len(seen.facts) == count
    assert desk.directory.exchanges == 4  # by number, by login, who holds the addresses, does the OU exist


def asked(desk: Desk) -> list[tuple[str, str]]:
    calls: list[tuple[str, str]] = []

    def note(name: str, subject: str) -> DsiError | None:
        calls.append((name, subject))
        return None

    desk.tenant_.fault = note
    return calls


def test_only_addresses_that_decide_are_asked_about() -> None:
    desk = Desk()
    calls = asked(desk)
    observe(desk, batch(1))
    assert calls == [
        ("tenant", ""),
        ("skus", ""),
        ("users_by_staff_number", "100000A"),
        ("holders", "aya.kouame-aa@douanes.lab"),
    ]
    desk.tenant_.held["aya.kouame-aa@douanes.lab"] = TenantHolder(HolderKind.GROUP, "g", "Groupe")
    calls.clear()
    observe(desk, batch(1))
    assert [name for name, _ in calls[3:]] == ["holders", "holders"]
    numbered = {f"aya.kouame-aa.{'100000a'[n:]}@douanes.lab" for n in range(6)}
    assert set(calls[4][1].split(",")) == numbered


def test_a_mailbox_is_asked_about_for_matched_users_only() -> None:
    desk = Desk()
    desk.add_ready("100000A", "aya.kouame-aa@douanes.lab", surname="Kouamé Aa", given_name="Aya")
    desk.add_ready("999999Z", "aya.kouame-ba@douanes.lab", surname="Kouamé Ba", given_name="Aya")
    calls = asked(desk)
    seen = observe(desk, batch(2))
    assert [call for call in calls if call[0] == "mailboxes"] == [("mailboxes", "id-100000A")]
    assert seen.facts["100000A"].mailbox is not None
    assert seen.facts["100001A"].mailbox is None


def test_wrong_rows_cost_no_exchange_of_their_own() -> None:
    desk, inputs = Desk(), MailboxInputs.model_validate({"people": [{"matricule": "1"}, {"matricule": "2"}]})
    assert observe(desk, inputs).facts == {"1": PersonFacts(), "2": PersonFacts()}
    assert desk.directory.exchanges == 0


def test_a_tenant_or_a_directory_that_is_away_is_a_failure_of_each_target_with_its_sentence() -> None:
    desk, inputs = Desk(), batch(3)
    desk.tenant_.fault = lambda name, _: UnreachableError(T("Graph is away.")) if name == "holders" else None
    made = OPERATION.plan(inputs.targets(), inputs, observe(desk, inputs))
    assert made.targets == ()
    assert [(one.reason.render("en"), one.exit_code) for one in made.blockers] == [
        ("Graph is away.", ExitCode.UNREACHABLE)
    ] * 3
    other = Desk()
    other.directory.fault = lambda _: UnreachableError(T("The controller is away."))
    assert len(observe(other, inputs).failures) == 3


def test_an_inventory_or_an_installation_that_is_wrong_ends_the_look_at_once() -> None:
    class NoExtra(DeskLook):
        def tenant(self) -> Any:
            raise UsageError(T("The extra m365 is missing."))

    inputs = batch(1)
    with pytest.raises(UsageError, match="m365"):
        OPERATION.observe(inputs.targets(), inputs, NoExtra(Desk()), Desk().listener)


def test_managers_are_found_by_number_login_or_address_once_for_all() -> None:
    desk = Desk()
    desk.add_ready("200200B", "seydou.diallo@douanes.lab", surname="Diallo", given_name="Seydou")
    names = ["200200b", "200200B", "seydou.diallo@douanes.lab", "nobody", "x\0y"]
    rows = [{"matricule": f"10000{n}A", "manager": name} for n, name in enumerate(names)]
    seen = observe(desk, MailboxInputs.model_validate({"people": rows}))
    assert seen.shared is not None
    found = {name: one and one.login for name, one in seen.shared.managers.items()}
    assert found == {"200200b": "200200b", "200200B": "200200b", "seydou.diallo@douanes.lab": "200200b", "nobody": None}


def test_a_sealed_password_is_tried_for_a_reset_only() -> None:
    desk = Desk()
    account, _ = desk.add_ready("100000A", "aya.kouame-aa@douanes.lab", surname="Kouamé Aa", given_name="Aya")
    desk.envelopes.seal("100000A", Secret("Sealed-1-password"))
    assert observe(desk, batch(1)).facts["100000A"].password is None
    assert observe(desk, batch(1, reset=True)).facts["100000A"].password == "wrong"
    desk.directory.passwords[account.guid] = Secret("Sealed-1-password")
    assert observe(desk, batch(1, reset=True)).facts["100000A"].password == "good"


def test_targets_without_a_row_are_a_mistake_of_the_command() -> None:
    with pytest.raises(UsageError, match="999999Z"):
        OPERATION.validate(["100000A", "999999Z"], batch(1))
    OPERATION.validate(["100000A"], batch(2))
