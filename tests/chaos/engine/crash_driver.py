"""Kills a run with signal 9 at one point after the other, resumes it, and prints what came of each, as JSON lines.

A point is: before and after each effect of the operation, each look, each event, and each transaction of the
journal, before it opens and after it has committed. Each attempt is a process of its own (fork, before any
thread exists), on a copy of one prepared house.
"""

import json
import os
import shutil
import signal
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))

# What a run imports, imported once: it starts no thread and opens nothing, and each child would do it anew.
import cryptography.hazmat.primitives.serialization.ssh  # noqa: F401
import sqlalchemy.dialects.sqlite  # noqa: F401
from house import House, Listener

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.events import Silent
from dsi_automation.journal.model import Kind

TARGETS = ("t1", "t2")


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Points:
    """Counts points, and dies at one of them."""

    def __init__(self, deadly):
        self.count, self.deadly, self.armed, self.name = 0, deadly, False, ""

    def __call__(self, name):
        if not self.armed:
            return
        if self.count == self.deadly:
            say({"died": name})
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def inhabited(root, points=None):
    house = House(root, targets=TARGETS, clock=SystemClock())
    # One target after the other, so that points come in one order; no heartbeat among them.
    house.options = {"workers": 1, "heartbeat": timedelta(minutes=5)}
    if points:
        house.fill.point = points
        house.listener = Listener(points)
        house.journal.before.append(lambda transaction: points("transaction"))
        house.journal.after.append(lambda entries, head: points("committed " + ",".join(str(e.kind) for e in entries)))
    return house


def in_child(work):
    """Run `work` in a process of its own; return what it printed and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(writer, 1)
        try:
            work()
            sys.stdout.flush()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001  # a forked child must not return into the parent's code
            say({"error": repr(error)})
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = [json.loads(line) for line in pipe]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said, status


def run_until(root, request_id, deadly):
    points = Points(deadly)
    house = inhabited(root, points)
    points.armed = True
    run = house.engine().run(request_id, house.listener)
    say({"finished": int(run.exit_code), "points": points.count})


def resume_until(root, request_id, deadly):
    points = Points(deadly)
    house = inhabited(root, points)
    points.armed = True
    take_up(house, request_id, house.listener)
    say({"finished": 0, "points": points.count})


def take_up(house, request_id, observer):
    """Do what a person does who finds a dead run: resume it, or run the request when nothing had begun."""
    runs = house.engine().runs()
    if not runs:
        return house.engine().run(request_id, observer)
    if runs[0].exit_code == 0:
        return runs[0]
    return house.engine().resume(runs[0].id, observer)


def finish(root, request_id):
    house = inhabited(root)
    run = take_up(house, request_id, Silent())
    entries = house.journal.read(subject=run.id)
    told = {
        "exit": int(run.exit_code),
        "steps": [str(step.outcome) for step in run.steps],
        "written": {name: house.written(name) for name in TARGETS},
        "ends": sum(entry.kind is Kind.RUN_ENDED for entry in entries),
        "held": len(house.journal.holders()),
        "runs": len(house.engine().runs()),
    }
    say(told)


def main():
    """Arguments: a folder, how many points to step on each time, and how many deaths (1 or 2) before the end."""
    folder, step, deaths = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    template = folder / "template"
    template.mkdir(parents=True)
    # Prepared in a child too: this process stays without threads and connections.
    said, status = in_child(lambda: say(inhabited(template).approved()))
    assert status == 0, said
    (request_id,) = said
    number = 0
    while attempt(folder, template, request_id, number, range(0, 1000, step) if deaths == 2 else [None]):
        number += step


def attempt(folder, template, request_id, number, seconds):
    """Kill a run at one point, and its resumption at each of `seconds`; tell whether there was such a point."""
    for second in seconds:
        root = folder / f"{number}-{second}"
        shutil.copytree(template, root)
        died, status = in_child(partial(run_until, root, request_id, number))
        if status == 0:
            say({"all": died[0]["points"], "finished": died[0]["finished"]})
            return False
        again = (died, status)
        if second is not None:
            again = in_child(partial(resume_until, root, request_id, second))
            if again[1] == 0:
                return True
        resumed, resumed_status = in_child(partial(finish, root, request_id))
        say(
            {
                "point": [number, second],
                "died": [died, again[0]],
                "status": [status, again[1]],
                "resumed": resumed,
                "rc": resumed_status,
            }
        )
        shutil.rmtree(root)
    return True


main()
