"""What is refused, and with which sentence: words, the policy of the inventory, and what is open already."""

from datetime import UTC, datetime, timedelta

import pytest
from accesshouse import ASKED, Office, blocked, described, settings
from pydantic import ValidationError

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.inventory.network_parts import Network, Router
from dsi_automation.operations.network.access_policy import enforcers, holders, read_asked, refusals, tried_elsewhere
from dsi_automation.operations.network.access_words import identifier
from dsi_automation.operations.network.allow import AllowInputs
from dsi_automation.operations.network.record import Access, AccessRecord

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=30)
PLATFORMS = pytest.mark.parametrize("platform", ["frr", "ios"])


def network(**access):
    routers = {
        "rtr-abj": Router("rtr-abj", "ABJ", described("frr")),
        "rtr-spy": Router("rtr-spy", "SPY", described("frr")),
        "rtr-spy2": Router("rtr-spy2", "SPY", described("ios")),
        "rtr-bke": Router("rtr-bke", "BKE", described("frr", filter=False)),
    }
    return Network(settings(**access), routers, {})


def refused(source="10.64.4.8/29", destination="srv-sydam", service="sydam", until=UNTIL, **access):
    """Return why an access is refused, sentence and next step, in English."""
    net = network(**access)
    try:
        asked = read_asked(source, destination, service, until, net)
        found = list(refusals(asked, net, NOW))
    except DsiError as error:
        found = [error]
    for one in found:
        assert one.next_step is not None
    return [f"{one.what.render('en')} {one.next_step.render('en')}" for one in found]


def test_an_access_within_policy_is_not_refused_and_every_filtering_router_of_the_site_enforces_it():
    net = network()
    assert refused() == []
    assert enforcers(read_asked("10.64.4.8/29", "srv-sydam", "sydam", UNTIL, net), net) == ("rtr-spy", "rtr-spy2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"source": "10.70.0.1"}, "in no site's LAN"),
        ({"source": "10.64.4.0/22"}, "not within the LAN of one site"),
        ({"source": "10.64.5.0/24"}, "in no site's LAN"),
        ({"source": "10.64.6.9"}, "No router of BKE filters"),
        ({"source": "any"}, "everything"),
        ({"source": "0.0.0.0/0"}, "everything"),
        ({"source": "internet"}, "Nothing that comes from the Internet"),
        ({"source": "10.64.4.9/29"}, "Write 10.64.4.9 for the machine, or 10.64.4.8/29"),
        ({"source": "nobody"}, "neither an address, nor a network, nor a name"),
        ({"source": "SPY", "widest_source": 25}, "wider than the policy allows: /25"),
        ({"destination": "srv-sydan"}, "Did you mean: srv-sydam?"),
        ({"destination": "any"}, "everything"),
        ({"destination": "8.8.8.8"}, "not among the destinations"),
        ({"destination": "10.64.6.5", "destinations": ["10.64.0.0/24"]}, "Allowed are: 10.64.0.0/24"),
        ({"destination": "10.64.4.20"}, "same LAN as the source"),
        ({"destination": "10.64.0.0/28"}, "wider than the policy allows: /29"),
        ({"service": "any"}, "never opened"),
        ({"service": "tcp"}, "never opened"),
        ({"service": "icmp/1"}, "is no service"),
        ({"service": "tcp/70000"}, "is no service"),
        ({"service": "tcp/90-80"}, "is no service"),
        ({"service": "tcp/8000-8016"}, "17 ports are more than one access may open: 16"),
        ({"service": "tcp/20-25"}, "Telnet is not encrypted."),
        ({"destination": "internet", "service": "tcp/80"}, "Opened to the Internet may be: tcp/443."),
        ({"until": None}, "none was given"),
        ({"until": NOW}, "is past"),
        ({"until": NOW + timedelta(days=400)}, "366 days at most"),
    ],
)
def test_what_is_refused_says_why_and_what_to_do_next(words, sentence):
    (found,) = refused(**words)
    assert sentence in found


@pytest.mark.parametrize(
    "words",
    [
        {"source": "SPY"},
        {"source": "10.64.4.7"},
        {"service": "TCP/8000-8010"},
        {"service": "tcp/22"},
        {"destination": "internet", "service": "tcp/443"},
        {"destination": "10.64.0.8/29"},
        {"destination": "10.64.6.5"},
    ],
)
def test_what_is_within_policy_is_not_refused(words):
    assert refused(**words) == []


def test_an_access_to_the_internet_is_not_stopped_by_a_denial_of_our_own_servers():
    denied = [{"destination": "10.64.0.99/32", "service": "tcp/443", "why": "Old server."}]
    assert refused(destination="internet", service="tcp/443", denied=denied) == []
    assert "Old server." in refused(destination="10.64.0.99", service="tcp/443", denied=denied)[0]


def test_the_same_access_has_the_same_name_again_and_another_one_another():
    net = network()
    asked = read_asked("10.64.4.8/29", "srv-sydam", "sydam", UNTIL, net)
    later = read_asked("10.64.4.8/29", "10.64.0.5/32", "tcp/8443", UNTIL + timedelta(days=1), net)
    assert asked.rule("rtr-spy").id == later.rule("rtr-spy").id == identifier("rtr-spy", asked.rule("rtr-spy"))
    assert asked.rule("rtr-spy").id != asked.rule("rtr-spy2").id


