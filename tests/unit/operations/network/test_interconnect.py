"""A new site is joined to the nearest that can carry it, else by a leased line; the proposal fits the inventory."""

import ipaddress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import NotCompliantError, UsageError
from dsi_automation.core.text import speaking
from dsi_automation.inventory.network_model import Coordinates, Link, NetworkSettings, RouterDescription
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network.interconnect import proposal_json
from dsi_automation.operations.network.interconnect_inputs import InterconnectInputs
from dsi_automation.operations.network.joining import propose
from dsi_automation.operations.network.siting import distance_km
from dsi_automation.operations.network.siting import why as words

ABIDJAN = {"latitude": 5.32, "longitude": -4.02}
SITES = {
    "ABJ": {"range": "10.64.0.0/22", "lan": "10.64.0.0/24", "coordinates": ABIDJAN, "capacity": 500},
    "SPY": {"range": "10.64.4.0/23", "lan": "10.64.4.0/24", "coordinates": {"latitude": 4.75, "longitude": -6.64},
            "capacity": 20},
    "BKE": {"range": "10.64.6.0/23", "lan": "10.64.6.0/24", "coordinates": {"latitude": 7.69, "longitude": -5.03},
            "capacity": 50},
    "MAN": {"range": "10.64.8.0/23", "lan": "10.64.8.0/24", "coordinates": {"latitude": 7.41, "longitude": -7.55}},
}  # fmt: skip
OPERATORS = {
    "slow": {"name": "Slow", "delay_days": 60},
    "quick": {"name": "Quick", "delay_days": 20},
    "unknown": {"name": "Unknown"},
}
NEAR_BKE = {"latitude": 7.70, "longitude": -5.10}


def link(first, second, prefix, bandwidth, kind="leased", interfaces=("Gi0/1", "Gi0/1")):
    ends = [{"router": first, "interface": interfaces[0]}, {"router": second, "interface": interfaces[1]}]
    operator = {"operator": "slow"} if kind == "leased" else {}
    return Link.model_validate({"kind": kind, "ends": ends, "prefix": prefix, "bandwidth": bandwidth, **operator})


def network(**changes):
    settings = {
        "headquarters": "ABJ", "ranges": ["10.64.0.0/12"], "lan_ranges": ["10.72.0.0/16"],
        "link_ranges": ["10.79.255.0/24"], "sites": SITES, "operators": OPERATORS, **changes,
    }  # fmt: skip
    described = RouterDescription.model_validate(
        {"platform": "ios", "lan": "Gi0/0", "management": {"interface": "Gi0/9", "sources": ["192.0.2.128/32"]}}
    )
    routers = {name: Router(name, name[-3:].upper(), described) for name in ("rtr-abj", "rtr-spy", "rtr-bke")}
    routers["rtr-man"] = Router("rtr-man", "MAN", described)
    links = {
        "spy-abj": link("rtr-spy", "rtr-abj", "10.64.5.0/30", 20),
        "bke-abj": link("rtr-bke", "rtr-abj", "10.64.7.0/30", 50, interfaces=("Gi0/1", "Gi0/2")),
        "man-bke": link("rtr-man", "rtr-bke", "10.64.9.0/30", 10, "neighbour", ("Gi0/1", "Gi0/2")),
    }
    return Network(NetworkSettings.model_validate(settings), routers, links)


def asked(**more):
    return InterconnectInputs.model_validate({"bandwidth": 10, **NEAR_BKE, **more})


def verdicts(found):
    return {one.site: one.verdict.value for one in found.candidates}


def test_the_nearest_site_that_can_carry_it_is_proposed_and_the_others_say_why_not():
    found = propose(network(), "KTO", asked())
    assert found.neighbour.site == "BKE"
    assert found.peer == "rtr-bke"
    assert found.link.kind.value == "neighbour"
    assert found.link.operator is None
    assert verdicts(found) == {"BKE": "chosen", "MAN": "too_far", "ABJ": "too_far", "SPY": "too_far"}
    with speaking("en"):
        reasons = {one.site: str(words(one, 10, 40.0)) for one in found.candidates}
    assert reasons["BKE"] == "the nearest that can carry it: 40 Mbit/s left of 50"
    assert reasons["MAN"].startswith("too far: ")


def test_circuits_of_neighbours_use_up_the_capacity_and_leased_lines_do_not():
    found = propose(network(), "KTO", asked(bandwidth=41))
    (bke,) = [one for one in found.candidates if one.site == "BKE"]
    assert (bke.capacity, bke.used, bke.left, bke.verdict.value) == (50, 10, 40, "no_capacity")
    assert found.neighbour is None
    assert next(one.used for one in found.candidates if one.site == "ABJ") == 0


