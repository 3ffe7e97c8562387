"""What a circuit leaves on a router that the inventory no longer has: drift, and gone with the next change."""

from nethouse import Office, kinds, outcomes

LEFT = ("interface wan7", " ip address 10.64.9.5/30", "exit")


def drift(office, name):
    """Return what `router.check` finds of a router's interfaces."""
    (found,) = [one for one in office.check(name).checks if one.name == "interfaces"]
    return found.observed if not found.ok else ""


def test_an_address_of_a_circuit_the_inventory_no_longer_has_is_drift_and_goes(tmp_path):
    office = Office(tmp_path, right="*")
    assert drift(office, "rtr-spy") == ""
    device = office.device("rtr-spy")
    device.by_hand(*LEFT)
    device.start = device.config
    assert drift(office, "rtr-spy") == "interface wan7: no ip address 10.64.9.5/30"
    assert outcomes(office.configure("rtr-spy")) == {"rtr-spy": "done"}
    assert "interface wan7" not in device.config.sections
    assert office.right("rtr-spy")
    assert drift(office, "rtr-spy") == ""


def test_an_address_of_somebody_s_own_network_is_nobody_s_business(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").by_hand("interface wan7", " ip address 192.0.2.1/30", "exit")
    assert drift(office, "rtr-spy") == ""
    assert kinds(office.plan("rtr-spy")) == []
