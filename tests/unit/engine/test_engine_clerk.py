"""Entries of several threads share a transaction, and each of them is written or refused for itself."""

import threading
from contextlib import contextmanager

import pytest

from dsi_automation.core.errors import GateClosedError, StorageError
from dsi_automation.core.text import T
from dsi_automation.engine.clerk import Clerk
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.opening import open_journal


class Counting:
    """A journal whose transactions are counted, the first of which waits until it is let go."""

    def __init__(self, journal):
        self.journal = journal
        self.transactions = 0
        self.entered, self.go = threading.Event(), threading.Event()
        self.fail = None

    @contextmanager
    def transaction(self):
        with self.journal.transaction() as change:
            self.transactions += 1
            self.entered.set()
            self.go.wait(20)
            yield change
            if self.fail is not None and self.transactions > 1:
                raise self.fail


@pytest.fixture
def counting(tmp_path):
    journal = open_journal(None, tmp_path)
    yield Counting(journal)
    journal.close()


def draft(name):
    return Draft(Kind.ABOUT_TO, "RUN-1", "m.kouadio", {"action": name})


def entry(name, refuse=None):
    def write(change):
        if refuse is not None:
            raise refuse
        change.append(draft(name))

    return write


def written(counting):
    return [one.body["action"] for one in counting.journal.read(kinds=[Kind.ABOUT_TO])]


def together(counting, clerk, entries):
    """Write entries from a thread each, all but the first while the first is being written."""
    errors = {}

    def write(name, work):
        try:
            clerk.write(work)
        except (StorageError, GateClosedError) as error:
            errors[name] = error

    threads = [threading.Thread(target=write, args=item) for item in entries.items()]
    threads[0].start()
    assert counting.entered.wait(20)
    for thread in threads[1:]:
        thread.start()
    while len(clerk._waiting) < len(threads) - 1:
        assert all(thread.is_alive() for thread in threads)
    counting.go.set()
    for thread in threads:
        thread.join()
    return errors


def test_what_came_while_another_was_written_shares_one_transaction(counting):
    clerk = Clerk(counting)
    names = [f"a{number}" for number in range(20)]
    assert together(counting, clerk, {name: entry(name) for name in names}) == {}
    assert sorted(written(counting)) == sorted(names)
    assert counting.transactions == 2


def test_one_that_is_refused_keeps_no_other_from_being_written(counting):
    refusal = GateClosedError(T("Closed."))
    entries = {name: entry(name, refusal if name == "b" else None) for name in ("a", "b", "c", "d")}
    assert together(counting, Clerk(counting), entries) == {"b": refusal}
    assert sorted(written(counting)) == ["a", "c", "d"]


def test_a_transaction_that_fails_is_told_to_everybody_whose_entry_was_in_it_and_to_nobody_else(counting):
    counting.fail = StorageError(T("The disk is full."))
    errors = together(counting, Clerk(counting), {name: entry(name) for name in ("a", "b", "c")})
    assert set(errors) == {"b", "c"}
    assert written(counting) == ["a"]


def test_an_entry_stands_when_the_call_returns(counting):
    counting.go.set()
    clerk = Clerk(counting)
    for name in ("a", "b"):
        clerk.write(entry(name))
        assert written(counting)[-1] == name
