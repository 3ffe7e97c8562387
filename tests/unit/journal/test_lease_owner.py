"""An owner is believed dead only when this process can know it."""

import subprocess
import sys

import pytest

from dsi_automation.journal.owner import describe, is_dead, this_process

HOST, PID, START, BOOT, SCOPE = this_process().split("/")
MACHINE = SCOPE.partition("-")[0]


@pytest.mark.parametrize(
    ("owner", "dead"),
    [
        (this_process(), False),
        (f"{HOST}/{PID}/1/{BOOT}/{SCOPE}", True),  # the number was given to another process since
        (f"{HOST}/4194305/{START}/{BOOT}/{SCOPE}", True),  # beyond the kernel's highest number
        (f"{HOST}/{PID}/{START}/before-the-restart/{SCOPE}", True),
        (f"{HOST}/4194305/{START}/{BOOT}/{MACHINE}-1", False),  # in a container we cannot see into
        (f"{HOST}/4194305/{START}/other-boot/other-1", False),  # another machine with the same name
        (f"other/4194305/{START}/{BOOT}/{SCOPE}", False),
        ("host/12/34", False),
        ("", False),
        (f"{HOST}/x/{START}/{BOOT}/{SCOPE}", False),
    ],
    ids=[
        "itself",
        "number-given-again",
        "beyond-the-highest",
        "before-the-restart",
        "another-container",
        "another-boot",
        "another-host",
        "too-short",
        "empty",
        "no-number",
    ],
)
def test_death_is_told_from_doubt(owner: str, dead: bool) -> None:
    assert is_dead(owner) is dead


def test_a_process_that_ended_but_was_not_waited_for_is_dead() -> None:
    code = "from dsi_automation.journal.owner import this_process; print(this_process())"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    owner = process.stdout.read().strip()  # to its end: the process has closed it by ending
    import os

    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(owner)
    process.wait()
    process.stdout.close()


def test_an_owner_is_shown_by_host_and_number() -> None:
    assert describe(this_process()) == f"{HOST}, pid {PID}"
    assert describe("somebody") == "somebody"
