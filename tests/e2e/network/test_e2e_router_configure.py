"""Real FRRouting routers are changed as the inventory wants, or are back as they were; the branch is never cut."""

import pytest
from fix_office import SECTION_HEAD, TECHNICIAN, Office
from waiting import wait_for

from dsi_automation.composition import Toolkit

PAIR = ("rtr-spy", "rtr-abj")


class Watcher:
    """An observer that does something to the lab at one step of a run."""

    def __init__(self, kind, target, do):
        self.kind, self.target, self.do, self.seen = kind, target, do, []

    def notify(self, event):
        self.seen.append((event.kind, event.target))
        if (event.kind, event.target) == (self.kind, self.target):
            self.do()


@pytest.fixture
def office(fresh_network, tmp_path):
    """An office whose timers are short: that a router goes back by itself is waited for."""
    house = Office(fresh_network.lab, tmp_path)
    house.edit(
        "group_vars/all.yml",
        lambda held: held["dsi_network"]["rollout"].update(timer="20s", verify_within="6s"),
    )
    return house


def approved(office, *routers):
    asked = office.dsi("router", "configure", *routers, "--reason", "Essai", "--json")
    assert asked.code == 0, asked
    said = office.dsi("approve", asked.json["id"], "--comment", "Fine", person=SECTION_HEAD)
    assert said.code == 0, said
    return asked.json["id"]


def watched(office, request, watcher):
    """Run a request in this process, so that the lab can be disturbed at one exact step."""
    key = office.lab.layout.inventory_dir.parent / "keys" / TECHNICIAN
    toolkit = Toolkit(inventory=str(office.inventory), key=str(key))
    with toolkit.kept_connections():
        return toolkit.engine.run(request, watcher)


def set_up(office, *routers):
    said = office.dsi("run", approved(office, *routers), "--json", timeout=180)
    assert said.code == 0, said
    return said


def startup(network, router):
    return network.run(router, "cat", "/etc/frr/frr.conf")


def addressed(network, router, address):
    return address in network.console(router, "show running-config")


def test_a_new_network_is_set_up_proven_saved_and_then_left_alone(office, fresh_network):
    set_up(office)
    assert office.dsi("router", "check", "--json").code == 0
    fresh_network.reboot("rtr-spy")
    assert office.dsi("router", "check", "--json").code == 0
    assert office.dsi("router", "configure", "--json").json["actions"] == []


def test_a_change_that_shuts_the_management_brings_both_ends_back_by_their_timers(office, fresh_network):
    before = {name: startup(fresh_network, name) for name in PAIR}
    request = approved(office, "rtr-spy")
    cut = Watcher(
        "router.armed",
        "rtr-spy",
        lambda: fresh_network.configure_by_hand("rtr-spy", ["interface mgmt0", "shutdown", "exit"]),
    )
    done = watched(office, request, cut)
    assert done.exit_code == 6, done.errors
    noted = {(one.target, one.name): one.data for one in done.notes}
    assert (noted["rtr-spy", "router.reverted"]["by"], noted["rtr-spy", "router.reverted"]["same"]) == ("timer", True)
    assert noted["rtr-abj", "router.reverted"]["same"] is True
    assert {name: startup(fresh_network, name) for name in PAIR} == before
    assert not addressed(fresh_network, "rtr-abj", "10.64.3.2/30")


def test_a_circuit_that_does_not_carry_is_found_and_taken_back_at_once(office, fresh_network):
    request = approved(office, "rtr-spy")
    fresh_network.cut("spy-abj")
    done = watched(office, request, Watcher("", "", lambda: None))
    assert done.exit_code == 6
    assert {one.data["by"] for one in done.notes if one.name == "router.reverted"} == {"controller"}
    assert not any(addressed(fresh_network, name, "10.64.3.") for name in PAIR)
    fresh_network.mend("spy-abj")


def test_a_router_changed_by_hand_since_the_approval_is_sent_nothing(office, fresh_network):
    request = approved(office, "rtr-spy")
    fresh_network.configure_by_hand("rtr-spy", ["ip route 192.0.2.0/24 198.18.0.1"])
    said = office.dsi("run", request, "--json")
    assert said.code == 7, said
    assert not any(addressed(fresh_network, name, "10.64.3.") for name in PAIR)


def test_a_controller_killed_after_arming_leaves_routers_that_go_back_and_a_run_that_resumes(office, fresh_network):
    request = approved(office, "rtr-spy")
    process = office.start("run", request)
    wait_for(lambda: addressed(fresh_network, "rtr-spy", "10.64.3.1/30"), seconds=60, every=0.05)
    process.kill()
    process.communicate()
    wait_for(lambda: not any(addressed(fresh_network, name, "10.64.3.") for name in PAIR), seconds=120, every=0.5)
    run = office.dsi("runs", "--json").json["runs"][0]["id"]
    said = office.dsi("resume", run, "--json", timeout=180)
    assert said.code == 0, said
    assert office.dsi("router", "check", "rtr-spy", "--json").code == 0
