"""Which connections prove an access: the same ones each time, from addresses that tell something."""

from ipaddress import IPv4Address, IPv4Network

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.inventory.network_model import ProbeHost
from dsi_automation.operations.network.access_tries import Ground, Try, choose, choose_closed

LAN = IPv4Network("10.64.4.0/24")
RULE = AccessRule("ac-aaaaaa", "10.64.4.8/29", "10.64.0.5/32", "tcp", 8443, 8443)


def ground(*before, own=("10.64.4.9",), borrow=True, after=(RULE,), servers=("10.64.0.5",)):
    probe = ProbeHost(host="lan-spy", interface="eth0", addresses=own, borrow=borrow)
    return Ground(LAN, (IPv4Network("10.64.0.0/12"),), probe, tuple(map(IPv4Address, servers)), before, after)


def pair(rule, where, at=None):
    tries, why = choose(rule, where, at)
    assert why is None
    return tries


def why_not(rule, where, at=None):
    tries, why = choose(rule, where, at)
    assert tries == ()
    return why.render("en")


def test_a_machine_of_the_probe_inside_passes_and_one_outside_does_not():
    good, bad = pair(RULE, ground(own=("10.64.4.9", "10.64.4.200")))
    assert (good.sources, good.port, good.passes) == (("10.64.4.9",), 8443, True)
    assert (bad.sources, bad.port, bad.passes) == (("10.64.4.200",), 8443, False)


def test_addresses_are_borrowed_from_the_top_where_the_probe_has_none_there():
    good, bad = pair(RULE, ground(own=("10.64.4.200",)))
    assert good.sources == ("10.64.4.15", "10.64.4.14", "10.64.4.13")
    assert bad.sources == ("10.64.4.200",)


def test_neither_the_router_nor_the_ends_of_the_lan_are_ever_borrowed():
    rule = AccessRule("ac-aaaaaa", "10.64.4.0/30", "10.64.0.5/32", "tcp", 8443, 8443)
    good, bad = pair(rule, ground(own=("10.64.4.2",), after=(rule,)))
    assert (good.sources, bad.sources) == (("10.64.4.2",), ("10.64.4.254", "10.64.4.253", "10.64.4.252"))


def test_without_an_address_inside_and_without_borrowing_nothing_is_proven():
    assert "no address within 10.64.4.8/29" in why_not(RULE, ground(own=("10.64.4.200",), borrow=False))


def test_where_the_whole_lan_is_let_through_a_port_that_stays_closed_must_not_pass():
    rule = AccessRule("ac-aaaaaa", "10.64.4.0/24", "10.64.0.5/32", "tcp", 8443, 8445)
    other = AccessRule("ac-bbbbbb", "10.64.4.0/24", "10.64.0.5/32", "tcp", 8446, 8446)
    _, bad = pair(rule, ground(other, after=(other, rule)))
    assert (bad.sources, bad.port) == (("10.64.4.9",), 8447)


def test_an_address_another_access_lets_through_cannot_be_the_one_that_must_not_pass():
    other = AccessRule("ac-bbbbbb", "10.64.4.200/32", "10.64.0.0/24", "tcp", 8000, 9000)
    _, bad = pair(RULE, ground(other, own=("10.64.4.9", "10.64.4.200", "10.64.4.201"), after=(other, RULE)))
    assert bad.sources == ("10.64.4.201",)


def test_a_source_that_passes_already_is_avoided_or_said():
    other = AccessRule("ac-bbbbbb", "10.64.4.9/32", "10.64.0.5/32", "tcp", 8443, 8443)
    good, _ = pair(RULE, ground(other, own=("10.64.4.9", "10.64.4.10"), after=(other, RULE)))
    assert (good.sources, good.before) == (("10.64.4.10",), False)
    good, _ = pair(RULE, ground(other, borrow=False, own=("10.64.4.9", "10.64.4.77"), after=(other, RULE)))
    assert (good.sources, good.before) == (("10.64.4.9",), True)


def test_a_network_is_tried_at_a_server_the_inventory_names_and_the_internet_where_somebody_says():
    wide = AccessRule("ac-aaaaaa", "10.64.4.8/29", "10.64.0.0/29", "tcp", 443, 443)
    assert pair(wide, ground(after=(wide,)))[0].destination == "10.64.0.5"
    assert "nobody said at which address" in why_not(wide, ground(after=(wide,), servers=()))
    out = AccessRule("ac-aaaaaa", "10.64.4.8/29", "internet", "tcp", 443, 443)
    assert "nobody said" in why_not(out, ground(after=(out,)))
    good, bad = pair(out, ground(after=(out,)), "203.0.113.7")
    assert (good.destination, bad.destination) == ("203.0.113.7", "203.0.113.7")


def test_only_tcp_is_tried():
    assert "only TCP" in why_not(AccessRule("ac-aaaaaa", "10.64.4.8/29", "10.64.0.5/32", "udp", 53, 53), ground())


def test_what_is_closed_is_tried_from_where_it_passed_unless_another_access_lets_it_through():
    (bad,), why = choose_closed(RULE, ground(RULE, after=()), None)
    assert (why, bad.sources, bad.passes, bad.before) == (None, ("10.64.4.9",), False, True)
    other = AccessRule("ac-bbbbbb", "10.64.4.0/24", "10.64.0.5/32", "tcp", 8443, 8443)
    tries, why = choose_closed(RULE, ground(RULE, other, after=(other,)), None)
    assert tries == ()
    assert "another access" in why.render("en")


def test_a_try_is_in_the_plan_as_it_is():
    for one in pair(RULE, ground()):
        assert Try.from_json(one.to_json()) == one
