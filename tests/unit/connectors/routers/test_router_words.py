from dataclasses import replace
from pathlib import Path

import pytest

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.dialects.ios import IosDialect
from dsi_automation.connectors.routers.intent import (
    INTERNET,
    AccessRule,
    Denial,
    FilterIntent,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
    Scope,
)
from dsi_automation.core.errors import RefusedError

PRINTED = (Path(__file__).parent / "printed" / "ios_branch.txt").read_text()
IOS, FRR = IosDialect(), FrrDialect()
LIST = "ip access-list extended DSI-LAN-IN"
RULE = AccessRule("ac-k7m2qx", "10.64.8.8/29", "10.64.0.5/32", "tcp", 8443, 8443)
WEB = AccessRule("ac-abcdef", "10.64.8.8/29", INTERNET, "tcp", 443, 443)
# As vtysh of FRRouting 8.4 prints it.
VTYSH = """Building configuration...

Current configuration:
!
frr version 8.4.4
frr defaults traditional
hostname rtr-spy
service integrated-vtysh-config
!
ip route 10.64.0.0/12 10.255.0.2
ip route 10.9.0.0/16 10.255.0.2 200
!
interface lan0
 description LAN  San-Pedro
 ip address 10.64.8.1/24
exit
!
router bgp 65000
 neighbor 10.255.0.2 remote-as 65001
 !
 address-family ipv4 unicast
  network 10.64.8.0/24
 exit-address-family
exit
!
end
"""


def intent(platform, **change):
    lan, wan, management = ("Gi0/0", "gi0/1", "Vlan1") if platform == "ios" else ("lan0", "wan0", "mgmt0")
    wanted = FilterIntent(lan, "10.64.8.0/24", ("198.18.0.1/32",), ("10.64.0.0/12",), (Denial("any", "tcp", 23, 23),))
    interfaces = (
        InterfaceIntent(lan, "10.64.8.1/24", "LAN San-Pédro"), InterfaceIntent(wan, "10.255.0.1/30", "vers le siège"),
    )  # fmt: skip
    routes = (RouteIntent("10.64.0.0/12", "10.255.0.2"),)
    return replace(RouterIntent("rtr-spy", interfaces, routes, ("10.64.0.0/12",), management, wanted), **change)


def standing(rules=()):
    """A Cisco router as it is once everything was set up."""
    bare = ["interface Gi0/0", " no ip access-group DSI-LAN-IN in", "exit", f"no {LIST}"]
    running = IOS.apply(IOS.parse(PRINTED), bare)
    return IOS.apply(running, IOS.difference(running, intent("ios"), rules, Scope.ALL).lines)


def after_a_restart(config):
    """The same router once it forgot the numbers of its lists."""
    lines = tuple(line.partition(" ")[2] for line in config.sections[LIST])
    return IOS.parse("\n".join([*Config({**config.sections, LIST: lines}).lines(), "end"]))


def test_a_printed_configuration_is_read_without_what_is_no_configuration():
    found = IOS.parse(PRINTED)
    assert found.sections["interface GigabitEthernet0/0"] == (
        "description LAN San-Pedro", "duplex auto", "ip access-group DSI-LAN-IN in",
        "ip address 10.64.8.1 255.255.255.0",
    )  # fmt: skip
    assert found.sections["interface GigabitEthernet0/1"] == ("duplex auto", "shutdown")
    assert found.sections["interface Loopback0"] == ()
    assert found.sections[LIST] == (
        "10 permit tcp host 198.18.0.1 any eq 22", "20 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 80",
        "30 deny ip any any",
    )  # fmt: skip
    assert found.sections["line vty 0 4"] == ("login local", "transport input ssh")
    assert "ip route 10.64.0.0 255.240.0.0 10.255.0.2 name headquarters" in found.sections[""]
    text = "\n".join(found.lines())
    for noise in ("clock-period", "license udi", "3082029F", "GigabitEthernet0/9", "UNAUTHORIZED", "CONFIG_I", "show "):
        assert noise not in text


