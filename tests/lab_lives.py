"""Labs that come and go: started and killed at one of their steps, and looked for afterwards."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from dsi_automation.lab import network
from dsi_automation.lab.network import NETNS_ETC

START_AND_DIE = """
import json, os, signal, sys
from ipaddress import IPv4Network
from pathlib import Path
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout

class Killer:
    def notify(self, event):
        if event.kind == sys.argv[4]:
            os.kill(os.getpid(), signal.SIGKILL)

lab = Lab(Layout(sys.argv[1], IPv4Network(sys.argv[2]), Path(sys.argv[3])))
lab.up(0, observer=Killer(), **json.loads(sys.argv[5]))
"""


def arguments(lab):
    """Return what a process is told to make the same lab."""
    return lab.layout.name, str(lab.layout.network), str(lab.layout.root)


def start_and_die(lab, moment, **wanted):
    """Start a lab in a process that is killed at a moment of it."""
    words = [sys.executable, "-c", START_AND_DIE, *arguments(lab), moment, json.dumps(wanted)]
    done = subprocess.run(words, check=False)
    assert done.returncode == -signal.SIGKILL, moment


def traces(lab):
    """Return what of a lab is there: files, mounts, disks, namespaces, interfaces, processes and what they mounted."""
    layout, prefix, root = lab.layout, f"{lab.layout.name}-", f"{lab.layout.root}/"
    found = [str(path) for path in (layout.root, layout.inventory_dir) if path.exists()]
    spaces = [*network.namespaces(), *(path.name for path in NETNS_ETC.glob("*"))]
    found += [name for name in spaces if name.startswith(prefix)]
    found += [str(path) for path in Path("/sys/class/net").iterdir() if path.name == layout.interface]
    loops = subprocess.run(["losetup", "-l", "-n", "-O", "BACK-FILE"], capture_output=True, text=True, check=True)
    mounts = Path("/proc/self/mountinfo").read_text()
    found += [line for line in (mounts + loops.stdout).splitlines() if root in line]
    for pid in (path for path in Path("/proc").iterdir() if path.name.isdigit() and path.name != str(os.getpid())):
        try:
            told = b"".join((pid / name).read_bytes() for name in ("cmdline", "environ", "mountinfo"))
        except OSError:
            continue
        if root.encode() in told:
            found.append(f"{pid.name}: {told[:200]!r}")
    return found
