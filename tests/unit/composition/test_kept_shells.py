"""Connections are kept while a run lasts, shared by its threads, and closed at its end."""

import pytest

from dsi_automation.composition.shells import Shells


class Line:
    def __init__(self, host):
        self.host, self.closed = host, 0

    def close(self):
        self.closed += 1


@pytest.fixture
def opened():
    return []


@pytest.fixture
def shells(opened):
    def make(host):
        opened.append(Line(host))
        return opened[-1]

    return Shells(make)


def test_without_a_keeper_each_use_has_a_connection_of_its_own(shells, opened):
    for _ in range(2):
        with shells.at("app1"):
            pass
    assert [line.closed for line in opened] == [1, 1]


def test_while_they_are_kept_a_machine_is_logged_in_to_once(shells, opened):
    with shells.kept():
        for host in ("app1", "app2", "app1"):
            with shells.at(host) as line:
                assert line.host == host
        assert [line.host for line in opened] == ["app1", "app2"]
        assert not any(line.closed for line in opened)
    assert [line.closed for line in opened] == [1, 1]


def test_the_last_of_several_keepers_closes_them(shells, opened):
    with shells.kept():
        with shells.kept(), shells.at("app1"):
            pass
        assert opened[0].closed == 0
    assert opened[0].closed == 1


def test_a_run_that_fails_leaves_no_connection_open(shells, opened):
    with pytest.raises(RuntimeError, match="cut"), shells.kept(), shells.at("app1"):
        raise RuntimeError("cut")
    assert opened[0].closed == 1


def test_a_use_that_outlasts_its_keeper_ends_with_a_closed_connection_and_the_next_has_a_new_one(shells, opened):
    late = shells.at("app1")
    with shells.kept():
        late.__enter__()
    late.__exit__(None, None, None)
    with shells.at("app1"):
        pass
    assert [line.closed for line in opened] == [1, 1]
