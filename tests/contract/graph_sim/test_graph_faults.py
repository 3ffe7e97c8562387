"""The faults: each does what it says, where it says, as often as it says."""

import pytest
import requests
from graph_wire import error, new_user

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.lab.graph.client import GraphControl
from dsi_automation.lab.graph.faults import Fault


@pytest.mark.parametrize(("status", "after"), [(429, "1"), (429, "0.4"), (503, "0"), (429, None), (429, "200")])
def test_throttling_bears_whatever_retry_after_was_asked(caller, graph, status, after):
    graph.control.fault(Fault.THROTTLE, status=status, retry_after=after, count=1)
    answer = caller.get("/users")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, after)
    assert caller.get("/users").status_code == 200


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_before_does_nothing_and_one_after_did_it(caller, graph, status):
    graph.control.fault(Fault.STATUS, status=status, method="POST", path="/users", count=1)
    assert caller.post("/users", new_user()).status_code == status
    assert graph.control.users() == []
    graph.control.fault(Fault.STATUS, status=status, method="POST", path="/users", count=1, after_commit=True)
    assert caller.post("/users", new_user()).status_code == status
    assert len(graph.control.users()) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_cut_connection_gives_no_answer(caller, graph, after):
    graph.control.fault(Fault.CUT, method="POST", count=1, after_commit=after)
    with pytest.raises(requests.ConnectionError):
        caller.post("/users", new_user())
    assert len(graph.control.users()) == after
    assert graph.control.requests(method="POST", path="/users")[-1]["status"] is None
    assert caller.get("/users").status_code == 200


def test_a_cut_inside_a_batch_loses_the_whole_answer(caller, graph):
    graph.control.fault(Fault.CUT, method="POST", path="/users", where="item", count=1, after_commit=True)
    typed = {"Content-Type": "application/json"}
    with pytest.raises(requests.ConnectionError):
        caller.batch({"id": "1", "method": "POST", "url": "/users", "headers": typed, "body": new_user()})
    assert len(graph.control.users()) == 1


def test_a_body_can_be_a_web_page(caller, graph):
    graph.control.fault(Fault.NOT_JSON, count=1)
    answer = caller.get("/users")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")


def test_a_token_can_expire_in_the_middle(caller, graph):
    graph.control.fault(Fault.TOKEN_EXPIRED, count=1)
    assert error(caller.get("/users"))[:2] == (401, "InvalidAuthenticationToken")


def test_a_slow_answer_comes(caller, graph):
    graph.control.fault(Fault.SLOW, seconds=0.01, path="/users", count=1)
    assert caller.get("/users").status_code == 200


def test_a_fault_strikes_only_its_path_and_method(caller, graph):
    graph.control.fault(Fault.STATUS, method="GET", path="/users/*/mailboxSettings")
    assert caller.get("/users").status_code == 200
    assert caller.get("/users/x/mailboxSettings").status_code == 500
    graph.control.clear_faults()
    assert caller.get("/users/x/mailboxSettings").status_code == 404


def test_a_fault_that_does_not_exist_is_refused(graph):
    with pytest.raises(RefusedError):
        graph.control._call("POST", "/faults", {"fault": "flood"})


def test_a_socket_without_a_simulator_is_told(tmp_path):
    control = GraphControl(tmp_path / "nobody")
    assert control.ready() is False
    with pytest.raises(UnreachableError):
        control.users()


def test_somebody_else_takes_an_address(caller, graph):
    graph.control.take_address("awa.kone@douanes.lab")
    assert error(caller.post("/users", new_user()))[0] == 400
