"""Configured branches: whatever goes wrong with a change, they are as they were, and the run says what happened."""

import pytest
from fix_office import DIRECTOR, SECTION_HEAD
from fix_routed_office import RSSI

SPY, ABJ = PAIR = ("rtr-spy", "rtr-abj")
CIRCUIT, ROUTE = "spy-abj", "ip route 10.64.2.0/23"


def moved(prefix):
    """Return the change of an inventory that gives the circuit to San-Pédro other addresses."""
    return lambda held: held["dsi_links"][CIRCUIT].update(prefix=prefix)


def stricter(held):
    """Deny FTP everywhere: each router changes by itself."""
    held["dsi_network"]["access"]["denied"].append({"service": "tcp/21", "why": "FTP"})


@pytest.fixture
def before(branches):
    """What the routers are like; each test finds them so in the end."""
    found = branches.all_as_they_are()
    yield found
    branches.quiet()
    assert branches.all_as_they_are() == found


def test_a_circuit_that_swallows_the_controllers_network_is_taken_back_by_both_routers_themselves(branches, before):
    controller = branches.lab.layout.controller_address
    prefix = f"{controller.rpartition('.')[0]}.0/30"

    def swallowed(held):
        held["dsi_network"]["link_ranges"].append(prefix)
        # No answer says how far it is: the timers are waited for.
        held["dsi_network"]["rollout"].update(timer="15s", verify_within="5s")
        moved(prefix)(held)

    with branches.meanwhile(swallowed):
        said = branches.configured(SPY)
    assert said.code == 6, said
    assert {name: (one["by"], one["same"]) for name, one in branches.reverted().items()} == dict.fromkeys(
        PAIR, ("timer", True)
    )
    assert all("minuterie" in error["meaning"] for error in said.json["errors"].values()), said


def test_a_circuit_on_the_wrong_interface_is_found_by_its_ping_and_nobody_waits_for_a_timer(branches, before):
    def crossed(held):
        moved("10.64.3.8/30")(held)
        one, other = (held["dsi_links"][name]["ends"][1] for name in (CIRCUIT, "bke-abj"))
        one["interface"], other["interface"] = other["interface"], one["interface"]

    with branches.meanwhile(crossed):
        request = branches.agreed("router", "configure", "--timer", "10m", "--reason", "Essai")
        last = branches.last
        said = branches.run(request)
    assert said.code == 6, said
    back = {router: data for router, name, data in branches.told(last) if name == "router.reverted"}
    assert {name: one["by"] for name, one in back.items()} == dict.fromkeys(PAIR, "controller")
    assert any("10.64.3." in error["what"] and "0" in error["what"] for error in said.json["errors"].values()), said


def test_a_line_that_a_router_refuses_half_way_is_named_and_both_ends_are_back_at_once(branches, before):
    with branches.meanwhile(moved("10.64.3.8/30")):
        request = branches.agreed("router", "configure", SPY, "--timer", "10m", "--reason", "Essai")
        last = branches.last
        # A colleague at the console, meanwhile: FRRouting takes no next hop beside it.
        said = branches.during(
            lambda last: branches.reached("router.armed", ABJ, after=last),
            lambda: branches.network.configure_by_hand(ABJ, [f"no {ROUTE} 10.64.3.1", f"{ROUTE} blackhole"]),
            "run", request,
        )  # fmt: skip
    assert said.code == 6, said
    assert f"{ROUTE} 10.64.3.9" in said.json["errors"][ABJ]["what"], said
    back = {router: data["same"] for router, name, data in branches.told(last) if name == "router.reverted"}
    assert back == dict.fromkeys(PAIR, True)


def test_a_router_changed_by_hand_before_its_timer_is_armed_is_sent_nothing(branches, before):
    with branches.meanwhile(moved("10.64.3.8/30")):
        request = branches.agreed("router", "configure", SPY, "--reason", "Essai")
        logs = {name: branches.helper_log(name) for name in branches.network.names}
        branches.network.configure_by_hand(SPY, ["ip route 192.0.2.0/24 blackhole"])
        said = branches.run(request)
        assert said.code == 7, said
        assert "192.0.2.0/24" in said.out
        assert {name: branches.helper_log(name) for name in branches.network.names} == logs
        branches.network.configure_by_hand(SPY, ["no ip route 192.0.2.0/24 blackhole"])
        assert branches.all_as_they_are() == before

        # The same, once the run has looked and not yet armed anything.
        last = branches.last
        said = branches.during(
            lambda last: "action.about_to" in branches.kinds()[last:],
            lambda: branches.network.configure_by_hand(SPY, ["ip route 192.0.2.0/24 blackhole"]),
            "run", request,
        )  # fmt: skip
    assert said.code == 7, said
    assert branches.reached("router.armed", SPY, after=last)
    assert not branches.reached("router.pushed", after=last)
    branches.network.configure_by_hand(SPY, ["no ip route 192.0.2.0/24 blackhole"])


def test_a_canary_that_fails_leaves_the_others_alone_and_so_does_one_failure_too_many(branches, before):
    def one_line_too_many(name):
        return lambda: branches.network.configure_by_hand(name, ["ip route 192.0.2.0/24 blackhole"])

    with branches.meanwhile(stricter):
        for canary, failing, changed in ((SPY, SPY, ()), (ABJ, SPY, (ABJ,))):
            logs = {name: branches.helper_log(name) for name in branches.network.names}
            words = ("--canary", canary, "--wave", "1", "--reason", "Essai")
            request = branches.agreed("router", "configure", *branches.network.names, *words)
            said = branches.during(
                lambda last, failing=failing: branches.reached("router.armed", failing, after=last),
                one_line_too_many(failing), "run", request,
            )  # fmt: skip
            assert said.code == 6, said
            touched = {name for name in branches.network.names if branches.helper_log(name) != logs[name]}
            assert touched == {failing, *changed}
            assert "rtr-man" in said.json["errors"], said
    # What the canary proved stays, and is taken back like any other change.
    assert branches.configured(ABJ, "--only").code == 0


def test_who_asks_does_not_approve_and_an_access_is_the_security_officers_alone(branches, before):
    def refused(request, person):
        said = branches.dsi("approve", request, "--comment", "Moi", "--json", person=person)
        assert said.code == 4, said

    with branches.meanwhile(stricter):
        words = ("router", "configure", SPY, "--reason", "Essai", "--json")
        own = branches.dsi(*words, person=SECTION_HEAD).json["id"]
        refused(own, SECTION_HEAD)
        asked = branches.dsi(*words).json["id"]
        for person in ("m.kouadio", RSSI):
            refused(asked, person)
        assert branches.run(asked).code == 4
    words = ("access", "allow", "--from", "10.64.2.10", "--to", "srv-siege", "--service", "sydam", "--until", "+1d")
    words = (*words, "--why", "Essai", "--reference", "N-1", "--for", "B. Kone", "--json")
    assert branches.dsi(*words, person=RSSI).code == 4
    asked = branches.dsi(*words).json["id"]
    for person in ("m.kouadio", SECTION_HEAD, DIRECTOR):
        refused(asked, person)
    assert branches.run(asked).code == 4
