"""Killed at any point, no router stays changed unproven, and a resumed run finishes what was approved."""

import pytest
from nethouse import Office

PAIR = ("rtr-abj", "rtr-spy")
BEFORE_CONFIRM = (
    "before snapshot", "after snapshot", "before note router.snapshot", "after note router.snapshot", "before arm",
    "after arm", "before note router.armed", "after note router.armed", "before push", "after push",
    "before note router.pushed", "after note router.pushed", "before note router.verified",
    "after note router.verified", "before confirm",
)  # fmt: skip
AFTER_CONFIRM = (
    "after confirm", "before note router.confirmed", "after note router.confirmed", "before save", "after save",
    "before note router.saved", "after note router.saved",
)  # fmt: skip


def office_of(tmp_path):
    """Return a network in which the circuit between headquarters and San-Pédro is to be put up, and nothing else."""
    office = Office(tmp_path, right="*")
    for name, address in (("rtr-spy", "10.64.9.1/30"), ("rtr-abj", "10.64.9.2/30")):
        device = office.device(name)
        device.by_hand("interface wan0", f" no ip address {address}", "exit")
        device.start = device.config
    office.before = {name: office.device(name).config for name in office.names}
    return office


@pytest.mark.parametrize("point", BEFORE_CONFIRM)
def test_a_dead_controller_leaves_no_router_changed_and_resume_finishes(tmp_path, point):
    office = office_of(tmp_path)
    office.die(office.approved(*PAIR), f"rtr-spy {point}")
    office.clock.forward(minutes=6)
    office.devices.settle()
    device = office.device("rtr-spy")
    assert device.config == device.start == office.before["rtr-spy"]
    assert office.resume().exit_code == 0
    assert all(office.right(name) for name in PAIR)


@pytest.mark.parametrize("point", AFTER_CONFIRM)
def test_a_circuit_of_which_one_end_was_confirmed_is_finished_by_resume(tmp_path, point):
    office = office_of(tmp_path)
    office.die(office.approved(*PAIR), f"rtr-spy {point}")
    office.clock.forward(minutes=6)
    assert office.resume().exit_code == 0
    assert all(office.right(name) for name in PAIR)


@pytest.mark.parametrize("point", ["after arm", "after push", "before confirm", "after confirm", "after save"])
def test_a_single_router_is_settled_and_finished_by_resume(tmp_path, point):
    office = Office(tmp_path, right="*")
    device = office.device("rtr-spy")
    device.by_hand("interface lan0", " no description", "exit")
    device.start = device.config
    office.die(office.approved("rtr-spy"), f"rtr-spy {point}")
    assert office.resume().exit_code == 0
    assert office.right("rtr-spy")


def test_a_router_that_restarts_while_a_change_is_pending_comes_up_as_it_was(tmp_path):
    office = office_of(tmp_path)
    office.die(office.approved(*PAIR), "rtr-spy after push")
    office.device("rtr-spy").reboot()
    assert office.device("rtr-spy").config == office.before["rtr-spy"]
    office.clock.forward(minutes=6)
    assert office.resume().exit_code == 0
    assert office.right("rtr-spy")
