"""The filter of a Linux router on paper: what nft may print for the same thing, and what is not ours."""

import json

import pytest

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect
from dsi_automation.connectors.routers.helper import Document
from dsi_automation.connectors.routers.lines import RefusedLineError
from dsi_automation.connectors.routers.nft_json import Unknown, network, ports
from dsi_automation.connectors.routers.nftables import HEADING, read, script
from dsi_automation.core.errors import RefusedError

FRR = FrrDialect()
RULE = "rule ac-k7m2qx 10.64.8.8/29 10.64.0.5/32 tcp/8443 until 2036-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("10.64.0.5", "10.64.0.5/32"),
        ({"prefix": {"addr": "10.64.8.8", "len": 29}}, "10.64.8.8/29"),
        ({"range": ["10.64.8.8", "10.64.8.15"]}, "10.64.8.8/29"),
    ],
)
def test_a_network_is_the_same_however_nft_prints_it(printed, meant):
    assert network(printed) == meant


@pytest.mark.parametrize("printed", [{"range": ["10.64.8.8", "10.64.8.16"]}, "fe80::1", {"set": []}, 7, None, "lan0"])
def test_what_is_no_network_is_not_made_one(printed):
    with pytest.raises(Unknown):
        network(printed)


@pytest.mark.parametrize(
    ("printed", "meant"),
    [(443, (443, 443)), ({"range": [8000, 8010]}, (8000, 8010)), ({"prefix": {"addr": 8000, "len": 13}}, (8000, 8007))],
)
def test_ports_are_the_same_however_nft_prints_them(printed, meant):
    assert ports(printed) == meant


@pytest.mark.parametrize("printed", ["https", {"range": [1]}, None, {}])
def test_what_is_no_port_is_not_made_one(printed):
    with pytest.raises(Unknown):
        ports(printed)


def test_commands_are_taken_in_order():
    commands = ["inside lan1", RULE, "deny any tcp/23", "no rule ac-k7m2qx", RULE, RULE]
    after = FRR.apply(Config({HEADING: ("inside lan0",)}), [HEADING, *(f" {one}" for one in commands)])
    assert after.sections[HEADING] == ("inside lan1", "deny any tcp/23", RULE)


@pytest.mark.parametrize(
    "line",
    ["no rule ac-zzzzzz", "no deny any tcp/23", "rule ac-k7m2qx any any tcp/1", "flush ruleset", "lan 10.64.8.0",
     'inside lan0"; flush ruleset', "unexpected set other", f"{RULE} }} ; flush ruleset"],
)  # fmt: skip
def test_a_line_that_means_nothing_is_refused_and_named(line):
    with pytest.raises(RefusedLineError) as wrong:
        FRR.apply(Config({HEADING: ("inside lan0",)}), [HEADING, f" {line}"])
    assert wrong.value.line.strip() == line


@pytest.mark.parametrize(
    "line", ['inside lan0"; flush ruleset', "flush ruleset", f"{RULE} }} ; flush ruleset", 'deny 10.64.0.0"/24 tcp/1']
)
def test_a_line_that_could_tell_nft_something_else_never_reaches_it(line):
    with pytest.raises(RefusedLineError):
        script([line])


@pytest.mark.parametrize("line", ["unexpected set other", RULE.replace("ac-k7m2qx", "ac-aaaaaa")])
def test_what_nft_would_swallow_without_a_word_is_refused(line):
    with pytest.raises(RefusedLineError) as wrong:
        script(["inside lan0", RULE, line])
    assert wrong.value.line in {line, RULE}


def test_a_complaint_of_nft_names_our_line():
    made = script(["inside lan0", RULE, "deny any tcp/23"])
    place = made.text.splitlines().index(next(line for line in made.text.splitlines() if "ac-k7m2qx" in line)) + 1
    assert made.culprit(f"/dev/stdin:{place}:4-40: Error: Could not process rule: File exists\nadd ...") == (
        RULE,
        "Could not process rule: File exists",
    )
    assert made.culprit("/dev/stdin:1:1-3: Error: syntax error") is None
    assert made.culprit("") is None


def test_no_table_is_no_filter_and_an_empty_one_is_one_without_its_rules():
    assert read("{}") is None
    assert script(None).text == "add table inet dsi\ndelete table inet dsi\n"
    bare = {"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "dsi"}}]}
    assert read(json.dumps(bare)) == tuple(
        f"unexpected absence of chain {name}" for name in ("refuse", "to_router", "from_lan")
    )


def test_an_access_without_its_time_out_is_none_of_ours():
    element = {"val": {"concat": ["10.64.8.8", "10.64.0.5", "tcp", 1]}, "comment": "ac-k7m2qx 2036-12-31T23:59:59Z"}
    table = {"nftables": [{"table": {}}, {"set": {"name": "allow4", "elem": [{"elem": element}]}}]}
    assert read(json.dumps(table))[0].startswith("unexpected element allow4 ")
    element["timeout"] = 60
    assert read(json.dumps(table))[0] == RULE.replace("10.64.8.8/29", "10.64.8.8/32").replace("8443", "1")


def test_a_configuration_that_was_cut_off_is_refused():
    whole = "armed until=x\n--- dsi-cc frr\nhostname r\nend\n--- dsi-cc filter\n{}\n--- dsi-cc end\n"
    assert Document.of("r", whole) == Document("hostname r\nend\n", "{}\n", "armed until=x\n")
    for cut in ("", whole[:40], whole[:-16]):
        with pytest.raises(RefusedError):
            Document.of("r", cut)


def test_a_helper_that_is_older_than_the_toolkit_is_to_be_replaced():
    whole = "state=none\n--- dsi-cc frr\nend\n--- dsi-cc filter\n{}\n--- dsi-cc end\n"
    with pytest.raises(RefusedError) as refused:
        Document.two_of("r", whole + whole)
    assert "dsi-cc.md" in str(refused.value.next_step)
