"""Availability: every second of a month is up, planned or unplanned, and none is two of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.operations.applications.availability import first_moment, months
from dsi_automation.operations.applications.record import Interruption

FIRST = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 9, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive


def interruption(began, ended, *, planned=False, application="sydam"):
    return Interruption(application, "RUN-1", began, ended, planned, "x")


@st.composite
def interruptions(draw):
    found = []
    for _ in range(draw(st.integers(0, 6))):
        began = draw(MOMENTS)
        ended = draw(st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=40)).map(began.__add__)))
        found.append(interruption(began, ended, planned=draw(st.booleans())))
    return found


@given(interruptions(), st.sampled_from(["Africa/Abidjan", "Europe/Paris", "America/Noronha"]))
def test_planned_unplanned_and_up_make_the_month(found, zone):
    for month in months("sydam", found, zone, FIRST, NOW):
        assert month.up_seconds >= -1e-6
        assert min(month.planned_seconds, month.unplanned_seconds) >= 0
        assert month.planned_seconds + month.unplanned_seconds + month.up_seconds == pytest.approx(month.seconds)
        assert 0 <= month.availability <= month.without_planned + 1e-9 <= 1 + 2e-9


def test_an_interruption_over_the_end_of_a_month_is_split_between_both():
    night = interruption(datetime(2026, 10, 31, 22, tzinfo=UTC), datetime(2026, 11, 1, 3, tzinfo=UTC), planned=True)
    october, november = months("sydam", [night], "Africa/Abidjan", FIRST, NOW)
    assert (october.month, october.planned_seconds, october.planned) == ("2026-10", 2 * 3600, 1)
    assert (november.month, november.planned_seconds, november.planned) == ("2026-11", 3 * 3600, 1)
    assert october.seconds == 31 * 86400
    assert november.without_planned == 1.0


def test_an_interruption_that_lasts_counts_until_now_and_others_applications_do_not_count():
    found = [
        interruption(NOW - timedelta(hours=6), None),
        interruption(NOW - timedelta(hours=9), None, application="sydam-test"),
    ]
    (november,) = months("sydam", found, "Africa/Abidjan", NOW, NOW)
    assert (november.unplanned_seconds, november.unplanned, november.planned) == (6 * 3600, 1, 0)
    assert november.availability == pytest.approx(1 - 6 / (21 * 24 + 6))


def test_time_that_two_interruptions_share_counts_once():
    found = [
        interruption(NOW - timedelta(hours=6), NOW - timedelta(hours=3)),
        interruption(NOW - timedelta(hours=4), NOW - timedelta(hours=2)),
    ]
    (november,) = months("sydam", found, "Africa/Abidjan", NOW, NOW)
    assert november.unplanned_seconds == 4 * 3600
    assert first_moment(found, "sydam", NOW) == NOW - timedelta(hours=6)
