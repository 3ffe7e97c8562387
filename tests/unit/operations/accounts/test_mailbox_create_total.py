"""Whatever two directories hold, mailbox.create answers: a plan or a reason for each person, the same in any order."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from desk import START, USERS, Desk, policy, settings, site
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from dsi_automation.connectors.directory.accounts import Account, Holder, PasswordState
from dsi_automation.connectors.m365.port import (
    CloudUser,
    HolderKind,
    MailboxState,
    Sku,
    Tenant,
    TenantHolder,
)
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.envelopes import Envelope

OPERATION = MailboxCreate()
NUMBERS = ["100100A", "100200A", "100300A"]
ADDRESSES = ["aya.kouame@douanes.lab", "aya.r.kouame@douanes.lab", "aya.kouame.0a@douanes.lab", "x@autre.example"]
maybe_number = st.sampled_from([None, *NUMBERS, "999999Z"])
maybe_address = st.sampled_from([None, *ADDRESSES])
surname = st.sampled_from([None, "KOUAME", "Kouamé épse Yao", "Bamba", "王"])
given_name = st.sampled_from([None, "Aya", "Aya Rose", "Ayo"])
moment = st.sampled_from([None, START])

accounts = st.builds(
    lambda n, **more: Account(guid=f"g{n}", immutable_id=f"i{n}", dn=f"CN=a{n},{USERS}", login=f"a{n}", name=f"a{n}",
                              display_name=None, never_expires=False, **more),
    st.integers(0, 5), upn=maybe_address, surname=surname, given_name=given_name, mail=maybe_address,
    staff_number=maybe_number, enabled=st.booleans(), must_change=st.booleans(), password_set_at=moment,
    last_logon=moment, mark=st.sampled_from([None, "dsi mailbox.create", "dsi account.disable 2026"]),
)  # fmt: skip
users = st.builds(
    lambda n, immutable, **more: CloudUser(id=f"u{n}", upn=f"u{n}@douanes.lab", display_name=None,
                                           immutable_id=immutable, **more),
    st.integers(0, 5), st.sampled_from([None, "i0", "i1", "i2", "zz"]), mail=maybe_address, surname=surname,
    given_name=given_name, staff_number=maybe_number, enabled=st.booleans(),
    usage_location=st.sampled_from([None, "CI", "FR"]), synced=st.booleans(),
    licences=st.sampled_from([(), ("STANDARDPACK",), ("ENTERPRISEPACK",), ("gone",)]),
)  # fmt: skip
envelopes = st.none() | st.builds(
    Envelope, st.just("t"), sealed=st.booleans(), delivered_at=moment, opened_at=moment
)  # fmt: skip
facts = st.builds(
    PersonFacts,
    by_number=st.lists(accounts, max_size=2).map(tuple), by_address=st.lists(accounts, max_size=2).map(tuple),
    cloud_by_number=st.lists(users, max_size=2).map(tuple), cloud_by_address=st.lists(users, max_size=2).map(tuple),
    cloud_linked=st.lists(users, max_size=2).map(tuple),
    mailbox=st.sampled_from([None, MailboxState(ready=True), MailboxState(ready=False)]),
    envelope=envelopes, password=st.sampled_from([None, *PasswordState]),
)  # fmt: skip
holders = st.lists(st.builds(Holder, st.just("user"), st.just("CN=h"), st.sampled_from(["g0", "gx"]), st.just("H")),
                   max_size=1).map(tuple)  # fmt: skip
cloud_holders = st.lists(
    st.builds(TenantHolder, st.sampled_from(list(HolderKind)), st.just("h"), st.just("H"), maybe_number), max_size=1
).map(tuple)


@st.composite
def worlds(draw: Any) -> AccountsWorld:
    asked = draw(st.lists(st.sampled_from(ADDRESSES), unique=True))
    plans = {"STANDARDPACK": "EXCHANGE_S_STANDARD", "ENTERPRISEPACK": "EXCHANGE_S_ENTERPRISE", "DESKLESSPACK": "TEAMS1"}
    return AccountsWorld(
        policy=policy(),
        settings=settings(),
        sites={"ABJ": site()},
        tenant=Tenant("t", "Douanes", ("douanes.lab",), "d.onmicrosoft.com", draw(st.booleans()), None),
        skus=tuple(
            Sku(part, part, enabled=True, total=draw(st.integers(0, 3)), used=0, service_plans=(plan,))
            for part, plan in plans.items()
        ),
        holders={one: draw(holders) for one in asked},
        cloud_holders={one: draw(cloud_holders) for one in asked},
        issued=draw(st.dictionaries(st.sampled_from(ADDRESSES), st.sampled_from(["", *NUMBERS]))),
        managers={"boss": draw(st.none() | accounts)},
        missing_ous=draw(st.sampled_from([frozenset(), frozenset({USERS})])),
        looked_at=START,
    )


rows = st.fixed_dictionaries(
    {
        "matricule": st.sampled_from([*NUMBERS, "", "x"]),
        "last_name": st.sampled_from(["Kouamé", "Kouame épse Yao", "Bamba", "*"]),
        "first_names": st.sampled_from(["Aya", "Aya Rose", ""]),
        "contact": st.sampled_from(["0707123456", "07"]),
        "site": st.sampled_from(["ABJ", "abj", "XYZ"]),
        "licence": st.sampled_from(["", "bureau", "cadre", "guichet", "or"]),
        "manager": st.sampled_from(["", "boss"]),
        "address": st.sampled_from(["", *ADDRESSES]),
    }
)


@tuned(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(rows, min_size=1, max_size=4), st.lists(facts, min_size=5, max_size=5), worlds(),
    st.booleans(), st.booleans(), st.booleans(), st.randoms(use_true_random=False),
)  # fmt: skip
def test_any_facts_give_each_person_a_plan_or_a_reason_and_the_order_of_nothing_matters(
    people: list[dict[str, Any]],
    known: list[PersonFacts],
    world: AccountsWorld,
    reset: bool,
    in_cloud: bool,
    without_seat: bool,
    order: random.Random,
) -> None:
    options = {"reset": reset, "in_cloud": in_cloud, "without_seat": without_seat}
    inputs = MailboxInputs.model_validate({"people": people, **options})
    targets = inputs.targets()
    seen = dict(zip(targets, known, strict=False))
    made = OPERATION.plan(targets, inputs, Observed(seen, {}, world))
    assert {*made.targets} | {one.target for one in made.blockers} == {*targets}
    assert not {*made.targets} & {one.target for one in made.blockers}
    given_ = [str(one.args["address"]) for one in made.actions if one.kind == "create_account"]
    assert len({*given_}) == len(given_)
    assert all(world.holders[one] == () and world.cloud_holders[one] == () for one in given_)
    assigned = [one.args["sku_id"] for one in made.actions if one.kind == "assign_licence"]
    assert all(assigned.count(sku.id) <= sku.free for sku in world.skus)
    order.shuffle(people)
    again = MailboxInputs.model_validate({"people": people, **options})
    turned = {target: _turned(one, order) for target, one in seen.items()}
    if all(row["matricule"] for row in people):  # a row without a number is named after its line
        assert OPERATION.plan(targets, again, Observed(turned, {}, world)).digest == made.digest


def _turned(facts: PersonFacts, order: random.Random) -> PersonFacts:
    changes: dict[str, Any] = {}
    for name in ("by_number", "by_address", "cloud_by_number", "cloud_by_address", "cloud_linked"):
        # One object is one thing in one state: of two with one identity a look would bring the same twice.
        distinct = {getattr(one, "guid", None) or one.id: one for one in getattr(facts, name)}
        if len(distinct) == len(getattr(facts, name)):
            changes[name] = tuple(order.sample(getattr(facts, name), len(distinct)))
    return dataclasses.replace(facts, **changes)


@pytest.mark.parametrize(
    ("last", "first", "address"),
    [
        ("N’Guessan", "Éric", "eric.nguessan"),
        ("N'Guessan", "Éric", "eric.nguessan"),
        ("Koffi épse Kouadio", "Awa", "awa.koffi"),
        ("Tra Bi Irié", "Jean", "jean.tra-bi-irie"),
        ("Kɔnɛ", "Ɔla", "ola.kone"),
        ("Kouamé", "", "kouame"),
        ("A" * 64, "B" * 64, "b" * 20 + "." + "a" * 43),
    ],
)
def test_a_name_of_any_shape_ends_in_an_account_that_is_proven(last: str, first: str, address: str) -> None:
    desk = Desk()
    inputs = MailboxInputs(matricule="100100A", last_name=last, first_names=first, contact="0707123456", site="ABJ")
    targets = inputs.targets()
    made = OPERATION.plan(targets, inputs, OPERATION.observe(targets, inputs, desk.look, desk.listener))
    for action in made.actions:
        OPERATION.act(action, inputs, desk.hands, desk.listener)
    (account,) = desk.directory.accounts.values()
    assert account.mail == f"{address}@douanes.lab"
    checks = OPERATION.verify(made, inputs, desk.look, desk.listener)
    assert checks
    assert all(check.ok for check in checks)
