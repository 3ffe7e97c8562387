"""Chains under standing approvals, and occurrences from their beginning to their end."""

import json
import threading
from datetime import timedelta

import pytest
from engine_house.house import HandClock, Listener, refused
from schedule_house import NOON, Controller, every_minute, furnish, outcomes, stand

from dsi_automation.composition.chain import Step, run_chain
from dsi_automation.composition.standing import NoStandingError, standing_request
from dsi_automation.core.events import Silent
from dsi_automation.schedules import occasion
from dsi_automation.schedules.claims import take, take_by_hand
from dsi_automation.schedules.decide import ON_TIME
from dsi_automation.schedules.occasion import carry_out
from dsi_automation.schedules.record import Word

FILL = "folder.fill"


@pytest.fixture
def clock():
    return HandClock(NOON)


@pytest.fixture
def house(tmp_path, clock):
    furnish(tmp_path, every_minute(), ("t1", "t2"))
    return Controller(tmp_path, clock=clock)


def found(house, targets=("t1",), **inputs):
    now = house.clock.now()
    return standing_request(house.engine, FILL, targets, inputs, now, operations=house.operations).id


def written(house, target="t1"):
    return {
        path.name: len(path.read_text().splitlines()) for path in sorted((house.root / "targets" / target).iterdir())
    }


def occur(house, listener=None):
    """Carry out the occurrence that is due."""
    schedule = house.schedules()["nuit"]
    claim, _missed = take(house, "nuit", schedule, fresh=ON_TIME)
    assert claim is not None
    return carry_out(house, schedule, claim, listener or Silent(), threading.Event())


def test_of_several_standing_approvals_the_one_that_lasts_longest_is_used(house, clock, tmp_path):
    short, long = stand(tmp_path, "t1", days=5, clock=clock), stand(tmp_path, "t1", days=60, clock=clock)
    assert short != long
    assert found(house) == long
    clock.forward(days=30)
    assert found(house) == long


def test_inputs_that_are_not_said_have_their_defaults(house, clock, tmp_path):
    request = stand(tmp_path, "t1", clock=clock)
    assert found(house, files=["a", "b", "c"]) == request


@pytest.mark.parametrize(("targets", "inputs"), [(("t2",), {}), (("t1",), {"copies": 2})])
def test_an_approval_for_something_else_covers_nothing(house, clock, tmp_path, targets, inputs):
    stand(tmp_path, "t1", clock=clock)
    with pytest.raises(NoStandingError) as caught:
        found(house, targets, **inputs)
    assert caught.value.next_step is not None


def test_outside_its_hours_an_approval_covers_nothing_and_says_so(house, clock, tmp_path):
    request = stand(tmp_path, "t1", clock=clock, hours=("20:00", "22:00"))
    with pytest.raises(NoStandingError, match=f"{request} .*20:00"):
        found(house)


def test_a_revoked_approval_covers_nothing(house, clock, tmp_path):
    request = stand(tmp_path, "t1", clock=clock)
    Controller(tmp_path, who="y.traore", clock=clock).engine.revoke(request, "No more")
    with pytest.raises(NoStandingError, match=request):
        found(house)


def test_a_chain_stops_at_the_first_step_that_does_not_end_well(house, clock, tmp_path):
    for target in ("t1", "t2"):
        stand(tmp_path, target, clock=clock)
    house.fill.faults["t1/b"] = [refused()]
    results = run_chain(house, [Step(FILL, ("t1",)), Step(FILL, ("t2",))], Silent())
    assert [(result.ok, result.run is not None) for result in results] == [(False, True)]
    assert written(house, "t2") == {}
    again = run_chain(house, [Step(FILL, ("t1",)), Step(FILL, ("t2",))], Silent())
    assert [result.ok for result in again] == [True, True]


def test_a_step_that_nothing_covers_is_told_and_not_run(house):
    (result,) = run_chain(house, [Step(FILL, ("t1",))], Silent())
    assert isinstance(result.error, NoStandingError)
    assert (result.exit_code, written(house)) == (4, {})


def test_an_occurrence_that_ends_well_is_recorded_with_its_runs(house, clock, tmp_path):
    stand(tmp_path, "t1", clock=clock)
    end = occur(house)
    known, started, done = outcomes(tmp_path)
    assert (end.word, end.exit_code) == (Word.DONE, 0)
    assert [item["outcome"] for item in (known, started, done)] == ["known", "started", "done"]
    assert done["runs"] == end.runs
    assert started["due"] == done["due"] == "2027-01-10T12:00:00.000Z"
    assert written(house) == {"a": 1, "b": 1, "c": 1}


def test_an_occurrence_is_started_once(house, clock, tmp_path):
    stand(tmp_path, "t1", clock=clock)
    occur(house)
    assert take(house, "nuit", house.schedules()["nuit"], fresh=ON_TIME) == (None, ())


def test_without_an_approval_an_occurrence_is_missed_recorded_once_and_told(house, tmp_path):
    listener = Listener()
    end = occur(house, listener)
    (missed,) = [item for item in outcomes(tmp_path) if item["outcome"] == "missed"]
    assert (end.word, end.exit_code, missed["reason"]) == (Word.MISSED, 4, "no_approval")
    assert missed["error"]["code"] == "gate_closed"
    assert [event.data["reason"] for event in listener.events if event.kind == "schedule.missed"] == ["no_approval"]
    assert json.dumps(missed["error"]["next_step"]) != "null"


def hold(house, target="t1"):
    with house.journal.transaction() as change:
        return change.acquire([target], "RUN-1", "elsewhere/1/2/3/4", "k.brou", timedelta(days=1))


def test_an_occurrence_waits_for_a_busy_target_and_then_runs(house, clock, tmp_path, monkeypatch):
    stand(tmp_path, "t1", clock=clock)
    monkeypatch.setattr(occasion, "AGAIN", timedelta(0))
    leases = hold(house)

    def free(name):
        if name == "event schedule.busy":
            with house.journal.transaction() as change:
                change.release(leases)

    assert occur(house, Listener(free)).word is Word.DONE


def test_a_target_that_stays_busy_makes_the_occurrence_missed(house, clock, tmp_path, monkeypatch):
    stand(tmp_path, "t1", clock=clock)
    monkeypatch.setattr(occasion, "AGAIN", timedelta(0))
    hold(house)
    listener = Listener(lambda name: clock.forward(hours=1) if name == "event schedule.busy" else None)
    end = occur(house, listener)
    assert (end.word, end.reason, written(house)) == (Word.MISSED, "busy", {})
    assert sum(event.kind == "schedule.busy" for event in listener.events) == 6
    assert outcomes(tmp_path)[-1]["reason"] == "busy"


def test_by_hand_a_schedule_runs_now_and_settles_no_occurrence(house, clock, tmp_path):
    stand(tmp_path, "t1", clock=clock)
    schedule = house.schedules()["nuit"]
    end = carry_out(house, schedule, take_by_hand(house, "nuit"), Silent(), threading.Event())
    assert end.word is Word.DONE
    claim, _ = take(house, "nuit", schedule, fresh=ON_TIME)
    assert claim is not None


def test_a_step_nobody_knows_is_recorded_as_failed(house, tmp_path):
    text = every_minute().replace("folder.fill", "folder.fly")
    (tmp_path / "inv" / "schedules.yml").write_text(text)
    end = occur(house)
    assert (end.word, end.exit_code) == (Word.FAILED, 2)


def test_the_journal_with_occurrences_verifies(house, clock, tmp_path):
    stand(tmp_path, "t1", clock=clock)
    occur(house)
    assert house.verify_journal(None).ok
