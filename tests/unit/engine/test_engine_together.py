"""Targets that wait for each other: each hears who comes, and is told when somebody will not."""

import threading

import pytest
from house import Fill, House, refused

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import StoppedError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T


class Together(Fill):
    """Each target acts once all that come are there; one that left without having come lets the others go."""

    all_at_once = True

    def __init__(self):
        super().__init__()
        self.expected, self.there, self.gone = set(), set(), []
        self.changed = threading.Condition()

    def starting(self, plan, inputs, hands):
        self.expected = {action.target for action in plan.actions}

    def left(self, target, hands):
        with self.changed:
            self.gone.append(target)
            self.changed.notify_all()

    def act(self, action, inputs, hands, observer):
        if self.faults.get(action.id):
            raise self.faults.pop(action.id)[0]
        with self.changed:
            self.there.add(action.target)
            self.changed.notify_all()
            came = self.changed.wait_for(lambda: self.expected <= self.there | set(self.gone), timeout=30)
            assert came
            if not self.expected <= self.there:
                raise StoppedError(T("A partner does not come."), on=action.target)
        super().act(action, inputs, hands, observer)


@pytest.fixture
def timed(tmp_path):
    made = House(tmp_path, targets=("t1", "t2"), clock=SystemClock())
    made.fill = Together()
    yield made
    made.journal.close()


def test_targets_that_wait_for_each_other_all_have_a_turn_whatever_the_number_of_workers(timed):
    run = timed.engine("m.kouadio").run(timed.approved("t1", "t2", files=("a",)), Silent())
    assert run.outcome is Outcome.DONE
    assert timed.fill.expected == {"t1", "t2"}
    assert sorted(timed.fill.gone) == ["t1", "t2"]


def test_a_target_that_fails_before_it_came_lets_its_partner_give_up(timed):
    timed.fill.faults["t1/create-a"] = [refused()]
    run = timed.engine("m.kouadio").run(timed.approved("t1", "t2", files=("a",)), Silent())
    assert run.targets == {"t1": Outcome.FAILED, "t2": Outcome.INTERRUPTED}
    assert sorted(timed.fill.gone) == ["t1", "t2"]
    assert timed.written("t2") == {}
