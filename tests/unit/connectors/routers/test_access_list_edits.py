from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.routers.acl import Packet, addresses, edits, entries, entry, numbered, permits, rebuilt
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.ios import IosDialect

FIXED = range(100, 900)
NAME = "ip access-list extended DSI-LAN-IN"
SOURCES = ("any", "host 10.64.8.8", "10.64.8.8 0.0.0.7", "10.64.8.0 0.0.0.255")
DESTINATIONS = ("any", "host 10.64.0.5", "10.64.0.4 0.0.0.3", "10.64.0.0 0.15.255.255")
PORTS = ("", " eq 80", " eq 443", " range 80 443")
TEXTS = st.one_of(
    st.builds(
        "{} {} {} {}{}".format,
        st.sampled_from(("permit", "deny")), st.sampled_from(("tcp", "udp")), st.sampled_from(SOURCES),
        st.sampled_from(DESTINATIONS), st.sampled_from(PORTS),
    ),
    st.builds(
        "{} ip {} {}{}".format,
        st.sampled_from(("permit", "deny")), st.sampled_from(SOURCES), st.sampled_from(DESTINATIONS),
        st.sampled_from(("", " log")),
    ),
)  # fmt: skip
NUMBERS = st.sampled_from((100, 110, 900, 1000, 1010, 1020, 6900, 7000, 9999))


@st.composite
def lists(draw, least=1):
    found = draw(st.dictionaries(NUMBERS, TEXTS, min_size=least, max_size=6))
    return _once(entry(number, text) for number, text in found.items())


@st.composite
def two_lists(draw):
    """Two lists that have something in common, as a list and what it is to be have."""
    have = draw(lists())
    kept = {one.number: one.text for one in have if draw(st.booleans())}
    want = {**kept, **draw(st.dictionaries(NUMBERS, TEXTS, min_size=0 if kept else 1, max_size=4))}
    return have, _once(entry(number, text) for number, text in want.items())


def _once(listed):
    found = {}
    for one in sorted(listed, key=lambda one: one.number):
        found.setdefault(one.bare, one)
    return tuple(found.values())


# Every address and port at the edge of what those entries can mean, just inside and just outside.
PACKETS = [
    Packet(protocol, source, destination, 40000, port)
    for protocol in ("tcp", "udp", "icmp")
    for source in (0x0A400808, 0x0A40080F, 0x0A400810, 0x0A4008FF, 0x0A400900)
    for destination in (0x0A400005, 0x0A400004, 0x0A400008, 0x0A4FFFFF, 0x0A500000)
    for port in (79, 80, 81, 443, 444)
]


def states(have, lines):
    """Yield the list after each line, as a device takes it."""
    dialect = IosDialect()
    config = Config({NAME: tuple(map(str, have))})
    yield have
    for line in lines:
        config = dialect.apply(config, [NAME, f" {line}"])
        yield entries(config.sections[NAME])


def in_force(have, want):
    """Return every list that is in force on the way; where a second list is needed, they are swapped by one line."""
    lines = edits(have, want, FIXED)
    return [have, want] if lines is None else list(states(have, lines))


@given(two_lists())
def test_no_state_of_an_edit_permits_what_neither_end_permits(pair):
    have, want = pair
    seen = in_force(have, want)
    assert seen[-1] == want
    for packet in PACKETS:
        if not permits(have, packet) and not permits(want, packet):
            assert not any(permits(state, packet) for state in seen), packet


@given(two_lists())
def test_a_list_in_force_is_never_empty_and_its_fixed_band_never_touched(pair):
    have, want = pair
    band = [one for one in have if one.number in FIXED]
    edited = edits(have, want, FIXED) is not None
    for state in in_force(have, want)[: None if edited else 1]:
        assert state
        assert [one for one in state if one.number in FIXED] == band


@given(two_lists())
def test_an_edit_can_be_undone_wherever_it_can_be_made(pair):
    have, want = pair
    assert (edits(have, want, FIXED) is None) == (edits(want, have, FIXED) is None)


@given(lists(), lists())
def test_a_list_that_is_bound_nowhere_becomes_any_other_one(have, want):
    *_, last = states(have, rebuilt(have, want))
    assert last == want


@given(lists())
def test_a_list_as_it_is_needs_no_edit(have):
    assert edits(have, have, FIXED) == ()
    assert rebuilt(have, have) == ()


def test_an_access_is_added_and_taken_away_by_its_number_alone():
    have = entries(["100 permit tcp host 198.18.0.1 any eq 22", "9999 deny ip any any"])
    want = entries([*map(str, have), "1000 permit tcp host 10.64.8.8 host 10.64.0.5 eq 8443"])
    assert edits(have, want, FIXED) == ("1000 permit tcp host 10.64.8.8 host 10.64.0.5 eq 8443",)
    assert edits(want, have, FIXED) == ("no 1000",)


