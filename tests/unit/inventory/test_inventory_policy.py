import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.inventory.durations import parse_duration, short
from dsi_automation.inventory.model import Environment, Person
from dsi_automation.inventory.people import People
from dsi_automation.inventory.policy import load_policy, rule_for, unsatisfiable
from dsi_automation.inventory.problems import InventoryError, WrongValueError

NOW = datetime(2026, 6, 15, tzinfo=UTC)
HEAD = "version: 1\noperations:\n  workstation.join:\n    production:\n"


@pytest.fixture
def policy(tmp_path):
    def load(text):
        path = tmp_path / "approval_policy.yml"
        path.write_text(text)
        return load_policy(path)

    return load


def people(**roles):
    def key(index):
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([index]) * 32
        return {"key": "ssh-ed25519 " + base64.b64encode(blob).decode()}

    return People(
        Person.model_validate({"id": name, "name": name, "staff_number": str(i), "roles": of, "keys": [key(i)]})
        for i, (name, of) in enumerate(roles.items(), 1)
    )


def test_what_is_not_listed_is_refused(policy):
    read = policy(HEAD + "      requesters: [t]\n      approvers: [d]\n")
    assert rule_for(read, "workstation.join", Environment.PRODUCTION) is not None
    assert rule_for(read, "workstation.join", Environment.TEST) is None
    assert rule_for(read, "mailbox.create", Environment.PRODUCTION) is None


def test_durations_are_read_as_people_write_them(policy):
    rule = policy(
        HEAD + "      requesters: [t]\n      approvers: [d]\n      valid_for: 36h\n"
        "      standing: {allowed: true, longest: P30D}\n"
        "      emergency: {roles: [t], ratifiers: [d], ratify_within: 90m}\n"
    ).operations["workstation.join"][Environment.PRODUCTION]
    assert rule.valid_for == timedelta(hours=36)
    assert rule.standing.longest == timedelta(days=30)
    assert rule.emergency.ratify_within == timedelta(minutes=90)


@pytest.mark.parametrize("text", ["", "7", "7 days", "0d", "-1d", "P", "PT", "d", "1h2d", "P1Y", "1.5h"])
def test_a_duration_nobody_can_be_sure_of_is_refused(text):
    with pytest.raises(WrongValueError):
        parse_duration(text)


@given(st.integers(1, 10**6))
def test_a_duration_written_short_is_read_back(minutes):
    assert parse_duration(short(timedelta(minutes=minutes))) == timedelta(minutes=minutes)


def test_wrong_roles_environments_and_numbers_are_told_together(policy):
    with pytest.raises(InventoryError) as raised:
        policy(
            "version: 2\noperations:\n  x:\n    prod: {requesters: [a], approvers: [b]}\n"
            "    test: {requesters: [], approvers: [b], approvals: 0, valid_for: 7, who: me}\n"
        )
    paths = {problem.path for problem in raised.value.problems}
    rule = "operations.x.test"
    assert {"version", f"{rule}.requesters", f"{rule}.approvals", f"{rule}.valid_for", f"{rule}.who"} <= paths
    assert any(path.startswith("operations.x.prod") for path in paths)


def test_a_policy_that_nobody_can_satisfy_is_found(policy):
    read = policy(HEAD + "      requesters: [t]\n      approvers: [d]\n      approvals: 2\n")
    (finding,) = unsatisfiable(read, people(a=["t"], b=["d"]), NOW)
    assert finding.blocking
    assert finding.path == "operations.workstation.join.production"
    assert unsatisfiable(read, people(a=["t"], b=["d"], c=["d"]), NOW) == []


def test_the_one_who_asks_does_not_count_as_approver(policy):
    read = policy(HEAD + "      requesters: [t]\n      approvers: [t]\n")
    (finding,) = unsatisfiable(read, people(a=["t"]), NOW)
    assert finding.blocking
    read = policy(HEAD + "      requesters: [t, d]\n      approvers: [d]\n")
    (finding,) = unsatisfiable(read, people(a=["t"], b=["d"]), NOW)
    assert not finding.blocking
    assert "b" in str(finding.text)


def test_unknown_roles_and_emergencies_nobody_ratifies_are_found(policy):
    read = policy(
        HEAD + "      requesters: [t]\n      approvers: [d, ghost]\n"
        "      emergency: {roles: [d], ratifiers: [d], ratify_within: 1d}\n"
    )
    findings = unsatisfiable(read, people(a=["t"], b=["d"]), NOW)
    assert [finding.blocking for finding in findings] == [False, True]
    assert "ghost" in str(findings[0].text)
