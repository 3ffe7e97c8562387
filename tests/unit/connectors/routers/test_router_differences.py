from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dsi_automation.connectors.routers.acl import Packet, entries, permits
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.dialects.ios import IosDialect
from dsi_automation.connectors.routers.intent import (
    BANDS,
    INTERNET,
    AccessRule,
    Band,
    Denial,
    FilterIntent,
    InterfaceIntent,
    RouteIntent,
    RouterIntent,
    Scope,
)
from dsi_automation.connectors.routers.refusals import sendable
from dsi_automation.core.errors import RefusedError

LAN, WAN, NEAR, MANAGEMENT = range(4)
NAMES = {
    "ios": ("GigabitEthernet0/0", "GigabitEthernet0/1", "Serial0/0/0", "GigabitEthernet0/2"),
    "frr": ("lan0", "wan0", "wan1", "mgmt0"),
}
DIALECTS = {"ios": IosDialect(), "frr": FrrDialect()}
PLATFORMS = pytest.mark.parametrize("platform", DIALECTS)
OWNED = ("10.64.0.0/12",)
UNTIL = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
IN = "ip access-list extended DSI-LAN-IN"

RULES = tuple(
    AccessRule(name, source, destination, protocol, first, last, UNTIL)
    for name, source, destination, protocol, first, last in (
        ("ac-aaaaaa", "10.64.8.8/29", "10.64.0.5/32", "tcp", 8443, 8443),
        ("ac-bbbbbb", "10.64.8.0/24", "10.64.0.6/32", "udp", 53, 53),
        ("ac-cccccc", "10.64.8.16/32", "10.64.16.0/29", "tcp", 8000, 8010),
        ("ac-dddddd", "10.64.8.8/29", INTERNET, "tcp", 443, 443),
        ("ac-eeeeee", "10.64.8.99/32", INTERNET, "udp", 123, 123),
    )
)
ADDRESSES = ("10.64.8.1/24", "10.64.9.1/24", "10.255.0.1/30", "10.255.0.2/30", "10.255.0.5/30", "10.255.0.9/31")


@st.composite
def intents(draw, platform):
    names = NAMES[platform]
    chosen = draw(st.lists(st.sampled_from(ADDRESSES), min_size=3, max_size=3, unique_by=lambda one: one[:8] + one[9]))
    interfaces = tuple(
        InterfaceIntent(
            names[place], chosen[place], draw(st.sampled_from(("LAN de San-Pédro", "vers siège (MTN)", "")))
        )
        for place in (LAN, WAN, NEAR)[: draw(st.integers(1, 3))]
    )
    routes = draw(
        st.lists(
            st.builds(
                RouteIntent,
                st.sampled_from(("10.64.0.0/12", "10.64.16.0/23", "10.64.18.0/23")),
                st.sampled_from(("10.255.0.2", "10.255.0.6")),
            ),
            unique_by=lambda one: one.prefix, max_size=3,
        )
    )  # fmt: skip
    denied = draw(st.sampled_from(((), (Denial("any", "tcp", 23, 23),), (Denial("10.64.0.9/32", "tcp", 1, 1024),))))
    wanted = FilterIntent(
        names[LAN], "10.64.8.0/24", draw(st.sampled_from((("198.18.0.1/32",), ("198.18.0.1/32", "198.18.1.0/24")))),
        draw(st.sampled_from((OWNED, (*OWNED, "172.16.0.0/12")))), denied,
    )  # fmt: skip
    return RouterIntent(
        "rtr", interfaces, tuple(routes), OWNED, names[MANAGEMENT], draw(st.sampled_from((None, wanted, wanted)))
    )


