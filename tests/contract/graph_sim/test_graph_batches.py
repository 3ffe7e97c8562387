"""$batch, as "Combine multiple HTTP requests using JSON batching" describes it."""

import pytest
from graph_wire import STANDARD, error, new_user

from dsi_automation.lab.graph.faults import Fault

TYPED = {"Content-Type": "application/json"}


def get(identifier, url="/users?$top=1", **more):
    return {"id": identifier, "method": "GET", "url": url, **more}


def test_twenty_answers_come_in_any_order_each_with_its_id(caller):
    rows = [get(str(number)) for number in range(20)]
    orders = {
        tuple(row["id"] for row in caller.post("/$batch", {"requests": rows}).json()["responses"]) for _ in range(3)
    }
    assert len(orders) > 1
    assert all(sorted(order) == sorted(row["id"] for row in rows) for order in orders)


def test_the_example_of_the_page_gives_its_statuses(caller):
    """The page's example: a list, a refused call, a method that is not allowed, an advanced query without the slash."""
    graph_id = "161ab652-cdbc-490d-82a4-0ada1f0db247"
    advanced = "users?$select=id,displayName,userPrincipalName&$filter=city eq null&$count=true"
    answers = caller.batch(
        get("1", "/users"),
        {"id": "3", "method": "DELETE", "url": f"/groups/{graph_id}"},
        {"id": "4", "method": "POST", "url": f"/users/{graph_id}", "body": {}, "headers": TYPED},
        get("5", advanced, headers={"ConsistencyLevel": "eventual"}),
    )
    assert {key: row["status"] for key, row in answers.items()} == {"1": 200, "3": 405, "4": 405, "5": 200}
    assert answers["4"]["body"]["error"]["message"] == "Specified HTTP method is not allowed for the request target."
    assert answers["5"]["body"]["@odata.count"] == 0
    assert answers["1"]["headers"]["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([get(str(number)) for number in range(21)], "exceeds the maximum value of 20"),
        ([get("a"), get("A")], "has to be unique in a batch"),
        ([{"id": "1", "method": "POST", "url": "/users", "body": {}}], "does not contain Content-Type header or body"),
        ([{"id": "1", "method": "POST", "url": "/users", "headers": TYPED}], "does not contain Content-Type header or"),
        ([get("1", "https://graph.microsoft.com/v1.0/users")], "relative"),
        ([get("1", "/$batch")], "relative"),
        ([get("1", dependsOn=["2"]), get("2")], "not before it"),
        ([get("1", depends_on=["2"])], "Invalid batch payload format"),
        ([get("")], "Request Id cannot be null or empty"),
        ([get(1)], "Request Id cannot be null or empty"),
        ([], "Empty Payload"),
    ],
)
def test_a_malformed_batch_is_refused_whole(caller, items, said):
    status, _, message = error(caller.post("/$batch", {"requests": items}))
    assert status == 400
    assert said in message


def test_twenty_one_have_a_code_of_their_own(caller):
    items = [get(str(number)) for number in range(21)]
    assert error(caller.post("/$batch", {"requests": items}))[1] == "MaximumValueExceeded"


def test_what_depends_on_a_failure_is_not_done(caller, graph):
    create = {"id": "1", "method": "POST", "url": "/users", "headers": TYPED, "body": new_user(employeeId="1" * 17)}
    patch = {"id": "2", "method": "PATCH", "url": "/users/awa.kone@douanes.lab", "headers": TYPED, "body": {}}
    answers = caller.batch(create, {**patch, "dependsOn": ["1"]}, get("3", dependsOn=["2"]), get("4"))
    assert {key: row["status"] for key, row in answers.items()} == {"1": 400, "2": 424, "3": 424, "4": 200}
    assert graph.control.users() == []


def test_sequenced_items_see_what_those_before_did(caller):
    user = caller.create(usageLocation=None)["id"]
    body = {"addLicenses": [{"skuId": STANDARD}], "removeLicenses": []}
    locate = {"id": "1", "method": "PATCH", "url": f"/users/{user}", "headers": TYPED, "body": {"usageLocation": "CI"}}
    give = {"id": "2", "method": "POST", "url": f"/users/{user}/assignLicense", "headers": TYPED, "body": body}
    answers = caller.batch(locate, {**give, "dependsOn": ["1"]})
    assert {key: row["status"] for key, row in answers.items()} == {"1": 204, "2": 200}
    assert answers["1"]["body"] is None


def test_an_item_is_throttled_by_itself(caller, graph):
    graph.control.fault(Fault.THROTTLE, path="/users/b*", where="item", retry_after="0.4", count=1)
    answers = caller.batch(get("1", "/users/a"), get("2", "/users/b"), get("3", "/users/b"))
    assert {key: row["status"] for key, row in answers.items()} == {"1": 404, "2": 429, "3": 404}
    assert answers["2"]["headers"]["Retry-After"] == "0.4"
    assert answers["2"]["body"]["error"]["code"] == "TooManyRequests"


def test_items_are_recorded_each_as_a_request_of_its_own(caller, graph):
    user = new_user()
    caller.batch(
        get("1", "/users?$filter=startswith(displayName,'N''G%20x')&$top=5"),
        {"id": "2", "method": "POST", "url": "users", "headers": TYPED, "body": user},
    )
    lines = [line for line in graph.control.requests() if "batch" in line]
    assert [(line["batch"], line["method"], line["path"], line["query"], line["status"]) for line in lines] == [
        ("1", "GET", "/v1.0/users", "$filter=startswith(displayName,'N''G%20x')&$top=5", 200),
        ("2", "POST", "/v1.0/users", "", 201),
    ]
    hidden = {**user, "passwordProfile": {**user["passwordProfile"], "password": "•••"}}
    assert (lines[1]["body"], lines[1]["headers"]) == (hidden, TYPED)
    outer = graph.control.requests(path="/$batch")[0]
    assert outer["body"]["requests"][1]["body"] == hidden
    assert user["passwordProfile"]["password"] not in graph.record_file.read_text()
