"""A real lab for the tests: Samba and simulated workstations, brought up once per session and taken down at its end.

Each session has a lab of its own name and addresses, so that several can run on one machine; a lab whose session was
killed is swept away by the next one.
"""

import itertools
import json
import os
import subprocess
from ipaddress import IPv4Network, ip_interface
from pathlib import Path

import pytest

from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import BENCHMARKING, Layout

ROOM = Path("/tmp/dsi-test-labs")
SUBNETS = list(BENCHMARKING.subnets(new_prefix=20))
_numbers = itertools.count()


def used_networks():
    """Return the IPv4 networks of this machine's interfaces."""
    shown = subprocess.run(["ip", "-json", "-4", "address"], capture_output=True, text=True, check=True).stdout
    infos = [info for link in json.loads(shown) for info in link.get("addr_info", []) if info]
    return [ip_interface(f"{info['local']}/{info['prefixlen']}").network for info in infos]


def free_network() -> IPv4Network:
    """Return a /20 of the benchmarking range that no interface uses; sessions start looking at different places."""
    used = used_networks()
    first = os.getpid() % len(SUBNETS)
    return next(n for n in SUBNETS[first:] + SUBNETS[:first] if not any(n.overlaps(other) for other in used))


def sweep() -> None:
    """Take down the labs of sessions that are dead."""
    for folder in ROOM.glob("t*x*"):
        pid = folder.name[1:].partition("x")[0]
        if not Path("/proc", pid).exists():
            stale_lab(folder).down()


def stale_lab(folder: Path) -> Lab:
    """Return the lab of a folder, whatever session it belongs to."""
    return Lab(Layout(folder.name, SUBNETS[0], folder))


@pytest.fixture(scope="session")
def make_lab():
    """Return a function that makes a lab of this session, not up yet; all are taken down at the end."""
    sweep()
    made = []

    def make() -> Lab:
        name = f"t{os.getpid()}x{next(_numbers)}"
        made.append(Lab(Layout(name, free_network(), ROOM / name)))
        return made[-1]

    yield make
    for lab in made:
        lab.down()


@pytest.fixture(scope="session")
def lab(make_lab):
    """The session's lab, up: its domain controller and the seven named workstations. Reset what you change."""
    shared = make_lab()
    shared.up(workstations=WORKSTATIONS)
    return shared


WORKSTATIONS = 0
