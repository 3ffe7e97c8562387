"""The lab's network on paper: its shape, its addresses, and the inventory that describes it."""

import ipaddress
import itertools
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.policy import unsatisfiable
from dsi_automation.inventory.schedules import load_schedules
from dsi_automation.inventory.settings import load_settings
from dsi_automation.lab import inventory, people
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.layout import BENCHMARKING, MOST_WORKSTATIONS, Layout
from dsi_automation.lab.network_sites import MOST_ROUTERS, NEW, TOWNS
from dsi_automation.lab.network_topology import RANGE, Topology


def topology(count, folder=Path("/nowhere"), network="198.18.0.0/22"):
    return Topology(Layout("paper", IPv4Network(network), folder), count)


def written(folder, count):
    """Write the inventory of a lab of routers alone and return what is read from it."""
    layout = Layout("paper", IPv4Network("198.18.0.0/22"), folder / "paper")
    people.ensure_keys(layout.key_dir)
    inventory.write(layout, [], Passwords(layout.password_dir), routers=count, domain=False)
    settings = load_settings({}, Path("/"), inventory=layout.inventory_dir)
    return layout, Inventory.open(settings, {})


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    return written(tmp_path_factory.mktemp("four"), 4)


def test_four_routers_are_headquarters_two_sites_and_a_neighbour_behind_one_of_them():
    found = topology(4)
    assert [place.router for place in found.places] == ["rtr-abj", "rtr-spy", "rtr-bke", "rtr-man"]
    ends = {one.name: (one.far_interface, one.near.router, one.near_interface) for one in found.circuits}
    assert ends == {
        "spy-abj": ("wan0", "rtr-abj", "wan0"),
        "bke-abj": ("wan0", "rtr-abj", "wan1"),
        "man-bke": ("wan0", "rtr-bke", "wan1"),
    }
    assert [one.name for one in found.circuits if one.leased] == ["spy-abj", "bke-abj"]


@pytest.mark.parametrize("count", [1, 2, 4, 7, MOST_ROUTERS])
def test_every_router_has_a_way_to_headquarters_and_no_interface_serves_twice(count):
    found = topology(count)
    used = [end for one in found.circuits for end in ((one.far, one.far_interface), (one.near, one.near_interface))]
    assert len(found.circuits) == count - 1
    assert len(set(used)) == len(used)
    for place in found.places:
        steps = itertools.takewhile(lambda number: number is not None, _up(found, place))
        assert list(steps)[-1] == 0


def _up(found, place):
    number = place.number
    while number is not None:
        yield number
        number = found.places[number].parent


def test_addresses_of_the_management_fit_the_smallest_lab_and_belong_to_nobody_else():
    found = topology(MOST_ROUTERS)
    layout = found.layout
    own = [found.management_address(place) for place in found.places]
    own += [found.host_address(place) for place in found.places] + [found.server_management_address]
    others = {layout.address(index) for index in range(256)}
    others |= {layout.workstation_address(number) for number in range(1, MOST_WORKSTATIONS + 1)}
    assert len(set(own)) == len(own) == 2 * MOST_ROUTERS + 1
    assert not others & set(own)
    assert all(ipaddress.IPv4Address(one) in layout.network for one in own)


def test_addresses_of_the_department_are_not_those_of_the_lab_and_never_meet():
    found = topology(MOST_ROUTERS)
    assert not RANGE.overlaps(BENCHMARKING)
    for one, other in itertools.combinations(found.places, 2):
        assert not one.range.overlaps(other.range)
    for circuit in found.circuits:
        assert circuit.prefix.subnet_of(circuit.far.range)
        assert not circuit.prefix.overlaps(circuit.far.lan)


def test_towns_have_a_code_of_their_own_and_are_in_the_country():
    towns = [*TOWNS, NEW]
    assert len({town.code for town in towns}) == len(towns)
    assert all(4 < town.latitude < 11 and -9 < town.longitude < -2 for town in towns)


