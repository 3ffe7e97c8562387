"""A lab with servers comes and goes as one without: a killed start is finished or cleared, and nothing is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dsi_automation.lab.database import DECLARATIONS
from dsi_automation.lab.processes import pids_in
from dsi_automation.lab.tomcat import ServerFault

START_AND_DIE = """
import os, signal, sys
from ipaddress import IPv4Network
from pathlib import Path
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout

class Killer:
    def notify(self, event):
        if event.kind == sys.argv[4]:
            os.kill(os.getpid(), signal.SIGKILL)

Lab(Layout(sys.argv[1], IPv4Network(sys.argv[2]), Path(sys.argv[3]))).up(0, application=True, observer=Killer())
"""


def traces(lab):
    """Return every mount, loop device, process and file of this lab that is there."""
    root = str(lab.layout.root)
    found = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if root in line]
    loops = subprocess.run(["losetup", "-l", "-n", "-O", "BACK-FILE"], capture_output=True, text=True, check=True)
    found += [line for line in loops.stdout.splitlines() if root in line]
    for pid in (path for path in Path("/proc").iterdir() if path.name.isdigit() and path.name != str(os.getpid())):
        try:
            told = (pid / "cmdline").read_bytes() + (pid / "environ").read_bytes()
        except OSError:
            continue
        if f"{root}/".encode() in told:
            found.append(f"{pid.name}: {told[:200]!r}")
    return found + ([root] if lab.layout.root.exists() else [])


def start_and_die(lab, moment):
    layout = lab.layout
    words = [layout.name, str(layout.network), str(layout.root), moment]
    done = subprocess.run([sys.executable, "-c", START_AND_DIE, *words], check=False)
    assert done.returncode == -signal.SIGKILL, moment


@pytest.fixture
def fresh(make_lab):
    """A lab that is not up; taken down afterwards."""
    made = make_lab()
    yield made
    made.down()


@pytest.mark.parametrize("moment", ["lab.servers.started", "lab.servers.done", "lab.application.done"])
def test_a_start_killed_while_servers_are_made_leaves_nothing_after_down(fresh, moment):
    start_and_die(fresh, moment)
    assert fresh.down()
    assert traces(fresh) == []


def test_a_start_killed_is_finished_by_the_next_and_a_disk_that_is_in_goes_with_the_lab(fresh, servers):
    for moment in ("lab.servers.done", "lab.answering.started"):
        start_and_die(fresh, moment)
    fresh.up(0, application=True)
    # Beside another lab that has the same servers, with another disk in.
    assert fresh.facilities.database.sql("SELECT count(*) FROM declarations;") == str(DECLARATIONS)
    assert fresh.up(0).changed is False
    assert fresh.has_servers
    assert fresh.has_application
    fresh.facilities.application.server("app1").fault(ServerFault.HANGS_ON_STOP)
    servers.facilities.disks.insert("disque-02")
    fresh.facilities.disks.insert("disque-01")
    (fresh.layout.disk_mount / "set").write_text("a set")
    assert fresh.down()
    assert traces(fresh) == []
    assert pids_in(fresh.layout.ws_namespace) == []
    assert servers.facilities.disks.inserted().name == "disque-02"
    servers.facilities.disks.reset()
    assert servers.is_up()
