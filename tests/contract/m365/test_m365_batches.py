"""What is asked at the same moment travels together, in order, and only what was refused for now is sent again."""

import threading

import pytest

from dsi_automation.connectors.m365.errors import NoSeatError, PermissionMissingError, ThrottledError
from dsi_automation.core.errors import UnreachableError

SKU = "18181a46-0d4e-45cd-891e-60aabd171b4e"


def paths(graph):
    return [path for _, path, *_ in graph.requests]


def test_a_request_by_itself_travels_by_itself(graph, reader):
    user_id = graph.add(userPrincipalName="a@douanes.lab")
    reader.mailboxes([user_id])
    assert [path for _, path in graph.http] == [f"/v1.0/users/{user_id}/mailboxSettings"]


def test_45_requests_take_three_exchanges_and_keep_their_order(graph, reader):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab", ready=n % 2 == 0) for n in range(45)]
    found = reader.mailboxes(ids)
    assert list(found) == ids
    assert [state.ready for state in found.values()] == [n % 2 == 0 for n in range(45)]
    assert [path for _, path in graph.http] == ["/v1.0/$batch"] * 3
    assert sorted(paths(graph)) == sorted(f"/users/{one}/mailboxSettings" for one in ids)
    assert (reader.exchanges.http, reader.exchanges.inner, reader.exchanges.retries) == (3, 45, 0)


def test_only_the_items_that_were_throttled_are_sent_again_in_their_order(graph, reader, clock):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab", ready=True) for n in range(20)]
    again = [ids[3], ids[11], ids[17]]
    for one in again:
        graph.fail("GET", one, (429, {"Retry-After": "7"}, {"error": {"code": "TooManyRequests", "message": "x"}}))
    assert all(state.ready for state in reader.mailboxes(ids).values())
    assert paths(graph)[20:] == [f"/users/{one}/mailboxSettings" for one in again]
    assert [7 <= wait <= 8 for wait in clock.waits] == [True]
    assert reader.exchanges.retries == 3


def test_a_throttled_item_beyond_the_deadline_ends_the_call_at_once(graph, reader, clock):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab") for n in range(3)]
    graph.fail("GET", ids[1], (429, {"Retry-After": "600"}, None))
    with pytest.raises(ThrottledError) as caught:
        reader.mailboxes(ids)
    assert "600 s" in caught.value.what.render("en")
    assert clock.waits == []


@pytest.mark.parametrize("whole", [(429, {"Retry-After": "0.4"}, None), (503, {}, "<html>"), (502, {}, None)])
def test_a_batch_refused_as_a_whole_is_sent_again_as_a_whole(graph, reader, whole):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab", ready=True) for n in range(3)]
    graph.fail("POST", "^/\\$batch", whole)
    assert all(state.ready for state in reader.mailboxes(ids).values())
    assert len(graph.http) == 2


def test_an_item_without_an_answer_is_asked_again(graph, reader):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab", ready=True) for n in range(3)]
    graph.fail("GET", ids[1], None, drop=True)
    assert all(state.ready for state in reader.mailboxes(ids).values())
    assert paths(graph)[3:] == [f"/users/{ids[1]}/mailboxSettings"]


def test_an_item_whose_parent_failed_is_sent_again(graph, reader):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab", ready=True) for n in range(2)]
    graph.fail("GET", ids[0], (424, {}, {"error": {"code": "FailedDependency", "message": "x"}}))
    assert all(state.ready for state in reader.mailboxes(ids).values())


def test_one_refused_item_does_not_keep_the_others_of_other_threads_from_their_answers(graph, writer):
    users = [graph.add(userPrincipalName=f"u{n}@douanes.lab", usageLocation="CI") for n in range(12)]
    graph.seats, results = 10, {}

    def assign(user_id):
        try:
            writer.change_licences(user_id, [SKU], [])
            results[user_id] = "given"
        except NoSeatError:
            results[user_id] = "no seat"

    together(graph, [lambda one=one: assign(one) for one in users])
    assert sorted(results.values()) == ["given"] * 10 + ["no seat"] * 2
    given = {one for one, result in results.items() if result == "given"}
    assert given == {one for one in users if graph.users[one]["assignedLicenses"]}


def together(graph, works):
    """Run some works in threads of their own; the tenant answers nothing before all have asked."""
    graph.gate = threading.Event()
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    graph.gate.set()
    for thread in threads:
        thread.join()


def test_what_threads_ask_at_the_same_moment_travels_together(graph, reader):
    ids = [graph.add(userPrincipalName=f"u{n}@douanes.lab") for n in range(40)]
    reader.tenant()
    seen, before = {}, len(graph.http)

    def look(one):
        seen[one] = reader.user(one).upn

    together(graph, [lambda one=one: look(one) for one in ids])
    assert seen == {one: graph.users[one]["userPrincipalName"] for one in ids}
    assert len(graph.http) - before < 40


def test_two_changes_of_one_user_never_share_a_batch(graph, writer):
    busy = [graph.add(userPrincipalName=f"b{n}@douanes.lab", usageLocation="CI") for n in range(2)]
    user_id = graph.add(userPrincipalName="a@douanes.lab", usageLocation="CI")
    works = [lambda: writer.change_licences(user_id, [SKU], [])] * 3
    together(graph, [*(lambda one=one: writer.change_licences(one, [SKU], []) for one in busy), *works])
    assert graph.users[user_id]["assignedLicenses"] == [{"skuId": SKU}]
    batches = [path for _, path in graph.http]
    # Three changes of one user need three exchanges, whatever travelled with each.
    assert len(batches) >= 3


def test_a_connection_refused_is_tried_until_the_deadline_then_unreachable(graph, endpoint, clock):
    from dataclasses import replace

    from dsi_automation.connectors.m365.client import Connection, GraphReader

    nowhere = replace(endpoint, base_url="https://127.0.0.1:1/v1.0", deadline=20.0)
    with GraphReader(Connection(nowhere, clock, clock.pause)) as reader, pytest.raises(UnreachableError) as caught:
        reader.tenant()
    assert len(clock.waits) > 3
    assert clock.seconds <= 20
    assert caught.value.retryable


@pytest.mark.parametrize("value", ["0.4", "0", "200", None])
def test_a_throttled_request_waits_as_asked_and_counts_its_retry(graph, reader, clock, value):
    graph.fail("GET", "^/organization", (429, {} if value is None else {"Retry-After": value}, None))
    assert reader.tenant().hybrid
    least = float(value) if value is not None else 0.25
    assert least <= sum(clock.waits) <= least + 1
    assert reader.exchanges.retries == 1


def test_a_missing_permission_is_named_after_the_call(graph, reader):
    denied = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}
    graph.fail("GET", "^/contacts", (403, {}, denied))
    with pytest.raises(PermissionMissingError) as caught:
        reader.holders(["a@douanes.lab"])
    assert caught.value.detail["permission"] == "OrgContact.Read.All"
