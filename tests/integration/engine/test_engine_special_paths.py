"""Standing approvals and emergencies: bounded, told, and closed by somebody else."""

from datetime import date, time, timedelta

import pytest
from house import POLICY, House, MemoryKey

from dsi_automation.core.errors import GateClosedError, UsageError, WorldChangedError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.engine import documents
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.model import RequestKind, RequestState, StandingBounds, Window
from dsi_automation.journal.model import Draft, Kind

NIGHT = StandingBounds(date(2026, 12, 31), time(22), time(4), "Africa/Abidjan", ())


def standing(house, bounds=NIGHT, **inputs):
    request_id = house.engine().request(house.plan(**inputs), "Every night", Window(), standing=bounds).id
    house.engine("y.traore").approve(request_id, "Fine")
    return request_id


def empty(house):
    for file in (house.root / "targets/t1").iterdir():
        file.unlink()


def closed_at(house, call, *arguments):
    with pytest.raises(GateClosedError) as caught:
        call(*arguments)
    return caught.value.detail["door"]


def test_a_standing_approval_runs_again_and_again_within_its_hours(house):
    request_id = standing(house)
    engine = house.engine()
    assert closed_at(house, engine.run, request_id, Silent()) == "hours"
    house.clock.forward(hours=11)
    assert engine.run(request_id, Silent()).exit_code == 0
    empty(house)
    house.clock.forward(hours=4)
    assert engine.run(request_id, Silent()).exit_code == 0
    assert engine.run(request_id, Silent()).outcome is Outcome.UNCHANGED
    assert len(engine.request_by_id(request_id).runs) == 3
    house.clock.forward(hours=2)
    assert closed_at(house, engine.run, request_id, Silent()) == "hours"


def test_a_standing_approval_ends_on_its_last_day_and_with_its_revocation(house):
    first = standing(house, StandingBounds(date(2026, 11, 22), time(22), time(4), "Africa/Abidjan", ()))
    house.clock.forward(days=2)
    second = standing(house, NIGHT)
    house.clock.forward(hours=11)
    assert closed_at(house, house.engine().run, first, Silent()) == "hours"
    house.engine("a.bamba").revoke(second, "Enough")
    assert closed_at(house, house.engine().run, second, Silent()) == "revoked"


def test_policy_bounds_standing_approvals(house):
    too_long = StandingBounds(date(2027, 12, 31), time(22), time(4), "Africa/Abidjan", ())
    assert closed_at(house, standing, house, too_long) == "standing"
    request_id = standing(house)
    rule = {**POLICY["operations"]["folder.fill"]["production"], "standing": {"allowed": False}}
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    house.clock.forward(hours=11)
    assert closed_at(house, house.engine().run, request_id, Silent()) == "standing"


