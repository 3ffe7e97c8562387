"""Playbooks about routers and accesses: the plan of `dsi`, under a request or a standing approval, on real routers."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from fix_office import SECTION_HEAD
from fix_stage import ROOT, Stage
from waiting import soon_after, wait_until

PLAYS = ROOT / "playbooks"
CONFIGURE, CHECK, BACKUP = (PLAYS / f"router_{name}.yml" for name in ("configure", "check", "backup"))
ALLOW, REVOKE, LIST = (PLAYS / f"access_{name}.yml" for name in ("allow", "revoke", "list"))
RSSI, PAIR = "s.coulibaly", ("rtr-spy", "rtr-abj")
LIMIT, ONE = ("--limit", ",".join(PAIR)), ("--limit", "rtr-spy")
NAMES = [
    "access_allow",
    "access_list",
    "access_revoke",
    "router_backup",
    "router_check",
    "router_configure",
    "router_interconnect",
]


@pytest.fixture
def stage(fresh_network, tmp_path):
    """A stage on four routers as they left the factory; nothing there waits for a timer."""
    made = Stage(fresh_network.lab, tmp_path)
    made.edit("group_vars/all.yml", lambda held: held["dsi_network"]["rollout"].update(timer="5m"))
    return made


def asked(stage, *words, approver=SECTION_HEAD):
    """Have something asked for and approved; return the request."""
    said = stage.dsi(*words, "--json")
    assert said.code == 0, said
    request = said.json["id"]
    said = stage.dsi("approve", request, "--comment", "vu", person=approver)
    assert said.code == 0, said
    return request


def standing(stage, operation, *words, approver=SECTION_HEAD):
    until = (datetime.now(UTC) + timedelta(days=2)).date()
    hours = ("--standing", "--until", until, "--hours", "00:00-23:59", "--reason", "Chaque nuit")
    return asked(stage, "request", operation, *words, *hours, approver=approver)


def result(stage, *arguments):
    """Run a playbook; return what it said, and the result of its last task, one for all hosts."""
    said, found = stage.results(*arguments)
    assert len(found) == 1, said
    return said, next(iter(found.values()))


def words(role, **options):
    return [word for name, value in options.items() for word in ("-e", f'{role}_{name}="{value}"')]


def test_routers_are_configured_under_an_approval_and_then_left_alone(stage, fresh_network):
    said, found = result(stage, CONFIGURE, "--check", *LIMIT)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert "ip address 10.64.3.1/30" in found["diff"]["prepared"]
    assert found["plan"]["digest"] == stage.dsi("plan", "router.configure", *reversed(PAIR), "--json").json["digest"]
    said, found = result(stage, CONFIGURE, *LIMIT)
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert "10.64.3.1" not in fresh_network.console("rtr-spy", "show running-config")

    request = asked(stage, "router", "configure", "rtr-spy", "--reason", "Nouvelle liaison")
    said, found = result(stage, CONFIGURE, *LIMIT, "-e", f"dsi_request={request}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert all(check["ok"] for name in PAIR for check in found["hosts"][name]["evidence"])
    said, found = result(stage, CONFIGURE, *LIMIT, "-e", f"dsi_request={request}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", False), said

    said, found = result(stage, CHECK, *ONE)
    assert (said.code, found["compliant"]) == (0, True), said
    fresh_network.configure_by_hand("rtr-spy", ["no ip route 10.64.0.0/12 10.64.3.2"])
    said, found = result(stage, CHECK, *ONE)
    assert (found["kind"], found["exit_code"]) == ("failed", 5), said
    said, found = result(stage, CHECK, *ONE, "-e", "router_check_fail=false")
    assert (said.code, found["kind"]) == (0, "ok"), said

    said, found = result(stage, BACKUP, *LIMIT)
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    standing(stage, "router.backup", *reversed(PAIR))
    said, found = result(stage, BACKUP, *LIMIT)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    stage.assert_whole()


def test_an_access_is_opened_under_the_rssis_approval_and_ends_under_a_standing_one(stage):
    began = time.monotonic()
    request = asked(stage, "router", "configure", "rtr-spy", "--reason", "Nouvelle liaison")
    assert stage.dsi("run", request).code == 0
    why = {"why": "Essai", "reference": "DSI-2026-0412", "beneficiary": "B. Koné"}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    wish = {"source": "10.64.2.10", "destination": "srv-siege", "service": "https", "until": tomorrow, **why}
    said, found = result(stage, ALLOW, "--check", *words("access_allow", **wish))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert "10.64.2.10/32 10.64.0.20/32 tcp/443" in found["diff"]["prepared"]
    said, found = result(stage, ALLOW, *words("access_allow", **wish))
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said

    # A request, its run and two plays lie behind us; what has to be done before the end is a request and one play more.
    soon = soon_after(began)
    until = soon.isoformat(timespec="seconds")
    given = ("--from", "10.64.2.10", "--to", "srv-siege", "--service", "https", "--until", until, "--why", "Essai")
    asking = ("access", "allow", *given, "--reference", "DSI-2026-0412", "--for", "B. Koné")
    request = asked(stage, *asking, approver=RSSI)
    said, found = result(stage, ALLOW, "-e", f"dsi_request={request}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said

    wait_until(soon)
    every = words("access_revoke", expired="true")
    said, found = result(stage, REVOKE, *every)
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    standing(stage, "access.revoke", "routers", "-i", "expired=true", approver=RSSI)
    said, found = result(stage, REVOKE, *every)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    said, found = result(stage, LIST)
    assert (said.code, found["compliant"], len(found["targets"])) == (0, True, 4), said
    assert stage.dsi("access", "list", "--json").json["accesses"] == []
    said, found = result(stage, REVOKE, *words("access_revoke", ids="ac-aaaaaa"))
    assert (found["kind"], found["exit_code"]) == ("failed", 2), said
    stage.assert_whole()


def test_the_interconnection_of_a_site_is_proposed_and_roles_and_plugins_are_documented(stage):
    asking = words("router_interconnect", sites="KOR", bandwidth=10)
    said, found = result(stage, PLAYS / "router_interconnect.yml", *asking)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", False), said
    assert set(found["targets"]) == {"KOR"}
    plugins = stage.play("-j", *(f"dsi.ops.{name}" for name in NAMES), program="ansible-doc").json
    roles = stage.play("-j", "-t", "role", "-r", str(ROOT / "roles"), *NAMES, program="ansible-doc").json
    for name in NAMES:
        options = set(plugins[f"dsi.ops.{name}"]["doc"]["options"])
        told = {option.removeprefix(f"{name}_") for option in roles[name]["entry_points"]["main"]["options"]}
        assert {option for option in told if option != "fail"} <= options, name
        assert all(f"`{name}_{option}`" in (ROOT / "roles" / name / "README.md").read_text() for option in told)
