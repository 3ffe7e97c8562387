"""The state of the simulated workstations survives, and their specification is checked."""

import pytest
from fix_winsim import winsim_workstation
from pydantic import ValidationError

from dsi_automation.core.errors import StorageError
from dsi_automation.lab.windows.adcli import _ANSWERS, _last_lines, _owner
from dsi_automation.lab.windows.auth.md4 import md4, nt_hash
from dsi_automation.lab.windows.faults import DESCRIPTIONS, Fault, FaultRule
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.presets import SYSTEMS, Preset
from dsi_automation.lab.windows.spec import Profile, SimulatorSpec
from dsi_automation.lab.windows.state import StateStore


def test_the_state_survives_the_simulator(tmp_path):
    spec = winsim_workstation()
    machine = Machine(spec, StateStore(tmp_path), None)
    machine.state.pending_name = "NEW"
    machine.state.faults.append(FaultRule(fault=Fault.SLOW, value=2, count=3))
    machine.done("Win32_ComputerSystem", "Rename")
    again = Machine(spec, StateStore(tmp_path), None)
    assert again.state == machine.state


def test_a_restart_that_the_simulators_end_interrupted_is_finished(tmp_path):
    spec = winsim_workstation(logged_on_user="X\\awa")
    machine = Machine(spec, StateStore(tmp_path), None)
    before = machine.state.boot_time
    machine.state.pending_name = "NEW"
    machine.state.rebooting = True
    machine.save()
    again = Machine(spec, StateStore(tmp_path), None).state
    assert (again.computer_name, again.rebooting, again.logged_on_user, again.boots) == ("NEW", False, None, 1)
    assert again.boot_time > before


def test_a_damaged_state_file_is_told_of(tmp_path):
    spec = winsim_workstation()
    (tmp_path / f"{spec.key}.json").write_text("{}")
    with pytest.raises(StorageError):
        Machine(spec, StateStore(tmp_path), None)


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path):
    spec = winsim_workstation()
    machine = Machine(spec, StateStore(tmp_path), None)
    machine.save()
    (tmp_path / f"{spec.key}.json").unlink()
    (tmp_path / f"{spec.key}.json").mkdir()
    with pytest.raises(StorageError):
        machine.save()


def test_a_reset_goes_back_to_the_specification(tmp_path):
    machine = Machine(winsim_workstation(), StateStore(tmp_path), None)
    machine.state.computer_name = "OTHER"
    machine.done("X", "Y")
    machine.reset()
    assert (machine.state.computer_name, machine.state.methods) == ("DESKTOP-7F3K2Q1", {})


def test_a_profile_of_a_user_who_does_not_exist_is_refused():
    with pytest.raises(StorageError):
        Machine(winsim_workstation(profiles=[Profile(user="nobody", path="C:\\x")]), StateStore(None), None)


@pytest.mark.parametrize(
    "changes", [{"key": "a/b"}, {"computer_name": "A" * 16}, {"language": "de-DE"}, {"max_batch_items": 0}]
)
def test_a_wrong_specification_is_refused(changes):
    with pytest.raises(ValidationError):
        winsim_workstation(**changes)


def test_two_workstations_of_one_key_are_refused():
    with pytest.raises(ValidationError):
        SimulatorSpec(workstations=[winsim_workstation(), winsim_workstation()])


def test_every_preset_and_every_fault_is_described():
    assert set(SYSTEMS) == set(Preset)
    assert set(DESCRIPTIONS) == set(Fault)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"a", "bde52cb31de33e46245e05fbdbd6fb24"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_gives_the_digests_of_rfc_1320(data, digest):
    assert md4(data).hex() == digest


def test_the_nt_hash_is_that_of_ms_nlmp():
    assert nt_hash("Password").hex() == "a4f49c406510bdcab6824ee7c30fd852"  # MS-NLMP 4.2.2.1.2


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (" * Found OU\n ! Insufficient permissions to modify computer account: CN=X\n", 5),
        (" ! Couldn't create computer account: 0000216D: samldb\n", 8557),
        (" * Setting password\n ! Couldn't authenticate as: x: Preauthentication failed\n", 1326),
        (" ! Couldn't find usable domain controller to connect to\n", 1355),
        (" ! Couldn't set password for computer account: X$: Constraint violation\n", 1323),
    ],
)
def test_what_adcli_says_becomes_the_code_windows_gives(said, code):
    assert next(int(known) for pattern, known in _ANSWERS if pattern.search(_last_lines(said))) == code


def test_the_owner_is_read_from_a_security_descriptor():
    sid = bytes.fromhex("0105000000000005150000000100000002000000030000005004 0000".replace(" ", ""))
    assert _owner([b"\x01\0\0\x80" + (20).to_bytes(4, "little") + b"\0" * 12 + sid]) == "S-1-5-21-1-2-3-1104"
    assert _owner([]) == ""
