"""The network of the inventory: its parts fit together, and each way leads to headquarters."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.network_model import Link, NetworkSettings
from dsi_automation.inventory.problems import InventoryError

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"


@pytest.fixture
def home(tmp_path):
    """Return an inventory of four sites: two star circuits and a neighbour behind one of them."""

    def router(site, address):
        return {
            "ansible_host": address,
            "dsi_site": site,
            "dsi_router": {
                "platform": "frr",
                "lan": "lan0",
                "management": {"interface": "mgmt0", "sources": ["198.51.100.1/32"]},
            },
        }

    sites = {"ABJ": "10.64.0.0/22", "SPY": "10.64.4.0/23", "BKE": "10.64.6.0/23", "MAN": "10.64.8.0/23"}
    everywhere = {
        "dsi_sites": {
            code: {
                "name": code,
                "workstation_ou": f"OU={code},DC=x",
                "naming": {"template": f"{code}-{{number:03}}"},
            }
            for code in sites
        },
        "dsi_network": {
            "headquarters": "ABJ",
            "ranges": ["10.64.0.0/12"],
            "operators": {"op": {"name": "Op"}},
            "sites": {code: {"range": one, "lan": one.split("/")[0] + "/24"} for code, one in sites.items()},
        },
        "dsi_links": {
            "spy-abj": _link("rtr-spy", "wan0", "rtr-abj", "wan1", "10.64.5.0/30", "op"),
            "bke-abj": _link("rtr-bke", "wan0", "rtr-abj", "wan2", "10.64.7.0/30", "op"),
            "man-bke": _link("rtr-man", "wan0", "rtr-bke", "wan1", "10.64.9.0/30", None),
        },
    }
    names = {f"rtr-{code.lower()}": router(code, f"198.51.100.{n}") for n, code in enumerate(sites, 11)}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"routers": {"hosts": names}}}}))
    (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(everywhere))
    return tmp_path


def _link(near, at, far, there, prefix, operator):
    kind = {"kind": "neighbour"} if operator is None else {"kind": "leased", "operator": operator}
    ends = [{"router": near, "interface": at}, {"router": far, "interface": there}]
    return {**kind, "ends": ends, "prefix": prefix, "bandwidth": 10}


def changed(home, change):
    path = home / "group_vars" / "all.yml"
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))
    return Inventory(home / "hosts.yml", {})


def test_each_router_knows_its_way_to_headquarters(home):
    network = Inventory(home / "hosts.yml", {}).network
    assert network.path("rtr-man") == ("rtr-man", "rtr-bke", "rtr-abj")
    assert network.path("rtr-spy") == ("rtr-spy", "rtr-abj")
    assert network.uplink("rtr-abj") is None
    assert set(network.links_of("rtr-bke")) == {"bke-abj", "man-bke"}
    with pytest.raises(UsageError, match="rtr-mna"):
        network.router("rtr-mna")


def test_the_end_named_first_has_the_lower_address(home):
    link = Inventory(home / "hosts.yml", {}).network.links["man-bke"]
    assert link.address("rtr-man") == "10.64.9.1/30"
    assert link.address("rtr-bke") == "10.64.9.2/30"
    assert link.other("rtr-man").router == "rtr-bke"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda c: c["dsi_network"].update(headquarters="ZZZ"), "dsi_network.headquarters"),
        (lambda c: c["dsi_network"]["sites"]["MAN"].update(lan="10.99.0.0/24"), "dsi_network.sites.MAN.lan"),
        (lambda c: c["dsi_network"]["sites"]["MAN"].update(range="10.64.6.0/23", lan="10.64.7.128/25"),
         "dsi_network.sites.MAN.range"),
        (lambda c: c["dsi_network"].update(ranges=["10.64.0.0/21"]), "dsi_network.sites.MAN.range"),
        (lambda c: c["dsi_links"]["man-bke"]["ends"][1].update(router="rtr-x"), "dsi_links.man-bke.ends[1].router"),
        (lambda c: c["dsi_links"]["man-bke"]["ends"][1].update(interface="wan0"),
         "dsi_links.man-bke.ends[1].interface"),
        (lambda c: c["dsi_links"]["man-bke"]["ends"][1].update(interface="mgmt0"),
         "dsi_links.man-bke.ends[1].interface"),
        (lambda c: c["dsi_links"]["man-bke"].update(prefix="10.64.5.0/30"), "dsi_links.man-bke.prefix"),
        (lambda c: c["dsi_links"]["spy-abj"].update(operator="nobody"), "dsi_links.spy-abj.operator"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_told_with_their_place(home, change, place):
    with pytest.raises(InventoryError) as refused:
        _ = changed(home, change).network
    assert place in {problem.path for problem in refused.value.problems}


def test_a_router_without_its_description_or_of_an_unknown_site_is_told(home):
    hosts = home / "hosts.yml"
    content = yaml.safe_load(hosts.read_text())
    routers = content["all"]["children"]["routers"]["hosts"]
    del routers["rtr-spy"]["dsi_router"]
    routers["rtr-man"]["dsi_site"] = "ZZZ"
    hosts.write_text(yaml.safe_dump(content))
    with pytest.raises(InventoryError) as refused:
        _ = Inventory(hosts, {}).network
    told = {problem.path for problem in refused.value.problems}
    assert {"rtr-spy: dsi_router.platform", "rtr-man: dsi_site"} <= told


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix": "10.0.0.0/24"},
        {"prefix": "10.0.0.1/30"},
        {"kind": "leased"},
        {"operator": "op"},
        {"circuit": "LL-1\nreload"},
        {"ends": [{"router": "a", "interface": "e0"}, {"router": "a", "interface": "e1"}]},
        {"ends": [{"router": "a", "interface": "e0 shutdown"}, {"router": "b", "interface": "e1"}]},
        {"ends": [{"router": "a", "interface": "e0"}]},
    ],
)
def test_a_circuit_that_cannot_be_is_refused(wrong):
    good = {
        "kind": "neighbour",
        "ends": [{"router": "a", "interface": "e0"}, {"router": "b", "interface": "e1"}],
        "prefix": "10.0.0.0/31",
        "bandwidth": 10,
    }
    assert Link.model_validate(good).address("b") == "10.0.0.1/31"
    with pytest.raises(ValidationError):
        Link.model_validate({**good, **wrong})


@pytest.mark.parametrize("service", ["tcp/0", "tcp/70000", "icmp/1", "tcp/20-10", "tcp", "tcp/x", "tcp/²"])
def test_a_service_is_a_protocol_and_ports(service):
    settings = {"headquarters": "A", "ranges": ["10.0.0.0/8"], "sites": {}}
    assert NetworkSettings.model_validate({**settings, "services": {"ok": "tcp/80-90"}}).services == {"ok": "tcp/80-90"}
    with pytest.raises(ValidationError):
        NetworkSettings.model_validate({**settings, "services": {"bad": service}})


def test_the_example_describes_a_network_that_holds_together():
    network = Inventory(EXAMPLE / "hosts.yml", {}).network
    assert network.path("rtr-bke") == ("rtr-bke", "rtr-abj")
    assert {router.described.platform for router in network.routers.values()} == {"ios", "frr"}