def test_a_crashed_standing_run_is_finished_before_the_next(house):
    request_id = standing(house)
    house.clock.forward(hours=11)

    class Crash(BaseException):
        pass

    def point(name):
        if name == "verify":
            raise KeyboardInterrupt

    house.fill.point = point
    with pytest.raises(KeyboardInterrupt):
        house.engine().run(request_id, Silent())
    house.fill.point = lambda name: None
    assert closed_at(house, house.engine().run, request_id, Silent()) == "unfinished"
    run = house.engine().runs()[0]
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.engine().run(request_id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_an_emergency_runs_at_once_and_waits_for_somebody_else(house):
    engine = house.engine()
    run = engine.emergency(house.plan(), "The customs office stands still", Silent())
    assert run.exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    (due,) = engine.open_emergencies()
    assert (due.kind, due.state) == (RequestKind.EMERGENCY, RequestState.RATIFICATION_DUE)
    assert due.ratify_before == house.clock.now() + timedelta(hours=48)
    assert closed_at(house, engine.ratify, due.id, "Mine") == "self_approval"
    assert closed_at(house, house.engine("y.traore").ratify, due.id, "Not a director") == "role"
    assert closed_at(house, engine.run, due.id, Silent()) == "used"
    assert house.engine("a.bamba").ratify(due.id, "It was needed").state is RequestState.RATIFIED
    assert engine.open_emergencies() == []


def test_an_emergency_nobody_ratifies_stays_on_show(house):
    house.engine().emergency(house.plan(), "Fire", Silent())
    house.clock.forward(days=30)
    (due,) = house.engine("y.traore").open_emergencies()
    assert due.ratify_before < house.clock.now()
    assert house.engine("a.bamba").refuse(due.id, "It was not").state is RequestState.REFUSED
    assert house.engine().open_emergencies() == []


def test_an_emergency_is_for_the_roles_policy_names_and_needs_a_reason(house):
    plan = house.plan()
    assert closed_at(house, house.engine("y.traore").emergency, plan, "Fire", Silent()) == "emergency"
    with pytest.raises(UsageError):
        house.engine().emergency(plan, "  ", Silent())
    rule = {**POLICY["operations"]["folder.fill"]["production"], "emergency": None}
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    assert closed_at(house, house.engine().emergency, plan, "Fire", Silent()) == "emergency"
    assert house.written() == {}
    assert house.engine().requests() == []


def test_an_emergency_does_only_what_it_declared(house):
    (house.root / "targets/t1/a").write_text("written\n")
    plan = house.plan()
    (house.root / "targets/t1/a").unlink()
    with pytest.raises(WorldChangedError):
        house.engine().emergency(plan, "Fire", Silent())
    assert house.written() == {}


def test_resuming_has_its_own_limit_in_time(house):
    house.fill.faults["t1/b"] = ["lost before", "lost before"]
    run = house.engine().run(house.approved(), Silent())
    house.clock.forward(hours=25)
    assert closed_at(house, house.engine().resume, run.id, Silent()) == "resume_too_late"


def test_resuming_stops_at_anything_new(house):
    house.fill.faults["t1/c"] = ["lost before", "lost before"]
    (house.root / "targets/t1/a").write_text("written\n")
    run = house.engine().run(house.approved(), Silent())
    (house.root / "targets/t1/a").unlink()
    with pytest.raises(WorldChangedError):
        house.engine().resume(run.id, Silent())
    assert house.written() == {"b": 1}


def test_one_target_is_held_by_one_run_at_a_time(tmp_path):
    house = House(tmp_path)
    first = house.approved()
    house.clock.forward(seconds=3)
    second = house.approved()
    told = []

    def other_run():
        # Another owner: this process's own leases of another run are somebody else's too.
        with pytest.raises(GateClosedError) as caught:
            house.engine("k.brou").run(second, Silent())
        told.append(str(caught.value))
        with pytest.raises(GateClosedError) as caught:
            house.engine("k.brou").run(first, Silent())
        told.append(str(caught.value))

    house.fill.faults["t1/b"] = [other_run]
    run = house.engine().run(first, Silent())
    assert run.exit_code == 0
    assert all("m.kouadio" in text and run.id in text for text in told)
    assert len(told) == 2
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_requests_and_runs_are_found_by_their_beginning(house):
    request_id = house.approved()
    run = house.engine().run(request_id, Silent())
    engine = house.engine()
    assert engine.request_by_id(request_id[:6].lower()).id == request_id
    assert engine.run_by_id(run.id[:-2]).id == run.id
    with pytest.raises(UsageError):
        engine.run_by_id("RUN-1999")
    house.clock.forward(seconds=1)
    house.fill.faults.clear()
    empty(house)
    house.requested()
    with pytest.raises(UsageError):
        engine.request_by_id("REQ-2026")
    assert len(engine.requests()) == 2
    assert [item.state for item in engine.requests(open_only=True)] == [RequestState.PENDING]


def test_a_run_nobody_started_cannot_be_resumed_past_the_expiry(house):
    """Somebody who owns the database writes a start by hand, so that "resume" would not ask for the expiry."""
    request_id = house.approved()
    house.clock.forward(days=3)
    ledger = Ledger(house.journal.read())
    digest = house.engine().request_by_id(request_id).plan.digest
    document = documents.run_document(
        journal=ledger.journal_id,
        run="RUN-20261124-0000",
        request=request_id,
        plan_digest=digest,
        targets=["t1"],
        person="m.kouadio",
        at=house.clock.now(),
    )
    signed = MemoryKey("m.kouadio").sign(document, documents.RUN)
    body = {"request": request_id, "operation": "folder.fill", "plan_digest": digest}
    with house.journal.transaction() as change:
        change.append(Draft(Kind.RUN_STARTED, "RUN-20261124-0000", "m.kouadio", body, signed))
    assert closed_at(house, house.engine().resume, "RUN-20261124-0000", Silent()) == "expired"
    with house.journal.transaction() as change:
        change.append(Draft(Kind.RUN_STARTED, "RUN-20261124-0001", "m.kouadio", body, signed))
    assert closed_at(house, house.engine().resume, "RUN-20261124-0001", Silent()) == "request"
    assert house.written() == {}


def test_an_approval_given_after_the_start_does_not_cover_it(house):
    rule = {**POLICY["operations"]["folder.fill"]["production"]}
    house.fill.faults["t1/b"] = ["lost before", "lost before"]
    run = house.engine().run(house.approved(), Silent())
    house.policy["operations"] = {"folder.fill": {"production": {**rule, "approvals": 2}}}
    assert closed_at(house, house.engine().resume, run.id, Silent()) == "approvals"
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    assert house.engine("k.brou").resume(run.id, Silent()).exit_code == 0


def test_an_emergency_interrupted_can_be_finished_until_its_ratification_is_overdue(house):
    house.fill.faults["t1/b"] = ["lost before", "lost before"]
    run = house.engine().emergency(house.plan(), "Fire", Silent())
    assert run.exit_code == 3
    assert house.engine().resume(run.id, Silent()).exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
