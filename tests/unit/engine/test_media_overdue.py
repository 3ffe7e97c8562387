"""A medium is overdue when it is between two signatures for longer than the plan allows, and never otherwise."""

from datetime import timedelta

import pytest
from house import HandClock

from dsi_automation.engine.media_custody import UNDER_WAY, overdue
from dsi_automation.engine.model import MediumState

LIMIT = timedelta(hours=24)


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
def test_a_medium_is_overdue_once_its_courier_has_it_longer_than_the_plan_allows(state):
    clock = HandClock()
    since = clock.now()
    clock.forward(hours=24)
    assert not overdue(state, since, LIMIT, clock.now())
    clock.forward(seconds=1)
    assert overdue(state, since, LIMIT, clock.now())
    assert overdue(str(state), since, LIMIT, clock.now())


@pytest.mark.parametrize("state", sorted(set(MediumState) - UNDER_WAY))
def test_a_medium_that_somebody_received_is_never_overdue(state):
    clock = HandClock()
    since = clock.now()
    clock.forward(hours=24 * 365)
    assert not overdue(state, since, LIMIT, clock.now())


def test_neither_is_one_that_never_moved_or_that_a_clock_ahead_signed():
    now = HandClock().now()
    assert not overdue(MediumState.COURIER, None, LIMIT, now)
    assert not overdue(MediumState.COURIER, now + timedelta(hours=48), LIMIT, now)
