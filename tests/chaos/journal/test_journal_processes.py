"""Several processes at one journal, and processes that die in the middle of a transaction."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

from fix_journal import Place

from dsi_automation.journal.verify import verify_journal

PRELUDE = """
import sys
from datetime import timedelta
from pathlib import Path
from dsi_automation.journal.errors import LeaseHeldError
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.opening import open_journal
from dsi_automation.journal.owner import this_process
url, state, me = sys.argv[1:4]
journal = open_journal(url, Path(state))
def say(word):
    print(word, flush=True)
def wait():
    sys.stdin.readline()
"""

APPEND = """
say("ready")
wait()
for number in range(25):
    with journal.transaction() as transaction:
        transaction.append(Draft(Kind.RUN_ENDED, me, "awa", {"number": number}))
"""

ACQUIRE = """
say("ready")
wait()
try:
    with journal.transaction() as transaction:
        transaction.acquire(["ws1"], f"run-{me}", this_process(), me, timedelta(seconds=60))
    say("won")
except LeaseHeldError as error:
    say(f"lost {error.detail['person']}")
wait()
"""

DIE = """
with journal.transaction() as transaction:
    transaction.acquire(["ws1"], "run-dead", this_process(), me, timedelta(hours=1))
with journal.transaction() as transaction:
    for number in range(50):
        transaction.append(Draft(Kind.ABOUT_TO, me, "awa", {"text": "x" * 5000}))
    say("in the middle")
    wait()
"""


def start(place: Place, code: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + code, place.url, str(place.state), name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.communicate()


def test_processes_appending_at_once_make_one_chain(place: Place) -> None:
    names = ["a", "b", "c"]
    processes = [start(place, APPEND, name) for name in names]
    assert [heard(process) for process in processes] == ["ready"] * 3
    for process in processes:
        go(process)
    end(*processes)
    assert [process.returncode for process in processes] == [0] * 3
    journal = place.open(clock=False)
    found = verify_journal(journal, place.checkpoints)
    assert (found.entries, found.problems, found.unguarded) == (76, (), 0)
    for name in names:
        assert [entry.body["number"] for entry in journal.read(subject=name)] == list(range(25))


def test_of_two_processes_one_gets_the_lease_and_the_other_says_who_has_it(place: Place) -> None:
    processes = {name: start(place, ACQUIRE, name) for name in ("awa", "yao")}
    assert [heard(process) for process in processes.values()] == ["ready"] * 2
    for process in processes.values():
        go(process)
    said = {name: heard(process) for name, process in processes.items()}
    winner = next(name for name, word in said.items() if word == "won")
    loser = ({"awa", "yao"} - {winner}).pop()
    assert said[loser] == f"lost {winner}"
    for process in processes.values():
        go(process)
    end(*processes.values())


def test_a_process_killed_in_a_transaction_leaves_nothing_of_it_and_its_lease_is_free(place: Place) -> None:
    process = start(place, DIE, "dead")
    assert heard(process) == "in the middle"
    # Readers see whose the lease is while the writer is in the middle of its transaction.
    (holder,) = place.open(clock=False).holders()
    assert (holder.person, holder.run_id) == ("dead", "run-dead")
    os.kill(process.pid, signal.SIGKILL)
    end(process)
    journal = place.open(clock=False, wait=10)
    with journal.transaction() as transaction:
        (lease,) = transaction.acquire(["ws1"], "run-2", "far/1/2/b/s", "awa", timedelta(seconds=60))
    assert (lease.fence, journal.read(subject="dead")) == (2, [])
    assert verify_journal(journal, place.checkpoints).ok
