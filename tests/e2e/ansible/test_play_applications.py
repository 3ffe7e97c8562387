"""Playbooks about SYDAM World: the plan of `dsi`, under a request or a standing approval, on a real Tomcat."""

from datetime import UTC, datetime, timedelta

import pytest
from fix_office import SECTION_HEAD
from fix_stage import ROOT

from dsi_automation.lab.releases import FIRST, NEXT

PLAYS = ROOT / "playbooks"
RESTART, INTEGRATION = PLAYS / "sydam_restart.yml", PLAYS / "sydam_integration.yml"
TEST, WHY = "sydam-test", "Incident réseau"
NAMES = [
    "application_account",
    "application_check",
    "application_restart",
    "application_start",
    "application_stop",
    "rules_update",
    "sources_integrate",
]


@pytest.fixture
def world(application, stage):
    """A stage whose people operate SYDAM World: here, its test server alone."""
    stage.refresh()
    stage.server = application.facilities.application.server("apptest")
    yield stage
    if stage.server.release != FIRST:
        application.reset_servers()


def result(stage, *arguments):
    """Run a playbook; return what it said, and the result of its last task."""
    said, found = stage.results(*arguments)
    assert set(found) == {"localhost"}, said
    return said, found["localhost"]


def named(role, **options):
    """Return the words that name the test application, and more options of a role."""
    given = {"applications": TEST, **options}
    return [word for name, value in given.items() for word in ("-e", f'{role}_{name}="{value}"')]


def test_check_mode_is_the_plan_of_dsi_and_without_an_approval_nothing_begins(world):
    pids = world.server.pids()
    wanted = named("application_restart", why=WHY)
    said, found = result(world, RESTART, "--check", *wanted)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    plan = world.plan(TEST, "-i", f"why={WHY}", operation="application.restart").json
    assert found["plan"]["digest"] == plan["digest"]
    said, found = result(world, RESTART, *wanted)
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert f"dsi application ask {TEST}" in found["msg"]

    said, found = result(world, INTEGRATION, "--check", *named("sources_integrate", release=NEXT))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert (
        found["plan"]["digest"]
        == world.plan(TEST, "-i", f"release={NEXT}", operation="sources.integrate").json["digest"]
    )
    said, found = result(world, INTEGRATION, *named("sources_integrate", release=NEXT))
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert f"dsi request sources.integrate {TEST} -i release={NEXT}" in found["msg"]
    assert (world.server.pids(), world.server.release, world.runs()) == (pids, FIRST, [])


def test_a_request_restarts_once_and_a_standing_approval_each_time(world):
    pids = world.server.pids()
    asked = world.approved(TEST, "-i", f"why={WHY}", operation="application.restart")
    said, found = result(world, RESTART, "-e", f"dsi_request={asked}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert all(check["ok"] for check in found["targets"][TEST]["evidence"])
    again = world.server.pids()
    assert len(again) == 1
    assert again != pids
    said, found = result(world, RESTART, "-e", f"dsi_request={asked}")
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert world.server.pids() == again

    until = (datetime.now(UTC) + timedelta(days=2)).date()
    words = ("--until", until, "--hours", "00:00-23:59", "-m", "Plan validé")
    standing = world.dsi("application", "ask", TEST, *words, "--json")
    assert standing.code == 0, standing
    said = world.dsi("approve", standing.json["id"], "--comment", "vu", person=SECTION_HEAD)
    assert said.code == 0, said
    said, found = result(world, RESTART, *named("application_restart", planned="true"))
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert world.server.pids() != again
    assert len(world.runs()) == 2
    world.assert_whole()


def test_a_request_integrates_a_release_and_no_other(world):
    asked = world.approved(TEST, "-i", f"release={NEXT}", operation="sources.integrate")
    said, found = result(world, INTEGRATION, "-e", f"dsi_request={asked}", *named("sources_integrate", release=FIRST))
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert "release" in found["msg"]
    assert world.server.release == FIRST
    said, found = result(world, INTEGRATION, "-e", f"dsi_request={asked}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert world.server.release == NEXT
    world.assert_whole()


def test_the_plugins_and_the_roles_are_documented(stage):
    plugins = stage.play("-j", *(f"dsi.ops.{name}" for name in NAMES), program="ansible-doc").json
    roles = stage.play("-j", "-t", "role", "-r", str(ROOT / "roles"), *NAMES, program="ansible-doc").json
    for name in NAMES:
        options = set(plugins[f"dsi.ops.{name}"]["doc"]["options"])
        said = {option.removeprefix(f"{name}_") for option in roles[name]["entry_points"]["main"]["options"]}
        assert said
        assert {option for option in said if option != "fail"} <= options, name
        assert all(f"`{name}_{option}`" in (ROOT / "roles" / name / "README.md").read_text() for option in said)