def test_two_looks_at_one_configuration_are_equal_whatever_changed_around_it():
    later = PRINTED.replace("17180152", "17180153").replace("00:20:19", "09:00:00").replace("5066 bytes", "5067 bytes")
    later = later.replace("three", "four").replace("eq www", "eq 80").replace("deny   ip", "deny ip")
    assert IOS.parse(later) == IOS.parse(PRINTED)
    assert IOS.parse(later).digest == IOS.parse(PRINTED).digest


@pytest.mark.parametrize("dialect", [IOS, FRR])
@pytest.mark.parametrize(
    "text",
    ["", "end\n", "hostname r1\ninterface lan0\n description x\n", "% Invalid input detected at '^' marker.\nend\n"],
)
def test_what_is_cut_off_or_is_no_configuration_is_refused(dialect, text):
    with pytest.raises(RefusedError):
        dialect.parse(text)


def test_interfaces_and_routes_that_mean_the_same_are_the_same():
    one = "interface gi0/1\n ip address 10.0.0.1/30\n!\nip route 10.0.0.0/8 Gi0/1\nend\n"
    other = "interface GigabitEthernet 0/1\n ip address  10.0.0.1 255.255.255.252\n no shutdown\n!\n"
    assert IOS.parse(one) == IOS.parse(other + "ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/1\nend\n")


def test_what_vtysh_prints_is_read():
    found = FRR.parse(VTYSH)
    assert found.sections["interface lan0"] == ("description LAN San-Pedro", "ip address 10.64.8.1/24")
    assert found.sections["router bgp 65000"] == (
        "neighbor 10.255.0.2 remote-as 65001", "address-family ipv4 unicast", " network 10.64.8.0/24",
        "exit-address-family",
    )  # fmt: skip
    assert FRR.parse("\n".join([*found.lines(), "end"])) == found


def test_a_list_that_a_restart_renumbered_is_as_it_was():
    before = standing([RULE, WEB])
    restarted = after_a_restart(before)
    assert restarted.sections[LIST][0].startswith("10 ")
    for scope in Scope:
        assert not IOS.difference(restarted, intent("ios"), [RULE, WEB], scope)
    assert [one.key for one in IOS.rules(restarted)] == [RULE.key, WEB.key]
    assert IOS.numbered_as(restarted, before) == before


def test_a_list_that_a_restart_renumbered_gets_its_numbers_back_with_the_next_change():
    restarted = after_a_restart(standing([RULE]))
    placed = IOS.place(restarted, WEB)
    assert placed.sequence == 7000
    found = IOS.difference(restarted, intent("ios"), [RULE, placed], Scope.RULES)
    assert "ip access-list extended DSI-LAN-IN-B" in found.lines
    after = IOS.apply(restarted, found.lines)
    assert LIST not in after.sections
    assert [one.sequence for one in IOS.rules(after)] == [1000, 7000]
    assert IOS.apply(after, found.undo) == restarted


def test_numbers_a_classic_ios_does_not_print_come_from_its_lists():
    shown = "Extended IP access list DSI-LAN-IN\n" + "".join(f"    {line} (3 matches)\n" for line in
                                                            standing([RULE]).sections[LIST])  # fmt: skip
    assert IOS.with_numbers(after_a_restart(standing([RULE])), shown) == standing([RULE])


def test_the_new_list_stands_before_it_is_bound_and_the_old_one_goes_after_it():
    lines = IOS.difference(IOS.parse(PRINTED), intent("ios"), (), Scope.BASE).lines
    bound = lines.index(" ip access-group DSI-LAN-IN-B in")
    assert lines.index(" 9999 deny ip any any") < bound < lines.index(f"no {LIST}")


