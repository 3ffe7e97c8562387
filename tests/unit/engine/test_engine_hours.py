"""Standing hours: over midnight, over clock changes, by the day they began on."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.engine.hours import check_bounds, outside
from dsi_automation.engine.model import StandingBounds

UNTIL = date(2027, 12, 31)


def bounds(first, last, zone="Africa/Abidjan", weekdays=(), until=UNTIL):
    return StandingBounds(until, time.fromisoformat(first), time.fromisoformat(last), zone, weekdays)


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("first", "last", "moment", "inside"),
    [
        ("08:00", "18:00", "2026-11-20T08:00+00:00", True),
        ("08:00", "18:00", "2026-11-20T17:59:59+00:00", True),
        ("08:00", "18:00", "2026-11-20T18:00+00:00", False),
        ("22:00", "04:00", "2026-11-20T23:00+00:00", True),
        ("22:00", "04:00", "2026-11-21T03:59+00:00", True),
        ("22:00", "04:00", "2026-11-21T04:00+00:00", False),
        ("22:00", "04:00", "2026-11-20T21:59+00:00", False),
        ("00:00", "00:00", "2026-11-20T13:00+00:00", True),
    ],
)
def test_hours_include_their_beginning_and_not_their_end(first, last, moment, inside):
    assert (outside(bounds(first, last), at(moment)) is None) is inside


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20T23:00+00:00", True),  # Friday evening
        ("2026-11-21T03:00+00:00", True),  # the same night, Saturday by the calendar
        ("2026-11-21T23:00+00:00", False),  # Saturday evening
        ("2026-11-20T03:00+00:00", False),  # Thursday's night
    ],
)
def test_a_night_belongs_to_the_weekday_it_began_on(moment, inside):
    assert (outside(bounds("22:00", "04:00", weekdays=(4,)), at(moment)) is None) is inside


def test_the_last_night_ends_on_the_morning_after_the_last_day():
    held = bounds("22:00", "04:00", until=date(2026, 11, 20))
    assert outside(held, at("2026-11-21T03:00+00:00")) is None
    assert outside(held, at("2026-11-21T22:30+00:00")) is not None


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2027-03-28T01:59+01:00", False),
        ("2027-03-28T03:00+02:00", False),  # 02:00 to 03:00 does not exist that night in Paris
        ("2026-10-25T02:30+02:00", True),  # 02:30, the first time
        ("2026-10-25T02:30+01:00", True),  # 02:30, the second time
        ("2026-10-25T03:00+01:00", False),
    ],
)
def test_hours_are_those_on_the_wall_when_clocks_change(moment, inside):
    assert (outside(bounds("02:00", "03:00", "Europe/Paris"), at(moment)) is None) is inside


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # Hypothesis adds the zone
    st.times(),
    st.times(),
)
def test_every_moment_is_within_the_hours_or_within_their_complement(moment, one, other):
    if one == other:
        return
    inside = outside(StandingBounds(UNTIL, one, other, "Africa/Abidjan"), moment) is None
    beyond = outside(StandingBounds(UNTIL, other, one, "Africa/Abidjan"), moment) is None
    assert inside != beyond


@pytest.mark.parametrize(
    "wrong",
    [
        bounds("22:00", "04:00", zone="Africa/Nowhere"),
        bounds("22:00", "04:00", zone="../../etc/passwd"),
        bounds("22:00", "04:00", weekdays=(7,)),
        bounds("22:00", "04:00", until=date(2026, 11, 20)),
        StandingBounds(UNTIL, time(22, tzinfo=UTC), time(4), "UTC"),
    ],
)
def test_bounds_that_cannot_be_met_are_usage_errors(wrong):
    with pytest.raises(UsageError):
        check_bounds(wrong, at("2026-11-21T12:00+00:00"))
