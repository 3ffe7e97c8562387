"""Real FRRouting routers are changed as the inventory wants, or are back as they were; the branch is never cut."""

from fix_office import TECHNICIAN

from dsi_automation.composition import Toolkit

PAIR = ("rtr-spy", "rtr-abj")
ASKED = ("router", "configure", "rtr-spy", "--reason", "Essai")


class Watcher:
    """An observer that does something to the lab at one step of a run."""

    def __init__(self, kind, target, do):
        self.kind, self.target, self.do, self.seen = kind, target, do, []

    def notify(self, event):
        self.seen.append((event.kind, event.target))
        if (event.kind, event.target) == (self.kind, self.target):
            self.do()


def watched(factory, request, watcher):
    """Run a request in this process, so that the lab can be disturbed at one exact step."""
    toolkit = Toolkit(inventory=str(factory.inventory), key=str(factory.lab.layout.key_dir / TECHNICIAN))
    with toolkit.kept_connections():
        return toolkit.engine.run(request, watcher)


def startup(network, router):
    return network.run(router, "cat", "/etc/frr/frr.conf")


def addressed(network, router, address):
    return address in network.console(router, "show running-config")


def test_a_new_network_is_set_up_proven_saved_and_then_left_alone(factory):
    assert factory.configured().code == 0
    assert factory.dsi("router", "check", "--json").code == 0
    factory.network.reboot("rtr-spy")
    assert factory.dsi("router", "check", "--json").code == 0
    assert factory.dsi("router", "configure", "--json").json["actions"] == []


def test_a_change_that_shuts_the_management_brings_both_ends_back_by_their_timers(factory):
    factory.rollout(timer="15s", verify_within="5s")
    before = {name: startup(factory.network, name) for name in PAIR}
    request = factory.agreed(*ASKED)
    cut = Watcher(
        "router.armed",
        "rtr-spy",
        lambda: factory.network.configure_by_hand("rtr-spy", ["interface mgmt0", "shutdown", "exit"]),
    )
    done = watched(factory, request, cut)
    assert done.exit_code == 6, done.errors
    noted = {(one.target, one.name): one.data for one in done.notes}
    assert (noted["rtr-spy", "router.reverted"]["by"], noted["rtr-spy", "router.reverted"]["same"]) == ("timer", True)
    assert noted["rtr-abj", "router.reverted"]["same"] is True
    assert {name: startup(factory.network, name) for name in PAIR} == before
    assert not addressed(factory.network, "rtr-abj", "10.64.3.2/30")


def test_a_circuit_that_does_not_carry_is_found_and_taken_back_at_once(factory):
    request = factory.agreed(*ASKED)
    factory.network.cut("spy-abj")
    done = watched(factory, request, Watcher("", "", lambda: None))
    assert done.exit_code == 6
    assert {one.data["by"] for one in done.notes if one.name == "router.reverted"} == {"controller"}
    assert not any(addressed(factory.network, name, "10.64.3.") for name in PAIR)
    factory.network.mend("spy-abj")


def test_a_router_changed_by_hand_since_the_approval_is_sent_nothing(factory):
    request = factory.agreed(*ASKED)
    factory.network.configure_by_hand("rtr-spy", ["ip route 192.0.2.0/24 198.18.0.1"])
    said = factory.run(request)
    assert said.code == 7, said
    assert not any(addressed(factory.network, name, "10.64.3.") for name in PAIR)


def test_a_controller_killed_after_arming_leaves_routers_that_go_back_and_a_run_that_resumes(factory):
    request = factory.agreed(*ASKED)
    factory.killed(lambda _: addressed(factory.network, "rtr-spy", "10.64.3.1/30"), "run", request)
    factory.time_is_over()
    assert not any(addressed(factory.network, name, "10.64.3.") for name in PAIR)
    said = factory.dsi("resume", factory.runs()[-1], "--json")
    assert said.code == 0, said
    assert factory.dsi("router", "check", "rtr-spy", "--json").code == 0
