"""The engine's small parts, each alone: identifiers, the fleet, permits, observers, comparison of plans."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import DsiError, GateClosedError, UnreachableError, UsageError
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.identifiers import ALPHABET, REQUEST, find_id, new_id
from dsi_automation.engine.permit import RunPermit
from dsi_automation.engine.worker import is_part_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 86_399), min_size=2, max_size=20))
def test_identifiers_are_unique_and_sort_by_time(seconds):
    taken = []
    for second in sorted(seconds):
        taken.append(new_id(REQUEST, NOON.replace(hour=0) + timedelta(seconds=second), taken))
    if all(seconds.count(second) <= 8 for second in seconds):
        assert taken == sorted(taken)
    assert len(set(taken)) == len(taken)
    assert all(len(item) == len("REQ-20261121-7K3F") and set(item[-4:]) <= set(ALPHABET) for item in taken)


@pytest.mark.parametrize("asked", ["REQ-20261121-AHG0", "req-20261121-ahg0", "REQ-20261121-AHGO", "REQ-20261121-AHG"])
def test_an_identifier_is_found_by_its_beginning_and_misread_letters_are_forgiven(asked):
    assert find_id(asked, ["REQ-20261121-AHG0", "REQ-20261122-B000"]) == "REQ-20261121-AHG0"


@pytest.mark.parametrize("asked", ["", "  ", "REQ-2026", "RUN-2026", "%"])
def test_an_ambiguous_or_unknown_beginning_is_a_usage_error(asked):
    with pytest.raises(UsageError):
        find_id(asked, ["REQ-20261121-AHG0", "REQ-20261122-B000"])


def test_a_hung_target_is_one_failure_and_the_others_are_done():
    never = threading.Event()

    def work(target):
        if target == "hung":
            never.wait()
        if target == "bad":
            raise UnreachableError(T("No."), on=target)
        if target == "defect":
            raise ZeroDivisionError
        return target.upper()

    outcomes = fan_out(["hung", "a", "bad", "defect", "b"], work, workers=1, deadline=0.2)
    never.set()
    assert outcomes.results == {"a": "A", "b": "B"}
    assert list(outcomes.failures) == ["hung", "bad", "defect"]
    assert type(outcomes.failures["hung"]) is UnreachableError
    assert type(outcomes.failures["defect"]) is DsiError
    assert isinstance(outcomes.failures["defect"].__cause__, ZeroDivisionError)


def test_no_more_than_the_workers_allowed_work_at_once():
    lock, now, most = threading.Lock(), [0], [0]
    full = threading.Barrier(3)

    def work(target):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        full.wait()
        with lock:
            now[0] -= 1

    outcomes = fan_out([str(number) for number in range(9)], work, workers=3)
    assert not outcomes.failures
    assert most[0] == 3


def test_the_fleet_tells_how_far_it_is():
    from house import Listener

    listener = Listener()
    fan_out(["a", "b"], str, observer=listener, kind="check")
    assert [(event.kind, event.done, event.total) for event in listener.events] == [
        ("check.progress", 1, 2),
        ("check.progress", 2, 2),
    ]


def test_a_permit_covers_its_targets_while_held_and_until_its_end():
    held = {"t1"}
    kept: list[object] = []
    permit = RunPermit("RUN-1", ["t1"], lambda target: target in held, lambda *told: kept.append(told))
    permit.check("t1")
    doors = []
    for change in (lambda: "t2", lambda: held.clear() or "t1", lambda: permit.end() or "t1"):
        with pytest.raises(GateClosedError) as caught:
            permit.check(change())
        doors.append(caught.value.detail["door"])
    assert doors == ["permit_target", "lease", "permit_over"]


def action(kind, **args):
    return Action("t1", kind, args, T("Do"), T("Why"))


ABC = [action("a"), action("b"), action("c")]


@pytest.mark.parametrize(
    ("fewer", "expected"),
    [
        (ABC, True),
        ([], True),
        ([ABC[0], ABC[2]], True),
        ([ABC[2], ABC[0]], False),
        ([action("a", more=1)], False),
        ([action("d")], False),
        ([ABC[0], ABC[0]], False),
    ],
)
def test_a_plan_is_part_of_another_when_actions_are_only_left_out(fewer, expected):
    assert is_part_of(fewer, ABC) is expected
