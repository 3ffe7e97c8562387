"""A fleet of simulated workstations on loopback addresses, and an inventory of it: no lab, no root.

The simulator is the lab's own process; it answers HTTPS with NTLM, which is what the lab's inventory uses.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import PYTHON
from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.ca import Authority, write_private
from dsi_automation.lab.windows.control import Control
from dsi_automation.lab.windows.presets import Preset
from dsi_automation.lab.windows.spec import LocalUser, SimulatorSpec, Tls, WorkstationSpec

PORT = 25986
PASSWORD = "Sésame-ouvre-toi-2026"
USER = "Administrateur"
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running fleet.

    Attributes:
        inventory: folder of its inventory.
        pid: the simulator's process.
    """

    inventory: Path
    pid: int
    control: Control


@contextmanager
def fleet(count: int) -> Generator[Fleet]:
    """Serve `count` workstations, `pc1` and so on."""
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        home = Path(folder)
        authority = Authority(home / "ca", SystemClock())
        authority.ensure()
        inventory = home / "inventory"
        write_inventory(inventory, count, authority.certificate_file)
        process = _simulator(home, count, authority)
        try:
            control = Control(home / "control")
            _wait_ready(control, process, home / "log")
            yield Fleet(inventory, process.pid, control)
        finally:
            process.terminate()
            process.wait()


def address(number: int) -> str:
    """Return the loopback address of a workstation; another network for each process, so that two can run at once."""
    return f"127.{16 + os.getpid() % 200}.{number // 250}.{number % 250 + 1}"


def write_inventory(folder: Path, count: int, ca_file: Path) -> None:
    """Write an inventory of that many hosts, each with variables of its own as real ones have."""
    (folder / "group_vars").mkdir(parents=True)
    password = folder.parent / "password"
    write_private(password, PASSWORD)
    sites = {code: _site(code, name) for code, name in (("ABJ", "Abidjan"), ("SPY", "San-Pédro"), ("BKE", "Bouaké"))}
    children: dict[str, Any] = {}
    for position, code in enumerate(sites):
        hosts = {f"pc{n}": {"ansible_host": address(n)} for n in range(1, count + 1) if n % len(sites) == position}
        children[code.lower()] = {"hosts": hosts, "vars": {"dsi_site": code}}
    credential = {"user": USER, "password": {"file": str(password)}}
    files: dict[str, Any] = {
        "hosts.yml": {"all": {"children": {"workstations": {"children": children}}}},
        "group_vars/all.yml": {
            "dsi_directory": {
                "domain": "ad.douanes.lab",
                "netbios": "DOUANES",
                "server": "dc1.ad.douanes.lab",
                "read_credential": "local",
                "join_credential": "local",
            },
            "dsi_sites": sites,
            "dsi_workstation": {"minimum_windows": "10.0", "minimum_ram_gib": 4},
            "dsi_credentials": {"local": credential},
        },
        "group_vars/workstations.yml": {
            "ansible_connection": "winrm",
            "ansible_port": PORT,
            "ansible_winrm_scheme": "https",
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_ca_trust_path": str(ca_file),
            "dsi_credential": "local",
        },
        "dsi.yml": {"state_dir": str(folder.parent / "state")},
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def _site(code: str, name: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "workstation_ou": f"OU=Postes,OU={code},OU=Sites,DC=ad,DC=douanes,DC=lab",
        "naming": {"template": f"{code}-PC-{{number:04}}"},
    }


def _wait_ready(control: Control, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not control.ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the simulator does not start:\n{log.read_text() if log.exists() else ''}")
        time.sleep(0.05)


def _simulator(home: Path, count: int, authority: Authority) -> subprocess.Popen[bytes]:
    systems = (Preset.WINDOWS11_PRO, Preset.WINDOWS10_22H2, Preset.WINDOWS11_ENTERPRISE)
    codes = ("ABJ", "SPY", "BKE")
    workstations = [
        WorkstationSpec(
            key=f"pc{number}",
            address=address(number),
            computer_name=f"{codes[number % 3]}-PC-{number:04}",
            system=systems[number % len(systems)],
            users=[LocalUser(name=USER, rid=500, password=PASSWORD, administrator=True)],
            http_port=None,
            https_port=PORT,
        )
        for number in range(1, count + 1)
    ]
    spec = SimulatorSpec(
        workstations=workstations, tls=Tls(ca_certificate=authority.certificate_file, ca_key=authority.key_file)
    )
    write_private(home / "spec.json", spec.model_dump_json())
    command = [PYTHON, "-m", "dsi_automation.lab.windows", "--spec", str(home / "spec.json")]
    command += ["--state", str(home / "simulated"), "--control", str(home / "control"), "--log", str(home / "log")]
    return subprocess.Popen(command)