def test_a_route_that_has_a_name_is_as_wanted():
    found = IOS.difference(IOS.parse(PRINTED), intent("ios"), (), Scope.BASE)
    assert not [line for line in found.lines if "ip route" in line]


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_what_is_ignored_is_left_as_it_runs(dialect, platform):
    running = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    wan = intent(platform).interfaces[1].name
    route = RouteIntent("10.64.16.0/23", "10.255.0.2")
    wanted = intent(platform, ignored=(f"interface {wan}", "10.64.16.0/23"), routes=(*intent(platform).routes, route))
    text = "\n".join(dialect.difference(running, wanted, (), Scope.ALL).lines)
    assert "10.64.16.0" not in text
    assert dialect.interface_name(wan) not in text


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_the_interface_of_the_management_is_never_part_of_a_change(dialect, platform):
    running = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    protected = intent(platform).interfaces[0].name
    with pytest.raises(RefusedError):
        dialect.difference(running, intent(platform, protected=protected), (), Scope.ALL)


def test_a_route_to_the_controllers_through_the_management_stays_and_is_told():
    running = FRR.apply(FRR.parse(VTYSH), [
        "interface mgmt0", " ip address 198.18.0.11/24", "exit", "ip route 10.64.0.16/28 198.18.0.254",
    ])  # fmt: skip
    found = FRR.difference(running, intent("frr"), (), Scope.BASE)
    assert found.kept == ("ip route 10.64.0.16/28 198.18.0.254",)
    assert not [line for line in found.lines if "10.64.0.16" in line]


def test_an_interface_a_cisco_does_not_have_is_refused():
    wanted = intent("ios", interfaces=(InterfaceIntent("Gi0/7", "10.255.0.1/30", "none"),))
    with pytest.raises(RefusedError, match=r"GigabitEthernet0/7.* GigabitEthernet0/0, GigabitEthernet0/1, Loopback0"):
        IOS.difference(IOS.parse(PRINTED), wanted, (), Scope.BASE)


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_a_circuit_that_moved_to_another_interface_is_refused_while_the_old_one_has_its_addresses(dialect, platform):
    running = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    running = dialect.apply(running, dialect.difference(running, intent(platform), (), Scope.BASE).lines)
    lan, wan = intent(platform).interfaces
    moved = intent(
        platform, interfaces=(replace(lan, name=wan.name, address="10.64.9.1/24"), replace(wan, name=lan.name))
    )
    assert dialect.difference(running, moved, (), Scope.BASE)  # both change: nothing is at two interfaces afterwards
    alone = intent(platform, interfaces=(replace(wan, name=lan.name),))
    with pytest.raises(RefusedError) as refused:
        dialect.difference(running, alone, (), Scope.BASE)
    assert dialect.interface_name(wan.name) in str(refused.value.what)


def test_entries_somebody_made_by_hand_in_the_place_of_the_filter_are_named_when_they_go():
    found = IOS.difference(IOS.parse(PRINTED), intent("ios"), (), Scope.BASE)
    # The other two say what the new list says as well.
    assert found.removed == (f"{LIST}: 20 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 80",)


def test_another_list_that_was_bound_in_the_place_of_the_filter_is_named():
    running = IOS.apply(IOS.parse(PRINTED), [
        "ip access-list extended CORP", " 10 permit ip any any", "exit",
        "interface Gi0/0", " ip access-group CORP in", "exit", f"no {LIST}",
    ])  # fmt: skip
    found = IOS.difference(running, intent("ios"), (), Scope.BASE)
    assert found.removed == ("interface GigabitEthernet0/0: ip access-group CORP in",)
    assert "ip access-list extended CORP" in IOS.apply(running, found.lines).sections


