"""When schedules come to pass: zones, changes of the clock, jitter."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.occurrences import following, jitter, occurrences

ZONES = ("Europe/Paris", "America/New_York", "Africa/Abidjan", "Australia/Lord_Howe")


def schedule(cron, zone="Europe/Paris", **more):
    return Schedule.model_validate({"title": "x", "backup": "b", "cron": cron, "time_zone": zone, **more})


def first(count, found, after):
    return [item.due for item in islice(occurrences("n", found, after), count)]


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_a_moment_the_clock_skips_is_run_at_the_change():
    assert first(2, schedule("30 2 * * *"), utc(2027, 3, 27, 12)) == [utc(2027, 3, 28, 1), utc(2027, 3, 29, 0, 30)]


def test_a_moment_the_clock_skips_is_left_out_where_the_schedule_says_so():
    found = schedule("30 2 * * *", clock_change={"skipped": "skip"})
    assert first(1, found, utc(2027, 3, 27, 12)) == [utc(2027, 3, 29, 0, 30)]


def test_a_moment_the_clock_shows_twice_is_run_the_first_time_only():
    assert first(2, schedule("30 2 * * *"), utc(2027, 10, 30, 12)) == [
        utc(2027, 10, 31, 0, 30),
        utc(2027, 11, 1, 1, 30),
    ]


def test_a_moment_the_clock_shows_twice_is_run_twice_where_the_schedule_says_so():
    found = schedule("30 2 * * *", clock_change={"repeated": "twice"})
    assert first(2, found, utc(2027, 10, 30, 12)) == [utc(2027, 10, 31, 0, 30), utc(2027, 10, 31, 1, 30)]


def test_what_runs_each_quarter_of_an_hour_goes_on_through_both_changes():
    for change in (utc(2027, 3, 28), utc(2027, 10, 31)):
        found = first(40, schedule("*/15 * * * *"), change - timedelta(hours=4))
        assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}


def test_both_day_fields_mean_a_day_that_either_names():
    days = [item.day for item in first(6, schedule("0 0 1,15 * MON", "UTC"), utc(2027, 1, 1, 12))]
    assert days == [4, 11, 15, 18, 25, 1]


crons = st.builds(
    lambda minute, hour, day, weekday: f"{minute} {hour} {day} * {weekday}",
    st.sampled_from(["0", "30", "5,35", "*/20", "*"]),
    st.sampled_from(["*", "2", "1-3", "*/2", "0,2,12"]),
    st.sampled_from(["*", "*", "1-7", "28"]),
    st.sampled_from(["*", "*", "SUN", "mon-fri"]),
)
moments = st.integers(0, 3 * 365 * 86400).map(lambda seconds: utc(2026, 1, 1) + timedelta(seconds=seconds))


@settings(max_examples=150)
@given(
    crons, st.sampled_from(ZONES), moments, st.sampled_from(["run_after", "skip"]), st.sampled_from(["once", "twice"])
)
def test_occurrences_are_in_order_after_the_moment_and_none_is_told_twice(cron, zone, after, skipped, repeated):
    found = first(30, schedule(cron, zone, clock_change={"skipped": skipped, "repeated": repeated}), after)
    assert found == sorted(set(found))
    assert found[0] > after


@settings(max_examples=150)
@given(crons, st.sampled_from(ZONES), moments, st.integers(0, 20))
def test_going_on_from_an_occurrence_brings_the_same_ones(cron, zone, after, cut):
    whole = first(25, schedule(cron, zone), after)
    assert first(25 - cut - 1, schedule(cron, zone), whole[cut]) == whole[cut + 1 :]


@settings(max_examples=150)
@given(crons, st.sampled_from(ZONES), moments)
def test_each_wall_time_of_the_expression_that_exists_is_there_once(cron, zone, after):
    there = ZoneInfo(zone)
    found = first(30, schedule(cron, zone, clock_change={"skipped": "skip", "repeated": "once"}), after)
    shown = [item.astimezone(there).replace(tzinfo=None) for item in found]
    assert len(set(shown)) == len(shown)
    wall = CronSim(cron, found[0].astimezone(there).replace(tzinfo=None) - timedelta(minutes=1))
    exists = (
        time
        for time in wall
        if time.replace(tzinfo=there).astimezone(UTC).astimezone(there).replace(tzinfo=None) == time
    )
    assert list(islice(exists, 30)) == shown


@pytest.mark.parametrize("zone", ZONES)
def test_jitter_is_the_same_each_time_and_below_its_bound(zone):
    found = schedule("0 * * * *", zone, jitter="10m")
    one = list(islice(occurrences("n", found, utc(2027, 1, 1)), 200))
    assert one == list(islice(occurrences("n", found, utc(2027, 1, 1)), 200))
    delays = {item.start - item.due for item in one}
    assert len(delays) > 100
    assert all(timedelta(0) <= delay < timedelta(minutes=10) for delay in delays)
    assert any(jitter("n", found, item.due) != jitter("other", found, item.due) for item in one)


def test_an_occurrence_whose_jitter_still_runs_is_the_next():
    found = schedule("0 * * * *", "UTC", jitter="30m")
    (one,) = following("n", found, utc(2027, 1, 1, 11, 59), 1)
    assert following("n", found, one.start - timedelta(seconds=1), 1) == [one]
    assert following("n", found, one.start, 1) != [one]


def test_a_schedule_that_is_not_enabled_has_no_next():
    assert following("n", schedule("0 * * * *", enabled=False), utc(2027, 1, 1), 3) == []
