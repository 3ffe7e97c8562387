"""One process that runs or resumes a request, and waits for a word on its standard input at two moments."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))

from house import House

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Silent


class Telling:
    """Says that the process heard the wish to stop."""

    def notify(self, event):
        if event.kind == "run.stopping":
            say({"said": "stopping"})


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def told(house, run):
    say(
        {
            "exit": int(run.exit_code),
            "outcome": str(run.outcome),
            "steps": [[step.action_id, str(step.outcome)] for step in run.steps],
            "held": len(house.journal.holders()),
        }
    )


def main():
    command, root, *rest = sys.argv[1:]
    house = House(Path(root), clock=SystemClock())
    if command == "prepare":
        say(house.approved())
        return
    if command == "resume":
        told(house, house.engine().resume(house.engine().runs()[0].id, Silent()))
        return

    def wait(name):
        if name == "before t1/create-a":
            say({"said": "acting"})
            sys.stdin.readline()

    house.fill.point = wait
    say("ready")
    sys.stdin.readline()
    try:
        run = house.engine().run(rest[0], Telling())
    except DsiError as error:
        say({"said": "refused", "code": int(error.exit_code), "text": str(error)})
    else:
        told(house, run)


main()
