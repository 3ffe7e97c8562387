"""A real lab for the tests: Samba and simulated workstations, brought up once per session and taken down at its end.

Each session has a lab of its own name and addresses, so that several can run on one machine; a lab whose session was
killed is swept away by the next one.
"""

import itertools
import os
import socket
import tempfile
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import BENCHMARKING, Layout
from dsi_automation.lab.network import free_networks

ROOM = Path(tempfile.gettempdir(), "dsi-test-labs")
SUBNETS = list(BENCHMARKING.subnets(new_prefix=22))
_numbers = itertools.count()


def reserve_network() -> tuple[IPv4Network, socket.socket]:
    """Return a /22 of the benchmarking range that nobody uses, and what holds it for this session.

    Two sessions must not choose the same one before either has made its interface: the hold is an abstract socket.
    """
    for network in free_networks():
        hold = socket.socket(socket.AF_UNIX)
        try:
            hold.bind(f"\0dsi-test-network-{network.network_address}")
        except OSError:
            hold.close()
            continue
        return network, hold
    raise AssertionError("every network of 198.18.0.0/15 is in use")


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
    made, holds = [], []

    def make() -> Lab:
        name = f"t{os.getpid()}x{next(_numbers)}"
        network, hold = reserve_network()
        holds.append(hold)
        made.append(Lab(Layout(name, network, ROOM / name)))
        return made[-1]

    yield make
    for lab in made:
        lab.down()
    for hold in holds:
        hold.close()


@pytest.fixture(scope="session")
def lab(make_lab):
    """The session's lab, up: its domain controller and the seven named workstations. Reset what you change."""
    shared = make_lab()
    shared.up()
    return shared


@pytest.fixture(scope="session")
def servers(lab):
    """The session's lab with its servers, database, mail and disks; started when first asked for.

    Reset what you change with `reset_servers`.
    """
    lab.up(servers=True)
    return lab


@pytest.fixture(scope="session")
def application(servers):
    """The session's lab with SYDAM World on its four servers; started when first asked for.

    Put back what you change: `lab.reset_servers()` puts releases, faults, caches and databases back and starts what
    is stopped; `lab.facilities.application` is its handle.
    """
    servers.up(application=True)
    return servers


@pytest.fixture
def short_folder():
    """A folder whose path leaves room for Samba's sockets; pytest's own are too long."""
    with tempfile.TemporaryDirectory(prefix="dsi-") as folder:
        yield Path(folder)
