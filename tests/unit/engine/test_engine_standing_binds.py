"""Where an operation says so, a standing approval covers exactly the actions that were approved."""

import dataclasses
from datetime import date, time

import pytest
from house import Fill

from dsi_automation.core.errors import StoppedError, WorldChangedError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.model import StandingBounds, Window


class BoundFill(Fill):
    """Its actions hold a definition, as those of backups do."""

    standing_binds_actions = True
    definition = "as approved"

    def plan(self, targets, inputs, observed):
        made = super().plan(targets, inputs, observed)
        actions = [dataclasses.replace(a, args={**a.args, "definition": self.definition}) for a in made.actions]
        return dataclasses.replace(made, actions=tuple(actions))


@pytest.fixture
def bound(house):
    house.fill = BoundFill()
    bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC")
    asked = house.engine().request(house.plan(), "Nightly", Window(), standing=bounds)
    house.engine("y.traore").approve(asked.id, "Fine")
    return asked.id


def test_a_changed_definition_is_outside_the_approval_and_nothing_is_done(house, bound):
    house.fill.definition = "as changed"
    with pytest.raises(WorldChangedError) as refused:
        house.engine().run(bound, Silent())
    assert int(refused.value.exit_code) == 7
    assert "new approval" in refused.value.next_step.render("en")
    assert house.written() == {}


def test_what_was_approved_runs_and_what_is_left_out_of_it_may_be_missing(house, bound):
    (house.root / "targets" / "t1" / "a").write_text("written\n")
    assert house.engine().run(bound, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_an_action_that_stops_while_it_waits_leaves_the_run_to_be_resumed(house, bound):
    house.fill.faults["t1/b"] = [StoppedError(T("Asked to stop."))]
    run = house.engine().run(bound, Silent())
    assert run.outcome is Outcome.INTERRUPTED
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