FOREIGN = {
    "ios": (
        "no ip http server", "ip route 0.0.0.0 0.0.0.0 198.18.0.254", "ip route 10.64.0.0 255.240.0.0 10.255.0.6",
        "ip route 10.64.0.0 255.240.0.0 Null0 250", "ip route 10.64.16.0 255.255.254.0 10.255.0.2 name Bouake",
        "ip route 10.64.16.0 255.255.254.0 10.255.0.6 200", "ip route vrf OAM 10.64.0.0 255.240.0.0 10.9.9.9",
        "logging host 10.64.0.7",
    ),
    "frr": (
        "ip route 0.0.0.0/0 198.18.0.254", "ip route 10.64.0.0/12 10.255.0.6", "ip route 10.64.0.0/12 Null0 250",
        "ip route 10.64.16.0/23 10.255.0.2 tag 7", "ip route 10.64.16.0/23 10.255.0.6 200", "log syslog informational",
    ),
}  # fmt: skip
OTHERS = {
    "ios": {"line vty 0 4": ("transport input ssh",), "ip access-list extended OTHER": ("10 permit ip any any",)},
    "frr": {"router bgp 65000": ("neighbor 10.255.0.2 remote-as 65001",)},
}
ON_INTERFACES = {
    "ios": ("description by hand", "ip address 10.64.9.1 255.255.255.0", "ip address 10.9.9.1 255.255.255.0 secondary",
            "ip ospf cost 10", "shutdown", "ip access-group OTHER in", "ip access-group OTHER out"),
    "frr": ("description by hand", "ip address 10.64.9.1/24", "ip address 10.9.9.1/24", "ip ospf cost 10", "shutdown"),
}  # fmt: skip
# No two of them say the same: IOS would not have taken the second one.
IN_LISTS = (
    "50 permit ip any any", "100 permit tcp host 198.18.0.1 any eq 22", "950 deny tcp any host 10.64.0.5 eq 8443",
    "1000 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 8443", "1010 permit ip host 10.64.8.9 any",
    "6900 deny ip any 172.16.0.0 0.15.255.255 log", "7010 permit tcp 10.64.8.8 0.0.0.7 any eq 443",
    "9999 deny ip any any", "9990 permit udp any any eq 53", "20 remark by hand",
)  # fmt: skip
IN_FILTERS = (
    "inside lan0", "lan 10.64.8.0/24", "management 198.18.0.9/32", "internal 10.64.0.0/12", "deny any udp/161",
    "rule ac-aaaaaa 10.64.8.8/29 10.64.0.5/32 tcp/8443 until 2026-12-31T23:59:59Z",
    "rule ac-bbbbbb 10.64.8.8/29 10.64.0.9/32 tcp/22", "rule ac-zzzzzz 10.64.8.0/24 10.64.0.6/32 udp/53",
)  # fmt: skip


@st.composite
def runnings(draw, platform):
    """A router as somebody left it: half made by hand, half ours, bound or not."""
    top = draw(st.lists(st.sampled_from(FOREIGN[platform]), unique=True, max_size=4))
    sections = {"": tuple(top), **draw(st.sampled_from(({}, OTHERS[platform])))}
    for name in NAMES[platform][:MANAGEMENT]:
        lines = draw(st.lists(st.sampled_from(ON_INTERFACES[platform]), unique=True, max_size=3))
        # A device has its networks once.
        taken = [line for lines_ in sections.values() for line in lines_]
        sections[f"interface {name}"] = tuple(line for line in lines if line not in taken or "address" not in line)
    sections[f"interface {NAMES[platform][MANAGEMENT]}"] = (
        "ip address 198.18.0.11 255.255.255.0" if platform == "ios" else "ip address 198.18.0.11/24",
    )
    if platform == "ios":
        for name in draw(st.lists(st.sampled_from(("DSI-LAN-IN", "DSI-LAN-IN-B")), unique=True)):
            lines = draw(st.lists(st.sampled_from(IN_LISTS), unique=True, max_size=6))
            sections[f"ip access-list extended {name}"] = tuple(lines)
        bound = draw(st.sampled_from((None, "DSI-LAN-IN", "DSI-LAN-IN-B")))
        if bound is not None:
            inside = f"interface {NAMES[platform][LAN]}"
            stays = (line for line in sections[inside] if not line.endswith(" in"))
            sections[inside] = (*stays, f"ip access-group {bound} in")
        if not any("ip address 1" in line and "secondary" not in line for line in sections.get("", ())):
            for name, lines in sections.items():
                if not any(line.startswith("ip address") and "secondary" not in line for line in lines):
                    sections[name] = tuple(line for line in lines if not line.endswith(" secondary"))
    elif draw(st.booleans()):
        sections["filter DSI-LAN-IN"] = tuple(draw(st.lists(st.sampled_from(IN_FILTERS), unique=True)))
    dialect = DIALECTS[platform]
    return dialect.apply(Config(sections), ())


@st.composite
def changes(draw, platforms=tuple(DIALECTS)):
    platform = draw(st.sampled_from(platforms))
    running, intent = draw(runnings(platform)), draw(intents(platform))
    if draw(st.booleans()):
        # Often it is a router that was set up once, by an intent of then.
        try:
            before = draw(intents(platform))
            rules = draw(st.lists(st.sampled_from(RULES), unique=True))
            lines = DIALECTS[platform].difference(running, before, rules, Scope.ALL).lines
            running = DIALECTS[platform].apply(running, lines)
        except RefusedError:
            assume(False)
    rules = draw(st.lists(st.sampled_from(RULES), unique=True))
    scope = draw(st.sampled_from(sorted(Scope)))
    return platform, running, intent, rules, scope


def difference(change):
    platform, running, intent, rules, scope = change
    try:
        return DIALECTS[platform].difference(running, intent, rules, scope)
    except RefusedError:
        assume(False)


@given(changes())
@settings(max_examples=40)
def test_lines_lead_to_what_is_wanted_and_then_nothing_is_left(change):
    platform, running, intent, rules, scope = change
    dialect, found = DIALECTS[platform], difference(change)
    after = dialect.apply(running, found.lines)
    assert not dialect.difference(after, intent, rules, scope)
    assert bool(found) == (after != running)


