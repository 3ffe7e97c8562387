"""Both ends of a span can be told apart."""

from datetime import UTC, datetime, timedelta

from dsi_automation.cli.moments import span

START = datetime(2026, 11, 22, 3, 14, 5, tzinfo=UTC)


def test_a_span_within_one_minute_is_told_to_the_second():
    start, end = span(START, START + timedelta(seconds=40))
    assert (":05 " in start, ":45 " in end) == (True, True)


def test_a_longer_span_is_told_to_the_minute():
    start, end = span(START, START + timedelta(minutes=2))
    assert (start.count(":"), end.count(":")) == (2, 2)
