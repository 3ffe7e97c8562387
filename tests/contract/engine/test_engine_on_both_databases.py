"""What the engine promises about claims and leases holds on SQLite and on PostgreSQL alike."""

import threading
from datetime import timedelta

import pytest
from house import House

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.events import Silent
from dsi_automation.journal.errors import LeaseHeldError, LeaseLostError
from dsi_automation.journal.model import Kind

NORTH, SOUTH = "north/1/1/boot/machine-1", "south/2/2/boot/machine-2"
"""Two controllers on other machines, whose death nobody here can see."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return None if request.param == "sqlite" else request.getfixturevalue("new_postgres_database")()


@pytest.fixture
def both(tmp_path, url):
    """One controller's house; `second()` is another process at the same journal and the same targets."""
    made = [House(tmp_path, url=url)]

    def second(**options):
        other = House(tmp_path, url=url, clock=made[0].clock)
        other.options = options
        made.append(other)
        return other

    yield made[0], second
    for house in made:
        house.journal.close()


def test_a_run_goes_from_request_to_evidence(both):
    house, _ = both
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_a_live_holder_is_named_to_whoever_else_wants_the_target(both):
    house, second = both
    house.options = {"owner": NORTH}
    request_id = house.approved()
    house.clock.forward(seconds=2)
    other_request = house.approved()
    other = second(owner=SOUTH)
    told = []

    def meanwhile():
        for call in (
            lambda: other.engine("k.brou").run(other_request, Silent()),
            lambda: other.engine("k.brou").resume("RUN-", Silent()),
        ):
            with pytest.raises(LeaseHeldError) as caught:
                call()
            told.append(caught.value.detail["person"])

    house.fill.faults["t1/b"] = [meanwhile]
    assert house.engine().run(request_id, Silent()).exit_code == 0
    assert told == ["m.kouadio", "m.kouadio"]
    assert house.written() == {"a": 1, "b": 1, "c": 1}


def test_a_controller_that_froze_is_taken_over_and_writes_nothing_more(both):
    """Its lease runs out while it acts; another finishes; what the first does next is refused by its number."""
    house, second = both
    house.options = {"owner": NORTH, "heartbeat": timedelta(hours=1)}
    other = second(owner=SOUTH)
    finished = []

    def freeze():
        house.clock.forward(minutes=2)
        finished.append(other.engine("k.brou").resume("RUN-", Silent()))
        with pytest.raises(GateClosedError) as caught:
            house.tools.hands(house.tools.permits[0]).write("t1", "late")
        assert caught.value.detail["door"] == "lease"

    house.fill.faults["t1/b"] = [freeze]
    with pytest.raises(LeaseLostError):
        house.engine().run(house.approved(), Silent())
    assert finished[0].exit_code == 0
    assert house.written() == {"a": 1, "b": 1, "c": 1}
    (run,) = house.engine().runs()
    entries = house.journal.read(subject=run.id)
    assert [str(entry.outcome) for entry in run.steps] == ["done"] * 3
    assert entries[-1].kind is Kind.RUN_ENDED
    assert [entry.actor for entry in entries if entry.kind is Kind.RUN_RESUMED] == ["k.brou"]


def test_a_heartbeat_keeps_the_lease_while_an_action_takes_its_time(tmp_path, url):
    house = House(tmp_path, url=url, clock=SystemClock())
    house.options = {"heartbeat": timedelta(milliseconds=20)}
    seen = []

    def take_time():
        (first,) = house.journal.holders()
        while (lease := house.journal.holders()[0]).expires_at == first.expires_at:
            threading.Event().wait(0.005)
        seen.append((first, lease))

    house.fill.faults["t1/b"] = [take_time]
    run = house.engine().run(house.approved(), Silent())
    assert run.exit_code == 0
    ((first, renewed),) = seen
    assert renewed.expires_at > first.expires_at
    assert renewed.fence == first.fence
    assert house.journal.holders() == []
    house.journal.close()


def test_two_threads_of_two_controllers_start_one_request_and_one_runs(both):
    house, second = both
    house.options = {"owner": NORTH}
    other = second(owner=SOUTH)
    request_id = house.approved()
    together, ended = threading.Barrier(2), []

    def start(engine):
        together.wait()
        try:
            ended.append(int(engine.run(request_id, Silent()).exit_code))
        except GateClosedError as error:
            ended.append(int(error.exit_code))

    threads = [threading.Thread(target=start, args=(place.engine("k.brou"),)) for place in (house, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == [0, 4]
    assert house.written() == {"a": 1, "b": 1, "c": 1}