@given(changes())
@settings(max_examples=40)
def test_the_lines_that_undo_a_change_lead_back_exactly(change):
    platform, running, *_ = change
    dialect, found = DIALECTS[platform], difference(change)
    assert dialect.apply(dialect.apply(running, found.lines), found.undo) == running


def _primary(line):
    return line.removesuffix(" secondary")


@given(changes())
def test_what_is_not_ours_stays_as_it_is(change):
    platform, running, intent, _, scope = change
    dialect, found = DIALECTS[platform], difference(change)
    after = dialect.apply(running, found.lines)
    touched = {f"interface {one.name}" for one in intent.interfaces} if scope is not Scope.RULES else set()
    ours = {"", IN, f"{IN}-B", "filter DSI-LAN-IN", f"interface {NAMES[platform][LAN]}", *touched}
    for heading in {*running.sections, *after.sections} - ours:
        before, now = running.sections.get(heading, ()), after.sections.get(heading, ())
        if scope is Scope.RULES or not heading.startswith("interface "):
            assert now == before, heading
        else:
            # Addresses of the department's ranges are where the inventory has them, or nowhere.
            assert sorted(map(_primary, now)) == sorted(_primary(line) for line in before if " 10.64." not in line)
            assert {line for line in before if " 10.64." in line} == {line.partition(": ")[2] for line in found.removed
                                                                     if line.startswith(f"{heading}: ")}  # fmt: skip
    for heading in touched:
        for line in running.sections.get(heading, ()):
            if line.startswith("ip ospf ") or line.endswith(" out"):
                assert line in after.sections[heading]
    for line in running.sections.get("", ()):
        if " 10.64." not in line or " vrf " in line:
            assert line in after.sections[""]


@given(changes())
def test_no_line_touches_the_management_or_is_dangerous(change):
    platform, *_ = change
    dialect, found = DIALECTS[platform], difference(change)
    management = NAMES[platform][MANAGEMENT]
    for lines in (found.lines, found.undo):
        assert f"interface {management}" not in lines
        sendable("rtr", dialect, management, lines)


@given(changes())
def test_a_configuration_is_read_as_it_is_written(change):
    platform, running, intent, rules, _ = change
    dialect = DIALECTS[platform]
    for config in (running, dialect.render(intent, rules)):
        assert dialect.parse("\n".join([*config.lines(), "end"])) == config


def _in_force(config):
    """Return the entries that decide what comes in from the LAN; None where nothing filters."""
    lines = config.sections.get(f"interface {NAMES['ios'][LAN]}", ())
    bound = next((line.split()[2] for line in lines if line.endswith(" in")), None)
    listed = config.sections.get(f"ip access-list extended {bound}")
    return None if bound is None or listed is None else entries(listed)


PACKETS = [
    Packet(protocol, source, destination, 40000, port)
    for protocol in ("tcp", "udp")
    for source in (0x0A400808, 0x0A40080F, 0x0A400810, 0x0A400863, 0xC6120001)
    for destination in (0x0A400005, 0x0A400006, 0x0A401000, 0x08080808)
    for port in (22, 23, 53, 123, 443, 8005, 8443)
]


@given(changes(("ios",)), st.booleans())
@settings(max_examples=40)
def test_no_state_on_the_way_lets_in_what_neither_end_lets_in(change, back):
    platform, running, *_ = change
    dialect, found = DIALECTS[platform], difference(change)
    lines = found.lines
    if back:
        running, lines = dialect.apply(running, lines), found.undo
    states, heading = [running], ""
    for line in lines:
        if not line.startswith(" "):
            heading = line
        if line != "exit":
            states.append(dialect.apply(states[-1], [heading, line] if line.startswith(" ") else [line]))
    filters = list(dict.fromkeys(map(_in_force, states)))
    ends = (_in_force(states[0]), _in_force(states[-1]))
    for packet in PACKETS:
        if not any(permits(one, packet) for one in ends):
            assert not any(permits(one, packet) for one in filters), (packet, lines)


@given(changes(("ios",)))
@settings(max_examples=40)
def test_the_management_band_is_left_alone_once_it_stands_as_it_should(change):
    platform, running, intent, rules, scope = change
    dialect = DIALECTS[platform]
    try:
        running = dialect.apply(running, dialect.difference(running, intent, rules, Scope.BASE).lines)
        lines = dialect.difference(running, intent, RULES[:2], scope).lines
    except RefusedError:
        assume(False)
    assert not [line for line in lines if line.startswith(" ip access-group")]
    for line in lines:
        number = line.removeprefix(" no ").split()[0]
        assert not (number.isdecimal() and int(number) in BANDS[Band.MANAGEMENT]), line
