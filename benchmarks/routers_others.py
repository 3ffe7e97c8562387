"""The same lines pushed as others do it: Ansible's network modules, Ansible's raw, netmiko in threads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from benchmarks.processes import HERE, PYTHON
from benchmarks.routers_house import House, Took
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.router_files import ADMINISTRATOR
from dsi_automation.lab.servers import CONTROLLER

UV: Final = HERE / ".uv" / "bin" / "uv"
PACKAGES: Final = ("ansible>=12,<14", "paramiko>=4,<5")
"""Ansible with all its collections: what is installed here is ansible-core alone. Of both SSH libraries its network
connection has, paramiko was the faster one."""
CONFIGURATION: Final = """\
[defaults]
forks = {forks}
host_key_checking = False
deprecation_warnings = False
[persistent_connection]
command_timeout = 120
connect_timeout = 60
"""
"""As many processes at once as there are routers; unknown host keys are taken, so that nobody compares them. It has
time: with its own 30 s, pushes fail where so many processes share two cores with other work."""
MODULE: Final = {
    "ansible_connection": "ansible.netcommon.network_cli",
    "ansible_network_os": "cisco.ios.ios",
    "ansible_network_cli_ssh_type": "paramiko",
}
PLAYS: Final[Mapping[str, dict[str, Any]]] = {
    # One task with all lines in their parents: the cheapest form. It saves where it changed something.
    "module": {"cisco.ios.ios_config": {"src": "{{ dsi_file }}", "save_when": "changed"}},
    "raw": {
        "ansible.builtin.raw": "configure terminal\n{{ lookup('ansible.builtin.file', dsi_file) }}\nend\nwrite memory"
    },
}


class Other(Protocol):
    """Somebody else who pushes lines to routers."""

    def push(self) -> Took:
        """Push them all, and save."""
        ...


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook of one task over all routers at once: `module` or `raw`."""

    house: House
    folder: Path
    play: str
    program: str

    def push(self) -> Took:
        """Run it."""
        words = [self.program, "-i", str(self.folder / "hosts.yml"), str(self.folder / f"{self.play}.yml")]
        # A home of its own: it writes down each host key it takes.
        own = {"ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder)}
        return self.house.took(words, own)


@dataclass(frozen=True, slots=True)
class Netmiko:
    """netmiko in plain threads."""

    house: House
    folder: Path

    def push(self) -> Took:
        """Run it."""
        return self.house.took([PYTHON, "-m", "benchmarks.routers_child", str(self.folder / "netmiko.json")])


def written(house: House, folder: Path, lines: Mapping[str, Sequence[str]]) -> None:
    """Write what the others read: inventories, playbooks, and a file of lines for each router."""
    hosts: dict[str, dict[str, str]] = {}
    for name, sent in lines.items():
        file = folder / f"{name}.cfg"
        file.write_text("".join(f"{line}\n" for line in sent if line != "exit"))
        hosts[name] = {"ansible_host": house.lab.routed.router(name).address, "dsi_file": str(file)}
    layout = house.lab.layout
    key = str(layout.ssh_dir / CONTROLLER)
    arguments = f"-F none -o UserKnownHostsFile={house.lab.routed.known_hosts} -o ControlPersist=60s"
    known = {"ansible_user": ADMINISTRATOR, "ansible_ssh_private_key_file": key, "ansible_ssh_common_args": arguments}
    _yaml(folder / "hosts.yml", {"all": {"hosts": hosts, "vars": known}})
    (folder / "ansible.cfg").write_text(CONFIGURATION.format(forks=len(hosts)))
    for name, task in PLAYS.items():
        way = MODULE if name == "module" else {"ansible_connection": "ansible.builtin.ssh"}
        _yaml(folder / f"{name}.yml", [{"hosts": "all", "gather_facts": False, "vars": way, "tasks": [task]}])
    routers = [{"host": hosts[name]["ansible_host"], "lines": list(sent)} for name, sent in lines.items()]
    (folder / "netmiko.json").write_text(json.dumps({"user": ADMINISTRATOR, "key": key, "routers": routers}))


def others(house: House, folder: Path, *, module: bool) -> dict[str, Other]:
    """Return them by name; Ansible's network modules, which are fetched first, only where they are asked for."""
    core = str(Path(PYTHON).with_name("ansible-playbook"))
    found: dict[str, Other] = {"netmiko": Netmiko(house, folder), "raw": Playbook(house, folder, "raw", core)}
    if module:
        found = {"ansible": Playbook(house, folder, "module", _installed(folder / "venv")), **found}
    return found


def reset(lab: Lab) -> None:
    """Put every router back to how it left the factory."""
    lab.routed.reset()


def _installed(folder: Path) -> str:
    """Make an environment with Ansible's network modules, and return its `ansible-playbook`."""
    subprocess.run([UV, "venv", "--quiet", "--python", PYTHON, folder], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *PACKAGES], check=True)
    # Compiled now, and not while it is measured.
    subprocess.run([folder / "bin" / "python", "-m", "compileall", "-q", folder], check=False)
    return str(folder / "bin" / "ansible-playbook")


def _yaml(file: Path, data: object) -> None:
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