def test_what_is_in_the_table_of_a_linux_filter_and_not_ours_is_named_when_it_goes():
    standing_filter = FRR.apply(FRR.parse(VTYSH), FRR.difference(FRR.parse(VTYSH), intent("frr"), (), Scope.ALL).lines)
    lines = standing_filter.sections["filter DSI-LAN-IN"]
    running = Config({**standing_filter.sections, "filter DSI-LAN-IN": (*lines, "unexpected chain by_hand")})
    assert FRR.difference(running, intent("frr"), (), Scope.BASE).removed == (
        "filter DSI-LAN-IN: unexpected chain by_hand",
    )
    assert FRR.difference(running, intent("frr"), (RULE,), Scope.RULES).removed == ()


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_lines_of_the_filter_by_an_older_inventory_are_not_said_to_be_somebody_s(dialect, platform):
    empty = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    if platform == "ios":
        empty = IOS.apply(empty, ["interface Gi0/0", " no ip access-group DSI-LAN-IN in", "exit", f"no {LIST}"])
    wanted = intent(platform).filter
    older = replace(
        wanted, lan="10.64.8.0/25", management=("198.18.0.9/32", "198.18.1.0/24"), internal=("10.0.0.0/8",),
        denied=(Denial("10.64.0.9/32", "tcp", 1, 1024), Denial("any", "udp", 161, 161)),
    )  # fmt: skip
    before = intent(platform, filter=older)
    running = dialect.apply(empty, dialect.difference(empty, before, (RULE, WEB), Scope.ALL).lines)
    found = dialect.difference(running, intent(platform), (RULE, WEB), Scope.ALL)
    assert found
    assert found.removed == ()


def test_what_no_request_could_have_opened_goes_from_the_bands_of_requests_and_is_named():
    running = IOS.apply(
        standing([RULE]), [LIST, " 1500 permit ip any any", " 1510 permit tcp host 10.64.8.9 any eq 22"]
    )
    found = IOS.difference(running, intent("ios"), (), Scope.BASE)
    assert found.lines == (LIST, " no 1500", "exit")
    assert found.removed == (f"{LIST}: 1500 permit ip any any",)
    # The other one is an access that nobody approved: the record knows, the differences of the filter do not.
    assert [one.sequence for one in IOS.rules(running)] == [1000, 1510]


ABANDONED = {
    "ios": ("interface Loopback0", " ip address 10.64.9.1 255.255.255.252", " description old"),
    "frr": ("interface wan7", " ip address 10.64.9.1/30", " description old"),
}


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_an_address_of_our_ranges_at_an_interface_the_inventory_does_not_name_goes_and_is_named(dialect, platform):
    bare = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    settled = dialect.apply(bare, dialect.difference(bare, intent(platform), (), Scope.BASE).lines)
    running = dialect.apply(settled, ABANDONED[platform])
    found = dialect.difference(running, intent(platform), (), Scope.BASE)
    heading, line, _ = ABANDONED[platform]
    assert found.removed == (f"{heading}:{line}",)
    assert found.lines[0] == heading
    after = dialect.apply(running, found.lines)
    assert after.sections[heading] == ("description old",)
    assert dialect.apply(after, found.undo) == running
    assert not dialect.difference(running, intent(platform), (), Scope.RULES)
    # Circuits may have ranges of their own.
    elsewhere = intent(platform, owned=("10.128.0.0/9",), routes=())
    assert not dialect.difference(running, elsewhere, (), Scope.BASE).removed
    assert dialect.difference(running, replace(elsewhere, circuits=("10.64.9.0/24",)), (), Scope.BASE).removed


def test_an_address_of_our_ranges_in_another_routing_table_is_somebody_s():
    lines = ["interface Loopback0", " vrf forwarding OAM", " ip address 10.64.9.1 255.255.255.252"]
    running = IOS.apply(IOS.parse(PRINTED), lines)
    found = IOS.difference(running, intent("ios"), (), Scope.BASE)
    assert IOS.apply(running, found.lines).sections["interface Loopback0"] == running.sections["interface Loopback0"]