def test_a_number_that_changes_its_meaning_needs_a_second_list():
    have = entries(["1000 permit tcp any any eq 80", "9999 deny ip any any"])
    want = entries(["1000 permit tcp any any eq 81", "9999 deny ip any any"])
    assert edits(have, want, FIXED) is None


def test_an_entry_ios_would_take_for_one_it_has_already_needs_a_second_list():
    have = entries(["900 deny tcp any any eq 23", "9999 deny ip any any"])
    want = entries(["901 deny tcp any any eq 23 log", "9999 deny ip any any"])
    assert edits(have, want, FIXED) is None


def test_a_list_that_is_empty_or_is_to_be_is_never_edited_in_force():
    some = entries(["9999 deny ip any any"])
    assert edits((), some, FIXED) is None
    assert edits(some, (), FIXED) is None
    assert edits(entries(["10 remark nothing but words"]), some, FIXED) is None


def test_a_missing_or_empty_list_permits_everything_and_any_other_denies_what_it_does_not_name():
    packet = Packet("tcp", 1, 2, 3, 443)
    assert permits(None, packet)
    assert permits((), packet)
    assert permits(entries(["10 remark words"]), packet)
    assert not permits(entries(["10 permit tcp any any eq 80"]), packet)
    assert not permits(entries(["10 deny tcp any any eq 443", "20 permit ip any any"]), packet)
    assert permits(entries(["10 deny udp any any eq 443", "20 permit ip any any"]), packet)


def test_an_entry_that_asks_for_established_connections_lets_no_new_one_through():
    listed = entries(["10 permit tcp any any established"])
    assert not permits(listed, Packet("tcp", 1, 2, 3, 4))
    assert permits(listed, Packet("tcp", 1, 2, 3, 4, frozenset({"established"})))


def test_what_means_the_same_is_written_the_same_way():
    pairs = {
        "permit tcp any host 10.1.1.1 eq www": "permit tcp any host 10.1.1.1 eq 80",
        "deny   ip any any": "deny ip any any",
        "PERMIT TCP 10.1.1.1 0.0.0.0 ANY EQ WWW": "permit tcp host 10.1.1.1 any eq 80",
        "permit tcp 10.64.8.77 0.0.0.255 any": "permit tcp 10.64.8.0 0.0.0.255 any",
        "permit 6 0.0.0.0 255.255.255.255 any": "permit tcp any any",
        "permit udp any range 16384 32767 any range 53 53": "permit udp any range 16384 32767 any eq 53",
        "permit udp any eq snmp bootpc any": "permit udp any eq 68 161 any",
        "permit icmp any any 0": "permit icmp any any echo-reply",
        "permit udp any any eq syslog": "permit udp any any eq 514",
        "permit tcp any any eq cmd": "permit tcp any any eq 514",
        "permit ip 10.0.0.0 0.255.0.255 any": "permit ip 10.0.0.0 0.255.0.255 any",
    }
    for given_text, canonical in pairs.items():
        assert entry(10, given_text).text == canonical
        assert entry(10, canonical).text == canonical


def test_a_network_says_itself_as_a_wildcard_and_back():
    for network, said in {
        "10.64.8.0/24": "10.64.8.0 0.0.0.255", "10.64.0.5/32": "host 10.64.0.5", "any": "any", "0.0.0.0/0": "any",
    }.items():  # fmt: skip
        assert str(addresses(network)) == said
    assert addresses("10.64.8.8/29").network == "10.64.8.8/29"
    assert entry(10, "permit ip 10.0.0.0 0.255.0.255 any").match.source.network is None


def test_numbers_are_read_from_what_show_ip_access_lists_prints():
    # In the form of networktocode/ntc-templates, tests/cisco_ios/show_ip_access-lists/*.raw
    shown = """Standard IP access list 99
    10 permit 172.16.191.199
    20 deny   any log (5 matches)
Extended IP access list empty
Extended IP access list DSI-LAN-IN
    100 permit tcp host 198.18.0.1 any eq 22 (20 matches)
    1000 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq www log (tag = here)
    9999 deny ip any any  (1278456 matches)
Standard IP access list other
    10 permit 10.1.1.1
"""
    found = dict(numbered(shown))
    assert found["empty"] == ()
    assert [str(one) for one in found["DSI-LAN-IN"]] == [
        "100 permit tcp host 198.18.0.1 any eq 22",
        "1000 permit tcp 10.64.8.8 0.0.0.7 host 10.64.0.5 eq 80 log",
        "9999 deny ip any any",
    ]
    assert set(found) == {"empty", "DSI-LAN-IN"}
