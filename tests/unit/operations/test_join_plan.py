"""Facts and wishes in, actions out: one YAML file per case in tests/cases/workstation_join."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.directory.port import Computer, User
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Observed
from dsi_automation.engine.worker import is_part_of
from dsi_automation.inventory.model import DirectorySettings, NamingRule, Site, WorkstationPolicy
from dsi_automation.operations.workstation.facts import GIB, Profile, WorkstationFacts
from dsi_automation.operations.workstation.join import JoinInputs, WorkstationJoin
from dsi_automation.operations.workstation.join_plan import Domain

CASES = sorted((Path(__file__).parents[2] / "cases" / "workstation_join").glob("*.yml"))
BASE = "DC=ad,DC=douanes,DC=lab"
OU = f"OU=Postes,OU=ABJ,OU=Sites,{BASE}"
SITE = Site(code="ABJ", name="Abidjan", workstation_ou=OU, naming=NamingRule(template="ABJ-PC-{number:04}"))
SETTINGS = DirectorySettings(
    domain="ad.douanes.lab",
    netbios="DOUANES",
    server="dc1.ad.douanes.lab",
    read_credential="reader",
    join_credential="joiner",
)
OPERATION = WorkstationJoin()


def facts(**given: Any) -> WorkstationFacts:
    given = {**given}
    values: dict[str, Any] = {
        "name": "ABJ-PC-0001",
        "pending_name": None,
        "domain": "WORKGROUP",
        "joined": False,
        "version": "10.0.22631",
        "product_type": 1,
        "caption": "Microsoft Windows 11 Pro",
        "sku": 48,
        "language": 1033,
        "installed_ram": int(given.pop("ram_gib", 8) * GIB),
        "visible_ram": int(7.8 * GIB),
        "free_disk": 100 * GIB,
        "last_boot": datetime(2026, 11, 1, tzinfo=UTC),
        "logged_on": None,
    }
    given["profiles"] = tuple(Profile(**profile) for profile in given.get("profiles", ()))
    given["reboot_reasons"] = tuple(given.get("reboot_reasons", ()))
    return WorkstationFacts(**(values | given))


def computer(name: str, ou: str = OU) -> Computer:
    return Computer(name, f"CN={name},{ou}", f"guid-{name}", "S-1-5-21-1-2-3-2000", None, enabled=True)


def domain(case: dict[str, Any], targets: list[str]) -> Domain:
    computers = [computer(**one) for one in case.get("computers", ())]
    users = {
        login: None if sid is None else User(login, f"CN={login},{BASE}", sid, login, enabled=True)
        for login, sid in case.get("users", {}).items()
    }
    return Domain(
        settings=SETTINGS,
        policy=WorkstationPolicy(),
        sites=dict.fromkeys(targets, SITE),
        computers={one.name.upper(): one for one in computers},
        users=users,
        missing_ous=frozenset(case.get("missing_ous", ())),
    )


def plan(case: dict[str, Any]) -> Plan:
    machines = {target: facts(**given) for target, given in case["machines"].items()}
    observed = Observed(machines, {}, domain(case, list(machines)))
    return OPERATION.plan(list(machines), JoinInputs(**case.get("inputs", {})), observed)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_gives_exactly_the_actions_it_names(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    made = plan(case)
    assert [{"id": a.id, **({"args": dict(a.args)} if a.args else {})} for a in made.actions] == case["actions"]
    assert sorted(f"{n.target}/{n.kind}" for n in made.non_actions) == sorted(case.get("non_actions", []))
    assert {b.target: b.exit_code.name for b in made.blockers} == case.get("blockers", {})
    assert [target for target in case["machines"] if target in made.targets] == list(made.targets)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_action_non_action_and_blocker_has_its_reason_in_both_languages(path: Path) -> None:
    made = plan(yaml.safe_load(path.read_text(encoding="utf-8")))
    sentences = [item.reason for item in (*made.actions, *made.non_actions, *made.blockers)]
    assert sentences
    assert all(text.render("fr") and text.render("en") for text in sentences)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_plan_read_back_from_its_record_is_the_same_plan(path: Path) -> None:
    made = plan(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert Plan.from_json(made.to_json()).digest == made.digest


def test_a_machine_that_does_not_answer_blocks_itself_only() -> None:
    observed = Observed(
        {"ws1": facts()}, {"ws7": UnreachableError(T("The machine does not answer."))}, domain({}, ["ws1"])
    )
    made = OPERATION.plan(["ws1", "ws7"], JoinInputs(), observed)
    assert made.targets == ("ws1",)
    assert [(b.target, b.exit_code) for b in made.blockers] == [("ws7", ExitCode.UNREACHABLE)]


@given(st.integers(min_value=2, max_value=30))
def test_machines_of_one_plan_never_get_the_same_name(count: int) -> None:
    case = {
        "machines": {f"ws{n}": {"name": f"DESKTOP-{n}"} for n in range(count)},
        "computers": [{"name": "ABJ-PC-0003"}],
    }
    names = [action.args["to"] for action in plan(case).actions if action.kind == "rename"]
    assert len(names) == count
    assert len(set(names)) == count
    assert "ABJ-PC-0003" not in names


@given(st.lists(st.sampled_from(["untouched", "renamed", "joined", "away"]), min_size=1, max_size=6), st.data())
def test_what_remains_of_an_approved_plan_keeps_its_names_whoever_is_away(states: list[str], data: Any) -> None:
    names = [f"ws{number}" for number in range(len(states))]
    before = {name: facts(name=f"DESKTOP-{number}") for number, name in enumerate(names)}
    empty = Domain(SETTINGS, WorkstationPolicy(), dict.fromkeys(names, SITE), {})
    approved = OPERATION.plan(names, JoinInputs(), Observed(before, {}, empty))
    now, computers = {}, {}
    for number, (name, state) in enumerate(zip(names, states, strict=True)):
        new = str(approved.actions_for(name)[0].args["to"])
        if state == "joined":
            computers[new] = computer(new)
            now[name] = facts(name=new, domain=SETTINGS.domain, joined=True)
        elif state != "away":
            now[name] = facts(name=f"DESKTOP-{number}", pending_name=new if state == "renamed" else None)
    lost = {name: UnreachableError(T("No answer.")) for name in names if name not in now}
    domain = Domain(SETTINGS, WorkstationPolicy(), dict.fromkeys(names, SITE), computers)
    asked = data.draw(st.sampled_from([names, *([name] for name in names)]))
    fresh = OPERATION.replan(asked, JoinInputs(), Observed(now, lost, domain), approved)
    for target in fresh.targets:
        assert is_part_of(fresh.actions_for(target), approved.actions_for(target))


def test_a_name_given_away_since_the_approval_is_not_given_again() -> None:
    before = {"ws1": facts(name="DESKTOP-1")}
    approved = OPERATION.plan(
        ["ws1"], JoinInputs(), Observed(before, {}, Domain(SETTINGS, WorkstationPolicy(), {"ws1": SITE}, {}))
    )
    taken = {"ABJ-PC-0001": computer("ABJ-PC-0001")}
    domain = Domain(SETTINGS, WorkstationPolicy(), {"ws1": SITE}, taken)
    fresh = OPERATION.replan(["ws1"], JoinInputs(), Observed(before, {}, domain), approved)
    assert [action.args["to"] for action in fresh.actions if action.kind == "rename"] == ["ABJ-PC-0002"]
