"""A tiny daemon under a service script as a vendor ships it, for tests of what drives services.

`mode` files beside the script switch faults on: `hangs` (its stop never ends), `lies` (its stop says that all is well
and the port stays held), `dies` (it ends right after its start), `fails` (its start says no), `slow` (its port opens
late), `deaf` (it ignores SIGTERM).
"""

import os
import signal
import socket
import subprocess
from pathlib import Path

from waiting import wait_for

from dsi_automation.connectors.applications.port import ServerSettings, ServiceKind

_SCRIPT = r"""#!/bin/sh
# Usage: service {start|stop|status}
cd "$(dirname "$0")" || exit 5
running() { [ -f pid ] && kill -0 "$(cat pid)" 2>/dev/null; }
case $1 in
start)
    running && exit 0
    [ ! -e fails ] || { echo "JAVA_HOME is not set"; exit 6; }
    echo start >>calls
    env >environment
    START
    echo $! >pid
    ;;
stop)
    echo stop >>calls
    [ ! -e lies ] || { rm -f pid; exit 0; }
    [ ! -e hangs ] || { sleep 301 & echo "$! $$" >hanging; wait; }
    running || exit 0
    kill "$(cat pid)"
    while running; do sleep 0.02; done
    rm -f pid
    ;;
status)
    running && exit 0
    [ -f pid ] && exit 1
    exit 3
    ;;
esac
"""
_DAEMON = r"""
import os, signal, socket, sys, threading
print("starting", flush=True)
if os.path.exists("deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.path.exists("dies"):
    print("cannot reach the database, password=Tr0ub4dor-log", flush=True)
    sys.exit(1)
pause = threading.Event()
while os.path.exists("slow"):
    pause.wait(0.01)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listening.accept()[0].close()
"""


class Daemon:
    """One service script and what it drives."""

    def __init__(self, folder: Path, start: str = "nohup python3 daemon.py PORT >>log 2>&1 &") -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "daemon.py").write_text(_DAEMON)
        self.script = folder / "service"
        self.script.write_text(_SCRIPT.replace("START", start.replace("PORT", str(self.port))))
        self.script.chmod(0o755)

    def switch(self, fault: str, on: bool = True) -> None:
        (self.folder / fault).touch() if on else (self.folder / fault).unlink(missing_ok=True)

    def settings(self, **changes: object) -> ServerSettings:
        given = {
            "application": "sydam",
            "name": "app1",
            "host": "srv1",
            "kind": ServiceKind.SCRIPT,
            "unit": "",
            "start": (str(self.script), "start"),
            "stop": (str(self.script), "stop"),
            "status": (str(self.script), "status"),
            "user": None,
            "address": "127.0.0.1",
            "port": self.port,
            "stop_within": 20.0,
            "start_within": 20.0,
            "kill": True,
            "log": str(self.folder / "log"),
            "caches": (),
        }
        return ServerSettings(**(given | changes))  # type: ignore[arg-type]

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    @property
    def open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def give_to(self, user: str) -> None:
        """Make it another account's, who may come as far as its folder."""
        # Below the temporary folder itself, however deep a worker of the tests is.
        ours = [folder for folder in self.folder.parents if len(folder.parts) > 2]
        subprocess.run(["chmod", "a+rx", *ours], check=True)
        subprocess.run(["chown", "-R", user, self.folder], check=True)

    def end(self) -> None:
        """End whatever runs from this folder."""
        for process in Path("/proc").iterdir():
            if process.name.isdecimal() and _of(process, self.folder):
                try:
                    os.kill(int(process.name), signal.SIGKILL)
                except ProcessLookupError:
                    continue
        wait_for(lambda: not self.open)


def _of(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False
