"""When a request is sent again, as a table: what came of it, and what is done about it."""

from datetime import UTC, datetime

import pytest

from dsi_automation.connectors.m365.asks import Answer, Ask, Broken
from dsi_automation.connectors.m365.errors import ThrottledError
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.connectors.m365.retry import Again, Failed, Moment, Settled, decide, retry_after
from dsi_automation.core.errors import UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T

NOW = datetime(2026, 11, 21, 20, 0, 0, tzinfo=UTC)
READ = Ask(Call.USERS, "GET", "/users", T("read"))
TWICE = Ask(Call.SET_LOCATION, "PATCH", "/users/1", T("set"))
ONCE = Ask(Call.CREATE_USER, "POST", "/users", T("create"), once=True)


def moment(attempt=0, left=300.0):
    return Moment(attempt, left, 300.0, NOW, lambda most: 0.0, "graph")


def throttled(value, status=429):
    return Answer(status, {} if value is None else {"retry-after": value})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1.0),
        ("0.4", 0.4),
        ("0", 0.0),
        ("-3", 0.0),
        ("200", 200.0),
        ("Sat, 21 Nov 2026 20:01:40 GMT", 100.0),
        ("Sat, 21 Nov 2026 19:00:00 GMT", 0.0),
        (None, None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_a_retry_after_is_read_in_each_of_its_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("ask", [READ, TWICE, ONCE])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "wait"),
    [("1", 1.0), ("0.4", 0.4), ("0", 0.0), ("200", 200.0), ("Sat, 21 Nov 2026 20:01:40 GMT", 100.0)],
)
def test_throttling_did_nothing_and_is_waited_out_as_asked(ask, status, value, wait):
    assert decide(ask, throttled(value, status), moment()) == Again(wait)


@pytest.mark.parametrize("ask", [READ, ONCE])
def test_throttling_without_a_time_backs_off(ask):
    waits = [decide(ask, throttled(None), moment(attempt)).wait for attempt in range(9)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]


def test_a_time_of_nothing_is_not_believed_for_ever():
    assert decide(READ, throttled("0"), moment(attempt=2)) == Again(0.0)
    assert decide(READ, throttled("0"), moment(attempt=5)).wait > 1


@pytest.mark.parametrize("ask", [READ, TWICE, ONCE])
def test_a_time_beyond_the_deadline_is_said_at_once(ask):
    verdict = decide(ask, throttled("301"), moment())
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, ThrottledError)
    assert "301 s" in verdict.error.what.render("en")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failed_service_is_asked_again_by_what_may_be_done_twice(status):
    assert decide(READ, Answer(status), moment()) == Again(0.25)
    assert decide(TWICE, Answer(status), moment()) == Again(0.25)
    once = decide(ONCE, Answer(status), moment())
    assert isinstance(once, Failed)
    assert isinstance(once.error, UnknownOutcomeError)


def test_a_page_of_a_gateway_is_no_answer():
    page = Answer(200, {}, {}, readable=False)
    assert decide(READ, page, moment()) == Again(0.25)
    assert isinstance(decide(ONCE, page, moment()), Failed)


@pytest.mark.parametrize("ask", [READ, TWICE, ONCE])
def test_what_was_never_sent_is_sent_again(ask):
    assert decide(ask, Broken(ConnectionError(), sent=False), moment()) == Again(0.25)


def test_what_may_have_arrived_is_sent_again_only_when_it_may_be_done_twice():
    broken = Broken(ConnectionError(), sent=True)
    assert decide(READ, broken, moment()) == Again(0.25)
    assert decide(TWICE, broken, moment()) == Again(0.25)
    assert isinstance(decide(ONCE, broken, moment()).error, UnknownOutcomeError)


@pytest.mark.parametrize(
    ("ask", "outcome", "unknown"),
    [
        (READ, Answer(502), False),
        (READ, Broken(OSError(), sent=True), False),
        (TWICE, Broken(OSError(), sent=False), False),
        (ONCE, Broken(OSError(), sent=False), False),
        (TWICE, Answer(502), True),
        (TWICE, Broken(OSError(), sent=True), True),
    ],
)
def test_the_deadline_tells_what_did_nothing_from_what_may_have(ask, outcome, unknown):
    error = decide(ask, outcome, moment(attempt=8, left=1.0)).error
    assert isinstance(error, UnreachableError)
    assert isinstance(error, UnknownOutcomeError) is unknown


def test_an_item_whose_parent_failed_was_not_tried_and_is_sent_again():
    assert decide(ONCE, Answer(424), moment()) == Again(0.25)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403, 404, 409])
def test_everything_else_is_settled(status):
    assert decide(READ, Answer(status), moment()) == Settled(Answer(status))


def test_a_change_that_met_another_was_not_made_and_is_sent_again():
    met = Answer(409, {}, {"error": {"code": "Directory_ConcurrencyViolation", "message": "x"}})
    assert decide(ONCE, met, moment()) == Again(0.25)


@pytest.mark.parametrize("ask", [READ, TWICE, ONCE])
def test_a_token_that_is_not_accepted_is_replaced_once(ask):
    assert decide(ask, Answer(401), moment()) == Again(0.0)
    assert decide(ask, Answer(401), moment(attempt=1)) == Settled(Answer(401))


def test_what_is_being_spread_is_looked_at_again_until_the_deadline():
    ask = Ask(Call.USERS, "GET", "/users/1", T("read"), again=lambda answer: answer.status == 404)
    assert decide(ask, Answer(404), moment()) == Again(0.1)
    assert decide(ask, Answer(404), moment(attempt=9, left=1.0)) == Settled(Answer(404))


def test_those_told_the_same_moment_do_not_all_come_back_at_it():
    spread = Moment(0, 300.0, 300.0, NOW, lambda most: most, "graph")
    assert decide(READ, throttled("5"), spread) == Again(5.5)
    assert decide(READ, throttled("100"), spread) == Again(101.0)
