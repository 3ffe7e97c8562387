"""Retention never takes what is still needed, whatever the clocks said."""

from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st
from vault import START, stored

from dsi_automation.inventory.backup_model import Retention
from dsi_automation.operations.backups.retention import to_forget

POLICIES = st.builds(
    Retention,
    last=st.integers(1, 4),
    daily=st.integers(0, 4),
    weekly=st.integers(0, 3),
    monthly=st.integers(0, 3),
    yearly=st.integers(0, 2),
)
MOMENTS = st.integers(-50_000, 50_000).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def histories(draw):
    moments = draw(st.lists(MOMENTS, max_size=30))
    sets = [stored(number) for number in range(len(moments))]
    names = [one.id for one in sets]
    verified = draw(st.sets(st.sampled_from(names))) if names else set()
    due = draw(st.sets(st.sampled_from(names))) if names else set()
    return sets, dict(zip(names, moments, strict=True)), verified, due


@given(histories(), POLICIES)
def test_the_last_verified_set_all_newer_ones_and_those_due_are_never_forgotten(history, policy):
    sets, recorded, verified, due = history
    gone = {one.id for one in to_forget(sets, recorded, policy, verified=verified, due=due, zone=UTC)}
    assert not gone & due
    newest_first = [one.id for one in reversed(sets)]
    for name in newest_first:
        assert name not in gone
        if name in verified:
            break


@given(histories(), POLICIES)
def test_the_newest_ones_stay_however_wrong_their_dates_are(history, policy):
    sets, recorded, verified, due = history
    gone = to_forget(sets, recorded, policy, verified=verified, due=due, zone=UTC)
    assert not {one.id for one in gone} & {one.id for one in sets[-policy.last :]}


@given(histories(), POLICIES)
def test_to_forget_twice_is_to_forget_once_and_at_least_one_verified_set_is_left(history, policy):
    sets, recorded, verified, due = history
    gone = to_forget(sets, recorded, policy, verified=verified, due=due, zone=UTC)
    left = [one for one in sets if one not in gone]
    assert to_forget(left, recorded, policy, verified=verified, due=due, zone=UTC) == ()
    assert not verified or verified & {one.id for one in left}


@given(histories(), POLICIES)
def test_without_a_verified_set_nothing_goes(history, policy):
    sets, recorded, _, due = history
    assert to_forget(sets, recorded, policy, verified=(), due=due, zone=UTC) == ()


def daily(count, **changed):
    sets = [stored(number) for number in range(count)]
    recorded = {one.id: START + timedelta(days=number) for number, one in enumerate(sets)}
    return sets, {**recorded, **{sets[int(n[1:])].id: at for n, at in changed.items()}}


def test_a_plan_keeps_the_days_weeks_and_months_it_asks_for():
    sets, recorded = daily(100)
    policy = Retention(last=3, daily=7, weekly=4, monthly=3, yearly=0)
    gone = to_forget(sets, recorded, policy, verified=set(recorded), zone=UTC)
    kept = [recorded[one.id].date().isoformat() for one in sets if one not in gone]
    assert kept == [
        "2027-01-31",
        "2027-02-14",
        "2027-02-21",
        "2027-02-23",
        "2027-02-24",
        "2027-02-25",
        "2027-02-26",
        "2027-02-27",
        "2027-02-28",
        "2027-03-01",
    ]


def test_a_set_recorded_by_a_clock_four_years_ahead_pushes_no_other_out():
    policy = Retention(last=1, daily=3, weekly=0, monthly=0, yearly=0)
    sets, recorded = daily(10, s4=START + timedelta(days=1500))
    gone = to_forget(sets, recorded, policy, verified=set(recorded), zone=UTC)
    assert [one for one in sets if one not in gone] == sets[-3:]
