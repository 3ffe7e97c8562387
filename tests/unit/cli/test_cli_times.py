"""Moments, hours and days as people type them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.cli.times import bounds, moment, past, window
from dsi_automation.core.errors import UsageError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-30T18:00", "2026-11-30T17:00Z"), ("2026-11-30 18:00", "2026-11-30T17:00Z"),
        ("2026-11-30T18:00Z", "2026-11-30T18:00Z"), ("2026-07-01T18:00", None),
        ("2027-07-01T18:00", "2027-07-01T16:00Z"), ("0001-01-01T00:00+14:00", None), ("9999-12-31T23:59-14:00", None),
        ("18:00", "2026-11-21T17:00Z"), ("+2h", "2026-11-21T14:00Z"), ("+30m", "2026-11-21T12:30Z"),
        ("+1d", "2026-11-22T12:00Z"), ("+1j", "2026-11-22T12:00Z"), ("12:30", None), ("13:01", "2026-11-21T12:01Z"),
        ("2026-11-30", "2026-11-29T23:00Z"), ("2026-11-21", None), ("2026-02-30", None),
        ("tomorrow", None), ("25:00", None), ("", None), ("+2", None), ("-2h", None),
    ],
)  # fmt: skip
def test_a_moment_is_read_in_the_local_zone_or_refused(text, meant):
    if meant is None:
        with pytest.raises(UsageError):
            moment(text, NOW, PARIS)
    else:
        assert moment(text, NOW, PARIS) == datetime.fromisoformat(meant)


def test_a_day_alone_ends_a_window_with_its_last_second():
    found = window("2026-11-30", "2026-11-30", NOW)
    assert found.not_before is not None
    assert found.not_after is not None
    assert found.not_after - found.not_before == timedelta(hours=23, minutes=59, seconds=59)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_moment_to_come_or_a_usage_error(text):
    try:
        found = moment(text, NOW, UTC)
    except UsageError:
        found = None
    assert found is None or found > NOW


def test_a_window_that_ends_before_it_begins_is_refused():
    with pytest.raises(UsageError):
        window("+3h", "+1h", NOW)
    assert window("+1h", "+3h", NOW).not_after == NOW + timedelta(hours=3)


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)), ("lun-ven", (0, 1, 2, 3, 4)), ("mon,wed", (0, 2)), ("sat-mon", (0, 5, 6)),
        ("Lundi, Mercredi", (0, 2)), (None, ()),
    ],
)  # fmt: skip
def test_weekdays_are_read_in_both_languages_and_over_the_week_end(typed, days):
    assert bounds("2026-12-31", "18:00-20:00", "Africa/Abidjan", typed).weekdays == days


def test_hours_may_pass_midnight():
    over = bounds("2026-12-31", "22:00-05:30", "Africa/Abidjan", None)
    assert (over.daily_from.hour, over.daily_until.hour, over.daily_until.minute) == (22, 5, 30)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-20T18:00", "2026-11-20T17:00Z"), ("2026-11-20T18:00Z", "2026-11-20T18:00Z"),
        ("06:40", "2026-11-21T05:40Z"), ("-20m", "2026-11-21T11:40Z"), ("-1j", "2026-11-20T12:00Z"),
        ("2026-11-20", "2026-11-19T23:00Z"), ("13:01", None), ("2026-11-30", None), ("+2h", None), ("hier", None),
    ],
)  # fmt: skip
def test_when_an_incident_began_is_read_in_the_local_zone_or_refused(text, meant):
    if meant is None:
        with pytest.raises(UsageError) as caught:
            past(text, NOW, PARIS)
        assert caught.value.next_step is not None
    else:
        assert past(text, NOW, PARIS) == datetime.fromisoformat(meant)
