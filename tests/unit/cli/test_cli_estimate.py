"""The time left: right when the pace is steady, slow to believe a jump, silent when nobody can tell."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.cli.estimate import FIRST_SECONDS, FIRST_UNITS, Estimate, sentence
from dsi_automation.cli.progress import Progress
from dsi_automation.core.events import Event
from dsi_automation.core.text import T


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def now(self):
        raise AssertionError

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


def worked(estimate, intervals, total, at=0.0, kind="target"):
    """Finish one unit after each interval; return the moment of the last."""
    estimate.take(kind, 0, total, at)
    for done, interval in enumerate(intervals, 1):
        at += interval
        estimate.take(kind, done, total, at)
    return at


@pytest.mark.parametrize(("pace", "done", "total"), [(2.0, 50, 200), (0.1, 100, 1000), (30.0, 4, 10)])
def test_a_steady_pace_gives_the_time_the_rest_takes(pace, done, total):
    estimate = Estimate()
    at = worked(estimate, [pace] * done, total)
    assert estimate.left(at) == pytest.approx(pace * (total - done), rel=0.05)


def test_the_time_left_goes_down_while_the_next_unit_is_worked_on():
    estimate = Estimate()
    at = worked(estimate, [10.0] * 10, 20)
    assert estimate.left(at + 4) == pytest.approx(estimate.left(at) - 4)


def test_nothing_is_promised_before_there_is_a_pace():
    estimate = Estimate()
    at = worked(estimate, [20.0] * (FIRST_UNITS - 1), 100)
    assert estimate.left(at) is None
    quick = Estimate()
    at = worked(quick, [0.01] * 50, 5000)
    assert at < FIRST_SECONDS
    assert quick.left(at) is None


def test_nothing_is_promised_at_the_end_nor_of_work_nobody_counts():
    estimate = Estimate()
    assert estimate.left(100.0) is None
    at = worked(estimate, [2.0] * 10, 10)
    assert estimate.left(at) is None


def test_nothing_is_promised_while_something_is_waited_for_longer_than_ever():
    estimate = Estimate()
    at = worked(estimate, [2.0] * 10, 20)
    assert estimate.left(at + 5) is not None
    assert estimate.left(at + 60) is None
    estimate.take("target", 11, 20, at + 60)
    assert estimate.left(at + 60) is not None


def test_rows_that_end_in_bursts_have_an_estimate_between_the_bursts():
    """50 rows at a time wait for the synchronisation, then all end at once."""
    estimate, at, done = Estimate(), 0.0, 0
    estimate.take("target", 0, 200, at)
    for _ in range(2):
        at += 60
        for _ in range(50):
            done += 1
            estimate.take("target", done, 200, at)
    assert estimate.left(at) == pytest.approx(120, rel=0.1)


def test_another_phase_begins_anew():
    estimate = Estimate()
    at = worked(estimate, [0.5] * 20, 20, kind="look")
    at = worked(estimate, [10.0] * 2, 20, at, kind="target")
    assert estimate.left(at) is None
    at = worked(estimate, [10.0] * 10, 20, at, kind="target")
    assert estimate.left(at) == pytest.approx(100, rel=0.1)


def test_one_slow_unit_does_not_throw_the_estimate_about():
    estimate = Estimate()
    at = worked(estimate, [1.0] * 60, 120)
    before = estimate.left(at)
    estimate.take("target", 61, 120, at + 4)
    assert estimate.left(at + 4) == pytest.approx(before, rel=0.25)


@given(
    st.lists(st.floats(0, 1000), max_size=60),
    st.integers(1, 100),
    st.floats(0, 10_000),
)
def test_it_is_never_negative_and_never_fails(intervals, more, later):
    estimate = Estimate()
    at = worked(estimate, intervals, len(intervals) + more)
    left = estimate.left(at + later)
    assert left is None or left >= 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute left"),
        (49, "less than a minute left"),
        (55, "about 1 min left"),
        (170, "about 3 min left"),
        (13 * 60, "about 15 min left"),
        (58 * 60, "about 60 min left"),
        (3600, "about 1 h left"),
        (4900, "about 1 h 20 min left"),
    ],
)
def test_it_is_said_as_people_say_it(seconds, words):
    assert sentence(seconds).render("en") == words


def test_the_lines_of_a_log_say_how_long_it_still_takes(monkeypatch):
    monkeypatch.setenv("DSI_LANG", "en")
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, patience=3600, clock=clock) as progress:
        progress._begin()
        for done in range(1, 101):
            clock.sleep(6)
            progress.notify(Event("target.progress", T("Working."), target=f"{done}", done=done, total=100))
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("(about 9 min left)")
    assert lines[4] == "[50/100] Working. (about 5 min left)"
    assert lines[-1] == "[100/100] Working."


def test_the_live_picture_stops_promising_while_it_waits(monkeypatch):
    monkeypatch.setenv("DSI_LANG", "en")
    clock = Clock()
    with Progress(stream=io.StringIO(), patience=3600, clock=clock) as progress:
        for done in range(1, 11):
            clock.sleep(6)
            progress.notify(Event("target.progress", T("Working."), target=f"{done}", done=done, total=100))
        assert "about 9 min left" in str(progress._drawn())
        clock.sleep(600)
        assert "left" not in str(progress._drawn())