@pytest.mark.parametrize("count", [1, MOST_ROUTERS])
def test_the_toolkit_reads_the_smallest_and_the_largest_network(tmp_path, count):
    found = written(tmp_path, count)[1].network
    assert len(found.routers) == count
    assert all(found.path(name)[-1] == "rtr-abj" for name in found.routers)


def test_the_toolkit_reads_the_same_tree(four):
    found = four[1].network
    assert {name: found.path(name) for name in found.routers} == {
        "rtr-abj": ("rtr-abj",),
        "rtr-spy": ("rtr-spy", "rtr-abj"),
        "rtr-bke": ("rtr-bke", "rtr-abj"),
        "rtr-man": ("rtr-man", "rtr-bke", "rtr-abj"),
    }
    drawn = topology(4)
    for place in drawn.places:
        assert found.site_of(place.router).lan == str(place.lan)
        assert found.site_of(place.router).probe.host == place.host
    for circuit in drawn.circuits:
        link = found.links[circuit.name]
        assert (link.end(circuit.far.router).interface, link.prefix) == (circuit.far_interface, str(circuit.prefix))
        assert found.uplink(circuit.far.router) == circuit.name


def test_routers_and_probes_are_hosts_with_their_login_and_the_keys_of_the_lab(four):
    layout, read = four
    hosts = read.ansible.groups
    assert list(hosts["routers"]) == ["rtr-abj", "rtr-spy", "rtr-bke", "rtr-man"]
    assert list(hosts["probes"]) == ["lan-abj", "lan-spy", "lan-bke", "lan-man"]
    names = ("ansible_user", "ansible_host", "dsi_ssh_known_hosts", "dsi_site")
    router, probe = read.ansible.values("rtr-spy", names), read.ansible.values("lan-spy", names)
    assert (router["ansible_user"], probe["ansible_user"]) == ("netadmin", "root")
    assert (router["dsi_site"], probe["dsi_site"]) == ("SPY", "SPY")
    assert router["dsi_ssh_known_hosts"] == probe["dsi_ssh_known_hosts"] == str(layout.ssh_dir / "known_hosts_network")
    assert router["ansible_host"] != probe["ansible_host"]


def test_a_new_site_without_a_router_is_known(four):
    assert set(four[1].sites) == {"ABJ", "SPY", "BKE", "MAN", "KOR"}
    assert not four[1].network.of_site("KOR")


def test_the_security_officer_alone_lets_through_and_the_network_is_decided_by_the_others(four):
    known, policy = four[1].people, four[1].policy

    def deciders(operation):
        rule = policy.operations[operation]["training"]
        return {person.id for person in known.with_role(rule.approvers)}

    assert deciders("access.allow") == deciders("access.revoke") == {"s.coulibaly"}
    assert deciders("router.configure") == deciders("router.backup") == {"y.traore", "a.bamba"}
    assert not policy.operations["access.allow"]["training"].standing.allowed
    assert policy.operations["access.revoke"]["training"].standing.allowed
    assert unsatisfiable(policy, known, datetime.now(UTC)) == []


def test_configurations_are_copied_every_night_and_accesses_that_ended_taken_away_every_hour(four):
    found = load_schedules(four[0].inventory_dir / "schedules.yml")
    steps = {name: found[name].steps[0] for name in ("routeurs-nuit", "acces-echus")}
    routers = ("rtr-abj", "rtr-spy", "rtr-bke", "rtr-man")
    assert (steps["routeurs-nuit"].operation, steps["routeurs-nuit"].targets) == ("router.backup", routers)
    assert (steps["acces-echus"].operation, steps["acces-echus"].targets) == ("access.revoke", routers)
    assert steps["acces-echus"].inputs == {"expired": True}


def test_a_lab_without_routers_says_nothing_of_a_network(tmp_path):
    read = written(tmp_path, 0)[1]
    assert not read.has_network()
    assert set(read.sites) == {"ABJ", "SPY", "BKE"}