def test_somebody_s_secondary_address_stays_when_ours_before_it_goes():
    lines = [
        "interface Loopback0",
        " ip address 10.64.9.1 255.255.255.252",
        " ip address 10.9.9.1 255.255.255.0 secondary",
    ]
    running = IOS.apply(standing(), lines)
    found = IOS.difference(running, intent("ios"), (), Scope.BASE)
    after = IOS.apply(running, found.lines)
    assert after.sections["interface Loopback0"] == ("ip address 10.9.9.1 255.255.255.0",)
    assert IOS.apply(after, found.undo) == running


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_a_circuit_moves_to_another_interface_when_its_addresses_are_of_our_ranges(dialect, platform):
    bare = IOS.parse(PRINTED) if platform == "ios" else FRR.parse(VTYSH)
    lan, wan = intent(platform).interfaces
    ours = replace(wan, address="10.64.9.1/30")
    running = dialect.apply(
        bare, dialect.difference(bare, intent(platform, interfaces=(lan, ours)), (), Scope.BASE).lines
    )
    moved = intent(platform, interfaces=(lan, replace(ours, name="Loopback0" if platform == "ios" else "wan7")))
    after = dialect.apply(running, dialect.difference(running, moved, (), Scope.BASE).lines)
    at = [name for name, lines in after.sections.items() if any(" 10.64.9.1" in line for line in lines)]
    assert at == ["interface Loopback0" if platform == "ios" else "interface wan7"]


@pytest.mark.parametrize(("dialect", "platform"), [(IOS, "ios"), (FRR, "frr")])
def test_an_access_without_its_filter_is_refused(dialect, platform):
    running = dialect.apply(IOS.parse(PRINTED), ["interface Gi0/0", " no ip access-group DSI-LAN-IN in"]) \
        if platform == "ios" else FRR.parse(VTYSH)  # fmt: skip
    with pytest.raises(RefusedError):
        dialect.difference(running, intent(platform), [RULE], Scope.RULES)


def test_a_denial_before_an_access_is_named_and_the_fence_is_none():
    running = IOS.apply(standing(), [LIST, " 950 deny tcp any host 10.64.0.5 range 8000 9000"])
    assert IOS.shadowing(running, IOS.place(running, RULE)) == "950 deny tcp any host 10.64.0.5 range 8000 9000"
    assert IOS.shadowing(running, IOS.place(running, WEB)) is None
    telnet = replace(RULE, first_port=22, last_port=25)
    assert IOS.shadowing(standing(), telnet) == "900 deny tcp any any eq 23"
    after = FRR.apply(FRR.parse(VTYSH), FRR.difference(FRR.parse(VTYSH), intent("frr"), (), Scope.ALL).lines)
    assert FRR.shadowing(after, telnet) == "deny any tcp/23"
    assert FRR.shadowing(after, RULE) is None


def test_a_rule_gets_the_next_free_number_of_its_band_until_it_is_full():
    running = standing([RULE])
    assert IOS.place(running, replace(RULE, first_port=1, last_port=1)).sequence == 1010
    assert IOS.place(running, WEB).sequence == 7000
    full = tuple(f"{number} permit tcp host 10.64.8.8 any eq {number}" for number in range(7000, 9000))
    crowded = Config(
        {**running.sections, LIST: full, "interface GigabitEthernet0/0": ("ip access-group DSI-LAN-IN in",)}
    )
    with pytest.raises(RefusedError):
        IOS.place(crowded, WEB)


def test_a_line_the_device_would_refuse_is_named():
    for dialect, lines in (
        (IOS, ["interface GigabitEthernet9/9"]), (IOS, ["hostnam x"]), (IOS, [LIST, " 20 deny tcp any any"]),
        (IOS, [LIST, " permit nonsense"]), (FRR, ["interface lan0", " ip adress 10.0.0.1/30"]), (FRR, ["bgp nonsense"]),
        (FRR, ["filter DSI-LAN-IN", " unexpected chain"]), (FRR, ["filter DSI-LAN-IN", " rule nonsense"]),
    ):  # fmt: skip
        running = IOS.parse(PRINTED) if dialect is IOS else FRR.parse(VTYSH)
        with pytest.raises(RefusedError) as refused:
            dialect.apply(running, lines)
        assert refused.value.detail["line"] == lines[-1]
