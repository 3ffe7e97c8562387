"""A run that is killed, stopped or started twice: `dsi resume` finishes it, and everything was done once."""

import itertools
import re
import signal

import pytest
from fix_office import ONCE, OWNER, RESTART, SECTION_HEAD
from waiting import wait_for

ALL_ONCE = {**ONCE, OWNER: 1}
SLOW = ("Rename", "JoinDomainOrWorkgroup", "Win32Shutdown", "ChangeOwner")


@pytest.fixture
def slowly(office):
    """Return a workstation whose every change takes a moment, and an approved request to join it."""
    key = office.add()
    for method in SLOW:
        office.lab.fault(key, "slow", value=0.5, method=method)
    office.settings(settle_seconds=2)
    return key, office.approved(key, "-i", "user=awa.kone")


def kill_when(process, condition):
    """Kill a process as soon as the condition holds; tell whether it was still there to be killed."""
    wait_for(lambda: condition() or process.poll() is not None)
    was_alive = process.poll() is None
    process.kill()
    process.communicate()
    return was_alive


def announced(office):
    return [line["body"]["action"] for _, kind, _, line in office.entries() if kind == "action.about_to"]


def test_killed_at_every_entry_of_its_run_and_of_its_resumes_it_ends_with_everything_done_once(office, slowly):
    key, asked = slowly
    command, last_words = ["run", asked], []
    for more in itertools.count(1):
        wanted = len(office.entries()) + more
        if not kill_when(office.start(*command), lambda wanted=wanted: len(office.entries()) >= wanted):
            break
        last_words.append(office.kinds()[-1])
        command = ["resume", office.runs()[0]]
    run = office.dsi("show", office.runs()[0], "--json").json["run"]
    assert (run["outcome"], run["targets"]) == ("done", {key: "done"})
    assert office.methods(key) == ALL_ONCE
    assert len(last_words) >= 4
    assert set(announced(office)) == {f"{key}/{kind}" for kind in ("rename", "join", "reboot", "migrate_profile")}
    office.assert_whole()


def test_killed_while_each_change_is_on_its_way_to_the_machine(office, slowly):
    key, asked = slowly
    command = ["run", asked]
    for action in ("rename", "join", "reboot", "migrate_profile"):
        assert kill_when(office.start(*command), lambda action=action: f"{key}/{action}" in announced(office))
        (run,) = office.runs()
        command = ["resume", run]
    assert f"dsi resume {run}" in office.dsi("show", run).out
    again = office.run(asked)
    assert (again.code, f"dsi resume {run}" in again.err) == (4, True), again
    said = office.dsi("resume", run, "--json")
    assert (said.code, office.methods(key)) == (0, ALL_ONCE), said
    office.assert_whole()


def test_asked_to_stop_it_finishes_the_action_under_way_and_no_other(office, slowly):
    key, asked = slowly
    command = ["run", asked, "--json"]
    for number in (signal.SIGTERM, signal.SIGINT):
        before = len(announced(office))
        process = office.start(*command)
        wait_for(lambda before=before: len(announced(office)) > before)
        process.send_signal(number)
        said = office.finish(process)
        run = said.json
        assert said.code == 1, said
        assert run["targets"] == {key: "interrupted"}
        assert office.kinds()[-3:] == ["action.about_to", "action.done", "run.ended"]
        assert len(announced(office)) == before + 1
        assert "dsi resume" in run["errors"][key]["next_step"]
        command = ["resume", run["id"], "--json"]
    said = office.dsi(*command)
    assert (said.code, office.methods(key)) == (0, ALL_ONCE), said
    office.assert_whole()


def test_who_holds_the_workstation_is_named_to_everybody_else(office, slowly):
    key, asked = slowly
    office.lab.fault(key, "reboot_never_returns", count=1)
    other = office.approved(key)
    process = office.start("run", asked, "--json")
    wait_for(lambda: office.methods(key).get(RESTART) == 1)
    (run,) = office.runs()
    holder = rf"m\.kouadio.*{run}.*pid {process.pid}"
    for attempt in (["run", asked], ["resume", run], ["run", other]):
        said = office.dsi(*attempt, "--json")
        assert said.code == 4, said
        assert re.search(holder, said.error["what"]), said
    office.lab.simulator.control.reboot(key)
    said = office.finish(process)
    assert (said.code, office.runs()) == (0, [run]), said
    # What the other request asked for is there already: nothing is left, and that is a success.
    said = office.run(other)
    assert (said.code, said.json["outcome"], office.methods(key)) == (0, "unchanged", ALL_ONCE), said
    office.assert_whole()


def test_two_runs_started_in_the_same_moment(office, slowly):
    key, asked = slowly
    both = [office.start("run", asked, "--json") for _ in range(2)]
    said = [office.finish(process) for process in both]
    assert sorted(one.code for one in said) == [0, 4], said
    assert (office.methods(key), len(office.runs())) == (ALL_ONCE, 1)
    office.assert_whole()


def test_a_revocation_stops_a_run_before_its_next_action(office, slowly):
    key, asked = slowly
    office.lab.fault(key, "reboot_never_returns", count=1)
    process = office.start("run", asked, "--json")
    wait_for(lambda: office.methods(key).get(RESTART) == 1)
    assert office.dsi("revoke", asked, "--comment", "halte", person=SECTION_HEAD).code == 0
    office.lab.simulator.control.reboot(key)
    said = office.finish(process)
    assert said.code == 4, said
    assert said.json["targets"] == {key: "interrupted"}
    assert office.methods(key) == ONCE
    assert "dsi resume" not in office.dsi("show", said.json["id"]).out
    assert office.dsi("resume", said.json["id"]).code == 4
    office.assert_whole()
