"""A controller of its own in a folder: real files, journal, keys and `dsi` commands; the targets are folders.

Run as a program it is `dsi` with the operation `folder.fill`: `python schedule_house.py FOLDER ARGUMENTS...`.
`FOLDER/slow` makes each action wait until the file is gone, so that a test can stop something in the middle.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine_house.house import Fill, FolderTools, keygen
from waiting import wait_for

from dsi_automation.cli import schedule_run
from dsi_automation.cli.main import run
from dsi_automation.cli.session import Session
from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.clock import SystemClock
from dsi_automation.engine.model import StandingBounds, Window
from dsi_automation.engine.operation import TargetKind

THIS = Path(__file__).resolve()
PATIENCE = 200.0
"""Seconds that another process gets: several of them start at once."""
PEOPLE = {"controller.dsi": ("controller", 1), "y.traore": ("section_head", 2)}
POLICY = """\
version: 1
operations:
  folder.fill:
    production:
      requesters: [controller]
      approvers: [section_head]
      approvals: 1
      valid_for: 7d
      standing: {allowed: true, longest: 92d}
"""


class ShiftedClock(SystemClock):
    """The machine's clock and as many seconds as a file says: a test sets the clock of several processes."""

    def __init__(self, root):
        self.file = Path(root) / "offset"

    def now(self):
        return super().now() + timedelta(seconds=float(self.file.read_text()))


class Controller(Toolkit):
    """The toolkit of one folder; its operation writes files."""

    def __init__(self, root, *, who="controller.dsi", clock=None):
        self.root = Path(root)
        environ = {"PATH": os.environ["PATH"]}
        key = str(self.root / "keys" / who)
        self._given = clock
        super().__init__(inventory=str(self.root / "inv" / "hosts.yml"), key=key, environ=environ, clock=clock)
        self.fill = Fill(self.point)

    def point(self, name):
        if name.startswith("before "):
            with (self.root / "acting").open("a") as file:
                file.write(f"{name}\n")
            wait_for(lambda: not (self.root / "slow").exists(), PATIENCE)

    @cached_property
    def journal(self):
        from dsi_automation.journal.opening import open_journal

        told = {} if self._given is None else {"clock": self._given}
        return open_journal(self.settings.database_url.value, self.settings.state_dir.value, **told)

    def kept_connections(self):
        return nullcontext()

    @property
    def operations(self):
        return {"folder.fill": self.fill}

    @property
    def parts(self):
        names = {path.name: "production" for path in (self.root / "targets").iterdir()}
        return dataclasses.replace(
            super().parts, tools=FolderTools(self.root / "targets"), targets={TargetKind.HOST: names}
        )

    @property
    def equipment(self):
        return None


def furnish(root, schedules, targets=("t1",)):
    """Make the folder; `schedules` is the text of schedules.yml."""
    inv = root / "inv"
    for folder in (inv, root / "keys", *(root / "targets" / name for name in targets)):
        folder.mkdir(parents=True, exist_ok=True)
    lines = ["version: 1", "people:"]
    for name, (role, number) in PEOPLE.items():
        keygen(root / "keys" / name)
        key = (root / "keys" / f"{name}.pub").read_text().strip()
        lines += [f"  - id: {name}", f"    name: {name}", f'    staff_number: "{number}"', f"    roles: [{role}]"]
        lines += ["    keys:", f'      - key: "{key}"']
    (inv / "people.yml").write_text("\n".join(lines) + "\n")
    (inv / "approval_policy.yml").write_text(POLICY)
    (inv / "dsi.yml").write_text("state_dir: ../state\nlanguage: en\n")
    (inv / "hosts.yml").write_text("all: {hosts: {poste: {}}}\n")
    (inv / "schedules.yml").write_text(schedules)
    (root / "offset").write_text("0")
    return root


def stand(root, *targets, days=30, clock=None, hours=("00:00", "00:00"), **inputs):
    """Have a standing approval asked for and given."""
    from datetime import time as day_time

    from dsi_automation.core.events import Silent

    asking = Controller(root, clock=clock)
    plan = asking.engine.plan("folder.fill", targets, inputs, Silent())
    first, last = map(day_time.fromisoformat, hours)
    today = asking.clock.now().date()
    bounds = StandingBounds(today + timedelta(days=days), first, last, "UTC")
    request = asking.engine.request(plan, "Every night", Window(), standing=bounds).id
    Controller(root, who="y.traore", clock=clock).engine.approve(request, "Fine")
    return request


def every_minute(**more):
    """Return a schedules.yml with one schedule that is due each minute."""
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return (
        "version: 1\nschedules:\n  nuit:\n    title: Chaque minute\n    cron: '* * * * *'\n"
        f"    steps: [{{operation: folder.fill, targets: [t1]}}]\n{lines}"
    )


@lru_cache(maxsize=1)
def reader(root):
    """Return a journal to look at: tests do it again and again."""
    return Controller(root).journal


def outcomes(root, name="nuit"):
    """Return what the journal holds about a schedule, in order."""
    entries = reader(root).read(subject=f"schedule:{name}")
    return [entry.body for entry in entries]


class Started(subprocess.Popen):
    """A `dsi ARGUMENTS` of the folder, whose output is a file: its children may outlive it."""

    def __init__(self, root, *arguments):
        descriptor, name = tempfile.mkstemp(dir=root, prefix="output-")
        self.output = Path(name)
        command = [sys.executable, str(THIS), str(root), *arguments]
        super().__init__(command, stdout=descriptor, env={**os.environ, "DSI_LANG": "en"})
        os.close(descriptor)

    def told(self):
        """Return what it has written until now, one event a line."""
        return [json.loads(line) for line in self.output.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def kinds(self):
        return [line["event"] for line in self.told()]


def main():
    root, *arguments = sys.argv[1:]
    schedule_run.PROGRAM = (sys.executable, str(THIS), root)
    clock = ShiftedClock(root)
    session = Session(clock=clock, assemble=lambda _choices: Controller(root, clock=clock))
    sys.exit(run(arguments, session))


NOON = datetime(2027, 1, 10, 12, 0, 30, tzinfo=UTC)

if __name__ == "__main__":
    main()
