"""What a lab may be called and where it may live."""

from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.layout import Layout


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "lab-2", "a" * 12, "../x", "é", "lab\n"])
def test_a_name_that_would_not_fit_an_interface_or_a_path_is_refused(name):
    with pytest.raises(UsageError):
        Layout.of(name)


@pytest.mark.parametrize(
    "network", ["10.0.0.0/16", "198.18.0.0/24", "198.16.0.0/14", "0.0.0.0/0", "x", "198.18.1.1/16"]
)
def test_a_network_outside_the_benchmarking_range_or_too_small_is_refused(network):
    with pytest.raises(UsageError):
        Layout.of("lab", network)


def test_the_addresses_are_those_of_the_documentation(monkeypatch):
    monkeypatch.delenv("DSI_LAB_DIR", raising=False)
    layout = Layout.of()
    assert (layout.controller_address, layout.dc_address) == ("198.18.0.1", "198.18.0.10")
    assert layout.workstation_address(1) == "198.18.1.1"
    assert layout.workstation_address(500) == "198.18.2.244"
    assert layout.root == Path("/var/lib/dsi-lab/lab")
    assert layout.inventory_dir.parts[-2:] == ("inventories", "lab")


def test_every_address_of_the_largest_lab_is_within_the_smallest_network():
    layout = Layout.of("lab", "198.19.240.0/22")
    assert layout.workstation_address(500) == "198.19.242.244"


def test_the_interface_name_of_the_longest_lab_name_fits():
    assert len(Layout.of("a" * 11).interface) <= 15


def test_another_folder_can_hold_the_labs(monkeypatch, tmp_path):
    monkeypatch.setenv("DSI_LAB_DIR", str(tmp_path))
    layout = Layout.of()
    assert layout.root == tmp_path / "lab"
    assert layout.inventory_dir == tmp_path / "lab" / "inventory"