def test_an_access_without_an_end_is_refused_before_any_router_is_looked_at(tmp_path):
    with pytest.raises(UsageError):
        Office(tmp_path).plan(until=None)


@PLATFORMS
def test_what_another_access_lets_through_already_is_refused_and_that_one_is_named(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done(source="SPY")
    wide = office.record().standing()[0].rule.id
    (narrow,) = blocked(office.plan())
    assert wide in narrow
    assert "2026-12-31 23:59" in narrow
    sooner = office.plan(source="SPY", until="2026-12-01").blockers[0]
    assert f"dsi access revoke {wide}" in sooner.next_step.render("en")


@PLATFORMS
def test_an_access_a_line_of_the_router_denies_first_is_refused_and_the_line_is_named(tmp_path, platform):
    office = Office(tmp_path, platform)
    lines = {
        "frr": ("filter DSI-LAN-IN", " deny 10.64.0.5/32 tcp/8000-9000", "exit"),
        "ios": ("ip access-list extended DSI-LAN-IN", " 950 deny tcp any host 10.64.0.5 range 8000 9000", "exit"),
    }
    office.device().by_hand(*lines[platform])
    (found,) = blocked(office.plan())
    assert "denies it first" in found
    assert "8000" in found


@PLATFORMS
def test_a_router_without_its_filter_is_configured_first(tmp_path, platform):
    office = Office(tmp_path, platform)
    device = office.device()
    device.config = type(device.config)({name: () if "interface" not in name else ("description X",)
                                         for name in device.config.sections if "DSI-LAN-IN" not in name})  # fmt: skip
    (blocker,) = office.plan().blockers
    assert "dsi router configure rtr-spy" in blocker.next_step.render("en")


def test_a_router_that_does_not_see_the_source_is_refused_and_the_right_one_named(tmp_path):
    (blocker,) = Office(tmp_path).plan(on=("rtr-abj",)).blockers
    assert "rtr-spy" in blocker.next_step.render("en")


def test_identifiers_nobody_knows_are_refused(tmp_path):
    (blocker,) = Office(tmp_path).plan("access.revoke", ids=["ac-zzzzzz"]).blockers
    assert "dsi access list" in blocker.next_step.render("en")


@pytest.mark.parametrize(
    ("destination", "service", "at", "sentence"),
    [
        ("10.64.0.0/29", "sydam", "10.64.0.9", "10.64.0.9 is not in 10.64.0.0/29"),
        ("srv-sydam", "sydam", "10.64.6.9", "10.64.6.9 is not in 10.64.0.5/32"),
        ("internet", "tcp/443", "10.64.0.5", "10.64.0.5 is one of our own addresses"),
    ],
)
def test_a_connection_that_would_prove_nothing_about_the_access_is_refused(destination, service, at, sentence):
    net = network()
    (error,) = tried_elsewhere(read_asked("10.64.4.8/29", destination, service, UNTIL, net), at, net)
    assert sentence in error.what.render("en")


@pytest.mark.parametrize(
    ("destination", "service", "at"),
    [("10.64.0.0/29", "sydam", "10.64.0.5"), ("internet", "tcp/443", "203.0.113.9"), ("srv-sydam", "sydam", None)],
)
def test_a_connection_to_the_destination_itself_proves_it(destination, service, at):
    net = network()
    assert [*tried_elsewhere(read_asked("10.64.4.8/29", destination, service, UNTIL, net), at, net)] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("try_at", "foo;reboot"),
        ("try_at", "::1"),
        ("why", "a\nreload"),
        ("beneficiary", "\x1b[31mB. Kone"),
    ],
)
def test_what_the_record_could_not_show_or_the_probe_not_reach_is_no_input(key, value):
    with pytest.raises(ValidationError) as caught:
        AllowInputs.model_validate({**ASKED, key: value})
    (problem,) = caught.value.errors()
    assert problem["ctx"]["error"].key == key


@pytest.mark.parametrize("key", ["reference", "beneficiary", "why"])
def test_blanks_alone_are_no_words(key):
    with pytest.raises(ValidationError):
        AllowInputs.model_validate({**ASKED, key: " \t "})


def recorded(identifier, router):
    rule = AccessRule(identifier, "10.64.4.8/29", "10.64.0.5/32", "tcp", 8443, 8443, UNTIL)
    return Access(rule, router, "why", "DSI-1", "B. Kone", "RUN-1", "m.kouadio", ("s.coulibaly",), NOW)


def test_accesses_are_found_by_their_identifiers_in_any_case_each_router_once():
    known = {"ac-aaaaaa": "rtr-spy", "ac-bbbbbb": "rtr-abj", "ac-cccccc": "rtr-spy"}
    record = AccessRecord(tuple(recorded(name, router) for name, router in known.items()))
    assert holders(["AC-AAAAAA", "ac-cccccc", "ac-bbbbbb"], record) == ("rtr-spy", "rtr-abj")


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "Nobody said which"),
        (["ac-nope01", "ac-aaaaaa"], "No access is called ac-nope01."),
        (["ac-nope01", "ac-nope02"], "No accesses are called ac-nope01, ac-nope02."),
    ],
)
def test_accesses_nobody_knows_are_named_with_what_to_do(ids, said):
    with pytest.raises(UsageError) as caught:
        holders(ids, AccessRecord((recorded("ac-aaaaaa", "rtr-spy"),)))
    assert said in caught.value.what.render("en")
    assert "dsi access list" in caught.value.next_step.render("en")
