"""What is decided about a schedule, for each state of its record and each moment."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.decide import ON_TIME, decide
from dsi_automation.schedules.record import Record, rule_of

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DUE = datetime(2027, 1, 10, 2, 0, tzinfo=UTC)


def nightly(**more):
    return Schedule.model_validate(
        {"title": "x", "backup": "b", "cron": "0 2 * * *", "time_zone": "UTC", "too_late_after": "6h", **more}
    )


def record(schedule, cursor=DUE - 24 * HOUR, **more):
    return Record(rule=rule_of(schedule), cursor=cursor, **more)


def decided(schedule, now, held=False, **more):
    return decide("n", schedule, record(schedule, **more), now, held=held)


def test_before_its_moment_nothing_begins_and_the_moment_is_known():
    found = decided(nightly(), DUE - MINUTE)
    assert (found.begin, found.missed, found.wake) == (None, (), DUE)


def test_at_its_moment_it_begins():
    assert decided(nightly(), DUE).begin.due == DUE


def test_after_a_downtime_within_the_window_it_begins_late():
    assert decided(nightly(), DUE + 3 * HOUR).begin.due == DUE


def test_after_the_window_it_is_missed_and_begins_no_more():
    found = decided(nightly(), DUE + 7 * HOUR)
    assert found.begin is None
    assert [(item.last, item.count, item.reason) for item in found.missed] == [(DUE, 1, "late")]


def test_without_catching_up_a_late_one_is_missed():
    found = decided(nightly(catch_up="none"), DUE + ON_TIME + MINUTE)
    assert (found.begin, found.missed[0].reason) == (None, "late")
    assert decided(nightly(catch_up="none"), DUE + ON_TIME).begin.due == DUE


def test_after_a_week_down_the_newest_is_run_once_and_the_others_are_told_together():
    found = decided(nightly(), DUE + timedelta(days=6), cursor=DUE - HOUR)
    assert found.begin.due == DUE + timedelta(days=6)
    (missed,) = found.missed
    assert (missed.first, missed.last, missed.count) == (DUE, DUE + timedelta(days=5), 6)
    assert missed.reason == "superseded"


def test_what_was_started_or_settled_is_not_started_again():
    assert decided(nightly(), DUE + MINUTE, cursor=DUE).begin is None


def test_while_somebody_is_at_work_the_next_waits_and_is_missed_after_its_window():
    waiting = decided(nightly(), DUE + HOUR, held=True)
    assert (waiting.begin, waiting.missed) == (None, ())
    assert decided(nightly(), DUE + 7 * HOUR, held=True).missed[0].reason == "busy"


def test_one_that_was_cut_short_begins_again_within_its_window():
    found = decided(nightly(), DUE + HOUR, cursor=DUE, open=DUE, tries=1)
    assert found.begin.due == DUE


def test_one_that_was_cut_short_each_time_is_given_up_and_told():
    found = decided(nightly(), DUE + HOUR, cursor=DUE, open=DUE, tries=3)
    assert (found.begin, found.missed[0].reason) == (None, "killed")


def test_a_schedule_nobody_looked_after_yet_has_missed_nothing():
    found = decide("n", nightly(), Record(), DUE + 30 * HOUR)
    assert (found.known, found.begin, found.missed) == (True, None, ())


def test_the_first_firing_of_a_timer_finds_its_occurrence():
    assert decide("n", nightly(), Record(), DUE + timedelta(seconds=2), fresh=ON_TIME).begin.due == DUE


def test_a_schedule_whose_times_were_changed_has_missed_none_of_the_new_ones():
    old = record(nightly(), cursor=DUE - timedelta(days=9))
    found = decide("n", nightly(cron="0 3 * * *"), old, DUE + 2 * HOUR)
    assert (found.known, found.begin, found.missed) == (True, None, ())


def test_a_schedule_that_is_not_enabled_is_left_alone():
    found = decided(nightly(enabled=False), DUE + HOUR)
    assert (found.begin, found.missed, found.wake) == (None, (), None)


def test_a_clock_set_back_starts_nothing_again():
    assert decided(nightly(), DUE - HOUR, cursor=DUE).begin is None


@given(
    st.sampled_from(["0 2 * * *", "*/7 * * * *", "0 */3 * * *"]),
    st.sampled_from(["none", "last"]),
    st.sampled_from([None, "3m"]),
    st.lists(st.integers(1, 40_000), min_size=1, max_size=12),
)
def test_whenever_it_is_looked_at_each_occurrence_is_begun_or_missed_exactly_once(cron, catch_up, jitter, steps):
    from dsi_automation.schedules.occurrences import occurrences

    schedule = nightly(cron=cron, catch_up=catch_up, jitter=jitter)
    now, cursor, settled = DUE, DUE, []
    for step in steps:
        now += timedelta(seconds=step)
        found = decide("n", schedule, record(schedule, cursor=cursor), now)
        counted = [item for item in found.missed for _ in range(item.count)]
        settled += [None] * len(counted) + ([found.begin] if found.begin else [])
        cursor = max([cursor, *(item.last for item in found.missed), *([found.begin.due] if found.begin else [])])
    due = list(_until(occurrences("n", schedule, DUE), now))
    assert len(settled) == len(due)


def _until(items, now):
    for item in items:
        if item.start > now:
            return
        yield item
