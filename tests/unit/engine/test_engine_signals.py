"""A wish to stop reaches a run while it waits for its targets."""

import os
import signal
import subprocess
import threading

import pytest

from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.signals import asked_to_stop, heard


@pytest.mark.parametrize("names", [["INT"], ["TERM"], ["INT", "TERM"]])
def test_a_signal_from_outside_is_noticed_while_a_target_is_worked_on(names):
    after = threading.Event()
    kept = {number: signal.signal(number, lambda *_: after.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with asked_to_stop() as stop:

            def work(_target):
                # By another process: a signal a process sends itself is noticed in any case.
                for name in names:
                    subprocess.run(["kill", f"-{name}", str(os.getpid())], check=True)
                return stop.wait(timeout=20)

            assert fan_out(["ws1"], work).results == {"ws1": True}
        assert after.is_set() is (len(names) > 1), "the second signal does what it did before"
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def test_a_signal_within_two_of_them_is_heard_by_both_and_a_second_one_does_what_it_did_before():
    def before(_number, _frame):
        heard.append("before")

    heard: list[str] = []
    kept = signal.signal(signal.SIGTERM, before)
    try:
        with asked_to_stop() as outer, asked_to_stop() as inner:
            signal.raise_signal(signal.SIGTERM)
            assert (inner.is_set(), outer.is_set(), heard) == (True, True, [])
            signal.raise_signal(signal.SIGTERM)
            assert heard == ["before"]
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, kept)


def test_whoever_asks_to_stop_is_told_that_it_was_heard_once_and_nobody_else_is():
    told, said = [], threading.Event()

    class Ears:
        def notify(self, event):
            told.append(event.kind)
            said.set()

    stop = threading.Event()
    with heard(stop, Ears()):
        pass
    assert told == []
    with heard(stop, Ears()):
        stop.set()
        assert said.wait(30)
    assert told == ["run.stopping"]