def test_a_nearer_site_that_cannot_carry_it_gives_way_to_the_next():
    far = propose(network(), "KTO", asked(bandwidth=45, max_distance_km=400))
    assert far.neighbour.site == "ABJ"
    assert verdicts(far)["BKE"] == "no_capacity"
    near = propose(network(), "KTO", asked(max_distance_km=400))
    assert verdicts(near) == {"BKE": "chosen", "ABJ": "farther", "SPY": "farther", "MAN": "no_capacity"}


def test_without_a_neighbour_a_leased_line_to_headquarters_from_who_delivers_soonest():
    found = propose(network(), "KTO", asked(max_distance_km=1))
    assert (found.link.kind.value, found.link.operator, found.peer) == ("leased", "quick", "rtr-abj")
    assert propose(network(), "KTO", asked(max_distance_km=1, operator="slow")).link.operator == "slow"
    with pytest.raises(UsageError, match="quikc"):
        propose(network(), "KTO", asked(max_distance_km=1, operator="quikc"))


def test_a_leased_line_may_be_asked_for_although_a_neighbour_would_do():
    found = propose(network(), "KTO", asked(leased=True))
    assert found.link.kind.value == "leased"
    assert verdicts(found)["BKE"] == "not_asked"


def test_without_a_place_there_is_no_neighbour_and_that_is_said():
    found = propose(network(), "KTO", InterconnectInputs(bandwidth=10))
    assert set(verdicts(found).values()) == {"no_coordinates"}
    assert found.link.kind.value == "leased"


def test_the_place_of_the_inventory_is_used_when_none_is_asked():
    sites = {**SITES, "KTO": {"range": "10.64.16.0/23", "lan": "10.64.16.0/24", "coordinates": NEAR_BKE}}
    found = propose(network(sites=sites), "KTO", InterconnectInputs(bandwidth=10))
    assert found.neighbour.site == "BKE"
    assert (found.addresses.range, found.addresses.lan) == ("10.64.16.0/23", "10.64.16.0/24")
    assert found.addresses.link == "10.64.17.0/30"


def test_a_site_without_a_router_or_a_way_to_headquarters_is_no_neighbour():
    sites = {**SITES, "TIA": {**SITES["BKE"], "range": "10.64.32.0/23", "lan": "10.64.32.0/24"}}
    base = network(sites=sites)
    assert verdicts(propose(base, "KTO", asked()))["TIA"] == "no_router"
    lonely = Network(
        base.settings, {**base.routers, "rtr-tia": Router("rtr-tia", "TIA", base.routers["rtr-bke"].described)},
        base.links,
    )  # fmt: skip
    assert verdicts(propose(lonely, "KTO", asked()))["TIA"] == "no_way"


def test_nobody_to_lease_a_line_from_is_said_with_what_to_do():
    with pytest.raises(NotCompliantError) as caught:
        propose(network(operators={}), "KTO", asked(max_distance_km=1))
    assert "dsi_network.operators" in str(caught.value.next_step)


def test_a_site_that_is_joined_already_is_refused():
    with pytest.raises(UsageError, match="man-bke"):
        propose(network(), "MAN", asked())
    with pytest.raises(UsageError):
        propose(network(), "ABJ", asked())


def test_addresses_are_the_next_free_ones_in_the_documented_halves():
    first = propose(network(), "KTO", asked())
    assert first.addresses.range == "10.72.0.0/23"
    assert first.addresses.lan == "10.72.0.0/24"
    assert first.addresses.router == "10.72.0.1/24"
    assert first.addresses.link == "10.72.1.0/30"
    assert first.addresses.ends == ("10.72.1.1/30", "10.72.1.2/30")
    assert first.address == "10.72.1.254"
    second = propose(first.network, "ODI", asked())
    assert (second.addresses.range, second.addresses.link) == ("10.72.2.0/23", "10.72.3.0/30")


def test_no_range_left_is_said_with_what_to_do():
    with pytest.raises(NotCompliantError) as caught:
        propose(network(lan_ranges=["10.64.4.0/23"]), "KTO", asked())
    assert "lan_ranges" in str(caught.value.next_step)


def test_a_lan_that_fills_its_range_takes_the_circuit_from_link_ranges():
    sites = {**SITES, "KTO": {"range": "10.64.16.0/24", "lan": "10.64.16.0/24", "coordinates": NEAR_BKE}}
    assert propose(network(sites=sites), "KTO", asked()).addresses.link == "10.79.255.0/30"
    with pytest.raises(NotCompliantError, match="KTO"):
        propose(network(sites=sites, link_ranges=[]), "KTO", asked())


