"""Two processes that draw the same identifier in the same second: the second one draws another, nobody is told."""

import pytest

from dsi_automation.core.errors import GateClosedError
from dsi_automation.engine.closed import again_when_taken, closed, taken


def test_an_identifier_that_is_taken_is_drawn_again_until_one_is_free():
    drawn = iter(["RUN-1", "RUN-2", "RUN-3"])

    def work():
        number = next(drawn)
        if number != "RUN-3":
            raise taken(number)
        return number

    assert again_when_taken(work) == "RUN-3"


def test_another_door_that_is_closed_is_no_reason_to_draw_again():
    asked = []

    def work():
        asked.append(1)
        raise closed("own_request", taken("x").what, taken("x").what)

    with pytest.raises(GateClosedError):
        again_when_taken(work)
    assert asked == [1]


def test_when_every_identifier_is_taken_somebody_is_told_to_try_again():
    def work():
        raise taken("RUN-1")

    with pytest.raises(GateClosedError) as caught:
        again_when_taken(work)
    assert caught.value.detail["door"] == "taken"
