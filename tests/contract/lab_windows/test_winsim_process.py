"""`python -m dsi_automation.lab.windows` starts, serves, stops; a wrong specification shows no secret."""

import signal
import subprocess
import sys

import pytest
from fix_winsim import WINSIM_PASSWORD, winsim_workstation
from winsim_wire import Pywinrm

from dsi_automation.lab.windows.control import Control
from dsi_automation.lab.windows.spec import SimulatorSpec


def command(folder):
    options = {name: str(folder / name) for name in ("spec", "state", "control", "log")}
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "dsi_automation.lab.windows", *given]


@pytest.fixture
def process(tmp_path):
    spec = SimulatorSpec(workstations=[winsim_workstation(f"ws{number}") for number in range(3)])
    (tmp_path / "spec").write_text(spec.model_dump_json())
    running = subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    yield running
    running.kill()
    running.communicate()


def test_it_serves_until_it_is_told_to_stop(process, tmp_path):
    control = Control(tmp_path / "control")
    control.wait_ready()
    row = control.workstations()[0]
    client = Pywinrm(f"http://{row['address']}:{row['http_port']}/wsman")
    assert client.query("select Name from Win32_Service").findtext(".//Name") == "WinRM"
    assert (tmp_path / "control").stat().st_mode & 0o777 == 0o600
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
    assert not (tmp_path / "control").exists()
    assert "Win32_Service" in (tmp_path / "log").read_text()
    assert not control.ready()


def test_killed_it_starts_again_where_it_was(process, tmp_path):
    control = Control(tmp_path / "control")
    control.wait_ready()
    row = control.workstations()[0]
    client = Pywinrm(f"http://{row['address']}:{row['http_port']}/wsman")
    client.invoke("Win32_ComputerSystem", "Rename", {"Name": row["computer_name"]}, Name="KEPT")
    process.kill()
    process.wait(120)
    again = subprocess.Popen(command(tmp_path))
    try:
        control.wait_ready()
        assert control.workstation(row["key"])["state"]["pending_name"] == "KEPT"
    finally:
        again.terminate()
        assert again.wait(120) == 0


@pytest.mark.parametrize("spec", ["", "{}x", '{"workstations": [{"key": "a", "users": [{"password": "%s"}]}]}'])
def test_a_wrong_specification_ends_it_with_2_and_no_secret(tmp_path, spec):
    text = spec.replace("%s", "canary-4711")
    (tmp_path / "spec").write_text(text)
    done = subprocess.run(command(tmp_path), capture_output=True, check=False)
    assert done.returncode == 2
    said = done.stdout + done.stderr + (tmp_path / "log").read_bytes()
    assert b"specification" in said
    assert b"canary-4711" not in said


def test_an_address_that_is_not_there_ends_it_with_1(tmp_path):
    spec = SimulatorSpec(workstations=[winsim_workstation(address="192.0.2.1")])
    (tmp_path / "spec").write_text(spec.model_dump_json())
    done = subprocess.run(command(tmp_path), capture_output=True, check=False)
    assert done.returncode == 1
    log = (tmp_path / "log").read_text()
    assert "192.0.2.1" in log
    assert WINSIM_PASSWORD not in log
