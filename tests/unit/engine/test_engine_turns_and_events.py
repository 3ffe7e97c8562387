"""Two technicians at once: one waits. And what was done as an event is not done again by the run that did it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time

import pytest
from house import Fill, House, Listener

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import StoppedError
from dsi_automation.core.events import Silent
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.model import StandingBounds, Window
from dsi_automation.journal.errors import LeaseHeldError
from dsi_automation.journal.model import Kind


class Patient(Fill):
    """Its runs wait for their turn; the first action of the first run waits to be let go."""

    turn = 30.0

    def __init__(self):
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def act(self, action, inputs, hands, observer):
        self.begun.set()
        assert self.go_on.wait(30)
        super().act(action, inputs, hands, observer)


class Ringing(Fill):
    """Rings bells: a look never sees that one has rung, so that each plan has all of them."""

    events = True

    def plan(self, targets, inputs, observed):
        made = super().plan(targets, inputs, type(observed)({name: {} for name in observed.facts}, {}, None))
        return Plan(made.operation, made.version, made.targets, made.inputs, made.actions)


@pytest.fixture
def timed(tmp_path):
    made = House(tmp_path, clock=SystemClock())
    made.fill = Patient()
    yield made
    made.journal.close()


def test_a_second_run_on_the_same_target_waits_and_says_for_whom(timed):
    first, second = timed.approved(files=("a",)), timed.approved(files=("b",))
    waiting = threading.Event()
    heard = Listener(lambda name: waiting.set() if name == "event run.waiting" else None)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(timed.engine("m.kouadio").run, first, Silent())
        assert timed.fill.begun.wait(30)
        two = pool.submit(timed.engine("k.brou").run, second, heard)
        assert waiting.wait(30)
        assert not two.done()
        timed.fill.go_on.set()
        assert (one.result(60).exit_code, two.result(60).exit_code) == (0, 0)
    told = next(event for event in heard.events if event.kind == "run.waiting")
    assert one.result().id in told.text.render("en")
    assert two.result().started_at >= one.result().ended_at
    assert timed.written() == {"a": 1, "b": 1}


def test_an_operation_that_waits_for_nobody_is_refused_at_once(timed):
    timed.fill.turn = 0.0
    first, second = timed.approved(files=("a",)), timed.approved(files=("b",))
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(timed.engine("m.kouadio").run, first, Silent())
        assert timed.fill.begun.wait(30)
        with pytest.raises(LeaseHeldError):
            timed.engine("k.brou").run(second, Silent())
        timed.fill.go_on.set()
        assert one.result(60).exit_code == 0


def cut_short(house, asked):
    house.fill.faults["t1/b"] = [StoppedError(T("Asked to stop."))]
    run = house.engine().run(asked, Silent())
    assert run.outcome is Outcome.INTERRUPTED
    return run


@pytest.mark.parametrize("standing", [False, True])
def test_what_a_run_did_as_an_event_is_not_done_again_when_it_is_resumed(house, standing):
    house.fill = Ringing()
    bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC") if standing else None
    asked = house.engine().request(house.plan(), "Evening", Window(), standing=bounds)
    house.engine("y.traore").approve(asked.id, "Fine")
    run = cut_short(house, asked.id)
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    announced = [entry.body["action"] for entry in house.journal.read(subject=run.id, kinds=[Kind.ABOUT_TO])]
    assert announced == ["t1/create-a", "t1/create-b", "t1/create-b", "t1/create-c"]


def test_an_answer_that_was_lost_does_not_make_an_event_unknown_when_it_can_be_tried_again(house):
    house.fill = Ringing()
    house.fill.faults["t1/b"] = ["lost before"]
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_a_new_run_of_a_standing_approval_does_its_events_again(house):
    house.fill = Ringing()
    bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC")
    asked = house.engine().request(house.plan(), "Evening", Window(), standing=bounds)
    house.engine("y.traore").approve(asked.id, "Fine")
    assert [house.engine().run(asked.id, Silent()).exit_code for _ in range(2)] == [0, 0]
    assert house.written() == {"a": 2, "b": 2, "c": 2}