@given(prefix=st.integers(20, 28), taken=st.sets(st.integers(0, 255), max_size=60))
def test_whatever_is_taken_a_new_site_overlaps_nothing(prefix, taken):
    sites = dict(SITES)
    for number in taken:
        sites[f"S{number}"] = {"range": f"10.72.{number}.0/24", "lan": f"10.72.{number}.0/25"}
    base = network(sites=sites, site_prefix=prefix)
    try:
        found = propose(base, "KTO", asked())
    except NotCompliantError:
        step = 1 << max(0, 24 - prefix)
        assert all(taken & set(range(block, block + step)) for block in range(0, 256, step))
        return
    whole, lan, circuit = map(ipaddress.IPv4Network, (found.addresses.range, found.addresses.lan, found.addresses.link))
    assert whole.prefixlen == prefix
    assert not any(whole.overlaps(ipaddress.IPv4Network(one.range)) for one in base.settings.sites.values())
    assert lan.subnet_of(whole)
    assert circuit.subnet_of(whole)
    assert not circuit.overlaps(lan)
    assert ipaddress.IPv4Address(found.address) not in circuit


def test_the_routes_that_change_are_those_of_the_site_and_of_the_whole_way_to_headquarters():
    found = propose(network(), "KTO", asked())
    assert [(one.router, one.prefix, one.via) for one in found.routes] == [
        ("rtr-kto", "10.64.0.0/12", "10.72.1.2"),
        ("rtr-bke", "10.72.0.0/23", "10.72.1.1"),
        ("rtr-abj", "10.72.0.0/23", "10.64.7.1"),
    ]


def test_interfaces_nobody_gave_are_guesses_that_are_named_and_free_by_the_inventory():
    found = propose(network(), "KTO", asked())
    assert set(found.guessed) == {"lan", "wan", "management", "peer", "address"}
    assert [end.interface for end in found.link.ends] == ["GigabitEthernet0/1", "Gi0/3"]
    given = {"lan": "eth0", "wan": "eth1", "management": "eth2", "peer": "Gi1/0", "address": "192.0.2.77"}
    sure = propose(network(), "KTO", asked(**given, platform="frr"))
    assert sure.guessed == ()
    assert [end.interface for end in sure.link.ends] == ["eth1", "Gi1/0"]


@pytest.mark.parametrize("wrong", [{"peer": "Gi0/1"}, {"peer": "Gi0/0"}, {"wan": "eth0", "lan": "eth0"}])
def test_an_interface_that_serves_already_is_refused(wrong):
    with pytest.raises(UsageError):
        propose(network(), "KTO", asked(**wrong))


def test_the_name_of_another_sites_router_is_refused():
    with pytest.raises(UsageError, match="rtr-spy"):
        propose(network(), "KTO", asked(router="rtr-spy"))


def test_the_yaml_says_all_that_was_proposed_and_which_parts_are_guesses():
    inputs = asked()
    found = propose(network(), "KTO", inputs)
    text = proposal_json(found, inputs)["inventory"]
    data = yaml.safe_load(text)
    assert data["dsi_network"]["sites"]["KTO"] == {
        "range": "10.72.0.0/23", "lan": "10.72.0.0/24", "coordinates": NEAR_BKE, "capacity": 0,
    }  # fmt: skip
    assert Link.model_validate(data["dsi_links"]["kto-bke"]) == found.link
    host = data["routers"]["hosts"]["rtr-kto"]
    assert (host["ansible_host"], host["dsi_site"]) == ("10.72.1.254", "KTO")
    assert RouterDescription.model_validate(host["dsi_router"]) == found.router.described
    assert text.count("#") == 4 + len(found.guessed)


def test_distances_are_those_of_the_great_circle():
    paris, abidjan = Coordinates(latitude=48.8566, longitude=2.3522), Coordinates(**ABIDJAN)
    # Abidjan-Paris is 4,880 km by tables of great-circle distances; half the Earth is 20,015 km.
    assert distance_km(paris, abidjan) == pytest.approx(4880, rel=0.01)
    north, south = Coordinates(latitude=90, longitude=0), Coordinates(latitude=-90, longitude=0)
    assert distance_km(north, south) == pytest.approx(20015.1, abs=0.1)


PLACES = st.builds(Coordinates, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))


@given(one=PLACES, other=PLACES)
def test_a_distance_is_the_same_both_ways_and_none_to_itself(one, other):
    assert distance_km(one, other) == pytest.approx(distance_km(other, one))
    assert 0 <= distance_km(one, other) <= 20016
    assert distance_km(one, one) == 0


def test_one_of_latitude_and_longitude_alone_is_refused():
    with pytest.raises(ValueError, match="longitude"):
        InterconnectInputs(bandwidth=10, latitude=5.0)
