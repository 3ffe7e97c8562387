"""Leases: one holder at a time, numbers that only grow, owners that died make way."""

import subprocess
import sys
from datetime import timedelta

import pytest
from fix_journal import Place, note

from dsi_automation.journal.errors import LeaseHeldError, LeaseLostError
from dsi_automation.journal.model import Lease
from dsi_automation.journal.owner import this_process
from dsi_automation.journal.store import SqlJournal

TTL = timedelta(seconds=60)
FAR = "far-host/12/34/boot/scope"


def take(journal: SqlJournal, *targets: str, run: str = "run-1", owner: str = FAR) -> list[Lease]:
    with journal.transaction() as transaction:
        return list(transaction.acquire(targets, run, owner, "m.kouadio", TTL))


def test_a_held_target_names_its_holder(place: Place) -> None:
    journal = place.open()
    take(journal, "ws1", "ws2")
    with pytest.raises(LeaseHeldError) as caught:
        take(journal, "ws3", "ws2", run="run-2", owner=this_process())
    said = str(caught.value)
    assert all(words in said for words in ("ws2", "m.kouadio", "run-1", "far-host", "2026-11-21T12:01:00"))
    assert [lease.target for lease in journal.holders()] == ["ws1", "ws2"]


def test_numbers_grow_through_release_and_takeover(place: Place) -> None:
    journal = place.open()
    first = take(journal, "ws1")
    with journal.transaction() as transaction:
        transaction.release(first)
    second = take(journal, "ws1", "ws2", run="run-2")
    place.clock.moment += TTL + timedelta(seconds=1)
    third = take(journal, "ws1", run="run-3")
    fences = [lease.fence for lease in [*first, *second, *third]]
    assert fences == sorted(set(fences))


def test_an_expired_lease_is_taken_over_and_its_old_holder_can_no_longer_write(place: Place) -> None:
    journal = place.open()
    (old,) = take(journal, "ws1")
    place.clock.moment += TTL + timedelta(seconds=1)
    (new,) = take(journal, "ws1", run="run-2", owner="other/1/1/boot/scope")
    with pytest.raises(LeaseLostError), journal.transaction() as transaction:
        transaction.append(note(), fence=old)
    with pytest.raises(LeaseLostError), journal.transaction() as transaction:
        transaction.renew([old], TTL)
    with journal.transaction() as transaction:
        transaction.release([old])
        transaction.append(note(), fence=new)
    assert [lease.run_id for lease in journal.holders()] == ["run-2"]


def test_a_lease_given_back_is_lost(place: Place) -> None:
    journal = place.open()
    leases = take(journal, "ws1")
    with journal.transaction() as transaction:
        transaction.release(leases)
        with pytest.raises(LeaseLostError):
            transaction.append(note(), fence=leases[0])
        assert transaction.holders() == []


def test_renewing_prolongs_and_keeps_the_number(place: Place) -> None:
    journal = place.open()
    (lease,) = take(journal, "ws1")
    place.clock.moment += timedelta(seconds=50)
    with journal.transaction() as transaction:
        (renewed,) = transaction.renew([lease], TTL)
    assert renewed.fence == lease.fence
    assert renewed.expires_at == place.clock.moment + TTL
    place.clock.moment += timedelta(seconds=50)
    with pytest.raises(LeaseHeldError):
        take(journal, "ws1", run="run-2")


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(place: Place) -> None:
    journal = place.open()
    code = "from dsi_automation.journal.owner import this_process; print(this_process())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    take(journal, "ws1", owner=dead)
    assert journal.holders() == []
    (lease,) = take(journal, "ws1", run="run-2", owner=this_process())
    assert lease.run_id == "run-2"


def test_the_lease_of_a_living_process_of_this_machine_is_kept(place: Place) -> None:
    journal = place.open()
    take(journal, "ws1", owner=this_process())
    with pytest.raises(LeaseHeldError):
        take(journal, "ws1", run="run-2", owner=FAR)


def test_a_lease_expires_by_the_databases_clock(place: Place) -> None:
    journal = place.open(clock=False)
    with journal.transaction() as transaction:
        transaction.acquire(["ws1"], "run-1", FAR, "awa", timedelta(seconds=-1))
        transaction.acquire(["ws2"], "run-1", FAR, "awa", TTL)
    assert [lease.target for lease in journal.holders()] == ["ws2"]
